"""Turns of a thread that have ended and that no session has, as Codex lists them.

Source: the app-server protocol as the binary prints it (`codex app-server generate-json-schema`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from command_center.actors.codex import requests
from command_center.actors.ledger.missed_turns import KnownTurns, began_at
from command_center.actors.sessions.runners.codex.agent_threads import Ask

_AT_ONCE: Final = 100
"""Turns that are listed at once without their items."""

_WITH_ITEMS: Final = 20
"""Turns that are listed at once with them."""


async def missed_turns(
    ask: Ask, thread_id: str, known: KnownTurns, seen: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """List those that are not known, with their items, the oldest first.

    Also return the newest turn that has ended: what came before it need not be looked at again,
    and is not where that is `seen`.
    """
    newest: str | None = None
    missed: set[str] = set()
    found: list[dict[str, Any]] = []

    def look(turn: dict[str, Any]) -> bool:
        nonlocal newest
        if turn["id"] == seen or began_at(turn) < known.since:
            return False
        if turn.get("status") != "inProgress":
            newest = newest or str(turn["id"])
            if not known.has(turn):
                missed.add(str(turn["id"]))
        return True

    def collect(turn: dict[str, Any]) -> bool:
        if turn["id"] in missed:
            missed.discard(str(turn["id"]))
            found.append(turn)
        return bool(missed)

    await _list_turns(ask, thread_id, look, limit=_AT_ONCE, items=False)
    if missed:
        await _list_turns(ask, thread_id, collect, limit=_WITH_ITEMS, items=True)
    return found[::-1], newest or seen


async def _list_turns(
    ask: Ask, thread_id: str, take: Callable[[dict[str, Any]], bool], *, limit: int, items: bool
) -> None:
    """Give the turns one by one, the newest first, for as long as more are taken."""
    cursor: str | None = None
    while True:
        page = await ask(requests.turns_list(thread_id, cursor=cursor, limit=limit, items=items))
        if not all(take(turn) for turn in page["data"]):
            return
        cursor = page.get("nextCursor")
        if cursor is None:
            return
