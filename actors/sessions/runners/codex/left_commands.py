"""The commands that a turn left running: followed to their ends, as Codex lists them.

What Codex tells of them may go to whoever works in the thread by now, so it is asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Final

import attrs
import structlog
import trio

from command_center.actors.codex import requests
from command_center.actors.codex.pages import Ask, Pages
from command_center.actors.sessions.runner import FAILURES
from command_center.actors.sessions.runners.codex.agent_threads import turns_for
from command_center.actors.sessions.runners.codex.errors import SLOW, UNCERTAIN
from command_center.actors.sessions.runners.codex.reports import Reports
from command_center.actors.sessions.runners.codex.turns import find_turn
from command_center.runtime import Backoff
from command_center.store import Session

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

FOLLOW: Final = Backoff(initial=0.25, cap=5.0)
"""The pauses between two looks for a command that goes on."""


@attrs.frozen
class LeftCommands:
    """The commands of one session whose turn has ended."""

    _ask: Ask
    _reports: Reports
    _survives_restart: bool

    async def follow(self, session: Session, left: Mapping[str, set[str]]) -> None:
        """Report the end of each command that Codex lists no more; return when none is left.

        `left` are the items by their threads, which may be those of sub-agents.
        """
        async with trio.open_nursery() as nursery:
            for thread_id, item_ids in left.items():
                nursery.start_soon(self._follow, session, thread_id, set(item_ids))

    async def _follow(self, session: Session, thread_id: str, left: set[str]) -> None:
        for attempt in itertools.count(1):
            try:
                listed = await self._listed(thread_id)
                if not left <= listed:
                    await self._report(session, thread_id, left - listed)
                    left &= listed
                if not left:
                    return
            except SLOW as error:
                log.debug("session.commands.unknown", session=session.id, reason=str(error))
            except FAILURES as error:
                if not (self._survives_restart and isinstance(error, UNCERTAIN)):
                    log.info("session.commands.lost", session=session.id, reason=str(error))
                    return
            await trio.sleep(FOLLOW.delay(attempt))

    async def _listed(self, thread_id: str) -> set[str]:
        listed = set[str]()
        async for page in Pages(self._ask, requests.terminals_list(thread_id)):
            listed |= {str(one["itemId"]) for one in page}
        return listed

    async def _report(self, session: Session, thread_id: str, ended: set[str]) -> None:
        if thread_id != session.codex_thread_id:
            turns = await turns_for(self._ask, session, thread_id)
            await self._reports.agent_items(thread_id, turns, frozenset(ended))
            return
        turn = await find_turn(self._ask, session, thread_id)
        if turn is not None:
            await self._reports.items(str(session.codex_turn_id), turn, frozenset(ended))
