"""The start of a session's actor, once the session is committed, and again if there is none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import attrs
import structlog
import trio
from sqlite_utils import Database

from command_center.actors.contracts.addresses import SESSIONS, session_at
from command_center.actors.contracts.sessions import StopSession
from command_center.actors.contracts.tasks import RunOutcome
from command_center.actors.rules.errors import Unavailable
from command_center.actors.sessions.actor import MAILBOX, SessionActor
from command_center.actors.sessions.services import SessionServices
from command_center.runtime import (
    ActorStopped,
    ChildExists,
    ChildSpec,
    Context,
    Restart,
    StartFailed,
    SupervisorNotFound,
)
from command_center.store import Session, Task, Transaction, sessions, tasks

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

RESCAN_SECONDS: Final = 10.0
"""Seconds that a live session may be without an actor before that is noticed."""

CANCELLED: Final = StopSession(reason="Its task was cancelled.", requested_by="task")
"""The stop reason of a session whose task was cancelled without reaching it."""


@attrs.frozen
class SessionStarts:
    """Sees to it that each live session has its actor."""

    _ctx: Context
    _services: SessionServices

    async def start(self, session_id: int) -> None:
        """Start the session's actor; one that cannot start now is tried again later."""
        spec = ChildSpec(
            id=str(session_id),
            start=partial(SessionActor, session_id, self._services),
            restart=Restart.TRANSIENT,
            mailbox=MAILBOX,
        )
        try:
            await self._ctx.start_child(SESSIONS, spec)
        except ChildExists:
            return
        except (StartFailed, ActorStopped, SupervisorNotFound):
            log.exception("session.start.failed", session=session_id)
            return
        await self._stop_if_cancelled(session_id)

    async def begin(self, unit: Callable[[Transaction], RunOutcome]) -> RunOutcome:
        """Commit a run, queued or blocked, and start its actor."""
        outcome = await self._services.storage.write(unit)
        await self.start(outcome.session.id)
        return outcome

    async def _stop_if_cancelled(self, session_id: int) -> None:
        """Carry out a cancellation that found no actor to stop."""

        def find(db: Database) -> Task:
            return tasks.get(db, sessions.get(db, session_id).task_id)

        task = await self._services.storage.read(find)
        ref = self._ctx.find(session_at(session_id))
        if task.status == "cancelled" and ref is not None:
            await ref.tell(CANCELLED)

    async def start_missing(self) -> None:
        """Start the actor of each live session that has none."""
        for session in await self._services.storage.read(unfinished):
            if self._ctx.find(session_at(session.id)) is None:
                await self.start(session.id)

    async def keep_starting(self) -> None:
        """Do so again and again.

        So none stays without for long, whatever took it: a start that failed, a supervisor that
        was stopped, or a crash between a session's commit and the word of it.
        """
        while True:
            await trio.sleep(RESCAN_SECONDS)
            try:
                await self.start_missing()
            except Unavailable as error:
                log.warning("sessions.unread", reason=str(error))


def unfinished(db: Database) -> list[Session]:
    """Return the sessions that have not ended, the oldest first; a damaged one is passed over."""
    found, damaged = sessions.sound(db, {"finished_at": None}, texts=False)
    for error in damaged:
        log.error("session.damaged", session_id=error.id)
    return found
