"""Turns of a thread that have ended and that no session has, as Codex lists them.

Source: the app-server protocol as the binary prints it (`codex app-server generate-json-schema`).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from command_center.actors.codex import requests
from command_center.actors.codex.active_turns import is_active
from command_center.actors.codex.pages import Ask, Pages
from command_center.actors.ledger.missed_turns import INSIDE, KnownTurns, began_at
from command_center.actors.sessions.runners.codex.turns import is_inside

RUNNING: Final[dict[str, Any]] = {"status": "inProgress"}
"""A turn that is not listed any more, and so is not known to have ended."""

STILL_SECONDS: Final = 3600.0
"""Seconds without a change, after which nobody carries on a turn that has no end."""

_AT_ONCE: Final = 100
"""Turns that are listed at once without their items."""

_WITH_ITEMS: Final = 20
"""Turns that are listed at once with them."""


@attrs.frozen
class MissedTurns:
    """Turns that have ended and are not known.

    Attributes:
        turns: they, with their items, the oldest first.
        newest: the newest turn that has ended; what came before it need not be looked at again.
        has_open: one that is not known may go on; the thread is to be looked at again.
    """

    turns: list[dict[str, Any]]
    newest: str | None
    has_open: bool


async def missed_turns(
    ask: Ask, thread_id: str, known: KnownTurns, *, seen: str | None, besides: str | None
) -> MissedTurns:
    """List those that are not known, but for the one `besides`.

    A review has the turn inside of it as its `INSIDE`; both are known if one is. What came before
    the turn `seen` is not looked at.

    Codex lists a turn as interrupted which another process of it carries on, or which has begun in
    this moment; then it has no end. Such a turn has ended once another one follows, or once its
    thread has been still for `STILL_SECONDS`.
    """
    listed: list[str] = []
    missed: set[str] = set()
    whole: dict[str, dict[str, Any]] = {}

    def look(turn: dict[str, Any]) -> bool:
        if turn["id"] == seen or known.began(turn) < known.since:
            return False
        listed.append(str(turn["id"]))
        if not known.has(turn) and turn["id"] != besides:
            missed.add(str(turn["id"]))
        return True

    def collect(turn: dict[str, Any]) -> bool:
        is_beyond = missed <= whole.keys()  # the one before the oldest may be inside of that
        whole[str(turn["id"])] = turn
        return not is_beyond

    await _list_turns(ask, thread_id, look, limit=_AT_ONCE, items=False)
    if missed:
        await _list_turns(ask, thread_id, collect, limit=_WITH_ITEMS, items=True)
    # Without its items, a turn that runs may be listed as one that was interrupted.
    running = {one for one in missed if whole.get(one, RUNNING)["status"] == "inProgress"}
    for last in {*listed[:1]} & (missed - running):
        running |= await _open_turns(ask, thread_id, whole[last], known.ahead)
    for outer, inner in itertools.pairwise(listed):
        if inner in whole and outer in whole and is_inside(whole[inner], whole[outer]):
            if {outer, inner} <= missed:
                whole[outer][INSIDE] = whole[inner]
                missed.discard(inner)
            else:
                missed -= {outer, inner}
    over = [one for one in listed if one not in running | {besides}]
    return MissedTurns(
        [whole[one] for one in reversed(over) if one in missed],
        next(iter(over), seen),
        has_open=bool(running),
    )


async def _open_turns(ask: Ask, thread_id: str, last: Mapping[str, Any], ahead: float) -> set[str]:
    """Return the last turn of a thread if it has no end, and somebody may be carrying it on."""
    if last["status"] != "interrupted" or last.get("completedAt") is not None:
        return set()
    thread = (await ask(requests.thread_read(thread_id)))["thread"]
    changed = max(began_at(last), float(thread.get("updatedAt") or 0))
    is_still = not is_active(thread) and time.time() + ahead - changed > STILL_SECONDS
    return set() if is_still else {str(last["id"])}


async def _list_turns(
    ask: Ask, thread_id: str, take: Callable[[dict[str, Any]], bool], *, limit: int, items: bool
) -> None:
    """Give the turns one by one, the newest first, for as long as more are taken."""
    async for page in Pages(ask, requests.turns_list(thread_id, limit=limit, items=items)):
        if not all(take(turn) for turn in page):
            return
