"""Channels: many streams of messages side by side over one ordered stream of bytes.

Each end may have many messages under way at once. A message goes in pieces, so that a long one
holds up no other, and each direction of a channel has a window: what was sent and not yet taken
never exceeds `WINDOW`. So a side that is slow with one thing keeps little in memory, and holds up
only that.

The other end is another machine, and may send anything. A frame that breaks the rules ends the link
with a reason. A side that is silent for `SILENCE` seconds is given up at once, whatever is being
written, since each says at least every `BEAT` seconds that it is there. That bounds the time in
which a dead link is noticed, also one that only swallows what is sent.

A side that will not work for the other says so in its first frame, as one does that speaks another
version (`dialect`): only a person can change that.
"""

from __future__ import annotations

import contextlib
import enum
import itertools
import json
import struct
from collections import deque
from collections.abc import Callable
from typing import Final

import attrs
import trio

from command_center.actors.hosts.link import dialect
from command_center.actors.hosts.link.data import NotData, printable
from command_center.actors.rules.paths import CONTROL

PROTOCOL: Final = 1
"""The version of the protocol; another one is refused, with the side to update."""

PIECE: Final = 32 * 1024
"""Bytes of a frame, at most."""

WINDOW: Final = 8 * PIECE
"""Bytes of a channel that may be on the way in one direction."""

LONGEST: Final = 72 * 1024 * 1024
"""Bytes of a message, at most: the longest that Codex may send, and what is around it."""

FRAMES_AT_ONCE: Final = 64
"""Frames that are read before others have their turn, however many have come."""

LONGEST_REASON: Final = 500
"""Characters of the reason for which a link ends; some of it may be the other end's."""

BEAT: Final = 4.0
SILENCE: Final = 15.0

_HEADER: Final = struct.Struct(">BII")
_CREDIT: Final = struct.Struct(">I")


class LinkEnded(Exception):
    """The link is over; `reason` is a sentence that says why.

    `is_lasting` says that it stays so until a person does something.
    """

    def __init__(self, reason: str, *, is_lasting: bool = False) -> None:
        """Say why."""
        super().__init__(reason)
        self.reason = reason
        self.is_lasting = is_lasting


class ChannelClosed(Exception):
    """The other end has closed the channel."""


class MessageKind(enum.IntEnum):
    """Kinds of messages on a channel."""

    CALL = 1
    RESULT = 2
    FAULT = 3
    """An error of the port."""
    BYTES = 4
    TEXT = 5
    END = 6
    """No more comes in this direction; a fault may be in it that says why."""


class _Frame(enum.IntEnum):
    MORE = 1
    LAST = 2
    CREDIT = 3
    CLOSE = 4
    BEAT = 5
    HELLO = 6


@attrs.define(eq=False)
class LinkChannel:
    """One stream of messages in each direction. One task at a time may send, and one receive."""

    link: Channels
    number: int
    _pieces: deque[tuple[bytes, bool]] = attrs.field(factory=deque)
    _unread: int = 0
    _taken: int = 0
    _window: int = WINDOW
    _is_ended: bool = False
    _is_closed: bool = False
    _changed: trio.Event = attrs.field(factory=trio.Event)

    async def send(self, kind: MessageKind, body: bytes = b"") -> None:
        """Send a message, when the other end has taken enough of what was sent before.

        Raises:
            ChannelClosed: the other end has closed the channel.
            LinkEnded: the link is over.
        """
        message = bytes([kind]) + body
        if len(message) > LONGEST:
            raise NotData(f"a message of more than {LONGEST} bytes")
        for begin in range(0, len(message), PIECE):
            piece = message[begin : begin + PIECE]
            self._check()
            while self._window < len(piece):
                await self._change()
            self._window -= len(piece)
            is_last = begin + PIECE >= len(message)
            await self.link.write(_Frame.LAST if is_last else _Frame.MORE, self.number, piece)

    async def receive(self, longest: int = LONGEST) -> tuple[MessageKind, bytes]:
        """Return the next message; raises as `send`, and `LinkEnded` if it is none."""
        whole = bytearray()
        while True:
            while not self._pieces:
                await self._change()
            piece, is_last = self._pieces.popleft()
            self._unread -= len(piece)
            whole += piece
            if len(whole) > longest:
                raise self.link.refuse(f"it sent a message of more than {longest} bytes")
            self._taken += len(piece)
            if self._taken >= WINDOW // 2:
                taken, self._taken = self._taken, 0
                await self.link.write(_Frame.CREDIT, self.number, _CREDIT.pack(taken))
            if is_last:
                try:
                    return MessageKind(whole[0]), bytes(memoryview(whole)[1:])
                except (ValueError, IndexError):
                    raise self.link.refuse("it sent a message of no known kind") from None

    async def wait_closed(self) -> None:
        """Return when the other end closes the channel, or the link is over."""
        while not (self._is_ended or self._is_closed or self.link.is_over):
            await self._changed.wait()

    async def aclose(self) -> None:
        """Close it, and tell the other end; what comes on it from now on is dropped."""
        if not self._is_closed:
            self._is_closed = True
            self.link.forget(self.number)
            with trio.CancelScope(shield=True):
                await self.link.write(_Frame.CLOSE, self.number)

    def take(self, piece: bytes, *, is_last: bool) -> None:
        """Keep a piece that came; one that was under way when the channel was closed is dropped."""
        if self._is_ended:
            return
        if not piece:  # it would count for nothing in the window
            raise self.link.refuse("it sent a message of no known kind")
        self._unread += len(piece)
        if self._unread > WINDOW:
            raise self.link.refuse("it sent more than it may")
        self._pieces.append((piece, is_last))
        self.wake()

    def credit(self, size: int) -> None:
        """Let more be sent."""
        self._window += size
        if self._window > WINDOW:
            raise self.link.refuse("it took more than was sent")
        self.wake()

    def end(self) -> None:
        """Take note that the other end has closed it."""
        self._is_ended = True
        self.wake()

    def wake(self) -> None:
        """Let who waits look again."""
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def _change(self) -> None:
        self._check()
        await self._changed.wait()
        self.link.check()

    def _check(self) -> None:
        self.link.check()
        if self._is_ended or self._is_closed:
            raise ChannelClosed


class Channels:
    """One end of a link.

    link = Channels(reading, writing)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        channel = link.begin()
    """

    def __init__(
        self,
        reading: trio.abc.ReceiveStream,
        writing: trio.abc.SendStream,
        *,
        begun: bytes = b"",
        on_open: Callable[[LinkChannel], None] | None = None,
    ) -> None:
        """Use both streams, of which `begun` was read already.

        `on_open` is told of channels that the other end opens; without it, it may open none.
        """
        self._reading = reading
        self._writing = writing
        self._on_open = on_open
        self._channels: dict[int, LinkChannel] = {}
        self._last = 0
        self._lock = trio.Lock()
        self._ended: LinkEnded | None = None
        self._buffer = bytearray(begun)
        self._heard_at = 0.0
        self._has_greeted = False
        self._scope = trio.CancelScope()
        self._writing_scope = trio.CancelScope()
        self._is_greeted = trio.Event()

    @property
    def is_over(self) -> bool:
        """Return whether the link is over."""
        return self._ended is not None

    def check(self) -> None:
        """Raise `LinkEnded` if the link is over."""
        if self._ended is not None:
            raise LinkEnded(self._ended.reason, is_lasting=self._ended.is_lasting)

    def begin(self) -> LinkChannel:
        """Begin a channel; raises `LinkEnded`."""
        self.check()
        self._last += 1
        self._channels[self._last] = LinkChannel(self, self._last)
        return self._channels[self._last]

    async def until_greeted(self) -> None:
        """Return when the other end has said that it speaks this protocol."""
        await self._is_greeted.wait()
        self.check()

    async def run(self) -> None:
        """Carry what comes and goes until the link is over; raise `LinkEnded` then."""
        self._heard_at = trio.current_time()
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._beat)
                    nursery.start_soon(self._watch)
                    try:
                        await self._read()
                    except LinkEnded as ended:
                        self._end(ended.reason)
        finally:
            self._end("It was closed.")
            self._is_greeted.set()
            for channel in self._channels.values():
                channel.wake()
        self.check()

    async def write(self, frame: _Frame, number: int, body: bytes = b"") -> None:
        """Write a frame. One that was begun is written whole, or the link is over."""
        async with self._lock:
            await self._send(_HEADER.pack(frame, number, len(body)) + body)

    async def _say_hello(self) -> None:
        """Return once the greeting of this side is sent, or the link is over."""
        async with self._lock:
            if not self._has_greeted:
                await self._send(b"")

    async def _send(self, data: bytes) -> None:
        """Send bytes, the first of them after the greeting. Whoever calls holds the lock."""
        if self._ended is not None:
            return
        if not self._has_greeted:
            self._has_greeted = True
            data = _hello({"port": dialect.digest(), "version": dialect.version()}) + data
        with trio.CancelScope(shield=True) as self._writing_scope:
            try:
                await self._writing.send_all(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._end("It takes nothing any more.")

    def refuse(self, broken: str, *, is_lasting: bool = False) -> LinkEnded:
        """Have the link end, since the other end broke a rule; return what to raise."""
        return self._end(f"The link was ended: {broken}.", is_lasting=is_lasting)

    def forget(self, number: int) -> None:
        """Know a channel no longer."""
        self._channels.pop(number, None)

    def _end(self, reason: str, *, is_lasting: bool = False) -> LinkEnded:
        """Have it be over, for the first reason that there is."""
        self._ended = self._ended or LinkEnded(_shown(reason), is_lasting=is_lasting)
        self._scope.cancel()
        self._writing_scope.cancel()
        return self._ended

    async def _beat(self) -> None:
        while not self.is_over:
            await self.write(_Frame.BEAT, 0)
            await trio.sleep(BEAT)

    async def _watch(self) -> None:
        while not self.is_over:
            await trio.sleep_until(self._heard_at + SILENCE)
            if trio.current_time() >= self._heard_at + SILENCE:
                self._end(f"Nothing was heard of it for {SILENCE:g} seconds.")

    async def _read(self) -> None:
        is_first = True
        for count in itertools.count(1):
            if count % FRAMES_AT_ONCE == 0:  # they may have come at once
                await trio.lowlevel.checkpoint()
            kind, number, size = _HEADER.unpack(await self._exactly(_HEADER.size))
            if size > PIECE:
                raise self.refuse("it sent a frame that is too long")
            body = await self._exactly(size)
            if is_first:
                # It has to hear of this side, too, whatever it has said: both tell whom to update.
                await self._say_hello()
                self._greet(kind, body)
                is_first = False
            else:
                self._dispatch(kind, number, body)
            self.check()

    def _greet(self, kind: int, body: bytes) -> None:
        try:
            told = json.loads(body) if kind == _Frame.HELLO else {}
            spoken, refusal = told["protocol"], told.get("refusal")
            port, version = told.get("port"), str(told.get("version", ""))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            spoken = refusal = port = version = None
        if type(spoken) is not int:
            raise self.refuse("what answered is no Command Center")
        if spoken != PROTOCOL:
            older = "the other side" if spoken < PROTOCOL else "this side"
            raise self.refuse(
                f"it speaks protocol {spoken}, and this side {PROTOCOL}; update {older}",
                is_lasting=True,
            )
        if isinstance(refusal, str):
            raise self._end(f"It refuses this side: {refusal}", is_lasting=True)
        if port != dialect.digest():
            raise self.refuse(dialect.difference(str(version)), is_lasting=True)
        self._is_greeted.set()

    def _dispatch(self, kind: int, number: int, body: bytes) -> None:
        if kind == _Frame.BEAT:
            return
        channel = self._channels.get(number)
        if channel is None and self._on_open is not None and number == self._last + 1:
            channel = self.begin()
            self._on_open(channel)
        if channel is None:
            if not 0 < number <= self._last:
                raise self.refuse("it spoke of what was never begun")
            return  # it is closed on this side
        match kind:
            case _Frame.MORE | _Frame.LAST:
                channel.take(body, is_last=kind == _Frame.LAST)
            case _Frame.CREDIT if len(body) == _CREDIT.size:
                channel.credit(_CREDIT.unpack(body)[0])
            case _Frame.CLOSE:
                channel.end()
            case _:
                raise self.refuse("it sent a frame of no known kind")

    async def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            try:
                came = await self._reading.receive_some(64 * 1024)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                came = b""
            if not came:
                raise LinkEnded("It has ended.")
            self._heard_at = trio.current_time()
            self._buffer += came
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found


async def refuse_link(stream: trio.abc.Stream, reason: str) -> None:
    """Say in the place of a link that none is wanted, and why; wait a while until that is heard."""
    with trio.move_on_after(BEAT), contextlib.suppress(trio.BrokenResourceError):
        await stream.send_all(_hello({"refusal": _shown(reason)}))
        while await stream.receive_some():
            pass


def _hello(told: dict[str, object]) -> bytes:
    body = json.dumps({"protocol": PROTOCOL, **told}).encode()
    return _HEADER.pack(_Frame.HELLO, 0, len(body)) + body


def _shown(reason: str) -> str:
    """Return it as one line that can be kept and shown."""
    cut = reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}…"
    return CONTROL.sub(" ", printable(cut))
