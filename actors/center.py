"""The whole product as one tree of actors, and the one object through which it is used.

    /                        one_for_one; a crash below never reaches a neighbour
    ├ /store                 the writer (group commits)
    ├ /events                hub: durable log → subscribers
    ├ /repositories
    ├ /bridges/local         the connection to Codex
    ├ /sessions/…            dynamic, one per live session
    ├ /slots                 which queued session begins next
    ├ /approvals
    └ /tasks                 starts each live session's actor

The order is the order of starting: what comes later may rely on what came before, and `/tasks`,
the last, brings the sessions of a former life back when all that they need is there.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import attrs

from command_center.actors.approvals import Approvals
from command_center.actors.codex.bridge import Bridge
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.errors import Conflict
from command_center.actors.events import EventHub, Fanout
from command_center.actors.repositories import Repositories
from command_center.actors.sessions.actor import SessionServices
from command_center.actors.sessions.app_server import AppServerRunner
from command_center.actors.sessions.messages import PatchSession, StopSession
from command_center.actors.sessions.runner import Runner
from command_center.actors.sessions.stub import StubRunner
from command_center.actors.sessions.transitions import check
from command_center.actors.slots import Slots
from command_center.actors.storage import Storage, Store
from command_center.actors.tasks import Tasks
from command_center.runtime import (
    ActorNotFound,
    ActorRef,
    ActorStopped,
    ChildSpec,
    Intensity,
    Request,
    SupervisorSpec,
    System,
    open_system,
)
from command_center.store import Readers, Session, sessions
from command_center.store.records import Runner as RunnerName

R = TypeVar("R")

ASK_SECONDS = 60.0
"""How long a caller waits for an actor's answer, a stop of a turn included."""


@attrs.frozen(kw_only=True)
class CenterSettings:
    """What the tree needs to know, however it was set."""

    database: Path
    data_dir: Path
    runner: RunnerName
    bridge: BridgeSettings
    max_sessions: int
    approval_seconds: float
    repo_roots: tuple[Path, ...] = ()
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)
    """Texts that must never be stored, such as this installation's own tokens."""


@attrs.frozen
class Center:
    """The running product: ask its actors, read its store, watch its events."""

    settings: CenterSettings
    system: System
    storage: Storage
    fanout: Fanout

    async def ask(self, path: str, message: Request[R], *, timeout: float = ASK_SECONDS) -> R:  # noqa: ASYNC109 - it is one deadline over the way there and back
        """Ask the actor at `path`, and wait `timeout` seconds at most."""
        return await self.system.lookup(path).ask(message, timeout=timeout)

    async def ask_session(self, session_id: int, message: Request[R]) -> R | Session:
        """Ask a session's actor; of one that has ended, what can still be said is in its row.

        Stopping an ended session gives it as it ended.

        Raises:
            NotFound: there is no such session.
            Conflict: it has ended, and what is asked needs a live one.
        """
        try:
            return await self.ask(f"/sessions/{session_id}", message)
        except (ActorNotFound, ActorStopped):
            session = await self.storage.read(lambda db: sessions.get(db, session_id))
            if session.finished_at is None:
                raise
            if isinstance(message, StopSession):
                return session
            if isinstance(message, PatchSession):
                check(session, message.status)
            raise Conflict(
                f"Session {session_id} is {session.status} since {session.finished_at}; "
                "only a session that has not ended takes this.",
                currentStatus=session.status,
            ) from None


@asynccontextmanager
async def open_center(settings: CenterSettings) -> AsyncIterator[Center]:
    """Start the tree, lend it, and stop it in order, each part within its deadline.

    The database must have been opened, and so migrated, before.
    """
    found: list[System] = []
    fanout = Fanout()

    def at(path: str) -> Callable[[], ActorRef]:
        return lambda: found[0].lookup(path)

    storage = Storage(Readers(settings.database), at("/store"), at("/events"))
    services = SessionServices(
        storage=storage,
        instance_id=uuid.uuid4().hex,
        approval_seconds=settings.approval_seconds,
        make_runner=partial(_make_runner, settings, at("/bridges/local")),
    )
    try:
        found.append(open_system(_tree(settings, storage, services, fanout, at("/events"))))
        async with found[0] as system:
            try:
                yield Center(settings, system, storage, fanout)
            finally:
                fanout.close()
    finally:
        storage.readers.close()


def _make_runner(
    settings: CenterSettings, bridge: Callable[[], ActorRef], name: str, ref: ActorRef
) -> Runner:
    if name == "stub":
        return StubRunner(ref)
    outlives_us = settings.bridge.transport is not Transport.SPAWN
    return AppServerRunner(ref, bridge(), survives_restart=outlives_us)


def _tree(
    settings: CenterSettings,
    storage: Storage,
    services: SessionServices,
    fanout: Fanout,
    hub: Callable[[], ActorRef],
) -> SupervisorSpec:
    bridges = (
        (ChildSpec(id="local", start=partial(Bridge, settings.bridge)),)
        if settings.runner == "app-server"
        else ()
    )
    return SupervisorSpec(
        id="",
        intensity=Intensity(restarts=10, period=60.0),
        quarantine=True,
        children=(
            ChildSpec(
                id="store",
                start=partial(Store, settings.database, hub, secrets=settings.secrets),
                mailbox=10_000,
            ),
            ChildSpec(
                id="events", start=partial(EventHub, fanout, storage.readers), mailbox=10_000
            ),
            ChildSpec(
                id="repositories",
                start=partial(
                    Repositories,
                    storage,
                    repo_roots=settings.repo_roots,
                    data_dir=settings.data_dir,
                ),
            ),
            SupervisorSpec(id="bridges", children=bridges, quarantine=True),
            SupervisorSpec(id="sessions", quarantine=True),
            ChildSpec(id="slots", start=partial(Slots, storage, limit=settings.max_sessions)),
            ChildSpec(
                id="approvals",
                start=partial(Approvals, storage, approval_seconds=settings.approval_seconds),
            ),
            ChildSpec(id="tasks", start=partial(Tasks, services, runner=settings.runner)),
        ),
    )
