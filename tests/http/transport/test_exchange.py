from __future__ import annotations

import attrs
import pytest
import structlog
import trio
import trio.testing
from trio.testing import MockClock

from command_center.http.transport.channel import CHUNK, ConnectionLimits
from command_center.http.wire.asgi import WHOLE_BODY, App, Message, Receive, Scope, Send
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

# Answers


async def test_an_answer_has_its_length_and_its_date() -> None:
    async with connected(answering(b"here")) as server:
        head, _, body = (await server.exchange(LAST_GET)).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert b"HTTP/1.1 200 " == lines[0]
    assert b"content-length: 4" in lines
    assert [line for line in lines if line.startswith(b"date: ") and line.endswith(b"GMT")]
    assert b"here" == body


async def test_head_and_body_leave_together() -> None:
    async with (
        connected(answering(b"here", headers=((b"content-length", b"4"),))) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(GET)
        assert (await stream.receive_some()).endswith(b"\r\n\r\nhere")


async def test_a_connection_serves_one_request_after_another() -> None:
    async with connected(answering(b"here")) as server, await server.connect() as stream:
        for _ in range(3):
            await stream.send_all(GET)
            await until(stream, b"here")
        assert 1 == len(server.connections)


async def test_an_offer_of_another_protocol_costs_no_connection() -> None:
    offer = GET[:-2] + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
    async with connected(answering(b"here")) as server, await server.connect() as stream:
        for _ in range(2):
            await stream.send_all(offer)
            assert b"connection: close" not in (await until(stream, b"here")).lower()


async def test_requests_sent_at_once_are_answered_in_their_order() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answering(scope["raw_path"])(scope, receive, send)

    sent = b"".join(b"GET /%d HTTP/1.1\r\n" % number + HOST + b"\r\n" for number in range(50))
    async with connected(app) as server:
        answer = await server.exchange(sent + LAST_GET)
    bodies = [part.split(b"\r\n\r\n")[1] for part in answer.split(b"HTTP/1.1 200")[1:]]
    assert [b"/%d" % number for number in range(50)] + [b"/a"] == bodies


async def test_parts_of_unknown_length_come_as_chunks() -> None:
    async with connected(answering(b"a", b"bc", b"")) as server:
        head, _, body = (await server.exchange(LAST_GET)).partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head.lower()
    assert b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n" == body


async def test_a_client_of_http_1_0_gets_its_parts_and_the_end() -> None:
    async with connected(answering(b"a", b"bc")) as server:
        answer = await server.exchange(b"GET / HTTP/1.0\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nabc")


async def test_an_announced_length_ends_the_answer_before_the_app_does() -> None:
    asked: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        body = {"type": "http.response.body", "body": b"here", "more_body": True}
        await send(body)
        asked.append(await receive())
        await send({"type": "http.response.body", "body": b""})

    async with connected(app) as server, await server.connect() as stream:
        for _ in range(2):
            await stream.send_all(GET)
            await until(stream, b"here")
        await trio.testing.wait_all_tasks_blocked()
    assert ["http.disconnect"] * 2 == [message["type"] for message in asked]


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_has_none(status: int) -> None:
    async with connected(answering(b"", status=status)) as server:
        answer = await server.exchange(LAST_GET)
    assert answer.endswith(b"\r\n\r\n")
    assert b"content-length" not in answer


async def test_head_gets_the_headers_of_get_alone() -> None:
    app = answering(b"here", headers=((b"content-length", b"4"),))
    async with connected(app) as server:
        answer = await server.exchange(b"HEAD / HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert b"content-length: 4" in answer


async def test_the_scope_tells_the_request() -> None:
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await answering(b"x")(scope, receive, send)

    async with connected(app) as server:
        await server.exchange(b"PUT /a%20b?c=d HTTP/1.1\r\nX-Y: z\r\n" + HOST + CLOSE + b"\r\n")
    scope = scopes[0]
    assert ("http", "PUT", "1.1", "http") == (
        scope["type"],
        scope["method"],
        scope["http_version"],
        scope["scheme"],
    )
    assert ("/a b", b"/a%20b", b"c=d") == (scope["path"], scope["raw_path"], scope["query_string"])
    assert (b"x-y", b"z") in scope["headers"]
    assert "127.0.0.1" == scope["client"][0]
    assert ("127.0.0.1", server.port) == scope["server"]


# Bodies


@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: 10\r\n\r\n0123456789",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6;x=y\r\n456789\r\n0\r\n\r\n",
    ],
)
async def test_a_body_reaches_the_app_however_it_is_cut(framed: bytes) -> None:
    sent = b"POST / HTTP/1.1\r\n" + HOST + CLOSE + framed
    async with connected(answering()) as server, await server.connect() as stream:
        for place in range(len(sent)):
            await stream.send_all(sent[place : place + 1])
        assert (await everything(stream)).endswith(b"\r\n\r\n0123456789")


@pytest.mark.parametrize(
    ("framed", "later", "is_whole"),
    [
        (b"\r\n", b"", True),
        (b"Content-Length: 4\r\n\r\n0123", b"", True),
        (b"Content-Length: 4\r\n\r\n01", b"23", False),
        (b"Content-Length: 4\r\n\r\n", b"0123", False),
        (b"Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n", b"0\r\n\r\n", False),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\n01\r\n2\r\n23\r\n0\r\n\r\n", b"", False),
    ],
)
async def test_a_body_that_came_with_its_head_is_told_to_be_whole(
    framed: bytes, later: bytes, *, is_whole: bool
) -> None:
    told: list[bool] = []
    begun = trio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        told.append(WHOLE_BODY in scope["extensions"])
        begun.set()
        body = await body_of(receive)
        assert body in {b"", b"0123"}
        await answering(body, read=False)(scope, receive, send)

    async with connected(app) as server, await server.connect() as stream:
        await stream.send_all(b"POST / HTTP/1.1\r\n" + HOST + CLOSE + framed)
        await begun.wait()
        await stream.send_all(later)
        assert (await everything(stream)).startswith(b"HTTP/1.1 200 ")
    assert [is_whole] == told


async def test_the_client_is_asked_for_its_body_when_the_app_asks() -> None:
    async with connected(answering()) as server, await server.connect() as stream:
        head = b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        await stream.send_all(b"POST / HTTP/1.1\r\n" + HOST + CLOSE + head)
        assert (await until(stream, b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        await stream.send_all(b"hi")
        assert (await everything(stream)).endswith(b"\r\n\r\nhi")


async def test_the_client_is_not_asked_for_a_body_that_nobody_wants() -> None:
    headers = ((b"connection", b"close"),)  # which the app may say, too, and which is said once
    async with connected(answering(b"no", status=413, read=False, headers=headers)) as server:
        head = b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        answer = await server.exchange(b"POST / HTTP/1.1\r\n" + HOST + head)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert 1 == answer.lower().count(b"connection: close")


async def test_a_client_that_still_sends_reads_the_early_answer() -> None:
    size = 50 * 1024 * 1024
    async with connected(answering(b"too much", status=413, read=False)) as server:
        head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % size
        answer = await server.exchange(head + bytes(size))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b"too much")


async def test_a_small_body_that_the_app_ignored_costs_no_connection() -> None:
    async with connected(answering(b"no", read=False)) as server, await server.connect() as stream:
        for _ in range(2):
            sent = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\nhi"
            await stream.send_all(sent)
            await until(stream, b"no")


async def test_a_body_that_stops_coming_ends_its_request() -> None:
    received: list[Message] = []

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        while True:
            received.append(await receive())

    async with (
        connected(app, ConnectionLimits(read=0.05)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nhi")
        await everything(stream)
        assert 0 == len(server.connections)
    assert ["http.request"] == [message["type"] for message in received]


@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_a_body_of_two_lengths_smuggles_no_request(framed: bytes) -> None:
    async with connected(answering(b"seen")) as server:
        answer = await server.exchange(b"POST / HTTP/1.1\r\n" + HOST + framed)
    assert error_in(answer)[0] in {400, 501}


# Faults of the app


async def failing(_: Scope, __: Receive, ___: Send) -> None:
    raise RuntimeError("hunter2")


async def silent(_: Scope, __: Receive, ___: Send) -> None:
    pass


@pytest.mark.parametrize("app", [failing, silent])
async def test_an_app_that_fails_is_500_and_the_server_lives(app: App) -> None:
    with structlog.testing.capture_logs() as logs:
        async with connected(app) as server:
            for _ in range(2):
                answer = await server.exchange(GET)
                assert (500, 500) == error_in(answer)
                assert b"hunter2" not in answer
    assert ["request.failed"] * 2 == [line["event"] for line in logs]


async def test_an_app_that_fails_in_the_middle_leaves_the_answer_visibly_cut() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError

    with structlog.testing.capture_logs():
        async with connected(app) as server:
            answer = await server.exchange(GET)
    assert answer.endswith(b"4\r\nhalf\r\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [(b"x", b"a\r\nb: c"), (b"x", b"a\n"), (b"x", b"\0"), (b"x y", b""), (b"", b""), (b"x:", b"")],
)
async def test_a_header_that_breaks_the_answer_is_an_apps_fault(name: bytes, value: bytes) -> None:
    with structlog.testing.capture_logs():
        async with connected(answering(b"x", headers=((name, value),))) as server:
            assert (500, 500) == error_in(await server.exchange(GET))


# Clients that leave or do not read


async def test_the_app_learns_that_its_client_has_left() -> None:
    received: list[Message] = []
    left = trio.Event()

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await body_of(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        received.append(await receive())
        received.append(await receive())
        for __ in range(100):
            await send({"type": "http.response.body", "body": b"b", "more_body": True})
        left.set()

    async with connected(app) as server, await server.connect() as stream:
        await stream.send_all(GET)
        await until(stream, b"1\r\na\r\n")
        await stream.aclose()
        await left.wait()
    assert ["http.disconnect"] * 2 == [message["type"] for message in received]


@pytest.mark.parametrize("request_", [GET, LAST_GET])
async def test_what_comes_behind_a_request_does_not_end_its_answer(request_: bytes) -> None:
    release = trio.Event()

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await body_of(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        async with trio.open_nursery() as nursery:

            async def watch() -> None:
                await receive()
                nursery.cancel_scope.cancel()

            nursery.start_soon(watch)
            await release.wait()
            await send({"type": "http.response.body", "body": b"b"})

    async with connected(app) as server, await server.connect() as stream:
        await stream.send_all(request_ + b"\r\n")
        await until(stream, b"1\r\na\r\n")
        await trio.testing.wait_all_tasks_blocked()
        release.set()
        await until(stream, b"1\r\nb\r\n0\r\n\r\n")


async def test_a_client_that_does_not_read_is_given_up() -> None:
    async with (
        connected(answering(bytes(64 * 1024 * 1024)), ConnectionLimits(write=0.05)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(GET)
        while len(server.connections) == 0:
            await trio.testing.wait_all_tasks_blocked()
        while len(server.connections) > 0:
            await trio.testing.wait_all_tasks_blocked(0.01)


async def test_a_client_that_reads_slowly_gets_all_however_long_it_takes(
    autojump_clock: MockClock,
) -> None:
    body = b"x" * 8 * 1024 * 1024
    limits = ConnectionLimits(idle=1, head=1, read=1, write=1)
    async with connected(answering(body), limits) as server, await server.connect() as stream:
        await stream.send_all(LAST_GET)
        began, answer = trio.current_time(), bytearray()
        while part := await stream.receive_some(1024 * 1024):
            answer += part
            await trio.sleep(len(part) / len(body) * 3)
        assert trio.current_time() - began > 2
    assert answer.endswith(b"\r\n\r\n" + body)


async def test_what_is_sent_ahead_while_a_request_is_answered_is_bounded() -> None:
    release = trio.Event()

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await body_of(receive)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            await release.wait()
            nursery.cancel_scope.cancel()
        await answering(b"x", read=False)({}, receive, send)

    async with connected(app) as server, await server.connect() as stream:
        await stream.send_all(GET)
        sent = 0
        with trio.move_on_after(1):
            while True:
                await stream.send_all(GET * 1000)
                sent += len(GET) * 1000
        connection = next(iter(server.connections._open))
        assert len(connection.http.trailing_data[0]) <= QUICK.head_bytes + 2 * CHUNK
        release.set()
        await until(stream, b"x")


async def test_a_client_that_only_ends_its_input_gets_what_is_looked_up_for_it() -> None:
    found, left = trio.Event(), trio.Event()

    async def looking_up(scope: Scope, receive: Receive, send: Send) -> None:
        await body_of(receive)

        async def watch() -> None:
            await receive()
            left.set()
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch)
            await found.wait()
            await answering(b"found", read=False)(scope, receive, send)

    async with connected(looking_up) as server:
        stream = await server.connect()
        await stream.send_all(LAST_GET)
        await stream.aclose()  # which looks the same until something is sent, and is waited for
        await left.wait()
    limits = attrs.evolve(QUICK, half_closed=5)
    async with connected(looking_up, limits) as server, await server.connect() as stream:
        await stream.send_all(LAST_GET)
        await stream.send_eof()
        await trio.testing.wait_all_tasks_blocked()
        found.set()
        assert (await everything(stream)).endswith(b"found")
