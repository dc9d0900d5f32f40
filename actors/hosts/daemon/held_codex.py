"""Codex of a host, held by its ceiling, whatever the server asks it for.

The server speaks with an app-server by JSON-RPC. `wire_rules` reads each message, and what it
refuses is answered here, before Codex hears of it.

With `escalation` all is let through, since a command outside of the sandbox can do all of it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import attrs
import structlog
import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.ports import Codex, CodexProcess, Lease, Way, Wire
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.project_configuration import ProjectConfiguration, ProjectFiles
from command_center.actors.hosts.daemon.ceiling import BeyondCeiling, Ceiling
from command_center.actors.hosts.daemon.held_answers import REFUSED
from command_center.actors.hosts.daemon.wire_rules import ThreadUnseen, WireRules
from command_center.actors.hosts.local.codex.places import codex_home

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 10.0
"""Seconds that Codex may take to say where a thread works, of which that is not known."""


@attrs.frozen
class HeldCodex:
    """All of Codex's port; what is not refused is done by the `codex` behind it."""

    codex: Codex
    ceiling: Ceiling

    @property
    def settings(self) -> BridgeSettings:
        """Return which Codex it is."""
        return self.codex.settings

    @property
    def _is_free(self) -> bool:
        return "escalation" in self.ceiling.allows

    async def connect(self, nursery: trio.Nursery) -> Way:
        """Reach an app-server, over a wire that is held."""
        way = await self.codex.connect(nursery)
        if self._is_free:
            return way
        rules = WireRules(self.ceiling, codex_home(self.settings))
        return attrs.evolve(way, wire=HeldWire.over(way.wire, rules, nursery))

    async def start(
        self, arguments: Sequence[str], nursery: trio.Nursery, *, cwd: str
    ) -> CodexProcess:
        """Start `codex`, which is held by nothing but its arguments; so few are taken."""
        if not self._is_free and tuple(arguments) != ("mcp", "list", "--json"):
            raise WireClosed(str(BeyondCeiling(f"`codex {' '.join(arguments)[:60]}`")))
        await self._check_path(cwd)
        return await self.codex.start(arguments, nursery, cwd=cwd)

    async def listens_for_terminals(self) -> bool:
        """Say whether an app-server that is not ours can be joined; a held host joins none."""
        return self._is_free and await self.codex.listens_for_terminals()

    async def take_over(self) -> Lease | None:
        """Take over from former lives."""
        return await self.codex.take_over()

    async def end_own(self) -> None:
        """End the app-server of ours."""
        await self.codex.end_own()

    async def platform(self) -> str:
        """Name this system."""
        return await self.codex.platform()

    async def script_command(self, script: str, variables: Mapping[str, str]) -> Sequence[str]:
        """Return the command; nothing is run."""
        return await self.codex.script_command(script, variables)

    @asynccontextmanager
    async def file_of(self, content: bytes) -> AsyncIterator[str]:
        """Keep a file with that content."""
        async with self.codex.file_of(content) as path:
            yield path

    async def end_commands(self, thread_id: str, seconds: float) -> list[int]:
        """End the commands of a thread."""
        return await self.codex.end_commands(thread_id, seconds)

    async def is_written(self, home: str, thread_id: str) -> bool:
        """Say whether a process writes the thread."""
        return await self.codex.is_written(home, thread_id)

    async def project_files(self, cwd: Path, main: Path) -> ProjectFiles:
        """Say where Codex looks."""
        await self._check_path(cwd)
        await self._check_path(main)
        return await self.codex.project_files(cwd, main)

    async def read_configuration(self, cwd: Path, main: Path) -> ProjectConfiguration | None:
        """Read what a project configures."""
        await self._check_path(cwd)
        await self._check_path(main)
        return await self.codex.read_configuration(cwd, main)

    async def _check_path(self, path: str | Path) -> None:
        await trio.to_thread.run_sync(self.ceiling.check_path, path)


@attrs.define(eq=False)
class HeldWire:
    """A wire to an app-server that lets through what is within the ceiling."""

    wire: Wire
    rules: WireRules
    _come: trio.MemoryReceiveChannel[bytes | str | Exception]
    _add: trio.MemorySendChannel[bytes | str | Exception]
    _seen: trio.Event = attrs.field(factory=trio.Event)

    @classmethod
    def over(cls, wire: Wire, rules: WireRules, nursery: trio.Nursery) -> HeldWire:
        """Hold a wire, whose messages are read in the nursery."""
        add, come = trio.open_memory_channel[bytes | str | Exception](1)
        held = cls(wire, rules, come, add)
        nursery.start_soon(held._read)
        return held

    @property
    def process_id(self) -> int | None:
        """Return the id of the child process behind the wire."""
        return self.wire.process_id

    async def send(self, message: bytes) -> None:
        """Send what is within the ceiling; what is not is answered with an error."""
        try:
            passed = await self._held(message)
        except BeyondCeiling as refused:
            log.warning("host.beyond_ceiling", reason=str(refused))
            answer = _refusal(message, str(refused))
            if answer is not None:
                await self._add.send(answer)
            return
        await self.wire.send(passed)

    async def _held(self, message: bytes) -> bytes:
        """Return it as it may go to Codex; one at a time, as the server sends them."""
        try:
            return await trio.to_thread.run_sync(self.rules.outgoing, message)
        except ThreadUnseen as unseen:
            self._seen = trio.Event()
            await self.wire.send(self.rules.look(unseen.thread_id))
            with trio.move_on_after(LOOK_SECONDS):
                await self._seen.wait()
            self.rules.give_up_look()
        return await trio.to_thread.run_sync(self.rules.outgoing, message)

    async def receive(self) -> bytes | str:
        """Return the next message, which may be a refusal of this host."""
        came = await self._come.receive()
        if isinstance(came, Exception):
            raise came
        return came

    async def aclose(self) -> None:
        """End the connection."""
        await self.wire.aclose()

    async def _read(self) -> None:
        while True:
            try:
                came: bytes | str | Exception = await self.wire.receive()
                if self.rules.is_opening:  # then its folder is looked at
                    is_theirs = await trio.to_thread.run_sync(self.rules.incoming, came)
                else:
                    is_theirs = self.rules.incoming(came)
                if not is_theirs:
                    self._seen.set()
                    continue
            except WireClosed as closed:
                await self._add.send(closed)
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, who receives is told
                came = error
            await self._add.send(came)


def _refusal(message: bytes, reason: str) -> bytes | None:
    """Return the answer to a request that was refused; None where none is due."""
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or "id" not in said or "method" not in said:
        return None
    return json.dumps({"id": said["id"], "error": {"code": REFUSED, "message": reason}}).encode()
