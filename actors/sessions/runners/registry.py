"""The runners by name, and how each is made for a session. docs/runners.md shows how to add one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol, TypeVar

import attrs

from command_center.actors.codex.confinement import Confinement
from command_center.actors.codex.messages import BRIDGE
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.sessions.confining import confinement_of
from command_center.actors.sessions.prompts import Assignment, assignment_of
from command_center.actors.sessions.runner import Runner, SessionRef
from command_center.actors.sessions.runners.app_server import AppServerRunner
from command_center.actors.sessions.runners.cli import CliRunner
from command_center.actors.sessions.runners.stub import StubRunner
from command_center.actors.sessions.runners.unavailable import AbsentRunner
from command_center.runtime import ActorRef, Address
from command_center.store import Session
from command_center.store.records import Runner as RunnerName

M = TypeVar("M")


class Lookup(Protocol):
    """Finds the actor at an address."""

    def __call__(self, path: Address[M], /) -> ActorRef[M]:
        """Return its handle."""


@attrs.frozen(kw_only=True)
class Workshop:
    """The things that runners are made with.

    Attributes:
        bridge: how Codex is reached.
        lookup: finds an actor by its address.
        prompted: the sessions that have had their process of `codex exec`; it outlives the lives
            of their actors.
    """

    bridge: BridgeSettings
    lookup: Lookup
    prompted: set[int] = attrs.field(factory=set)

    async def assign(self, session: Session) -> Assignment:
        """Say what Codex is to be told, as things are now."""
        return await assignment_of(session, self.lookup(REPOSITORIES))

    async def confine(self, session: Session) -> Confinement:
        """Say what Codex is let do, as things are now."""
        return await confinement_of(session, self.lookup(REPOSITORIES))


def make_runner(workshop: Workshop, here: RunnerName, name: RunnerName, ref: SessionRef) -> Runner:
    """Make the runner `name`, which a session was accepted with, to report to the actor `ref`.

    Where it works through a connection that only the runner `here` keeps, and that is another one,
    the session gets one that says so.
    """
    if RUNNERS[name].has_threads and name != here:
        return AbsentRunner(ref, name, here)
    return MAKERS[name](workshop, ref)


def _app_server(workshop: Workshop, ref: SessionRef) -> Runner:
    return AppServerRunner(
        ref,
        workshop.lookup(BRIDGE),
        workshop.assign,
        workshop.confine,
        survives_restart=workshop.bridge.transport is not Transport.SPAWN,
    )


def _cli(workshop: Workshop, ref: SessionRef) -> Runner:
    return CliRunner(ref, workshop.bridge, workshop.assign, workshop.confine, workshop.prompted)


def _stub(_workshop: Workshop, ref: SessionRef) -> Runner:
    return StubRunner(ref)


MAKERS: Final[Mapping[RunnerName, Callable[[Workshop, SessionRef], Runner]]] = MappingProxyType(
    {"app-server": _app_server, "cli": _cli, "stub": _stub}
)
"""The function that makes each runner."""
