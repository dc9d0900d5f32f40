"""The port of Codex, behind which each host has its own.

`Codex` is what a host brings: it reaches an app-server, starts `codex`, ends what is left of former
lives, and reads the files by which a project configures it. `hosts.local.codex` is the Codex of
this machine; docs/hosts.md shows how to write another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import attrs
import trio

from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.bridges import AppServer
from command_center.actors.contracts.hosts import Host
from command_center.actors.contracts.project_configuration import AgentFiles


class Wire(Protocol):
    """A connection that carries whole messages, in order."""

    @property
    def process_id(self) -> int | None:
        """Return the id of the child process behind the wire, if there is one."""

    async def send(self, message: bytes) -> None:
        """Write one message; only one task may send at a time. Raises `WireClosed`."""

    async def receive(self) -> bytes | str:
        """Return the next message; raise `WireClosed` at the end, `MessageTooLong` if skipped."""

    async def aclose(self) -> None:
        """End the connection and the child behind it, within a bounded time, shielded."""


@attrs.frozen
class Way:
    """A wire that is open, to which app-server, and why to that one."""

    wire: Wire
    app_server: AppServer
    reason: str
    outdated: str | None = None
    """The reason to replace it when no turn runs in it, if there is one."""


class CodexProcess(Protocol):
    """A `codex` that runs, with pipes on its three standard streams."""

    @property
    def pid(self) -> int:
        """Return its id, on its host."""

    @property
    def stdin(self) -> trio.abc.SendStream:
        """Return the stream that it reads."""

    @property
    def stdout(self) -> trio.abc.ReceiveStream:
        """Return the stream that it prints to."""

    def last_words(self) -> str:
        """Return the line of its standard error that says best why it ended; empty if none does."""

    async def wait_for_end(self, seconds: float) -> int | None:
        """Wait for its exit code, for some seconds at most; None if it has not ended."""

    async def end(self, grace: float) -> None:
        """End it and all that it started, within `grace` seconds and a few more, shielded."""


class Lease(Protocol):
    """Our use of an app-server that outlives us."""

    def release(self) -> None:
        """Let it be ended when no turn runs in it."""


class Codex(AgentFiles, Protocol):
    """Codex on a host. Its own files in a project are the `.codex` folders that it obeys."""

    @property
    def settings(self) -> BridgeSettings:
        """Return which Codex it is, how it is reached, and how long is waited for what."""

    async def connect(self, nursery: trio.Nursery) -> Way:
        """Reach an app-server, over a wire that lives in the nursery. Raises `WireClosed`."""

    async def listens_for_terminals(self) -> bool:
        """Say whether an app-server that is not ours can be joined."""

    async def take_over(self) -> Lease | None:
        """Take over from former lives, and end the processes of Codex that they have left.

        An app-server in which turns may run stays. The lease is None where there can be none that
        outlives us.
        """

    async def end_own(self) -> None:
        """End the app-server of ours that outlives us, if there is one."""

    async def start(
        self, arguments: Sequence[str], nursery: trio.Nursery, *, cwd: str
    ) -> CodexProcess:
        """Start `codex` in a folder; its standard error is read in the nursery.

        Raises `WireClosed` with what to do, if it cannot be started.
        """

    async def script_command(self, script: str, variables: Mapping[str, str]) -> Sequence[str]:
        """Return the command that runs a script in a shell of that machine.

        All that it says goes to its standard output.
        """

    def file_of(self, content: bytes) -> AbstractAsyncContextManager[str]:
        """Keep a file with that content while the block runs, and give its path."""

    async def end_commands(self, thread_id: str, seconds: float) -> list[int]:
        """End the commands of a thread that are no older than that; give the process ids."""

    async def is_written(self, home: str, thread_id: str) -> bool:
        """Say whether a process writes a thread of that CODEX_HOME, as far as can be known."""


class CodexHost(Host, Protocol):
    """A host that has a Codex."""

    @property
    def codex(self) -> Codex:
        """Return its Codex."""
