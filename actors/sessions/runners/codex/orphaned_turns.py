"""`/orphaned-turns/…`: ends the turns of a host that outlive their sessions.

A turn that does not heed its interruption in time is given up, and the session ends without it; so
does a session whose actor is set aside, and one that was accepted for an app-server where none is
used any more. Where Codex could not be reached, the turn may go on unseen. Each is noted with the
end of its session; here it is interrupted as soon as Codex can be reached again, also by a later
life of the server, and the commands and sub-agents that it left are ended.

A turn that a person has abandoned, since its host was gone, is waited for again as soon as that
host is back: it is ended first, and only then something else begins in its thread or folder.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final, TypeVarTuple

import structlog
import trio
from sqlite_utils import Database

from command_center.actors.codex import requests
from command_center.actors.codex.errors import BridgeUnavailable, CodexError
from command_center.actors.codex.messages import codex_on
from command_center.actors.codex.ports import CodexHost
from command_center.actors.contracts.addresses import SLOTS
from command_center.actors.contracts.bridges import (
    BridgeConnected,
)
from command_center.actors.contracts.events.sessions import TurnSettled
from command_center.actors.contracts.sessions import SlotsChanged, TurnLeft
from command_center.actors.contracts.turns import InterruptTurn
from command_center.actors.core.storage import Storage
from command_center.actors.ledger import sessions as ledger
from command_center.actors.sessions.runner import FAILURES
from command_center.actors.sessions.runners.codex.thread_goal import pause_goal
from command_center.actors.sessions.runners.codex.turns import (
    SETTLE_SECONDS,
    ask_bridge,
    end_what_is_left,
    interrupt_active,
    interrupt_when_listed,
)
from command_center.actors.sessions.runners.codex.watcher import BridgeWatcher
from command_center.runtime import ActorNotFound, MailboxFull, handles
from command_center.store import Session, Transaction, orphaned_turns, sessions

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

PAUSE_SECONDS: Final = 5.0
"""Seconds to wait where Codex is there and does not answer, before it is asked again."""


Args = TypeVarTuple("Args")


class OrphanedTurns(BridgeWatcher):
    """Interrupts what is left, over every connection to Codex until it is known to be over."""

    def __init__(self, storage: Storage, host: CodexHost) -> None:
        """Find the turns in `storage`; those are ended that run on `host`."""
        self._storage = storage
        self._host = host
        self._wanted = trio.Event()
        self._left = 0
        self._is_back = False

    async def on_start(self) -> None:
        """Ask to be told of connections; one that is there is told of at once."""
        self.ctx.start_task(self.watch, self._host.name)
        self.ctx.start_task(self._settle_all)

    def describe(self) -> Mapping[str, object]:
        """Return how many turns are yet to be ended."""
        return {"turns": self._left}

    @handles(TurnLeft)
    def left(self, _message: TurnLeft) -> None:
        """Try at once: it may be the session's actor alone that did not reach Codex."""
        self._wanted.set()

    @handles(InterruptTurn)
    def interrupt(self, message: InterruptTurn) -> None:
        """Tell Codex, and leave all else to the session's actor."""
        session = message.session
        thread_id, turn_id = session.codex_thread_id, session.codex_turn_id
        if thread_id is not None and turn_id is not None:
            with suppress(ActorNotFound, MailboxFull):
                bridge = self.ctx.lookup(codex_on(self._host.name))
                bridge.try_tell(requests.turn_interrupt(thread_id, turn_id))

    def connected(self, _message: BridgeConnected) -> None:
        """Try what is left, and have others wait for it."""
        self._is_back = True
        self._wanted.set()

    async def _settle_all(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            await self._try(self._settle_what_is_left)

    async def _settle_what_is_left(self) -> None:
        """Settle each by itself: one that Codex does not answer for holds up no other."""
        if self._is_back:
            await self._storage.write(partial(orphaned_turns.wait_again, host=self._host.name))
            self._is_back = False
        left = await self._storage.read(partial(orphaned_turns.every, host=self._host.name))
        self._left = len(left)
        async with trio.open_nursery() as nursery:
            for session in left:
                nursery.start_soon(self._try, self._settle, session)

    async def _try(self, work: Callable[[*Args], Awaitable[None]], *args: *Args) -> None:
        """Do it; where it fails, look again after a pause, or after the next connection."""
        try:
            await work(*args)
        except BridgeUnavailable:
            return  # the next connection is told of
        except (*FAILURES, ActorNotFound) as error:
            log.warning("orphaned_turns.failed", reason=str(error))
            await trio.sleep(PAUSE_SECONDS)
            self._wanted.set()

    async def _settle(self, session: Session) -> None:
        """End one turn and what it left. Codex's refusals say that there is nothing to end."""
        ask = partial(ask_bridge, self.ctx.lookup(codex_on(self._host.name)))
        thread_id = str(session.codex_thread_id)
        used = partial(is_used, host=session.host, thread_id=thread_id)
        interrupted = False
        try:
            if session.goal is None:
                interrupted = await interrupt_when_listed(
                    ask, session, thread_id, patience=SETTLE_SECONDS
                )
            elif not await self._storage.read(used):  # else what is active is another's by now
                await pause_goal(ask, thread_id)
                interrupted = await interrupt_active(ask, thread_id) is not None
            if not await self._storage.read(used):
                await end_what_is_left(ask, self._host.codex, session, thread_id)
        except CodexError as error:
            log.info("session.turn.unknown", session=session.id, reason=str(error))
        await self._storage.write(partial(settle, session=session, interrupted=interrupted))
        self._left -= 1
        with suppress(ActorNotFound, MailboxFull):  # who waits for its thread or folder may begin
            self.ctx.lookup(SLOTS).try_tell(SlotsChanged())


def is_used(db: Database, *, host: str, thread_id: str) -> bool:
    """Return whether a session that has not ended works in a host's thread, or is going to."""
    same = {"codex_thread_id": thread_id, "host": host}
    return sessions.find(db, {**same, "finished_at": None}) is not None


def settle(tx: Transaction, *, session: Session, interrupted: bool) -> None:
    """Forget the turn, and tell of it, once."""
    if orphaned_turns.forget(tx, session.id):
        ledger.tell(tx, session, TurnSettled(interrupted=interrupted))
