"""Turns that a turn has begun are found, and ended."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from command_center.actors.codex.errors import CodexError
from command_center.actors.codex.messages import Call
from command_center.actors.codex.pages import Ask
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.hosts.local.codex.orphans import is_alive
from command_center.actors.sessions.runners.codex.agent_threads import find_agents, turns_for
from command_center.actors.sessions.runners.codex.turns import end_what_is_left, find_turn
from command_center.store import Writer
from tests.actors.hosts.local.codex.test_orphans import sleeper
from tests.actors.sessions.units import done, running, writer

__all__ = ["writer"]

IDLE = {"status": {"type": "idle"}}


async def test_a_command_that_codex_has_lost_sight_of_is_ended(writer: Writer) -> None:
    asked: list[str] = []

    async def ask(call: Call) -> dict[str, Any]:
        asked.append(call.method)
        return {"data": [], "nextCursor": None}

    _, session = done(writer, running)
    with sleeper(CODEX_THREAD_ID="t1") as command:
        await end_what_is_left(ask, LocalCodex(BridgeSettings()), session, "t1")
        assert not is_alive(command)
    assert ["thread/backgroundTerminals/clean", "thread/list"] == asked


async def test_only_what_works_for_the_thread_is_its_sub_agent() -> None:
    async def ask(_call: Call) -> dict[str, Any]:
        parents = {"child": "t", "grandchild": "child", "another": "elsewhere", "alone": None}
        listed = [{"id": name, "parentThreadId": of, **IDLE} for name, of in parents.items()]
        return {"data": listed, "nextCursor": None}

    assert ["child", "grandchild"] == [agent["id"] for agent in await find_agents(ask, "t")]


async def test_a_codex_that_cannot_list_sub_agents_has_none() -> None:
    async def ask(call: Call) -> dict[str, Any]:
        raise CodexError(call.method, -32600, "unknown variant")

    assert [] == await find_agents(ask, "t")


def listing(**threads: list[dict[str, Any]]) -> Ask:
    """Codex that lists these turns of threads, the newest first."""

    async def ask(call: Call) -> dict[str, Any]:
        return {"data": threads[call.params["threadId"]], "nextCursor": None}

    return ask


LONG_AGO, FAR = 5, 99_999_999_999
"""Moments by clocks that go wrong by years."""

SHORTENING: dict[str, Any] = {"items": [{"type": "contextCompaction", "id": "i"}]}


@pytest.mark.parametrize("clock", [LONG_AGO, FAR])
async def test_what_makes_a_thread_shorter_is_known_by_its_place_and_by_no_clock(
    writer: Writer, clock: int
) -> None:
    _, session = done(writer, running)
    session = msgspec.structs.replace(session, origin="compact", codex_turn_id=None)
    said = {"id": "said", "items": [{"type": "userMessage", "id": "u"}], "startedAt": clock}
    turn = {"id": "made", "startedAt": clock, **SHORTENING}
    assert turn == await find_turn(listing(t=[turn, said]), session, "t")
    assert await find_turn(listing(t=[said, turn]), session, "t") is None
    assert await find_turn(listing(t=[]), session, "t") is None


@pytest.mark.parametrize("clock", [LONG_AGO, FAR])
async def test_the_turns_of_a_sub_agent_are_known_by_the_clock_of_their_own_machine(
    writer: Writer, clock: int
) -> None:
    _, session = done(writer, running)
    session = msgspec.structs.replace(session, codex_thread_id="t", codex_turn_id="u")
    before = {"id": "before", "startedAt": clock - 1}
    later = {"id": "later", "startedAt": clock + 1}
    ask = listing(t=[{"id": "v"}, {"id": "u", "startedAt": clock}], a=[later, before])
    assert [later] == await turns_for(ask, session, "a")
    named = {"id": "named", "startedAt": clock - 1, "rootTurnId": "u"}
    assert [named, later] == await turns_for(
        listing(t=[{"id": "u", "startedAt": clock}], a=[later, named, before]), session, "a"
    )
    assert [] == await turns_for(listing(t=[], a=[later]), session, "a")
