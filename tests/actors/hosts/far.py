"""A second host: another process, which sees another disk than we do at the same paths.

It is a real one: the program that ssh would start there, over pipes. What stands for the other
machine is a mount namespace: where this machine has one folder, that one has another.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache, partial
from pathlib import Path

import attrs
import trio

from command_center.actors.codex.ports import Codex
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.contracts.hosts import Folders
from command_center.actors.git.ports import Git
from command_center.actors.hosts.link.calling import parts_of
from command_center.actors.hosts.link.channels import Channels, LinkEnded
from command_center.actors.hosts.link.standing import Standing
from command_center.runtime import Actor, ChildSpec
from tests.checkout import ROOT

NAME = "far"


@attrs.frozen
class Machine:
    """Two machines in one: the other has `there` in the place of `here`."""

    here: Path
    there: Path

    def command(self, *words: str) -> tuple[str, ...]:
        """A command that runs over there."""
        mount = 'mount --bind "$0" "$1" && shift && exec "$@"'
        ours = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount)
        return (*ours, str(self.there), str(self.here), *words)


@cache
def can_be_had() -> bool:
    """Return whether this system lets us have a mount namespace."""
    probe = ["unshare", "--user", "--map-root-user", "--mount", "true"]
    try:
        return subprocess.run(probe, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


@attrs.define(eq=False)
class FarHost:
    """The other machine, as a host: its program over there, reached over pipes."""

    command: tuple[str, ...]
    environment: dict[str, str]
    standing: Standing
    folders: Folders
    git: Git
    codex: Codex
    name: str = NAME
    pool: None = None
    process: trio.Process | None = None

    @classmethod
    def of(cls, machine: Machine, data_dir: Path, codex: BridgeSettings) -> FarHost:
        """Make it; `codex` and `data_dir` are as that machine has them."""
        program = "command_center.actors.hosts.far.main"
        command = machine.command(sys.executable, "-m", program, str(data_dir))
        standing = Standing(NAME)
        inherited = codex.environment or os.environ
        path = f"{Path(codex.program[0]).parent}:{inherited['PATH']}"
        return cls(
            command,
            {**inherited, "PATH": path},
            standing,
            *parts_of(standing, attrs.evolve(codex, transport=Transport.AUTO)),
        )

    @property
    def absence(self) -> str | None:
        """Return why it cannot be reached now."""
        return self.standing.absence

    @property
    def agent_files(self) -> Codex:
        """Return its Codex."""
        return self.codex

    @property
    def actors(self) -> list[ChildSpec]:
        """Return what keeps its link."""
        return [ChildSpec(id="link", start=partial(Keeper, self))]

    async def serve(self) -> None:
        """Keep its program, and the link to it."""
        async with trio.open_nursery() as nursery:
            pipe = subprocess.PIPE
            start = partial(
                trio.run_process,
                self.command,
                stdin=pipe,
                stdout=pipe,
                cwd=ROOT,
                env=self.environment,
                check=False,
            )
            self.process = await nursery.start(start)
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            link = Channels(self.process.stdout, self.process.stdin)
            self.standing.connected(link)
            try:
                await link.run()
            except LinkEnded as ended:
                self.standing.lost(ended.reason)
                raise


class Keeper(Actor):
    """Keeps the link; where it ends, another is made."""

    def __init__(self, host: FarHost) -> None:
        self._host = host

    async def on_start(self) -> None:
        self.ctx.start_task(self._host.serve)
