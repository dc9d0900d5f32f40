"""A second host: another process, which sees another disk than we do at the same paths.

It is a real one. Folders and git are an agent's, which is told over its pipes what to do (`agent`);
Codex is started there, as `ssh HOST codex` would. What stands for the other machine is a mount
namespace: where this machine has one folder, that one has another.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any, cast

import attrs
import trio

from command_center.actors.codex.ports import Codex, CodexProcess, Lease, Way
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.hosts import Folders
from command_center.actors.git.ports import Checkout, Git, GitCommand, GitOutput
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.rules.errors import Unavailable
from command_center.runtime import Actor, ChildSpec
from tests.actors.hosts.agent import packed, receive, unpacked
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


@attrs.define
class Agent:
    """Our end of the pipes. `calls` are what was asked: part and method, the oldest first."""

    command: tuple[str, ...]
    calls: list[tuple[str, str]] = attrs.field(factory=list)
    _process: trio.Process | None = None
    _is_there: trio.Event = attrs.field(factory=trio.Event)
    _numbers: count[int] = attrs.field(factory=count)
    _waiting: dict[int, trio.MemorySendChannel[tuple[str, Any]]] = attrs.field(factory=dict)
    _lock: trio.Lock = attrs.field(factory=trio.Lock)

    @property
    def git(self) -> Git:
        """Its git."""
        return cast("Git", FarGit(self))

    async def serve(self) -> None:
        """Keep the agent, and take its answers."""
        async with trio.open_nursery() as nursery:
            pipe = subprocess.PIPE
            start = partial(trio.run_process, self.command, stdin=pipe, stdout=pipe, cwd=ROOT)
            self._process = await nursery.start(partial(start, check=False))
            self._is_there.set()
            try:
                await self._listen(self._process)
            finally:
                self._is_there = trio.Event()
                for waiting in self._waiting.values():
                    waiting.send_nowait(("error", (Unavailable("The far host is away."), b"")))
        raise Unavailable("The agent has ended.")

    async def call(self, part: str, method: str, *positional: Any, **named: Any) -> Any:
        """Have it done over there."""
        self.calls.append((part, method))
        await self._is_there.wait()
        number = next(self._numbers)
        send, found = trio.open_memory_channel[tuple[str, Any]](1)
        self._waiting[number] = send
        try:
            await self._send((number, part, method, (positional, named)))
            kind, value = await found.receive()
        except trio.Cancelled:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
                await self._send(number)
            raise
        finally:
            del self._waiting[number]
        result, output = value
        if kind == "error":
            raise result
        return (result, output) if named.get("streamed") else result

    async def _listen(self, process: trio.Process) -> None:
        assert process.stdout is not None
        buffer = bytearray()
        while (raw := await receive(process.stdout, buffer)) is not None:
            number, kind, value = unpacked(raw, self.git)
            if number in self._waiting:
                self._waiting[number].send_nowait((kind, value))

    async def _send(self, message: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            async with self._lock:
                await self._process.stdin.send_all(packed(message))
        except trio.BrokenResourceError:
            raise Unavailable("The far host is away.") from None


class Link(Actor):
    """Keeps the agent; where it ends, another is started."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def on_start(self) -> None:
        self.ctx.start_task(self._agent.serve)


@attrs.frozen
class Part:
    """A part of the host, all of whose methods are the agent's."""

    agent: Agent
    name: str

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(self.agent.call, self.name, method)


@attrs.frozen
class FarGit:
    """Git over there."""

    agent: Agent

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(self.agent.call, "git", method)

    async def run(
        self, checkout: Checkout, command: GitCommand, sink: Callable[[bytes], None] | None = None
    ) -> GitOutput:
        if sink is None:
            return cast("GitOutput", await self.agent.call("git", "run", checkout, command))
        answer, output = await self.agent.call("git", "run", checkout, command, streamed=True)
        sink(output)
        return cast("GitOutput", answer)


@attrs.frozen
class FarCodex:
    """Codex over there."""

    agent: Agent
    settings: BridgeSettings

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(self.agent.call, "codex", method)

    async def connect(self, nursery: trio.Nursery) -> Way:
        self.agent.calls.append(("codex", "connect"))
        return await LocalCodex(self.settings).connect(nursery)

    async def listens_for_terminals(self) -> bool:
        return False

    async def take_over(self) -> Lease | None:
        return None

    async def end_own(self) -> None:
        """There is none."""

    async def start(
        self, arguments: Sequence[str], nursery: trio.Nursery, *, cwd: str
    ) -> CodexProcess:
        del cwd  # `-C` says it, too
        self.agent.calls.append(("codex", "start"))
        return await LocalCodex(self.settings).start(arguments, nursery, cwd="/")


@attrs.frozen
class FarHost:
    """The other machine, as a host."""

    agent: Agent
    folders: Folders
    git: Git
    codex: Codex
    name: str = NAME

    @classmethod
    def of(cls, machine: Machine, data_dir: Path, codex: BridgeSettings) -> FarHost:
        """Make it; `codex` and `data_dir` are as that machine has them."""
        command = machine.command(sys.executable, "-m", "tests.actors.hosts.agent", str(data_dir))
        agent = Agent(command)
        there = attrs.evolve(codex, command=machine.command(*codex.program))
        return cls(
            agent,
            cast("Folders", Part(agent, "folders")),
            agent.git,
            cast("Codex", FarCodex(agent, there)),
        )

    @property
    def agent_files(self) -> Codex:
        """Return its Codex."""
        return self.codex

    @property
    def actors(self) -> list[ChildSpec]:
        """Return what keeps its agent."""
        return [ChildSpec(id="link", start=partial(Link, self.agent))]
