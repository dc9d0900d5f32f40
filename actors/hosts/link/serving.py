"""The far end of a link: does on this machine what the other end asks.

Who asks may do here all that the port has; that is what the user of this machine has let it do.
When the link ends, so does what was begun over it: commands of git, processes, wires. An app-server
that outlives them goes on, as does the turn in it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Final

import attrs
import trio

from command_center.actors.codex.errors import MessageTooLong, WireClosed
from command_center.actors.codex.ports import Codex, CodexProcess, Lease, Wire
from command_center.actors.contracts.hosts import Folders, ProgramTree
from command_center.actors.contracts.pools import Pool
from command_center.actors.git.ports import Git
from command_center.actors.hosts.link.channels import (
    ChannelClosed,
    Channels,
    LinkChannel,
    LinkEnded,
    MessageKind,
)
from command_center.actors.hosts.link.data import Data, NotData, method_of
from command_center.actors.hosts.link.faults import write_fault
from command_center.actors.hosts.link.opened import CALL, PROCESS, STARTED, WAY
from command_center.actors.rules.errors import TooBusy

MOST: Final = 500
"""Things that may be under way at once."""

_CHUNK: Final = 32 * 1024
_END_SECONDS: Final = 2.0


@attrs.define(eq=False)
class Served:
    """The parts of this machine, for whoever is at the other end."""

    folders: Folders
    git: Git
    codex: Codex
    pool: Pool | None = None
    tree: ProgramTree | None = None
    _processes: dict[int, CodexProcess] = attrs.field(factory=dict)
    _lease: Lease | None = None
    _has_taken_over: bool = False
    _taking_over: trio.Lock = attrs.field(factory=trio.Lock)
    _under_way: int = 0

    async def serve(self, reading: trio.abc.ReceiveStream, writing: trio.abc.SendStream) -> None:
        """Serve until the link is over; raises `LinkEnded` then."""
        link = Channels(
            reading, writing, on_open=lambda channel: nursery.start_soon(self._take, channel)
        )
        try:
            async with trio.open_nursery() as nursery:
                with contextlib.suppress(LinkEnded):
                    await link.run()
                nursery.cancel_scope.cancel()
        finally:
            if self._lease is not None:
                self._lease.release()
        link.check()

    async def _take(self, channel: LinkChannel) -> None:
        """Do one thing, until it is done or the other end gives it up."""
        self._under_way += 1
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._until_given_up, channel, nursery.cancel_scope)
                await self._answer(channel)
                nursery.cancel_scope.cancel()
        except* (ChannelClosed, LinkEnded):
            pass  # nobody waits for it any more
        finally:
            self._under_way -= 1
            await channel.aclose()

    async def _until_given_up(self, channel: LinkChannel, scope: trio.CancelScope) -> None:
        await channel.wait_closed()
        scope.cancel()

    async def _answer(self, channel: LinkChannel) -> None:
        _, body = await channel.receive()
        try:
            part, method, raw = Data().read(body, CALL)
            self._admit()
            match part, method:
                case "Codex", "connect":
                    await self._connect(channel)
                case "Codex", "start":
                    await self._start(channel, *self._read(raw, Sequence[str], str))
                case "Codex", "file_of":
                    async with self.codex.file_of(*self._read(raw, bytes)) as path:
                        await channel.send(MessageKind.RESULT, Data().write(path, str))
                        await channel.wait_closed()
                case "process", str(asked) if asked in PROCESS:
                    await self._of_process(channel, asked, *self._read(raw, int, float))
                case _:
                    await self._perform(channel, part, method, raw)
        except (ChannelClosed, LinkEnded):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, who asked is told
            await channel.send(MessageKind.FAULT, write_fault(_only(error)))

    def _admit(self) -> None:
        if self._under_way > MOST:
            raise TooBusy("The host has too much to do.")

    def _read(self, raw: bytes, *declared: Any) -> Any:
        return Data(self.git).read(raw, tuple[declared])  # type: ignore[valid-type]

    async def _perform(self, channel: LinkChannel, part: str, method: str, raw: bytes) -> None:
        """Do what is one answer."""
        parts: dict[type, object] = {
            Folders: self.folders,
            Git: self.git,
            Codex: self.codex,
            Pool: self.pool,
            ProgramTree: self.tree,
        }
        port = next((one for one in parts if one.__name__ == part), None)
        if port is None or parts[port] is None:
            raise NotData(f"no part {part}")
        there = parts[port]
        declared = method_of(port, method)
        kinds = [*declared.takes.values(), *([bool] if declared.streams else [])]
        values = [*Data(self.git).read(raw, tuple[tuple(kinds)] if kinds else tuple[()])]  # type: ignore[misc]
        streamed = declared.streams and values.pop()
        named = dict(zip(declared.takes, values, strict=True))
        if not streamed:
            result = await getattr(there, method)(**named)
        else:
            result = await self._stream(channel, getattr(there, method), named)
        await channel.send(MessageKind.RESULT, Data().write(result, declared.gives))

    async def _stream(self, channel: LinkChannel, method: Any, named: dict[str, Any]) -> Any:
        """Do what gives output as it comes; what git prints is bounded by its command."""
        send, receive = trio.open_memory_channel[bytes](float("inf"))

        async def pass_on() -> None:
            async for piece in receive:
                await channel.send(MessageKind.BYTES, piece)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(pass_on)
            async with send:
                result = await method(**named, sink=send.send_nowait)
        return result

    async def _connect(self, channel: LinkChannel) -> None:
        """Reach an app-server, and carry its messages."""
        async with self._taking_over:
            if not self._has_taken_over:
                self._lease = await self.codex.take_over()
                self._has_taken_over = True
        async with trio.open_nursery() as nursery:
            way = await self.codex.connect(nursery)
            told = (way.wire.process_id, way.app_server, way.reason, way.outdated)
            try:
                await channel.send(MessageKind.RESULT, Data().write(told, WAY))
                async with trio.open_nursery() as both:
                    both.start_soon(_pass_on, channel, way.wire, both.cancel_scope)
                    while (came := await channel.receive())[0] is MessageKind.BYTES:
                        await way.wire.send(came[1])
                    both.cancel_scope.cancel()
            finally:
                await way.wire.aclose()
                nursery.cancel_scope.cancel()

    async def _start(self, channel: LinkChannel, arguments: Sequence[str], cwd: str) -> None:
        """Start `codex`, and carry what it reads and prints."""
        async with trio.open_nursery() as nursery:
            child = await self.codex.start(arguments, nursery, cwd=cwd)
            self._processes[channel.number] = child
            try:
                await channel.send(MessageKind.RESULT, Data().write(child.pid, STARTED))
                nursery.start_soon(self._feed, channel, child)
                with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    while piece := await child.stdout.receive_some(_CHUNK):
                        await channel.send(MessageKind.BYTES, bytes(piece))
                await channel.send(MessageKind.END)
                await channel.wait_closed()
            finally:
                del self._processes[channel.number]
                await child.end(_END_SECONDS)
                nursery.cancel_scope.cancel()

    async def _feed(self, channel: LinkChannel, child: CodexProcess) -> None:
        with contextlib.suppress(
            ChannelClosed, LinkEnded, trio.BrokenResourceError, trio.ClosedResourceError
        ):
            while (came := await channel.receive())[0] is MessageKind.BYTES:
                await child.stdin.send_all(came[1])
            await child.stdin.aclose()

    async def _of_process(
        self, channel: LinkChannel, method: str, number: int, seconds: float
    ) -> None:
        child = self._processes.get(number)
        if child is None:
            raise NotData("no such process")
        if method == "end":
            await child.end(seconds)
            answer: object = None
        else:
            answer = (await child.wait_for_end(seconds), child.last_words())
        await channel.send(MessageKind.RESULT, Data().write(answer, PROCESS[method]))


async def _pass_on(channel: LinkChannel, wire: Wire, scope: trio.CancelScope) -> None:
    """Carry what an app-server says, until it ends."""
    try:
        while True:
            try:
                message = await wire.receive()
            except MessageTooLong as error:  # it was skipped
                await channel.send(MessageKind.FAULT, write_fault(error))
                continue
            if isinstance(message, str):
                await channel.send(MessageKind.TEXT, message.encode())
            else:
                await channel.send(MessageKind.BYTES, message)
    except WireClosed as closed:
        await channel.send(MessageKind.END, write_fault(closed))
    scope.cancel()


def _only(error: Exception) -> Exception:
    """Return what a nursery's group of one error holds."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
