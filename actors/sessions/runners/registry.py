"""The runners by name, and how each is made for a session. docs/runners.md shows how to add one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol, TypeVar

import attrs

from command_center.actors.codex.confinement import Confinement, Reviewer, Sandbox
from command_center.actors.codex.messages import bridge_of
from command_center.actors.codex.settings import Transport
from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.hosts import HostMissing, Hosts
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.contracts.worktrees import FindBounds
from command_center.actors.sessions.prompts import Assignment, assignment_of
from command_center.actors.sessions.runner import Runner, SessionRef
from command_center.actors.sessions.runners.app_server import AppServerRunner
from command_center.actors.sessions.runners.cli import CliRunner
from command_center.actors.sessions.runners.stub import StubRunner
from command_center.actors.sessions.runners.unavailable import UnavailableRunner
from command_center.runtime import ActorRef, Address
from command_center.store import Session
from command_center.store.records import Runner as RunnerName

M = TypeVar("M")

BOUNDS_SECONDS: Final = 120.0
"""Seconds that git may take to say where a session ends."""


class Lookup(Protocol):
    """Finds the actor at an address."""

    def __call__(self, path: Address[M], /) -> ActorRef[M]:
        """Return its handle."""


@attrs.frozen(kw_only=True)
class Workshop:
    """The things that runners are made with.

    Attributes:
        hosts: where sessions work.
        lookup: finds an actor by its address.
        prompted: the sessions that have had their process of `codex exec`; it outlives the lives
            of their actors.
    """

    hosts: Hosts
    lookup: Lookup
    prompted: set[int] = attrs.field(factory=set)

    async def assign(self, session: Session) -> Assignment:
        """Say what Codex is to be told, as things are now."""
        return await assignment_of(session, self.lookup(REPOSITORIES))

    async def confine(self, session: Session) -> Confinement:
        """Say what Codex is let do, with the session's folder as it is now.

        Raises what `/repositories` raises if it cannot say: no session begins unconfined.
        """
        ask = FindBounds(session.id)
        bounds = await self.lookup(REPOSITORIES).ask(ask, timeout=BOUNDS_SECONDS)
        return Confinement(
            cwd=session.cwd,
            sandbox=Sandbox(session.sandbox),
            allow_network=session.allow_network,
            writable=bounds.writable,
            projects=bounds.projects,
            obeyed=bounds.obeyed,
            trusts_project=bounds.trusted,
            stamp=bounds.stamp,
            reviewer=Reviewer.AUTO if bounds.reviewer == "auto" else Reviewer.USER,
            goals=session.goal is not None,
        )


def make_runner(workshop: Workshop, here: RunnerName, session: Session, ref: SessionRef) -> Runner:
    """Make the runner that a session was accepted with, to report to the actor `ref`.

    Where it works through a connection that only the runner `here` keeps, and that is another one,
    or on a host that is not there any more, the session gets one that says so.
    """
    name = session.runner
    if RUNNERS[name].has_threads and name != here:
        reason = f"It was accepted for the {name} runner, and the runner is now {here}."
        return UnavailableRunner(ref, name, reason)
    try:
        return MAKERS[name](workshop, session, ref)
    except HostMissing as error:
        return UnavailableRunner(ref, name, str(error))


def _app_server(workshop: Workshop, session: Session, ref: SessionRef) -> Runner:
    codex = workshop.hosts.of(session).codex
    return AppServerRunner(
        ref,
        workshop.lookup(bridge_of(session.host)),
        codex,
        workshop.assign,
        workshop.confine,
        survives_restart=codex.settings.transport is not Transport.SPAWN,
    )


def _cli(workshop: Workshop, session: Session, ref: SessionRef) -> Runner:
    codex = workshop.hosts.of(session).codex
    return CliRunner(ref, codex, workshop.assign, workshop.confine, workshop.prompted)


def _stub(_workshop: Workshop, _session: Session, ref: SessionRef) -> Runner:
    return StubRunner(ref)


MAKERS: Final[Mapping[RunnerName, Callable[[Workshop, Session, SessionRef], Runner]]] = (
    MappingProxyType({"app-server": _app_server, "cli": _cli, "stub": _stub})
)
"""The function that makes each runner."""
