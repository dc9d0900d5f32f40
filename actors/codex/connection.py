"""One connection to an app-server: requests correlated with answers, and a watch over it.

Three tasks live with it. The reader hands on what Codex tells; the writer alone writes, so that
a caller who gives up cannot leave half a message behind; the watch probes a connection on which
nothing came for a while, so that a Codex that hangs is found by a deadline and not by a user.
Whichever ends first ends the connection, and every open request fails at that moment.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, NoReturn, Protocol

import attrs
import structlog
import trio

from command_center.actors.codex import protocol
from command_center.actors.codex.errors import (
    AnswerTooLong,
    BridgeUnavailable,
    CodexError,
    CodexTimeout,
    MessageTooLong,
    NotAMessage,
    WireClosed,
)
from command_center.actors.codex.ports import Wire
from command_center.actors.codex.settings import Deadlines
from command_center.actors.codex.versions import (
    UNKNOWN_METHOD,
    Support,
    methods_in,
    support_of,
)
from command_center.store.redaction.redact import redact

log = structlog.get_logger(__name__)

PROBE = "thread/loaded/list"
"""The question of a probe: cheap, without effect, and known to every version."""

_OUTGOING = 256


@attrs.frozen
class RefusedRequest:
    """The refusal of a request of Codex: a JSON-RPC error's code and message."""

    code: int
    message: str


class Listener(Protocol):
    """The one who is told what Codex says. Must not wait: no thread may hold up the others."""

    def on_notification(self, notification: protocol.Notification, size: int) -> None:
        """Codex told something, in a message of `size` bytes."""

    def on_request(self, request: protocol.ServerRequest) -> RefusedRequest | None:
        """Codex asks something; answers why it is refused, if it is refused at once."""


@attrs.define(eq=False)
class _Open:
    method: str
    done: trio.Event = attrs.field(factory=trio.Event)
    response: protocol.Response | None = None
    too_long: MessageTooLong | None = None


@attrs.define(eq=False)
class _Outgoing:
    data: bytes
    done: trio.Event = attrs.field(factory=trio.Event)
    written: bool = False


class Connection:
    """The protocol over one wire. `run` it until it is lost; `lost` then says why."""

    def __init__(self, wire: Wire, listener: Listener, deadlines: Deadlines) -> None:
        """Take a wire that is open and that somebody else closes."""
        self._wire = wire
        self._listener = listener
        self._deadlines = deadlines
        self._ids = itertools.count(1)
        self._open: dict[protocol.RequestId, _Open] = {}
        self._unawaited: set[protocol.RequestId] = set()
        self._unwritten: set[_Outgoing] = set()
        self._send, self._queue = trio.open_memory_channel[_Outgoing](_OUTGOING)
        self._heard_at = trio.current_time()
        self._ended = trio.Event()
        self.lost: str | None = None
        self.server_version: str | None = None
        self.support = Support()
        self.codex_home: str | None = None
        self.received = 0
        self.garbage = 0

    async def run(self) -> str:
        """Carry messages until the connection is lost; answers why. Never raises of itself."""
        try:
            async with trio.open_nursery() as nursery:
                for task in (self._read, self._write, self._watch):
                    nursery.start_soon(self._until_lost, task, nursery.cancel_scope)
        finally:
            self._fail(self.lost or "The connection was closed.")
        return self.lost or ""

    async def call(self, method: str, params: Mapping[str, Any], seconds: float) -> Any:
        """Send a request; answers its result.

        Raises `CodexError`, `CodexTimeout` (`AnswerTooLong` as soon as that is seen), or
        `BridgeUnavailable` when the connection is lost.
        """
        if self._ended.is_set():
            raise BridgeUnavailable(self.lost or "The connection to Codex is closed.")
        id_ = next(self._ids)
        waiting = self._open[id_] = _Open(method)
        try:
            with trio.move_on_after(seconds):
                await self._send.send(_Outgoing(protocol.encode_request(id_, method, params)))
                await waiting.done.wait()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            del self._open[id_]
        response = waiting.response
        if waiting.too_long is not None:
            raise AnswerTooLong(method, waiting.too_long.limit)
        if response is None:
            if self._ended.is_set():
                raise BridgeUnavailable(self.lost or "The connection to Codex was lost.")
            raise CodexTimeout(method, seconds)
        if response.error is not None:
            error = response.error
            raise CodexError(method, error.code, error.message, error.data)
        return response.result

    def call_soon(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a request before any that is sent after this, and let nobody wait for its answer.

        Left out if too much waits to be written already.
        """
        id_ = next(self._ids)
        try:
            self._send.send_nowait(_Outgoing(protocol.encode_request(id_, method, params)))
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            log.warning("codex.request_not_sent", method=method)
        else:
            self._unawaited.add(id_)

    async def handshake(self, version: str) -> None:
        """Introduce ourselves; raises `WireClosed` with what to do if Codex doesn't go along."""
        client = {"name": "command_center", "title": "Command Center", "version": version}
        # The experimental API is asked for because only it ends the commands of a stopped turn.
        params = {"clientInfo": client, "capabilities": {"experimentalApi": True}}
        try:
            result = await self.call("initialize", params, self._deadlines.handshake)
        except BridgeUnavailable as error:
            raise WireClosed(error.reason) from None
        except CodexTimeout as error:
            raise WireClosed(f"{error} Is it really `codex app-server`?") from None
        except CodexError as error:
            raise WireClosed(
                f"This Codex speaks another protocol ({error.reason}). "
                "Update Codex, or Command Center."
            ) from None
        self.server_version = _version_of(result)
        self.support = support_of(self.server_version)
        if self.support.problem is None:
            try:
                await self.call(UNKNOWN_METHOD, {}, self._deadlines.probe)
            except CodexError as error:
                self.support = support_of(self.server_version, methods_in(error.reason))
            except (BridgeUnavailable, CodexTimeout) as error:
                raise WireClosed(str(error)) from None
        home = result.get("codexHome") if isinstance(result, dict) else None
        self.codex_home = home if isinstance(home, str) else None
        try:
            await self._enqueue(_Outgoing(protocol.encode_notification("initialized")))
        except BridgeUnavailable as error:  # it was lost behind its last answer
            raise WireClosed(error.reason) from None

    async def probe(self) -> int:
        """Return the number of loaded threads, if Codex answers; raise as `call` does."""
        result = await self.call(PROBE, {}, self._deadlines.probe)
        data = result.get("data") if isinstance(result, dict) else None
        return len(data) if isinstance(data, list) else 0

    async def answer(self, id_: protocol.RequestId, result: Mapping[str, Any]) -> None:
        """Answer a request of Codex; returns when it is written, or raises `BridgeUnavailable`."""
        await self._write_through(protocol.encode_result(id_, result))

    async def refuse(self, id_: protocol.RequestId, code: int, message: str) -> None:
        """Answer a request of Codex with an error; returns when it is written."""
        await self._write_through(protocol.encode_error(id_, code, message))

    def refuse_soon(self, id_: protocol.RequestId, code: int, message: str) -> None:
        """Call without waiting; the request is left out if too much waits to be written already."""
        try:
            self._send.send_nowait(_Outgoing(protocol.encode_error(id_, code, message)))
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            log.warning("codex.refusal_not_sent", id=id_)

    async def until_lost(self) -> str:
        """Wait until the connection is lost; answers why."""
        await self._ended.wait()
        return self.lost or "The connection to Codex was lost."

    async def _write_through(self, data: bytes) -> None:
        outgoing = _Outgoing(data)
        self._unwritten.add(outgoing)
        try:
            await self._enqueue(outgoing)
            await outgoing.done.wait()
        finally:
            self._unwritten.discard(outgoing)
        if not outgoing.written:
            raise BridgeUnavailable(self.lost or "The connection to Codex was lost.")

    async def _enqueue(self, outgoing: _Outgoing) -> None:
        try:
            await self._send.send(outgoing)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise BridgeUnavailable(self.lost or "The connection to Codex was lost.") from None

    async def _until_lost(self, task: Any, scope: trio.CancelScope) -> None:
        try:
            await task()
        except WireClosed as error:
            if self.lost is None:
                self._fail(error.reason)
            scope.cancel()

    async def _read(self) -> NoReturn:
        while True:
            try:
                data = await self._wire.receive()
            except MessageTooLong as error:
                self.garbage += 1
                self._heard_at = trio.current_time()
                log.warning("codex.message_too_long", limit=error.limit)
                self._skip(error)
                continue
            self._heard_at = trio.current_time()
            self.received += 1
            try:
                message = protocol.decode(data)
            except NotAMessage as error:
                self.garbage += 1
                log.warning(
                    "codex.not_a_message", problem=error.problem, excerpt=redact(error.excerpt)
                )
                continue
            match message:
                case protocol.Response():
                    self._settle(message)
                case protocol.ServerRequest():
                    refused = self._listener.on_request(message)
                    if refused is not None:
                        self.refuse_soon(message.id, refused.code, refused.message)
                case protocol.Notification():
                    self._listener.on_notification(message, len(data))

    async def _write(self) -> None:
        async for outgoing in self._queue:
            await self._wire.send(outgoing.data)
            outgoing.written = True
            outgoing.done.set()

    async def _watch(self) -> NoReturn:
        while True:
            quiet_until = self._heard_at + self._deadlines.quiet
            await trio.sleep_until(quiet_until)
            if self._heard_at + self._deadlines.quiet > quiet_until:
                continue
            try:
                await self.probe()
            except CodexTimeout:
                raise WireClosed(
                    f"Codex hangs: it did not answer within {self._deadlines.probe:g} s."
                ) from None
            except (CodexError, BridgeUnavailable):
                # An error is an answer too, and a lost connection is told by who lost it.
                continue

    def _settle(self, response: protocol.Response) -> None:
        if response.id in self._unawaited:
            self._unawaited.discard(response.id)
            return
        waiting = self._open.get(response.id)
        if waiting is None:
            log.info("codex.late_answer", id=response.id)
            return
        waiting.response = response
        waiting.done.set()

    def _skip(self, error: MessageTooLong) -> None:
        """Tell whoever asked for it, if it is an answer."""
        id_ = protocol.answered_by(error.head)
        waiting = None if id_ is None else self._open.get(id_)
        if waiting is not None:
            waiting.too_long = error
            waiting.done.set()

    def _fail(self, reason: str) -> None:
        if self.lost is None:
            self.lost = reason
        self._ended.set()
        self._send.close()
        self._queue.close()
        for waiting in self._open.values():
            waiting.done.set()
        for outgoing in self._unwritten:
            outgoing.done.set()


def _version_of(result: Any) -> str | None:
    """Read the version in `userAgent` ("command_center/0.163.0 (Debian …) …"), where it has one."""
    agent = result.get("userAgent") if isinstance(result, dict) else None
    if not isinstance(agent, str) or "/" not in agent:
        return None
    words = agent.partition("/")[2].split(" ", 1)
    return words[0] or None
