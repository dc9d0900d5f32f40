"""The making of a session's runner, with what its run lets Codex do."""

from __future__ import annotations

from functools import partial

from command_center.actors.codex.confinement import Confinement, Reviewer, Sandbox
from command_center.actors.codex.messages import codex_on
from command_center.actors.codex.settings import Transport
from command_center.actors.sessions.runner import SessionRef
from command_center.actors.sessions.runners.codex.app_server import AppServerRunner
from command_center.actors.sessions.runners.codex.cli import CliRunner
from command_center.actors.sessions.runners.workshop import Workshop
from command_center.store import Session


def make_app_server(workshop: Workshop, session: Session, ref: SessionRef) -> AppServerRunner:
    """Make the runner of a turn over the bridge of the session's host."""
    codex = workshop.hosts.of(session).codex
    return AppServerRunner(
        ref,
        workshop.lookup(codex_on(session.host)),
        codex,
        workshop.assign,
        partial(confine, workshop),
        attach=workshop.attach,
        survives_restart=codex.settings.transport is not Transport.SPAWN,
    )


def make_cli(workshop: Workshop, session: Session, ref: SessionRef) -> CliRunner:
    """Make the runner of a process on the session's host."""
    codex = workshop.hosts.of(session).codex
    return CliRunner(ref, codex, workshop.assign, partial(confine, workshop), workshop.prompted)


async def confine(workshop: Workshop, session: Session) -> Confinement:
    """Say what Codex is let do, with the session's folder as it is now.

    Raises what `Workshop.bounds_of` raises.
    """
    bounds = await workshop.bounds_of(session)
    host = workshop.hosts.of(session)
    hidden = await host.folders.private_data()
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
        servers_off=bounds.servers_off,
        own_urls=host.codex.settings.own_urls,
        profile=session.permission_profile,
        hidden=tuple(map(str, hidden)),
    )
