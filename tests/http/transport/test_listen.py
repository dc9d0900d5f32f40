from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from functools import partial
from urllib.parse import urlsplit

import httpx
import pytest
import trio
import trio.testing
from quart import Response, websocket
from quart_trio import QuartTrio
from trio_websocket import ConnectionClosed, wrap_client_stream

from command_center.http.config.addresses import own_addresses
from command_center.http.transport.listen import BoundAddress, bind, serve_on
from command_center.http.wire.problems import AddressInUse, AddressUnavailable
from tests.http.live import served


def app() -> QuartTrio:
    app = QuartTrio(__name__)

    @app.get("/")
    async def get() -> str:
        return "here"

    @app.get("/stream")
    async def stream() -> Response:
        async def forever() -> AsyncIterator[bytes]:
            yield b": hello\n\n"
            await trio.sleep_forever()

        return Response(forever(), content_type="text/event-stream")

    @app.websocket("/socket")
    async def socket() -> None:
        await websocket.accept()
        await websocket.send("hello")
        await trio.sleep_forever()

    return app


# The address


def test_port_0_takes_a_free_one_and_tells_it() -> None:
    address = bind("127.0.0.1", 0)
    assert address.port > 0
    assert f"http://127.0.0.1:{address.port}" == address.url
    address.close()


def test_an_address_in_use_is_told_at_once() -> None:
    address = bind("127.0.0.1", 0)
    expected = f"Another program uses 127.0.0.1:{address.port}."
    with pytest.raises(AddressInUse, match=expected) as caught:
        bind("127.0.0.1", address.port)
    assert ("127.0.0.1", address.port) == (caught.value.host, caught.value.port)
    address.close()


def test_an_address_that_was_given_up_is_free() -> None:
    first = bind("127.0.0.1", 0)
    first.close()
    bind("127.0.0.1", first.port).close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "not a host", "x" * 300])
def test_an_address_that_this_machine_lacks_is_unavailable(host: str) -> None:
    with pytest.raises(AddressUnavailable, match=r"^Cannot listen on .*\.$"):
        bind(host, 0)


def test_a_name_of_several_addresses_has_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    address = bind("two.example", 0)
    assert [("127.0.0.1", address.port), ("127.0.0.2", address.port)] == [
        sock.getsockname() for sock in address.sockets
    ]
    address.close()


def test_an_ipv6_address_is_written_as_browsers_take_it() -> None:
    assert "http://[::1]:80" == BoundAddress("::1", 80, ()).url


@pytest.mark.parametrize(
    ("listened_on", "called"), [("0.0.0.0", "http://127.0.0.1:80"), ("::", "http://[::1]:80")]
)
async def test_a_server_that_listens_on_every_address_is_called_by_the_loopbacks(
    listened_on: str, called: str
) -> None:
    assert called == BoundAddress(listened_on, 80, ()).url


async def test_the_address_is_told_when_requests_are_answered() -> None:
    shutdown = trio.Event()
    serve = partial(serve_on, app(), bind("127.0.0.1", 0), shutdown=shutdown)
    async with trio.open_nursery() as nursery:
        address: BoundAddress = await nursery.start(serve)
        async with httpx.AsyncClient(base_url=address.url) as client:
            assert "here" == (await client.get("/")).text
        shutdown.set()


async def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    async with served(app()) as address, httpx.AsyncClient(base_url=address.url) as client:
        await client.get("/")
    assert ("", "") == capfd.readouterr()


async def test_an_app_that_does_not_start_is_an_error_and_frees_the_address() -> None:
    failing = app()
    address = bind("127.0.0.1", 0)

    @failing.before_serving
    async def start() -> None:
        raise RuntimeError("no database")

    with pytest.RaisesGroup(
        pytest.RaisesExc(Exception, match="no database"), flatten_subgroups=True
    ):
        await serve_on(failing, address, shutdown=trio.Event())
    bind("127.0.0.1", address.port).close()


async def test_the_app_shuts_down_after_its_last_answer() -> None:
    order: list[str] = []
    slow = app()
    begun, release = trio.Event(), trio.Event()

    @slow.get("/slow")
    async def answer() -> str:
        begun.set()
        await release.wait()
        order.append("answered")
        return "slow"

    @slow.after_serving
    async def stop() -> None:
        order.append("stopped")

    shutdown = trio.Event()
    address = bind("127.0.0.1", 0)
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve_on, slow, address, shutdown=shutdown))
        async with await trio.open_tcp_stream("127.0.0.1", address.port) as stream:
            await stream.send_all(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await begun.wait()
            shutdown.set()
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(OSError, match=r"refused|connect"):
                await trio.open_tcp_stream("127.0.0.1", address.port)
            release.set()
            answered = b"".join([part async for part in stream])
            assert b"connection: close" in answered.lower()
    assert ["answered", "stopped"] == order


async def test_many_who_come_at_once_are_not_made_to_come_again() -> None:
    async with served(app()) as address:
        # Nothing is accepted meanwhile: without room to wait, the system drops who comes,
        # and they come again a second later.
        waiting = [
            socket.create_connection(("127.0.0.1", address.port), timeout=0.5) for _ in range(300)
        ]
        for sock in waiting:
            sock.close()


# The end


async def test_clients_that_hang_on_do_not_hold_the_end_up() -> None:
    async with trio.open_nursery() as clients:
        async with served(app(), grace=5) as address:
            port = address.port
            idle = await trio.open_tcp_stream("127.0.0.1", port)
            half = await trio.open_tcp_stream("127.0.0.1", port)
            await half.send_all(b"GET / HTTP/1.1\r\nHost: loc")
            events = await trio.open_tcp_stream("127.0.0.1", port)
            await events.send_all(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while b"hello" not in await events.receive_some():
                pass
            deaf = await trio.open_tcp_stream("127.0.0.1", port)
            await deaf.send_all(
                b"GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            while b"hello" not in await deaf.receive_some():
                pass
            polite = await trio.open_tcp_stream("127.0.0.1", port)
            client = await wrap_client_stream(clients, polite, "localhost", "/socket")
            assert "hello" == await client.get_message()
            await trio.testing.wait_all_tasks_blocked()
            began = trio.current_time()
        assert trio.current_time() - began < 1
        with pytest.raises(ConnectionClosed) as caught:
            await client.get_message()
        assert caught.value.reason is not None
        assert 1012 == caught.value.reason.code
        assert (1012).to_bytes(2, "big") in await deaf.receive_some()
        assert (await events.receive_some()).endswith(b"0\r\n\r\n")
        for stream in (idle, half, events, deaf, polite):
            await stream.aclose()


async def test_an_answer_that_does_not_come_is_cut_when_the_grace_is_over() -> None:
    stuck = app()

    @stuck.get("/stuck")
    async def answer() -> str:
        await trio.Event().wait()
        return ""

    async with AsyncExitStack() as stack:
        async with served(stuck, grace=0.1) as address:
            stream = await trio.open_tcp_stream("127.0.0.1", address.port)
            await stack.enter_async_context(stream)
            await stream.send_all(b"GET /stuck HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await trio.testing.wait_all_tasks_blocked()
        assert b"" == await stream.receive_some()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "0.0.0.0", "localhost", "::1", "::", *own_addresses()]
)
def test_who_asks_on_this_machine_has_an_address_that_is_told(host: str) -> None:
    try:
        address = bind(host, 0)
    except AddressUnavailable:
        assert host in {"127.8.9.1", "::1", "::"}, "every machine has it"
        return
    with closing(address):
        url = urlsplit(address.url)
        assert url.hostname is not None
        with socket.create_connection((url.hostname, address.port)) as client:
            assert client.getsockname()[0] in address.own_clients()
