"""The runners by name, and how each is made for a session. docs/runners.md shows how to add one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from command_center.actors.contracts.hosts import HostMissing
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.contracts.threads import AgentThreads
from command_center.actors.sessions.runner import Runner, SessionRef
from command_center.actors.sessions.runners.codex.making import make_app_server, make_cli
from command_center.actors.sessions.runners.codex.threads import CodexThreads
from command_center.actors.sessions.runners.stub import StubRunner
from command_center.actors.sessions.runners.unavailable import UnavailableRunner
from command_center.actors.sessions.runners.workshop import Workshop
from command_center.store import Session
from command_center.store.records import Runner as RunnerName


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


def make_threads(workshop: Workshop) -> AgentThreads:
    """Return the threads of the runner that has any."""
    return CodexThreads(workshop.lookup)


def _stub(_workshop: Workshop, _session: Session, ref: SessionRef) -> Runner:
    return StubRunner(ref)


MAKERS: Final[Mapping[RunnerName, Callable[[Workshop, Session, SessionRef], Runner]]] = (
    MappingProxyType({"app-server": make_app_server, "cli": make_cli, "stub": _stub})
)
"""The function that makes each runner."""
