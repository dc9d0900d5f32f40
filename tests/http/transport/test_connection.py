from __future__ import annotations

import contextlib
import gc
import socket
import weakref
from contextlib import AsyncExitStack

import attrs
import pytest
import structlog
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from command_center.http.transport import connection as connection_module
from command_center.http.transport.channel import ConnectionLimits
from command_center.http.transport.connection import Connections
from command_center.http.transport.exchange import Exchange
from command_center.http.wire.asgi import Message, Receive, Scope, Send
from command_center.http.wire.problems import Refused
from command_center.http.wire.security_headers import EVERY_ANSWER
from tests.http.transport.connected import (
    CLOSE,
    GET,
    HOST,
    LAST_GET,
    QUICK,
    answering,
    body_of,
    connected,
    error_in,
    everything,
    until,
)

FRAGMENTS = [
    GET,
    *(b"GET", b" ", b"/", b"HTTP/1.1", b"\r\n", b"\n", b"\r", b":", b"a", b"1", b"\x00", b"\xff"),
    *(b"Host", b"Content-Length", b"Transfer-Encoding", b"chunked", b"Expect: 100-continue"),
    *(b"Upgrade: websocket", b"Connection: Upgrade"),
]


# Heads


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"hello\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_400(sent: bytes) -> None:
    async with connected(answering(b"seen")) as server:
        answer = await server.exchange(sent)
    assert (400, 400) == error_in(answer)


@pytest.mark.parametrize("before", [b"\r\n", b"\n", b"\r\n\r\n\n"])
async def test_empty_lines_before_a_request_are_skipped(before: bytes) -> None:
    async with connected(answering(b"seen")) as server:
        both = await server.exchange(before + GET + before + LAST_GET)
        assert 2 == both.count(b"HTTP/1.1 200")
        async with await server.connect() as stream:
            for byte in before + LAST_GET:
                await stream.send_all(bytes([byte]))
            assert b"HTTP/1.1 200" in await everything(stream)


async def test_empty_lines_do_not_keep_a_connection() -> None:
    async with connected(answering(b"seen"), ConnectionLimits(idle=0.2, head=5)) as server:
        began = trio.current_time()
        async with await server.connect() as stream:
            with contextlib.suppress(trio.BrokenResourceError):
                while trio.current_time() < began + 3:
                    await stream.send_all(b"\r\n")
                    await trio.sleep(0.02)
        assert trio.current_time() < began + 3


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"Content-Length: 2\r\nContent-Length: 2\r\n", 200),
        (b"Content-Length: 2, 2\r\n", 200),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n", 400),
        (b"Content-Length: 2, 3\r\n", 400),
        (b"Content-Length: +2\r\n", 400),
        (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"Content-Length: 2\r\nX-Folded: a\r\n b\r\n", 200),
        (b"Content-Length: 2\r\nX-Bare: a\rb\r\n", 400),
        (b"Content-Length: 2\r\nX-Null: a\0b\r\n", 400),
        (b"Content-Length : 2\r\n", 400),
    ],
)
async def test_a_body_has_one_length_and_a_head_clean_lines(lines: bytes, status: int) -> None:
    sent = b"POST /a HTTP/1.1\r\n" + HOST + CLOSE + lines + b"\r\n{}"
    async with connected(answering(b"seen")) as server:
        answer = await server.exchange(sent)
    assert status == int(answer.split()[1])


async def test_a_folded_line_is_one_with_a_space() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await answering(b"seen")(scope, receive, send)

    async with connected(app) as server:
        await server.exchange(b"GET /a HTTP/1.1\r\n" + HOST + CLOSE + b"X-F: a\r\n\t b\r\n\r\n")
    assert (b"x-f", b"a b") in seen[0]["headers"]


async def test_a_refusal_carries_the_security_headers_of_every_answer_and_its_date() -> None:
    async with connected(answering(b"seen")) as server:
        answer = await server.exchange(b"hello\r\n\r\n")
    assert b"\r\ndate: " in answer
    assert not [name for name, value in EVERY_ANSWER if b"%s: %s\r\n" % (name, value) not in answer]


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
async def test_another_version_of_http_is_505(sent: bytes) -> None:
    async with connected(answering(b"seen")) as server:
        assert (505, 505) == error_in(await server.exchange(sent))


async def test_a_flood_of_headers_is_431() -> None:
    async with connected(answering(b"seen")) as server:
        flood = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 100) for number in range(2000))
        answer = await server.exchange(b"GET / HTTP/1.1\r\n" + HOST + flood)
        assert (431, 431) == error_in(answer)
        answer = await server.exchange(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n" + HOST)
        assert (431, 431) == error_in(answer)


async def test_a_head_that_does_not_end_is_408() -> None:
    async with connected(answering(b"seen"), ConnectionLimits(head=0.05)) as server:
        assert (408, 408) == error_in(await server.exchange(b"GET / HTTP/1.1\r\nHost: loc"))


async def test_a_head_has_its_time_whatever_trickles_in() -> None:
    async with (
        connected(answering(b"seen"), ConnectionLimits(head=0.2)) as server,
        await server.connect() as stream,
        trio.open_nursery() as nursery,
    ):

        async def trickle() -> None:
            with trio.move_on_after(5):
                await stream.send_all(b"GET / HTTP/1.1\r\n")
                while True:
                    await stream.send_all(b"X: y\r\n")
                    await trio.sleep(0.02)

        nursery.start_soon(trickle)
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 408")
        nursery.cancel_scope.cancel()


async def test_an_idle_connection_is_closed_without_a_word() -> None:
    async with connected(answering(b"here"), ConnectionLimits(idle=0.05)) as server:
        assert b"" == await server.exchange(b"")
        async with await server.connect() as stream:
            await stream.send_all(GET)
            await until(stream, b"here")
            assert b"" == await everything(stream)
        assert 0 == len(server.connections)


async def test_a_client_that_reads_nothing_is_not_waited_for_to_take_the_408() -> None:
    limits = ConnectionLimits(head=0.05, write=0.05)
    async with (
        connected(answering(b"seen"), limits, prepare=fill) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: loc")
        while len(server.connections) == 0:
            await trio.testing.wait_all_tasks_blocked()
        while len(server.connections) > 0:
            await trio.testing.wait_all_tasks_blocked(0.01)


def fill(stream: trio.SocketStream) -> None:
    """Have so much on its way that nothing more can be sent until the client reads."""
    borrowed = socket.socket(fileno=stream.socket.fileno())
    borrowed.settimeout(0)
    for size in (64 * 1024, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                borrowed.send(bytes(size))
    borrowed.detach()


async def test_a_fault_of_ours_ends_its_connection_alone_and_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Faulty(Exchange):
        async def run(self) -> bool:
            raise ZeroDivisionError

    async with connected(answering(b"here")) as server, await server.connect() as other:
        await other.send_all(GET)
        await until(other, b"here")
        with monkeypatch.context() as patched, structlog.testing.capture_logs() as logs:
            patched.setattr(connection_module, "Exchange", Faulty)
            assert b"" == await server.exchange(GET)
        assert ["connection.failed"] == [line["event"] for line in logs]
        await other.send_all(GET)
        await until(other, b"here")


# As many as there may be


FEW = attrs.evolve(QUICK, connections=3)


async def test_one_more_takes_the_place_of_the_client_that_is_silent_for_the_longest() -> None:
    async with connected(answering(b"here"), FEW) as server, AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(await server.connect()) for _ in range(3)]
        idle, half, other = streams
        await idle.send_all(GET)
        await until(idle, b"here")
        await half.send_all(b"GET / HTTP/1.1\r\nHost: loc")
        await other.send_all(GET)
        await until(other, b"here")
        await trio.testing.wait_all_tasks_blocked()
        assert (await server.exchange(LAST_GET)).endswith(b"here")
        assert b"" == await everything(half)
        await idle.send_all(GET)
        await until(idle, b"here")
        assert (await server.exchange(LAST_GET)).endswith(b"here")


async def test_a_flood_of_silent_clients_shuts_nobody_out_and_is_told_once() -> None:
    async with connected(answering(b"here"), FEW) as server, AsyncExitStack() as stack:
        with structlog.testing.capture_logs() as logs:
            for _ in range(50):
                await stack.enter_async_context(await server.connect())
            assert (await server.exchange(LAST_GET)).endswith(b"here")
        await trio.testing.wait_all_tasks_blocked()
        assert len(server.connections) <= 3
    assert ["connections.silent_ones_closed"] == [line["event"] for line in logs]


async def test_who_was_answered_and_still_sends_gives_way_too() -> None:
    app = answering(b"no", status=413, read=False)
    async with connected(app, FEW) as server, AsyncExitStack() as stack:
        for _ in range(3):
            stream = await stack.enter_async_context(await server.connect())
            await stream.send_all(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nhalf")
            await until(stream, b"no")
        async with await server.connect() as stream:
            await stream.send_all(GET)
            assert (await until(stream, b"no")).startswith(b"HTTP/1.1 413")


async def test_where_all_are_at_work_one_more_is_503_and_that_is_told_once() -> None:
    begun, release = trio.Semaphore(0), trio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.release()
        await release.wait()
        await answering(b"here")(scope, receive, send)

    async with connected(app, FEW) as server, AsyncExitStack() as stack:
        busy = [await stack.enter_async_context(await server.connect()) for _ in range(3)]
        for stream in busy:
            await stream.send_all(LAST_GET)
            await begun.acquire()
        with structlog.testing.capture_logs() as logs:
            for _ in range(2):
                answer = await server.exchange(LAST_GET)
                assert (503, 503) == error_in(answer)
                assert b"\r\nRetry-After: 1\r\n" in answer
        assert ["connections.all_in_use"] == [line["event"] for line in logs]
        release.set()
        for stream in busy:
            assert (await everything(stream)).endswith(b"here")
        assert (await server.exchange(LAST_GET)).endswith(b"here")


async def test_who_was_refused_and_stays_makes_no_place_for_others() -> None:
    begun, release = trio.Semaphore(0), trio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.release()
        await release.wait()
        await answering(b"here")(scope, receive, send)

    async with connected(app, FEW) as server, AsyncExitStack() as stack:
        busy = [await stack.enter_async_context(await server.connect()) for _ in range(3)]
        for stream in busy:
            await stream.send_all(LAST_GET)
            await begun.acquire()
        for _ in range(4):
            stream = await stack.enter_async_context(await server.connect())
            await stream.send_all(LAST_GET)
            with trio.fail_after(30):
                assert (await stream.receive_some()).startswith(b"HTTP/1.1 503 ")
        release.set()
        for stream in busy:
            assert (await everything(stream)).endswith(b"here")
        stream = await stack.enter_async_context(await server.connect())
        await stream.send_all(LAST_GET)
        assert (await everything(stream)).endswith(b"here")


ASK = b"GET /s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
UPGRADE = (
    b"GET /s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


async def test_streams_leave_places_for_requests() -> None:
    release = trio.Event()
    heard: list[str] = []

    async def held(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            heard.append((await receive())["type"])
        elif scope["path"] == "/s":
            start = [(b"content-type", b"text/event-stream; charset=utf-8")]
            try:
                await send({"type": "http.response.start", "status": 200, "headers": start})
            except Refused as refused:
                heard.append(str(refused.problem.status))
                raise
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_after, release, nursery.cancel_scope)
                while (await receive())["type"] != "http.disconnect":
                    pass
                heard.append("http.disconnect")
                nursery.cancel_scope.cancel()
            await send({"type": "http.response.body", "body": b"here"})
        else:
            await answering(b"here")(scope, receive, send)

    limits = attrs.evolve(QUICK, connections=8)
    async with connected(held, limits) as server, AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(await server.connect()) for _ in range(7)]
        for stream in streams:
            await stream.send_all(ASK)
            await until(stream, b"first\r\n")
        for ask in (ASK, UPGRADE):
            refused = await server.exchange(ask)
            assert refused.startswith(b"HTTP/1.1 503 ")
            assert b"for streams" in refused
        assert ["503", "websocket.disconnect"] == heard
        assert (await server.exchange(LAST_GET)).endswith(b"here")
        release.set()
        await until(streams[0], b"0\r\n\r\n")
        await streams[0].send_all(GET)
        await until(streams[0], b"here")
        assert b"first" in await server.exchange(ASK.replace(b"Host", b"Connection: close\r\nHost"))


async def test_only_what_is_answered_as_a_stream_takes_the_place_of_one() -> None:
    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
        else:
            await answering(b"no", status=401)(scope, receive, send)

    limits = attrs.evolve(QUICK, connections=8)
    async with connected(refusing, limits) as server, AsyncExitStack() as stack:
        for ask in (ASK, ASK, ASK, ASK, ASK, ASK, ASK, UPGRADE, ASK):
            stream = await stack.enter_async_context(await server.connect())
            await stream.send_all(ask)
            assert (await stream.receive_some()).split()[1] in {b"401", b"403"}


async def _cancel_after(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


async def test_a_lowered_limit_of_descriptors_counts_at_once() -> None:
    room = 2.0
    connections = Connections(attrs.evolve(QUICK, idle=60), lambda: room)
    async with (
        connected(answering(b"here"), connections=connections) as server,
        await server.connect() as first,
        await server.connect() as second,
    ):
        await first.send_all(GET)
        await until(first, b"here")
        await second.send_all(GET)
        await until(second, b"here")
        room = 1.0
        assert (await server.exchange(LAST_GET)).endswith(b"here")
        assert b"" == await everything(first)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30))
def test_no_bytes_end_the_server(parts: list[bytes]) -> None:
    async def main() -> bytes:
        async with (
            connected(answering(b"here"), ConnectionLimits(idle=0, head=0, read=0)) as server,
            await server.connect() as stream,
        ):
            with contextlib.suppress(trio.BrokenResourceError):
                await stream.send_all(b"".join(parts))
                await stream.send_eof()
                await everything(stream)
        async with connected(answering(b"here")) as server:
            return await server.exchange(LAST_GET)

    with structlog.testing.capture_logs() as logs:
        assert trio.run(main).endswith(b"here")
    assert [] == [line for line in logs if line["event"] == "connection.failed"]


# The server's end


async def test_at_the_end_an_idle_connection_closes_at_once() -> None:
    async with connected(answering(b"here")) as server, await server.connect() as stream:
        await stream.send_all(GET)
        await until(stream, b"here")
        await trio.testing.wait_all_tasks_blocked()
        await server.connections.leave()
        assert b"" == await everything(stream)


async def test_at_the_end_a_request_in_hand_is_answered_and_its_connection_closes() -> None:
    begun, release = trio.Event(), trio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await release.wait()
        await answering(b"here")(scope, receive, send)

    async with connected(app) as server, await server.connect() as stream:
        await stream.send_all(GET)
        await begun.wait()
        await server.connections.leave()
        release.set()
        answer = await everything(stream)
        assert answer.endswith(b"here")
        assert b"connection: close" in answer.lower()


async def test_at_the_end_half_a_request_is_let_go() -> None:
    async with connected(answering()) as server, await server.connect() as stream:
        await stream.send_all(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nhalf")
        await trio.testing.wait_all_tasks_blocked()
        await server.connections.leave()
        assert b"" == await everything(stream)


async def test_at_the_end_nobody_is_lingered_for_long() -> None:
    app = answering(b"no", status=413, read=False)
    limits = ConnectionLimits(linger=9, goodbye=0.05)
    async with connected(app, limits) as server, await server.connect() as stream:
        await stream.send_all(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nhalf")
        assert (await everything(stream)).endswith(b"no")
        await server.connections.leave()
        while len(server.connections) > 0:
            await trio.testing.wait_all_tasks_blocked(0.01)


async def test_at_the_end_an_event_stream_ends_properly() -> None:
    begun = trio.Event()
    received: list[Message] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await body_of(receive)
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
        begun.set()
        received.append(await receive())

    async with connected(app) as server, await server.connect() as stream:
        await stream.send_all(GET)
        await begun.wait()
        await trio.testing.wait_all_tasks_blocked()
        await server.connections.leave()
        assert (await everything(stream)).endswith(b"3\r\n:\n\n\r\n0\r\n\r\n")
    assert ["http.disconnect"] == [message["type"] for message in received]


async def test_at_the_end_an_event_that_its_client_has_in_part_is_not_ended_for_it() -> None:
    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await body_of(receive)
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async with trio.open_nursery() as nursery:
            large = b"id: 1\ndata: " + b"x" * 16 * 1024 * 1024
            message = {"type": "http.response.body", "body": large, "more_body": True}
            nursery.start_soon(send, message)
            await receive()
            nursery.cancel_scope.cancel()

    async with connected(app) as server, await server.connect() as stream:
        await stream.send_all(GET)
        while len(server.connections) == 0:
            await trio.testing.wait_all_tasks_blocked()
        await trio.testing.wait_all_tasks_blocked(0.01)
        with structlog.testing.capture_logs() as logs:
            await server.connections.leave()
            seen = await everything(stream)
    assert b"id: 1" in seen
    assert seen.endswith(b"x")
    assert [] == logs


async def test_of_clients_that_read_nothing_the_one_that_is_stuck_for_longest_is_cut() -> None:
    body = b"x" * 32 * 1024 * 1024
    limits = ConnectionLimits(unsent_bytes=40 * 1024 * 1024)
    async with (
        connected(answering(body), limits) as server,
        await server.connect() as stuck,
        await server.connect() as stream,
    ):
        await stuck.send_all(LAST_GET)
        await stuck.receive_some(1)
        await trio.testing.wait_all_tasks_blocked(0.01)
        await stream.send_all(LAST_GET)
        assert (await everything(stream)).endswith(body)
        assert len(await everything(stuck)) < len(body)


async def test_what_a_client_that_is_cut_did_not_take_is_forgotten_at_once() -> None:
    made: list[weakref.ref[object]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        held = trio.Event()
        made.append(weakref.ref(held))
        try:
            await answering(bytes(32 * 1024 * 1024))(scope, receive, send)
        except BaseException as error:
            errors = [error]  # a cycle, as of many an app's frames
            errors[0].add_note("It was cut.")
            raise

    gc.disable()
    try:
        async with (
            connected(app, ConnectionLimits(write=0.05)) as server,
            await server.connect() as stream,
        ):
            await stream.send_all(GET)
            await stream.receive_some(1)
            while len(server.connections) > 0:
                await trio.testing.wait_all_tasks_blocked(0.01)
            assert [None] == [held() for held in made]
    finally:
        gc.enable()


async def test_at_the_end_a_client_that_does_not_read_is_not_waited_for() -> None:
    app, limits = answering(bytes(64 * 1024 * 1024)), ConnectionLimits(goodbye=0.05)
    async with connected(app, limits) as server, await server.connect() as stream:
        await stream.send_all(GET)
        await stream.receive_some(1)
        await trio.testing.wait_all_tasks_blocked(0.01)
        await server.connections.leave()
        while len(server.connections) > 0:
            await trio.testing.wait_all_tasks_blocked(0.01)


async def test_at_the_end_a_client_that_reads_gets_the_whole_of_its_answer() -> None:
    body = b"x" * 32 * 1024 * 1024
    async with connected(answering(body)) as server, await server.connect() as stream:
        await stream.send_all(LAST_GET)
        await stream.receive_some(1)
        await trio.testing.wait_all_tasks_blocked(0.01)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.connections.leave)
            assert (await everything(stream)).endswith(body)


async def test_who_comes_after_the_end_is_not_served() -> None:
    async with connected(answering(b"here")) as server:
        await server.connections.leave()
        assert b"" == await server.exchange(b"")
