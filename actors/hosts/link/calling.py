"""The near end of a link: a host whose every part is the other machine's.

The parts are made of the port's own declarations, so a method that the port gains is there at once.
Written out is what is no single answer: what streams, and what lives on for a while over there.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from inspect import signature
from typing import Any, Final, Protocol, cast

import attrs
import trio

from command_center.actors.codex.errors import MessageTooLong, WireClosed
from command_center.actors.codex.ports import Codex, CodexProcess, Way
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.far_answers import note_asked
from command_center.actors.contracts.hosts import Folders, ProgramTree
from command_center.actors.contracts.pools import CLONE_SECONDS, Pool
from command_center.actors.contracts.project_configuration import AgentFiles, NotShowable
from command_center.actors.git.ports import ANSWER_LIMIT, Git
from command_center.actors.hosts.link.channels import (
    LONGEST,
    ChannelClosed,
    Channels,
    LinkChannel,
    LinkEnded,
    MessageKind,
)
from command_center.actors.hosts.link.data import LONGEST_TEXT, Data, Method, NotData, method_of
from command_center.actors.hosts.link.faults import FarFault, read_fault
from command_center.actors.hosts.link.opened import CALL, PROCESS, STARTED, WAY
from command_center.actors.rules.errors import HostUnreachable, Unavailable
from command_center.runtime import Refusal

SHORT: Final = ANSWER_LIMIT + LONGEST_TEXT
"""Bytes of an answer, at most, where nobody asked for more."""

ANSWER_SECONDS: Final[Mapping[type, float]] = {
    Folders: 60.0,
    ProgramTree: 10.0,
    Git: 900.0,
    Codex: 60.0,
    Pool: CLONE_SECONDS + 60.0,
}
"""Seconds that a host may take for an answer, by the part; git's own deadlines come on top.

A host ends its work in time by itself. This is for one that does not.
"""

_SHOWS: Final = AgentFiles.read_configuration.__name__

_GOODBYE_SECONDS = 10.0
"""Seconds that the other machine may take to end what it has open for us."""


class Away(HostUnreachable):
    """The host cannot be reached, or went away with the request in hand."""


class Reach(Protocol):
    """The way to the other machine, whenever there is one."""

    @property
    def name(self) -> str:
        """Return the host's name."""

    async def get(self) -> Channels:
        """Return the link; raise `Away`, with the host's name, where there is none."""

    def away(self, reason: str) -> Away:
        """Return what to raise where the link ends with something in hand."""

    def misread(self, reason: str) -> None:
        """Have it told that an answer of the host made no sense."""


@attrs.define
class Sink:
    """Takes output as it comes, and no more than was asked for."""

    give: Callable[[bytes], None]
    left: int

    def take(self, piece: bytes) -> None:
        """Hand it on; raises `NotData` for more than the limit."""
        self.left -= len(piece)
        if self.left < 0:
            raise NotData("more output than was asked for")
        self.give(piece)


@attrs.frozen
class FarCalls:
    """Has things done over there, by the methods of a port."""

    reach: Reach
    git: Git | None = None

    async def call(
        self,
        part: str,
        method: str,
        declared: Method,
        values: tuple[object, ...],
        sink: Sink | None = None,
        *,
        longest: int = SHORT,
        seconds: float = math.inf,
        raises: type[Exception] = Refusal,
    ) -> Any:
        """Have one method carried out, and return its answer or raise its error.

        Raises:
            Away: there is no link, or no answer within the seconds.
        """
        with trio.move_on_after(seconds):
            async with self.opened(part, method, declared, values) as channel:
                gives = declared.gives
                return await self.answer(channel, gives, sink, longest=longest, raises=raises)
        raise self.reach.away(f"It did not answer within {seconds:g} seconds.")

    @asynccontextmanager
    async def opened(
        self, part: str, method: str, declared: Method, values: tuple[object, ...]
    ) -> AsyncIterator[LinkChannel]:
        """Begin a method, on a channel that lives as long as the block."""
        link = await self.reach.get()
        note_asked(self.reach.name, self.reach.misread)
        try:
            channel = link.begin()
            try:
                arguments = Data().write(values, declared.arguments)
                await channel.send(MessageKind.CALL, Data().write((part, method, arguments), CALL))
                yield channel
            finally:
                await channel.aclose()
        except LinkEnded as ended:
            raise self.reach.away(ended.reason) from None
        except ChannelClosed:
            raise FarFault("The host did not answer.") from None

    async def answer(
        self,
        channel: LinkChannel,
        gives: Any,
        sink: Sink | None = None,
        *,
        longest: int = SHORT,
        raises: type[Exception] = Refusal,
    ) -> Any:
        """Return the answer that comes on a channel; `sink` takes the output before it.

        A refusal of the host is raised as it is, and so is what the question `raises`. Any other
        error is a `FarFault`: whoever asked does not expect it.
        """
        try:
            kind, body = await channel.receive(longest)
            while kind is MessageKind.BYTES and sink is not None:
                sink.take(body)
                kind, body = await channel.receive(longest)
            if kind is MessageKind.RESULT:
                return Data(self.git, LONGEST_TEXT).read(body, gives)
            fault = read_fault(body) if kind is MessageKind.FAULT else None
        except NotData as problem:
            raise channel.link.refuse(f"its answer is not what was asked for ({problem})") from None
        if fault is None:
            raise channel.link.refuse("it sent what nobody waits for")
        if not isinstance(fault, Refusal | raises):
            raise FarFault(f"The host failed: {fault}")
        raise fault


@attrs.frozen
class FarPart:
    """A part of the host: all methods of a port, each done over there."""

    caller: FarCalls
    port: type

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return what has a method of the port carried out."""
        try:
            declared = method_of(self.port, method)
        except NotData as problem:
            raise AttributeError(str(problem)) from None
        return partial(self._call, method, declared)

    async def _call(self, method: str, declared: Method, *positional: Any, **named: Any) -> Any:
        bound = signature(getattr(self.port, method)).bind(self, *positional, **named)
        bound.apply_defaults()
        sink = bound.arguments.pop("sink", None)
        values = tuple(bound.arguments[name] for name in declared.takes)
        if declared.streams:
            values = (*values, sink is not None)
            declared = attrs.evolve(declared, takes={**declared.takes, "sink": bool})
        command = bound.arguments.get("command")
        taken = None if sink is None else Sink(sink, getattr(command, "limit", LONGEST))
        sizes = [bound.arguments.get("limit", 0), bound.arguments.get("size", 0)]
        longest = max(ANSWER_LIMIT, *sizes, getattr(command, "limit", 0)) + LONGEST_TEXT
        return await self.caller.call(
            self.port.__name__,
            method,
            declared,
            values,
            taken,
            longest=min(longest, LONGEST),
            seconds=ANSWER_SECONDS[self.port] + getattr(command, "deadline", 0.0),
            raises=NotShowable if method == _SHOWS else Refusal,
        )


@attrs.frozen
class FarCodex:
    """Codex over there; see `codex.ports` for what each method does."""

    caller: FarCalls
    settings: BridgeSettings

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return what has a method of the port carried out that is one answer."""
        return cast("Callable[..., Any]", getattr(FarPart(self.caller, Codex), method))

    async def connect(self, nursery: trio.Nursery) -> Way:
        """Reach an app-server of that machine, which goes on without this link."""
        wire, told = await self._open(nursery, "connect", Method({}, WAY, streams=False), ())
        process_id, app_server, reason, outdated = told
        return Way(FarWire(wire, process_id), app_server, reason, outdated)

    async def take_over(self) -> None:
        """Leave it to the other end, which does it whenever it first reaches an app-server."""

    async def start(
        self, arguments: Sequence[str], nursery: trio.Nursery, *, cwd: str
    ) -> CodexProcess:
        """Start `codex` over there."""
        declared = Method({"arguments": Sequence[str], "cwd": str}, STARTED, streams=False)
        held, pid = await self._open(nursery, "start", declared, (tuple(arguments), cwd))
        return FarProcess(held, pid, self.caller, _Sending(held), _Receiving(held))

    @asynccontextmanager
    async def file_of(self, content: bytes) -> AsyncIterator[str]:
        """Keep a file over there while the block runs."""
        declared = Method({"content": bytes}, str, streams=False)
        async with self.caller.opened(Codex.__name__, "file_of", declared, (content,)) as channel:
            path: str | None = None
            with trio.move_on_after(ANSWER_SECONDS[Codex]):
                path = await self.caller.answer(channel, str)
            if path is None:
                raise self.caller.reach.away("It did not answer.")
            yield path

    async def _open(
        self, nursery: trio.Nursery, method: str, declared: Method, values: tuple[object, ...]
    ) -> tuple[Held, Any]:
        """Begin what lives on, and keep its channel in the nursery.

        Raises:
            WireClosed: the host is away, or has another reason, whatever it says.
        """
        held = Held(self.caller)
        try:
            told = await nursery.start(held.keep, method, declared, values)
        except WireClosed:
            raise
        except Exception as error:  # noqa: BLE001 - another error of the host is one, too
            raise WireClosed(str(error)) from None
        return held, told


@attrs.define(eq=False)
class Held:
    """A channel of something that lives on over there, kept by a task."""

    caller: FarCalls
    channel: LinkChannel | None = None
    _done: trio.Event = attrs.field(factory=trio.Event)
    _closed: trio.Event = attrs.field(factory=trio.Event)

    async def keep(
        self,
        method: str,
        declared: Method,
        values: tuple[object, ...],
        task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Open it, say what was answered, and keep it until it is closed."""
        try:
            async with self.caller.opened(Codex.__name__, method, declared, values) as channel:
                told = await self.caller.answer(channel, declared.gives, raises=WireClosed)
                self.channel = channel
                task_status.started(told)
                await self._done.wait()
        finally:
            self._closed.set()

    async def send(self, kind: MessageKind, body: bytes = b"") -> None:
        """Send on it; raise `WireClosed` where that cannot be."""
        try:
            await self.open_channel.send(kind, body)
        except ChannelClosed:
            raise WireClosed("The host has closed the connection to Codex.") from None
        except LinkEnded as ended:
            raise WireClosed(str(self.caller.reach.away(ended.reason))) from None

    async def receive(self) -> tuple[MessageKind, bytes]:
        """Receive from it; raise `WireClosed` at its end, or what the host raised."""
        try:
            kind, body = await self.open_channel.receive()
            if kind in (MessageKind.FAULT, MessageKind.END) and body:
                raise read_fault(body)
        except ChannelClosed:
            raise WireClosed("The host has closed the connection to Codex.") from None
        except LinkEnded as ended:
            raise WireClosed(str(self.caller.reach.away(ended.reason))) from None
        except NotData as problem:
            broken = self.open_channel.link.refuse(f"it sent what is no error ({problem})")
            raise WireClosed(str(self.caller.reach.away(broken.reason))) from None
        return kind, body

    @property
    def open_channel(self) -> LinkChannel:
        """Return the channel, which is there once it was opened."""
        if self.channel is None:
            raise AssertionError("It is not open.")
        return self.channel

    async def leave(self) -> None:
        """Say that it is not needed, wait until the other end has ended it, and let it go."""
        with trio.CancelScope(shield=True), trio.move_on_after(_GOODBYE_SECONDS):
            with contextlib.suppress(WireClosed):
                await self.send(MessageKind.END)
            await self.open_channel.wait_closed()
        await self.aclose()

    async def aclose(self) -> None:
        """Let it go; the other end then ends it by itself."""
        self._done.set()
        with trio.CancelScope(shield=True):
            await self._closed.wait()


@attrs.frozen
class FarWire:
    """The messages of an app-server over there."""

    held: Held
    process_id: int | None

    async def send(self, message: bytes) -> None:
        """Send one message."""
        await self.held.send(MessageKind.BYTES, message)

    async def receive(self) -> bytes | str:
        """Return the next message."""
        try:
            kind, body = await self.held.receive()
        except (WireClosed, MessageTooLong):
            raise
        except Exception as error:  # noqa: BLE001 - another error of the host ends the wire, too
            raise WireClosed(str(error)) from None
        if kind is MessageKind.TEXT:
            return body.decode(errors="replace")
        if kind is not MessageKind.BYTES:
            raise WireClosed("The host has ended the connection to Codex.")
        return body

    async def aclose(self) -> None:
        """End the connection."""
        await self.held.leave()


@attrs.define(eq=False)
class FarProcess:
    """A `codex` that runs over there."""

    held: Held
    pid: int
    caller: FarCalls
    stdin: trio.abc.SendStream
    stdout: trio.abc.ReceiveStream
    _words: str = ""

    def last_words(self) -> str:
        """Return what it had said last when its end was waited for."""
        return self._words

    async def wait_for_end(self, seconds: float) -> int | None:
        """Wait for its exit code."""
        try:
            code, self._words = await self._ask("wait_for_end", seconds)
        except Unavailable as away:
            self._words = str(away)
            return None
        return cast("int | None", code)

    async def end(self, grace: float) -> None:
        """End it; where the link is gone, the other end does."""
        with (
            trio.CancelScope(shield=True),
            trio.move_on_after(grace + _GOODBYE_SECONDS),
            contextlib.suppress(Unavailable),
        ):
            await self._ask("end", grace)
        await self.held.aclose()

    async def _ask(self, method: str, seconds: float) -> Any:
        declared = Method({"process": int, "seconds": float}, PROCESS[method], streams=False)
        number = self.held.open_channel.number
        return await self.caller.call(
            "process", method, declared, (number, seconds), seconds=seconds + _GOODBYE_SECONDS
        )


@attrs.frozen
class _Sending(trio.abc.SendStream):
    held: Held

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        try:
            await self.held.send(MessageKind.BYTES, bytes(data))
        except WireClosed as closed:
            raise trio.BrokenResourceError(closed.reason) from None

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        with contextlib.suppress(WireClosed):
            await self.held.send(MessageKind.END)


@attrs.define(eq=False)
class _Receiving(trio.abc.ReceiveStream):
    held: Held
    _left: bytes = b""

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if not self._left:
            try:
                kind, self._left = await self.held.receive()
            except Exception as error:  # noqa: BLE001 - whatever it is, the stream is broken
                raise trio.BrokenResourceError(str(error)) from None
            if kind is not MessageKind.BYTES:
                self._left = b""
                return b""
        size = max_bytes or len(self._left)
        found, self._left = self._left[:size], self._left[size:]
        return found

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


def parts_of(reach: Reach, settings: BridgeSettings) -> tuple[Folders, Git, Codex]:
    """Return the folders, the git and the Codex of the machine at the other end."""
    git = cast("Git", _FarGit(reach))
    caller = FarCalls(reach, git)
    folders = cast("Folders", FarPart(caller, Folders))
    return folders, git, cast("Codex", FarCodex(caller, settings))


def tree_of(reach: Reach) -> ProgramTree:
    """Return the actors of the program at the other end, if that has any."""
    return cast("ProgramTree", FarPart(FarCalls(reach), ProgramTree))


def pool_of(reach: Reach) -> Pool:
    """Return the pool of the machine at the other end, if that has one."""
    return cast("Pool", FarPart(FarCalls(reach), Pool))


@attrs.frozen
class _FarGit:
    """Git over there, with which the checkouts work that it opens."""

    reach: Reach

    def __getattr__(self, method: str) -> Callable[..., Any]:
        part = FarPart(FarCalls(self.reach, cast("Git", self)), Git)
        return cast("Callable[..., Any]", getattr(part, method))
