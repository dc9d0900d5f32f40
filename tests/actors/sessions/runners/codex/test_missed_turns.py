"""The turns of a thread that have ended, by what Codex lists of them."""

from __future__ import annotations

import time
from typing import Any

import attrs
import pytest

from command_center.actors.codex.messages import Call
from command_center.actors.ledger.missed_turns import KnownTurns
from command_center.actors.sessions.runners.codex.missed_turns import (
    STILL_SECONDS,
    MissedTurns,
    missed_turns,
)

LONG_AGO = time.time() - 2 * STILL_SECONDS
NOTHING = KnownTurns(since=0.0, ids=frozenset(), messages=frozenset(), spans=(), is_agent=False)


def turn(id_: str, status: str, *, began: float, ended: float | None = None) -> dict[str, Any]:
    return {
        "id": id_,
        "rootTurnId": id_,
        "status": status,
        "startedAt": began,
        "completedAt": ended,
        "items": [],
    }


@attrs.define
class Listing:
    """A thread as Codex lists it."""

    turns: list[dict[str, Any]]
    changed: float = LONG_AGO
    status: str = "notLoaded"

    async def ask(self, call: Call) -> dict[str, Any]:
        if call.method == "thread/read":
            return {"thread": {"updatedAt": self.changed, "status": {"type": self.status}}}
        return {"data": self.turns, "nextCursor": None}

    async def look(self) -> MissedTurns:
        return await missed_turns(self.ask, "thread", NOTHING, seen=None, besides=None)


@pytest.mark.parametrize("status", ["completed", "failed", "interrupted"])
async def test_a_turn_with_an_end_has_ended(status: str) -> None:
    now = time.time()
    found = await Listing([turn("a", status, began=now, ended=now)], changed=now).look()
    assert (["a"], "a", False) == ([one["id"] for one in found.turns], found.newest, found.has_open)


@pytest.mark.parametrize(
    "thread",
    [
        Listing([turn("a", "interrupted", began=time.time())]),
        Listing([turn("a", "interrupted", began=LONG_AGO)], changed=time.time()),
        Listing([turn("a", "interrupted", began=LONG_AGO)], status="active"),
        Listing([turn("a", "inProgress", began=LONG_AGO)]),
    ],
    ids=["has just begun", "does something", "is active", "runs here"],
)
async def test_one_that_may_go_on_is_looked_at_again(thread: Listing) -> None:
    assert MissedTurns([], None, has_open=True) == await thread.look()
    thread.turns.append(turn("before", "interrupted", began=LONG_AGO))
    found = await thread.look()
    assert (["before"], "before") == ([one["id"] for one in found.turns], found.newest)


async def test_one_that_nobody_carries_on_has_ended() -> None:
    found = await Listing([turn("a", "interrupted", began=LONG_AGO)]).look()
    assert (["a"], "a", False) == ([one["id"] for one in found.turns], found.newest, found.has_open)
