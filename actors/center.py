"""The running product, as the one object through which it is used: open it, ask it, close it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import attrs

from command_center.actors.automations.actor import AutomationServices
from command_center.actors.automations.changes import Terms
from command_center.actors.automations.clock import SystemClock, WallClock, machine_zone
from command_center.actors.automations.schedule import find_zone
from command_center.actors.errors import Conflict
from command_center.actors.events import Fanout
from command_center.actors.operations import observer_for
from command_center.actors.sessions import ledger
from command_center.actors.sessions.messages import PatchSession, StopSession
from command_center.actors.sessions.services import SessionServices
from command_center.actors.sessions.transitions import check
from command_center.actors.slots import SlotsChanged
from command_center.actors.storage import Storage
from command_center.actors.tasks.messages import EnsureSession
from command_center.actors.tree import CenterSettings, build_tree, make_runner
from command_center.runtime import (
    ActorNotFound,
    ActorRef,
    ActorStopped,
    Request,
    System,
    open_system,
)
from command_center.store import Readers, Session, Transaction, redact, sessions

R = TypeVar("R")

ASK_SECONDS = 60.0
"""How long a caller waits for an actor's answer, a stop of a turn included."""


@attrs.frozen
class Center:
    """The running product: ask its actors, read its store, watch its events."""

    settings: CenterSettings
    system: System
    storage: Storage
    fanout: Fanout
    automations: AutomationServices

    async def ask(self, path: str, message: Request[R], *, timeout: float = ASK_SECONDS) -> R:  # noqa: ASYNC109 - it is one deadline over the way there and back
        """Ask the actor at `path`, and wait `timeout` seconds at most."""
        return await self.system.lookup(path).ask(message, timeout=timeout)

    async def ask_session(self, session_id: int, message: Request[R]) -> R | Session:
        """Ask a session's actor; of one that has ended, what can still be said is in its row.

        Stopping an ended session gives it as it ended. A live session that has no actor gets one
        first; where that cannot be, because it is set aside, stopping it ends it in its row.

        Raises:
            NotFound: there is no such session.
            Conflict: it has ended, and what is asked needs a live one.
            ActorNotFound, ActorStopped: it lives, and has no actor that could answer.
        """
        path = f"/sessions/{session_id}"
        try:
            return await self.ask(path, message)
        except (ActorNotFound, ActorStopped):
            session = await self.storage.read(lambda db: sessions.get(db, session_id))
        if session.finished_at is None:
            await self.ask("/tasks", EnsureSession(session_id))
            try:
                return await self.ask(path, message)
            except (ActorNotFound, ActorStopped):
                if not isinstance(message, StopSession):
                    raise
                return await self._end_without_actor(session_id, message)
        if isinstance(message, StopSession):
            return session
        if isinstance(message, PatchSession):
            check(session, message.changes.status)
        raise Conflict(
            f"Session {session_id} is {session.status} since {session.finished_at}; "
            "only a session that has not ended takes this.",
            currentStatus=session.status,
        )

    async def _end_without_actor(self, session_id: int, message: StopSession) -> Session:
        """End a session whose actor is set aside; its turn, if there is one, is left to Codex."""

        def unit(tx: Transaction) -> Session:
            actor = message.requested_by
            session = ledger.request_stop(tx, session_id, reason=message.reason, actor=actor)
            if session.finished_at is not None:
                return session
            reason = f"Stopped by {actor}; its actor was set aside."
            return ledger.move(tx, session_id, "stopped", actor=actor, exit_reason=reason)

        ended = await self.storage.write(unit)
        await self.system.lookup("/slots").tell(SlotsChanged())
        return ended


@asynccontextmanager
async def open_center(
    settings: CenterSettings,
    *,
    clock: WallClock | None = None,
    on_stuck: Callable[[Sequence[str]], None] | None = None,
) -> AsyncIterator[Center]:
    """Start the tree, lend it, and stop it in order, each part within its deadline.

    The database must have been opened, and so migrated, before. Automations follow `clock`, the
    machine's unless another is given. `on_stuck` is told the paths of actors that could not be
    ended, such as one that is stuck in a thread: a program ends itself then, for trio would wait.
    """
    found: list[System] = []
    fanout = Fanout()

    def lookup(path: str) -> ActorRef:
        return found[0].lookup(path)

    def at(path: str) -> Callable[[], ActorRef]:
        return partial(lookup, path)

    storage = Storage(
        Readers(settings.database), at("/store"), at("/events"), secrets=settings.secrets
    )
    services = SessionServices(
        storage=storage,
        instance_id=uuid.uuid4().hex,
        approval_seconds=settings.approval_seconds,
        stall_seconds=settings.stall_seconds,
        max_sessions=settings.max_sessions,
        make_runner=partial(make_runner, settings, lookup),
    )
    schedules = AutomationServices(
        storage=storage,
        clock=clock or SystemClock(),
        terms=Terms(
            runner=settings.runner,
            approval_seconds=settings.approval_seconds,
            zone=machine_zone() if settings.timezone is None else find_zone(settings.timezone),
        ),
    )
    try:
        tree = build_tree(settings, storage, services, schedules, fanout)
        found.append(
            open_system(
                tree,
                on_signal=observer_for(at("/journal")),
                on_stuck=on_stuck,
                redact=partial(redact, secrets=settings.secrets),
            )
        )
        async with found[0] as system:
            try:
                yield Center(settings, system, storage, fanout, schedules)
            finally:
                fanout.close()
    finally:
        storage.readers.close()
