"""Run the program of a host: a tree of actors of its own, until it is told to stop.

    /
    ├ /leases      ends runs whose leases are over, where this host is a pool
    ├ /pool        takes away old clones, there
    └ /link        the connection to the server, and what is done over it

An app-server of Codex is no child of it: that goes on with its turns while this program is started
anew, and is joined again.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import structlog
import trio

from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.hosts.daemon.ceiling import Ceiling
from command_center.actors.hosts.daemon.centre_link import CentreLink
from command_center.actors.hosts.daemon.held_codex import HeldCodex
from command_center.actors.hosts.daemon.held_folders import HeldFolders
from command_center.actors.hosts.daemon.held_git import HeldGit
from command_center.actors.hosts.daemon.identity import HostFiles
from command_center.actors.hosts.daemon.leases import HostLeases, LeaseWatch
from command_center.actors.hosts.daemon.pool import HostPool, PoolCare
from command_center.actors.hosts.link.serving import Served
from command_center.actors.hosts.local.codex import detached
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.runtime import (
    ActorSnapshot,
    ChildSpec,
    Intensity,
    SupervisorSpec,
    System,
    open_system,
)
from command_center.store import DataFolderLock

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

MOST_ACTORS: Final = 200
"""Actors that a server is shown."""

STUCK: Final = 1
"""The exit code where an actor could not be ended."""


@attrs.frozen(kw_only=True)
class HostProgramSettings:
    """Settings of a host's program.

    Attributes:
        folder: its data: its key, worktrees, and what git and Codex need.
        ceiling: what may be done here at most.
        codex: the program of Codex, with arguments.
        server: what tells the server from another that the host was enrolled at.
    """

    folder: Path
    ceiling: Ceiling
    codex: str = "codex"
    server: str = ""

    def parts(self) -> tuple[HeldFolders, HeldGit, HeldCodex, HostPool]:
        """Return the parts of this machine, each held by the ceiling."""
        # An app-server of the user's own may have threads that may do anything: a held host joins
        # none, and only has one that it starts itself.
        none = self.folder / "no-terminal.sock"
        codex = BridgeSettings(
            command=self.codex,
            transport=Transport.AUTO,
            socket=None if "escalation" in self.ceiling.allows else none,
            state_folder=self.folder,
        )
        git = LocalGit(GitProgram(self.folder / "git-work"))
        state = detached.folder_of(self.folder)

        async def stop(folders: Collection[str]) -> None:
            await detached.stop_in(state, lambda: folders)

        leases = HostLeases(self.folder / "leases.json", stop, self.server)
        return (
            HeldFolders(self.folder, self.ceiling.roots, self.ceiling.places, ceiling=self.ceiling),
            HeldGit(git, self.ceiling),
            HeldCodex(LocalCodex(codex), self.ceiling),
            HostPool(git, self.ceiling, leases),
        )


@attrs.define
class OwnTree:
    """The actors of this program, for the server that it works for."""

    system: System | None = None

    async def actors(self) -> Sequence[ActorSnapshot]:
        """Return them as they are now; nothing is asked of any of them."""
        return () if self.system is None else self.system.snapshot().actors[:MOST_ACTORS]


async def run_host(settings: HostProgramSettings) -> None:
    """Serve this machine to its server until Ctrl-C or SIGTERM.

    Raises:
        NotEnrolled: it has no key.
        DataFolderInUse, DataFolderUnusable: another program has the folder, or nobody can.
        OSError: its start cannot be counted.
    """
    files = HostFiles(settings.folder)
    with DataFolderLock(settings.folder):
        identity = files.identity()
        settings = attrs.evolve(settings, server=identity.digest)
        life = files.begin_life()
        *_, pool = parts = settings.parts()
        own = OwnTree()
        pool.leases.recall()
        watch = ChildSpec(
            id="leases",
            start=partial(LeaseWatch, pool.leases),
            contract="Runs of a pool are ended late, by the keeper of the app-server.",
        )
        care = ChildSpec(
            id="pool",
            start=partial(PoolCare, pool),
            contract="Old clones stay until it is back.",
        )
        link = ChildSpec(
            id="link",
            start=partial(CentreLink, files, identity, life, partial(Served, *parts, own)),
            contract="While it restarts nothing is done for the server; turns go on.",
        )
        tree = SupervisorSpec(
            id="",
            intensity=Intensity(restarts=10, period=60.0),
            quarantine=True,
            children=(link,) if settings.ceiling.pool is None else (watch, care, link),
        )
        log.info(
            "host.starting",
            host=identity.name,
            centre=identity.centre,
            start=life.number,
            ceiling=settings.ceiling.told(),
        )
        async with open_system(tree, on_stuck=_give_up) as own.system:
            await _until_stopped()


async def _until_stopped() -> None:
    wanted = [signal.SIGINT, signal.SIGTERM]
    with trio.open_signal_receiver(*wanted) as signals:
        async for number in signals:
            log.info("host.stopping", signal=signal.Signals(number).name)
            return


def _give_up(paths: Sequence[str]) -> None:
    log.critical("host.stuck", actors=list(paths))
    sys.stderr.flush()
    os._exit(STUCK)
