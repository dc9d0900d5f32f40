"""The transports to an app-server, each as a wire that carries whole messages.

Every wire is opened in a nursery that its caller owns, and is closed before that nursery ends.
Opening raises `WireClosed` with what an operator can do about it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import trio
import trio_websocket

from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.lines import LineReader
from command_center.actors.codex.ports import Wire
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.codex.websocket import HandshakeFailed, WatchedStream, open_over
from command_center.actors.hosts.local.codex.environment import agent_environment
from command_center.actors.hosts.local.codex.places import inherited
from command_center.actors.hosts.local.codex.processes import ChildProcess, start_child

_LAST_WORDS_SECONDS = 1.0
"""Seconds that a child may take to end by itself once it has closed its output."""

_GOODBYE_SECONDS = 0.25
"""Seconds to wait for the answer to a WebSocket's close; Codex (0.163) gives none."""


async def open_wire(settings: BridgeSettings, nursery: trio.Nursery) -> Wire:
    """Open the wire of the settings' transport; raises `WireClosed`."""
    match settings.transport:
        case Transport.AUTO:
            raise AssertionError("`ways` chooses one of the others.")
        case Transport.SPAWN:
            return SpawnWire(await _start(settings, nursery), settings.deadlines.close)
        case Transport.PROXY:
            return await _open_proxy(settings, nursery)
        case Transport.WEBSOCKET:
            return await _open_websocket(settings, nursery)


class SpawnWire:
    """JSON lines over the standard input and output of an app-server of our own."""

    def __init__(self, child: ChildProcess, close_seconds: float) -> None:
        """Take over the child; `aclose` ends it."""
        self._child = child
        self._close_seconds = close_seconds
        self._lines = LineReader(child.stdout)

    @property
    def process_id(self) -> int | None:
        """Return the id of the app-server's process, or of its wrapper's."""
        return self._child.pid

    async def send(self, message: bytes) -> None:
        """Write one line."""
        try:
            await self._child.stdin.send_all(message + b"\n")
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise WireClosed(await _last_words(self._child)) from None

    async def receive(self) -> bytes:
        """Read one line."""
        try:
            line = await self._lines.next()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            line = None
        if line is None:
            raise WireClosed(await _last_words(self._child))
        return line

    async def aclose(self) -> None:
        """End the app-server."""
        await self._child.end(self._close_seconds)


class WebSocketWire:
    """One message a text frame; `child` is the proxy that carries the bytes, if there is one."""

    def __init__(
        self,
        connection: trio_websocket.WebSocketConnection,
        stream: trio.abc.AsyncResource,
        child: ChildProcess | None,
        close_seconds: float,
    ) -> None:
        """Take over all three; `aclose` ends them."""
        self._connection = connection
        self._stream = stream
        self._child = child
        self._close_seconds = close_seconds

    @property
    def process_id(self) -> int | None:
        """Return the id of the proxy's process; the app-server behind it is not ours."""
        return None if self._child is None else self._child.pid

    async def send(self, message: bytes) -> None:
        """Send one text frame."""
        try:
            await self._connection.send_message(message.decode())
        except (trio_websocket.ConnectionClosed, trio.BrokenResourceError) as error:
            raise WireClosed(await self._why(error)) from None

    async def receive(self) -> bytes | str:
        """Receive one frame; one that is too long ends the connection."""
        try:
            return await self._connection.get_message()
        except (trio_websocket.ConnectionClosed, trio.BrokenResourceError) as error:
            raise WireClosed(await self._why(error)) from None

    async def aclose(self) -> None:
        """Say goodbye, but don't wait long for an answer; then end the proxy."""
        with trio.CancelScope(shield=True):
            with (
                trio.move_on_after(min(self._close_seconds, _GOODBYE_SECONDS)),
                contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError),
            ):
                await self._connection.aclose()
            await trio.aclose_forcefully(self._stream)
            if self._child is not None:
                await self._child.end(self._close_seconds)

    async def _why(self, error: Exception) -> str:
        if self._child is not None:
            return await _last_words(self._child)
        reason = getattr(error, "reason", None)
        code = getattr(reason, "code", None)
        said = getattr(reason, "reason", None)
        detail = ", ".join(str(part) for part in (code, said) if part)
        return f"The WebSocket to Codex was closed{f' ({detail})' if detail else ''}."


async def _start(settings: BridgeSettings, nursery: trio.Nursery) -> ChildProcess:
    """Start Codex in the state folder, where no project's `.codex` has a say in the process."""
    folder = settings.state_folder
    environment = agent_environment(
        inherited(settings), secrets=settings.secrets, state_folder=folder
    )
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return await start_child(
        [*settings.program, *settings.arguments],
        nursery,
        environment=environment,
        state_folder=folder,
        cwd=folder,
    )


async def _last_words(child: ChildProcess) -> str:
    """Return why the child's pipes are closed, with what it said last."""
    with trio.CancelScope(shield=True):
        code = await child.wait_for_end(_LAST_WORDS_SECONDS)
        if code is None:  # nobody can speak with it any more, and its end brings its words
            await child.end(0)
    ended = "closed its output" if code is None else f"ended with exit code {code}"
    said = child.tail.last_words() if code != 0 else ""
    return f"Codex {ended}: {said}" if said else f"Codex {ended}."


async def open_socket(path: Path) -> trio.SocketStream:
    """Connect to a Unix socket of this user; raises `WireClosed` where nobody listens.

    Codex listens in a folder of a short name, and leaves a link to it at the path.
    """
    try:
        found = await trio.Path(path).resolve(strict=True)
        if sys.platform != "win32" and (await found.stat()).st_uid != os.getuid():
            raise WireClosed(f"What listens at {path} is another user's.")
        return await trio.open_unix_socket(found)
    except (OSError, ValueError, RuntimeError) as error:
        raise WireClosed(f"Nothing listens at {path} ({error}).") from None


async def open_unix(path: Path, nursery: trio.Nursery, close_seconds: float) -> Wire:
    """Open a WebSocket to the app-server that listens on a Unix socket; raises `WireClosed`."""
    socket = await open_socket(path)
    stream = WatchedStream(socket, socket)
    try:
        connection = await open_over(stream, nursery, host="localhost", resource="/", headers=[])
    except HandshakeFailed:
        await trio.aclose_forcefully(socket)
        raise WireClosed(f"What listens at {path} is not an app-server.") from None
    except BaseException:
        await trio.aclose_forcefully(socket)
        raise
    return WebSocketWire(connection, stream, None, close_seconds)


async def _open_proxy(settings: BridgeSettings, nursery: trio.Nursery) -> Wire:
    child = await _start(settings, nursery)
    stream = WatchedStream(child.stdin, child.stdout)
    try:
        connection = await open_over(
            stream,
            nursery,
            host="localhost",
            resource="/",
            headers=[],
        )
    except HandshakeFailed:
        words = await _last_words(child)
        await child.end(0)
        raise WireClosed(
            f"No app-server to control was found. {words} "
            "Start the Codex app, or `codex app-server --listen unix://`."
        ) from None
    except BaseException:
        await child.end(0)
        raise
    return WebSocketWire(connection, stream, child, settings.deadlines.close)


async def _open_websocket(settings: BridgeSettings, nursery: trio.Nursery) -> Wire:
    url = settings.url
    if not url:
        raise WireClosed("The websocket transport needs the app-server's URL: set CC_CODEX_URL.")
    address = urlsplit(url)
    if address.scheme not in ("ws", "wss") or address.hostname is None:
        raise WireClosed(f"CC_CODEX_URL is not a WebSocket URL: {url}.")
    headers = []
    if settings.token_file is not None:
        headers.append((b"authorization", b"Bearer " + _read_token(settings.token_file)))
    socket = await _connect(address)
    stream = WatchedStream(socket, socket)
    try:
        connection = await open_over(
            stream,
            nursery,
            host=address.netloc.rpartition("@")[2],
            resource=(address.path or "/") + (f"?{address.query}" if address.query else ""),
            headers=headers,
        )
    except HandshakeFailed as error:
        await trio.aclose_forcefully(socket)
        raise _refused(url, error.status) from None
    except BaseException:
        await trio.aclose_forcefully(socket)
        raise
    return WebSocketWire(connection, stream, None, settings.deadlines.close)


async def _connect(address: SplitResult) -> trio.abc.Stream:
    host = address.hostname or ""
    try:
        if address.scheme == "ws":
            return await trio.open_tcp_stream(host, address.port or 80)
        stream = await trio.open_ssl_over_tcp_stream(host, address.port or 443)
        await stream.do_handshake()
    except (OSError, trio.BrokenResourceError) as error:
        cause = error.__cause__ or error
        raise WireClosed(
            f"No app-server listens at {address.geturl()} ({cause}). "
            "Start one with `codex app-server --listen ws://IP:PORT`."
        ) from None
    return stream


def _refused(url: str, status: int | None) -> WireClosed:
    if status is None:
        return WireClosed(f"What listens at {url} is not an app-server.")
    advice = " Check CC_CODEX_WS_TOKEN_FILE." if status in (401, 403) else ""
    return WireClosed(f"The app-server at {url} refused the WebSocket with {status}.{advice}")


def _read_token(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise WireClosed(
            f"The token file {path} could not be read: {error.strerror or error}."
        ) from None
