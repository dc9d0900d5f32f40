"""The loop looks at its sockets again after few steps, however many clients come at once."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import attrs
import pytest
import trio
import trio.testing
from wsproto.frame_protocol import Opcode

from command_center.http.transport.connection import ClientConnection, Connections
from command_center.http.transport.encryption import Certificate
from command_center.http.transport.turns import PASS_SECONDS, STEPS, LoopTurns
from command_center.http.wire.asgi import Receive, Scope, Send
from tests.http.certificates import make, trusting
from tests.http.guarded import open_app
from tests.http.live import served
from tests.http.transport.connected import HOST, LAST_GET, QUICK, Server, connected, everything
from tests.http.transport.websockets import frame, opened

MANY = 20 * STEPS
HEALTH = b"GET /health HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


@attrs.define(eq=False)
class Passes(trio.abc.Instrument):
    """Counts what is done between two looks of the loop at its sockets."""

    counts: list[int] = attrs.field(factory=lambda: [0])

    def after_io_wait(self, _timeout: float) -> None:
        self.counts.append(0)

    def count(self) -> None:
        self.counts[-1] += 1


@asynccontextmanager
async def clients_of(server: Server) -> AsyncIterator[list[trio.SocketStream]]:
    """New connections, on all of which the server waits."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(await server.connect()) for _ in range(MANY)]
        await trio.testing.wait_all_tasks_blocked()
        yield clients


async def send_at_once(clients: list[trio.SocketStream], data: bytes) -> None:
    """Send on all connections before the server looks at any of them."""
    for client in clients:
        assert client.socket._sock.send(data) == len(data)  # type: ignore[attr-defined]


async def test_requests_that_come_at_once_are_begun_few_at_a_time() -> None:
    passes = Passes()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        passes.count()
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body", "body": b""})

    async with connected(app) as server, clients_of(server) as clients:
        trio.lowlevel.add_instrument(passes)
        await send_at_once(clients, LAST_GET)
        for client in clients:
            assert b" 204 " in await everything(client)
        trio.lowlevel.remove_instrument(passes)
    assert sum(passes.counts) == MANY
    assert max(passes.counts) <= 2 * STEPS


async def test_of_requests_that_take_long_fewer_are_begun_at_a_time() -> None:
    passes = Passes()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        passes.count()
        time.sleep(PASS_SECONDS / 2)  # noqa: ASYNC251 - it keeps the loop, as much work does
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body", "body": b""})

    async with connected(app) as server, clients_of(server) as clients:
        trio.lowlevel.add_instrument(passes)
        await send_at_once(clients[: 5 * STEPS], LAST_GET)
        for client in clients[: 5 * STEPS]:
            assert b" 204 " in await everything(client)
        trio.lowlevel.remove_instrument(passes)
    begun = [count for count in passes.counts if count]
    assert max(begun[len(begun) // 2 :]) <= STEPS // 2


async def test_answers_that_wait_for_their_turn_are_sent_whole() -> None:
    """Whoever watches for the client's leaving hears of the answer's end once it is written."""

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                nursery.cancel_scope.cancel()

            nursery.start_soon(watch)
            headers = [(b"content-length", b"5")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"whole", "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            nursery.cancel_scope.cancel()

    async with connected(app) as server, clients_of(server) as clients:
        await send_at_once(clients, LAST_GET)
        answers = [await everything(client) for client in clients]
    assert [b"whole"] * MANY == [answer[-5:] for answer in answers]


class HeldTurns(LoopTurns):
    """Turns that come to nobody, for as long as they are held."""

    def __init__(self) -> None:
        super().__init__()
        self.is_held = False
        self.reached = trio.Event()

    async def take(self, *, first: bool = False) -> None:
        if self.is_held:
            self.reached.set()
            await trio.sleep_forever()
        await super().take(first=first)


async def test_what_has_come_is_there_for_the_next_reader_where_one_is_cancelled() -> None:
    connections, turns, told = Connections(QUICK), HeldTurns(), trio.Event()
    connections.turns = turns

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        turns.is_held = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            await turns.reached.wait()
            nursery.cancel_scope.cancel()
        turns.is_held = False
        assert "kept" == (await receive())["text"]
        told.set()

    async with connected(app, QUICK, connections) as server, opened(server) as client:
        await client.send_all(frame(Opcode.TEXT, b"kept"))
        with trio.fail_after(30):
            await told.wait()


async def test_who_asks_whether_the_server_lives_is_not_behind_all_others() -> None:
    order: list[str] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        order.append(scope["path"])
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body", "body": b""})

    async with connected(app) as server, clients_of(server) as clients:
        await send_at_once(clients[:-1], LAST_GET)
        await send_at_once(clients[-1:], HEALTH)
        for client in clients:
            await everything(client)
    assert len(order) == MANY
    assert order.index("/health") <= STEPS


async def test_clients_that_leave_at_once_are_noticed_few_at_a_time() -> None:
    passes = Passes()
    all_gone = trio.Event()
    gone = 0

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        passes.count()
        gone += 1
        if gone == MANY:
            all_gone.set()

    async with connected(app) as server, clients_of(server) as clients:
        await send_at_once(clients, b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
        await trio.testing.wait_all_tasks_blocked()
        trio.lowlevel.add_instrument(passes)
        for client in clients:
            client.socket.close()
        await all_gone.wait()
        trio.lowlevel.remove_instrument(passes)
    assert max(passes.counts) <= 2 * STEPS


async def test_connections_that_are_due_at_once_are_cut_few_at_a_time() -> None:
    passes = Passes()
    connections = Connections(QUICK)
    all_cut = trio.Event()

    @attrs.define(eq=False)
    class Due:
        due: float = 0.0

        def cut(self) -> None:
            passes.count()
            if sum(passes.counts) == MANY:
                all_cut.set()

    for _ in range(MANY):
        connections.add(cast("ClientConnection", Due()))
    trio.lowlevel.add_instrument(passes)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connections.watch)
        await all_cut.wait()
        nursery.cancel_scope.cancel()
    trio.lowlevel.remove_instrument(passes)
    assert max(passes.counts) <= 2 * STEPS


async def test_handshakes_of_tls_that_come_at_once_are_made_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = Passes()
    all_begun = trio.Event()
    files = make(tmp_path)
    receive_some = trio.SSLStream.receive_some

    async def receiving(self: trio.SSLStream[Any], max_bytes: int | None = None) -> Any:
        passes.count()
        if sum(passes.counts) == MANY:
            all_begun.set()
        return await receive_some(self, max_bytes)

    monkeypatch.setattr(trio.SSLStream, "receive_some", receiving)
    hello = ssl.MemoryBIO()
    client = trusting(files[0]).wrap_bio(ssl.MemoryBIO(), hello, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    data = hello.read()
    async with served(open_app(), certificate=Certificate(*files)) as address:
        server = Server(address.port, Connections(QUICK))
        async with clients_of(server) as clients:
            trio.lowlevel.add_instrument(passes)
            await send_at_once(clients, data)
            await all_begun.wait()
            trio.lowlevel.remove_instrument(passes)
    assert max(passes.counts) <= 2 * STEPS


class LateTurns(LoopTurns):
    """Turns that come later than a client's moment to answer is long."""

    async def take(self, *, first: bool = False) -> None:
        await trio.sleep(2 * QUICK.goodbye)
        await super().take(first=first)


async def test_who_waits_for_a_turn_when_the_server_ends_is_told_all_the_same() -> None:
    async def deaf(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await trio.sleep_forever()

    connections = Connections(QUICK)
    async with connected(deaf, QUICK, connections) as server, opened(server) as client:
        connections.turns = LateTurns()
        await connections.leave()
        assert (1012).to_bytes(2, "big") in await everything(client)
