"""The streams of events, over real sockets, while events are written."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from quart_trio import QuartTrio
from trio_websocket import ConnectionClosed, open_websocket_url
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from command_center.actors.center import Center
from command_center.actors.contracts.events.sessions import DeltaShown
from command_center.actors.core import events as hub
from command_center.actors.core.events import PublishLive
from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.http.transport.channel import ConnectionLimits
from command_center.http.transport.listen import BoundAddress
from command_center.http.wire import event_stream
from command_center.store import EventFilter, StoredEvent, Transaction, event_cut
from command_center.store.lists.pages import PAGE_BYTES
from tests.actors.automations.rig import opened
from tests.http.live import served, stock_served
from tests.made_up import made_up

if sys.platform != "win32":
    import resource

SSE = {"Accept": "text/event-stream"}
STREAM = "/api/events/stream"


@attrs.frozen
class Watched:
    """A server, and the center whose events it event_stream."""

    center: Center
    url: str
    http: httpx.AsyncClient

    async def write(self, count: int, event_type: str = "task.created", **subject: int) -> None:
        """Commit so many events, each alone."""
        for _ in range(count):
            await self.center.storage.write(lambda tx: emit(tx, event_type, **subject))

    async def end(self) -> int:
        """The id of the newest event."""
        newest = (await self.http.get("/api/events?newestFirst=true&limit=1")).json()["items"]
        return int(newest[0]["id"]) if newest else 0

    @asynccontextmanager
    async def websocket(self, after: int | None = None, **query: Any) -> AsyncIterator[WebSocket]:
        bounds = {} if after is None else {"after": after}
        url = httpx.URL(self.url.replace("http", "ws") + STREAM, params={**bounds, **query})
        async with open_websocket_url(str(url)) as connection:
            try:
                yield WebSocket(connection, first=await first_frame(connection))
            finally:
                with trio.move_on_after(1):
                    await connection.aclose()
                await connection._stream.aclose()

    @asynccontextmanager
    async def event_stream(
        self, after: int | str | None = None, **query: Any
    ) -> AsyncIterator[EventSource]:
        """By HTTP/1.0, whose bodies come as they are."""
        url = httpx.URL(self.url + STREAM, params=query)
        head = [f"GET {url.raw_path.decode()} HTTP/1.0", f"Host: {url.netloc.decode()}"]
        head += [f"{name}: {value}" for name, value in SSE.items()]
        if after is not None:
            head.append(f"Last-Event-ID: {after}")
        async with await trio.open_tcp_stream(url.host, url.port or 80) as stream:
            await stream.send_all("\r\n".join([*head, "", ""]).encode())
            source = EventSource(stream)
            assert "HTTP/1.1 200 " == await source.line()
            while line := await source.line():
                if line.lower().startswith("content-type:"):
                    assert line.lower().startswith("content-type: text/event-stream")
            yield source

    def watch(self, kind: str, after: int | None, **query: Any) -> Any:
        return (
            self.websocket(after, **query)
            if kind == "websocket"
            else self.event_stream(after, **query)
        )


@attrs.define
class WebSocket:
    """Events as they come by WebSocket."""

    connection: Any
    first: Any = None
    """The first frame, which tells of the stream; None where the server has closed it instead."""

    async def next(self) -> Any:
        return json.loads(await self.connection.get_message())

    async def closed(self) -> int:
        """The code with which the server closes it."""
        with pytest.raises(ConnectionClosed) as closed:
            await self.next()
        assert closed.value.reason is not None
        code: int = closed.value.reason.code
        return code


async def first_frame(connection: Any) -> Any:
    """The frame that tells of the stream, or None where the server has closed it instead."""
    try:
        first = json.loads(await connection.get_message())
    except ConnectionClosed:
        return None
    assert first["type"] in {"stream.opened", "stream.resumed"}, first
    return first


@attrs.define
class EventSource:
    """Events as they come as server-sent events."""

    stream: trio.SocketStream
    _rest: bytes = b""

    async def line(self) -> str:
        """The next line; EndOfStream at the end of the stream."""
        while b"\n" not in self._rest:
            data = await self.stream.receive_some()
            if not data:
                raise EndOfStream
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode().removesuffix("\r")

    async def next(self) -> Any:
        """The next event without a name of its own, as an EventSource hands messages on."""
        while True:
            fields = await self.fields()
            if "event" not in fields:
                return json.loads(fields["data"])

    async def fields(self) -> dict[str, str]:
        """The fields of the next event that has data; `retry` and comments have none."""
        fields: dict[str, str] = {}
        while "data" not in fields:
            while line := await self.line():
                name, _, value = line.partition(": ")
                fields[name] = value
        return fields


class EndOfStream(Exception):
    """The server has ended the stream."""


def emit(tx: Transaction, event_type: str, *, size: int = 1, **subject: int) -> int:
    data = {"text": "-" * size}
    return tx.emit(made_up(event_type, data), actor="test", **subject)  # type: ignore[arg-type]


@asynccontextmanager
async def watched(
    folder: Path, *, seconds: float = 60, limits: ConnectionLimits | None = None
) -> AsyncIterator[Watched]:
    with trio.fail_after(seconds):
        async with (
            opened(folder) as rig,
            served(create_app(rig.center, Policy()), limits=limits) as address,
            httpx.AsyncClient(base_url=address.url) as http,
        ):
            yield Watched(rig.center, address.url, http)


@pytest.mark.parametrize("kind", ["websocket", "event stream"])
async def test_history_is_followed_by_what_happens(tmp_path: Path, kind: str) -> None:
    async with watched(tmp_path) as server:
        await server.write(2)
        end = await server.end()
        async with server.watch(kind, after=0) as source:
            assert list(range(1, end + 1)) == [(await source.next())["id"] for _ in range(end)]
            await server.write(1)
            assert end + 1 == (await source.next())["id"]


async def test_of_a_long_history_little_waits_for_the_client_at_once(tmp_path: Path) -> None:
    async with watched(tmp_path) as server:
        for _ in range(12):
            await server.center.storage.write(lambda tx: emit(tx, "a.b", size=300_000))
        end = await server.end()
        with server.center.fanout.subscribe(EventFilter()) as subscription:
            feed = event_stream.Feed(server.center, subscription, after=0)
            seen: list[int] = []
            while len(seen) < end:
                batch = await feed.next()
                size = sum(len(published.event.body) for published in batch)
                assert size < PAGE_BYTES + 400_000
                seen += [published.event.id for published in batch]
        assert list(range(1, end + 1)) == seen


@pytest.mark.parametrize("kind", ["websocket", "event stream"])
async def test_a_stream_is_filtered(tmp_path: Path, kind: str) -> None:
    async with watched(tmp_path) as server:
        await server.write(1, task_id=1)
        async with server.watch(kind, after=0, taskId=2, type="task.created") as source:
            await server.write(1, task_id=1)
            await server.write(1, "task.updated", task_id=2)
            await server.write(1, task_id=2)
            event = await source.next()
            assert (2, "task.created") == (event["taskId"], event["type"])


@pytest.mark.parametrize("kind", ["websocket", "event stream"])
async def test_an_event_that_was_seen_already_is_not_repeated_by_a_hub_that_is_behind(
    tmp_path: Path, kind: str
) -> None:
    async with watched(tmp_path) as server:
        server.center.system.suspend("/events", reason="to be behind")
        await server.write(1)
        end = await server.end()
        async with server.watch(kind, after=end) as source:
            if kind == "event stream":
                while not server.center.fanout:
                    await trio.testing.wait_all_tasks_blocked(0.01)
            server.center.system.resume("/events", reason="to go on")
            await server.write(1)
            assert end + 1 == (await source.next())["id"]


async def test_what_is_said_only_live_has_no_id_to_come_back_to(tmp_path: Path) -> None:
    async with watched(tmp_path) as server, server.event_stream(after=0) as source:
        await server.write(1)
        await source.next()
        server.center.storage.live(
            PublishLive(told=made_up("session.output.delta", {"delta": "a"}))
        )
        told = await source.fields()
        assert {"data"} == told.keys()
        assert json.loads(told["data"])["id"] is None


@pytest.mark.parametrize("kind", ["websocket", "event stream"])
async def test_deltas_come_joined_to_who_asks_for_that(tmp_path: Path, kind: str) -> None:
    words = [f"word{number} " for number in range(40)]
    async with watched(tmp_path) as server, server.watch(kind, None, coalesce=1000) as source:
        for word in words:
            told = DeltaShown(item_id="i", delta=word, stream="message")
            server.center.storage.live(PublishLive(told=told, session_id=1))
        await server.write(1)
        seen = []
        while (event := await source.next())["type"] != "task.created":
            seen.append(event["data"]["delta"])
        assert "".join(words) == "".join(seen)
        assert len(seen) < len(words)


async def test_no_more_than_a_second_is_waited_for_deltas(tmp_path: Path) -> None:
    async with watched(tmp_path) as server:
        refused = await server.http.get(STREAM, headers=SSE, params={"coalesce": 1001})
        assert 400 == refused.status_code


@pytest.mark.parametrize("length", [1, 125, 126, 0xFFFF, 0x10000])
def test_a_text_frame_is_what_a_websocket_client_reads(length: int) -> None:
    client = Connection(ConnectionType.CLIENT)
    body = b"a" * length
    client.receive_data(event_stream.text_frame(StoredEvent(id=1, type="a", ts="b", body=body)))
    read = [event for event in client.events() if isinstance(event, TextMessage)]
    assert body.decode() == "".join(event.data for event in read)
    assert read[-1].message_finished


@pytest.mark.parametrize("serving", [served, stock_served])
async def test_events_of_every_length_arrive_whole_on_either_connection(
    tmp_path: Path, serving: Callable[[QuartTrio], AbstractAsyncContextManager[BoundAddress]]
) -> None:
    texts = [*("a" * length for length in (0, 10, 200)), "é" * 40_000]
    async with (
        opened(tmp_path) as rig,
        serving(create_app(rig.center, Policy())) as address,
        httpx.AsyncClient(base_url=address.url) as http,
    ):
        server = Watched(rig.center, address.url, http)
        async with server.websocket(after=0) as socket:
            await rig.center.storage.write(
                lambda tx: [
                    tx.emit(made_up("task.created", {"text": text}), actor="test") for text in texts
                ]
            )
            with trio.fail_after(30):
                seen = [await socket.next() for _ in texts]
        assert texts == [event["data"]["text"] for event in seen]


async def test_each_stream_says_which_log_it_is_and_a_client_comes_back_by_what_it_was_told(
    tmp_path: Path,
) -> None:
    async with watched(tmp_path) as server:
        await server.write(2)
        end, log_id = await server.end(), server.center.log_id
        assert log_id == (await server.http.get("/health")).json()["logId"]
        async with server.event_stream() as source:
            first = await source.fields()
            assert ("stream.opened", f"{log_id}:{end}") == (first["event"], first["id"])
            await server.write(1)  # which it is cut off before
        async with server.event_stream(after=first["id"]) as source:
            resumed = await source.fields()
            assert "stream.resumed" == resumed["event"]
            assert {"logId": log_id, "after": end} == json.loads(resumed["data"])["data"]
            assert f"{log_id}:{end + 1}" == (await source.fields())["id"]
        async with server.websocket(type="task.created") as socket:
            assert "stream.opened" == socket.first["type"]
            assert {"logId": log_id, "after": end + 1} == socket.first["data"]
        for query in ({}, {"logId": log_id}, {"taskId": 7}, {"opening": False}):
            async with server.websocket(after=end, **query) as socket:
                assert (None, "stream.resumed") == (socket.first["id"], socket.first["type"])
                assert {"logId": log_id, "after": end} == socket.first["data"]


@pytest.mark.parametrize("wrong", ["past the end", "another log"])
async def test_what_is_not_in_the_log_cannot_be_resumed_after(tmp_path: Path, wrong: str) -> None:
    async with watched(tmp_path) as server:
        await server.write(1)
        end, log_id = await server.end(), server.center.log_id
        after, named = (end + 100, None) if wrong == "past the end" else (end, "0" * 16)
        query: dict[str, Any] = {"after": after, **({} if named is None else {"logId": named})}
        async with server.websocket(**query) as socket:
            assert 4410 == await socket.closed()
        came_back = {**SSE, "Last-Event-ID": f"{named or log_id}:{after}"}
        for answer in (
            await server.http.get(STREAM, params=query, headers=SSE),
            await server.http.get(STREAM, headers=came_back),
            await server.http.get("/api/events", params=query),
        ):
            error = answer.json()["error"]
            facts = {"logId": log_id, "lastId": end, "oldestId": 1}
            assert (410, facts) == (answer.status_code, error["facts"])
            assert "Ask for everything anew" in error["message"]


async def test_what_was_removed_cannot_be_resumed_after_and_is_told_where_the_log_begins(
    tmp_path: Path,
) -> None:
    async with watched(tmp_path) as server:

        def tell(tx: Transaction) -> None:
            for _ in range(1100):
                emit(tx, "task.created", size=5000)

        await server.center.storage.write(tell)
        end, log_id = await server.end(), server.center.log_id
        with server.center.fanout.subscribe(EventFilter()) as subscription:
            feed = event_stream.Feed(server.center, subscription, after=0)
            assert await feed.next()  # some of what follows is removed before it is asked for
            await server.center.storage.write(lambda tx: event_cut.move(tx.db, 1000))
            assert [] == await feed.next()
            assert feed.is_lost is not None
        facts = {"logId": log_id, "lastId": end, "oldestId": 1001}
        async with server.websocket(after=999) as socket:
            assert 4410 == await socket.closed()
        for answer in (
            await server.http.get(STREAM, params={"after": 999}, headers=SSE),
            await server.http.get("/api/events", params={"after": 1}),
        ):
            assert (410, facts) == (answer.status_code, answer.json()["error"]["facts"])
            assert "was removed" in answer.json()["error"]["message"]
        for after in (0, 1000):
            page = (await server.http.get("/api/events", params={"after": after})).json()
            assert (1001, 1001) == (page["oldestId"], page["items"][0]["id"])
            async with server.websocket(after=after) as socket:
                assert 1001 == (await socket.next())["id"]


async def test_the_end_of_the_log_can_be_resumed_after_by_its_id_alone(tmp_path: Path) -> None:
    async with watched(tmp_path) as server:
        await server.write(1)
        end = await server.end()
        page = await server.http.get("/api/events", params={"after": end})
        assert (200, []) == (page.status_code, page.json()["items"])
        async with server.websocket(after=end) as socket, server.event_stream(after=end) as source:
            await server.write(1)
            assert end + 1 == (await socket.next())["id"] == (await source.next())["id"]


async def test_a_silent_event_stream_sends_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0.01)
    async with watched(tmp_path) as server, server.event_stream() as source:
        while await source.line() != ":":
            pass
        await server.write(1)
        assert "task.created" == (await source.next())["type"]


async def test_an_event_stream_must_be_asked_for_by_name(tmp_path: Path) -> None:
    async with watched(tmp_path) as server:
        answer = await server.http.get(STREAM)
        assert 426 == answer.status_code
        assert "websocket" == answer.headers["Upgrade"]
        head = await server.http.head(STREAM, headers=SSE)
        assert (200, b"") == (head.status_code, head.content)
        assert "Content-Length" not in head.headers


@pytest.mark.parametrize(
    "last",
    ["yesterday", "-1", "9" * 30, "0" * 20 + "9" * 5000, "٣", "log:1", "a" * 16 + ":"],
)
async def test_a_last_event_id_that_is_none_is_refused(tmp_path: Path, last: str) -> None:
    async with watched(tmp_path) as server:
        headers = [(b"Accept", b"text/event-stream"), (b"Last-Event-ID", last.encode())]
        answer = await server.http.get(STREAM, headers=headers)
        assert 400 == answer.status_code
        assert "Last-Event-ID" == answer.json()["error"]["details"][0]["path"]


async def test_a_client_that_leaves_an_event_stream_is_forgotten(tmp_path: Path) -> None:
    async with watched(tmp_path) as server:
        before = len(server.center.fanout)
        async with server.event_stream(after=0):
            await server.write(1)
            assert before + 1 == len(server.center.fanout)
        while len(server.center.fanout) > before:
            await trio.testing.wait_all_tasks_blocked(0.01)


async def test_a_subscriber_that_does_not_keep_up_is_told_to_resume_and_others_see_no_delay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "BUFFER", 3)
    async with watched(tmp_path) as server:
        async with server.websocket(taskId=7) as quick, server.websocket() as slow:
            # More than the buffers of both systems' sockets hold for one that does not read.
            for _ in range(80):
                await server.center.storage.write(lambda tx: emit(tx, "a.b", size=200_000))
            await server.write(1, task_id=7)
            end = (await quick.next())["id"]
            seen = []
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    seen.append((await slow.next())["id"])
            assert closed.value.reason is not None
            assert 1013 == closed.value.reason.code
            await server.write(1, task_id=7)
            assert end + 1 == (await quick.next())["id"]
        assert 0 < len(seen) < 80
        async with server.websocket(after=seen[-1]) as resumed:
            while seen[-1] <= end:
                seen.append((await resumed.next())["id"])
        assert list(range(end - 80, end + 2)) == seen


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("descriptors_for_thousands")
async def test_two_thousand_subscribers_get_each_event_in_its_order(tmp_path: Path) -> None:
    # They answer no ping, and a busy machine takes its time to connect them all.
    patient = ConnectionLimits(heartbeat=600)
    sockets: list[trio.SocketStream] = []
    try:
        async with watched(tmp_path, seconds=540, limits=patient) as server:
            while len(sockets) < 2000:
                sockets.append(await bare_websocket(server))
            await server.write(3)
            end = await server.end()
            for stream in sockets:
                data = b""
                while data.count(b'"task.created"') < 3:
                    more = await stream.receive_some()
                    assert more, "the server has closed the stream"
                    data += more
                assert [end - 2, end - 1, end] == [int(found) for found in EVENT.findall(data)]
                stream.socket.close()
    finally:
        for stream in sockets:
            stream.socket.close()


EVENT = re.compile(rb'"id":(\d+),"type":"task.created"')


async def bare_websocket(server: Watched) -> trio.SocketStream:
    """A subscriber that is a socket and nothing more."""
    url = httpx.URL(server.url)
    stream = await trio.open_tcp_stream(url.host, url.port or 80)
    head = [
        f"GET {STREAM}?type=task.created HTTP/1.1",
        f"Host: {url.netloc.decode()}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    await stream.send_all("\r\n".join([*head, "", ""]).encode())
    assert (await stream.receive_some()).startswith(b"HTTP/1.1 101")
    return stream


@pytest.fixture
def descriptors_for_thousands() -> Iterator[None]:
    """Both ends of two thousand connections."""
    if sys.platform == "win32":
        yield
    else:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 4500
        if hard != resource.RLIM_INFINITY and hard < wanted:
            pytest.skip(f"this machine allows {hard} file descriptors, and {wanted} are needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        yield
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_streams_end_with_a_reason_when_the_server_stops(tmp_path: Path) -> None:
    async with (
        watched(tmp_path) as server,
        server.websocket() as websocket,
        server.event_stream(after=0) as source,
    ):
        await server.write(1)
        await source.next()
        await websocket.next()
        server.center.fanout.close()
        assert 1012 == await websocket.closed()
        with pytest.raises(EndOfStream):
            await source.next()


@settings(max_examples=10)
@given(
    stays=st.lists(
        st.tuples(st.sampled_from(["websocket", "event stream"]), st.integers(0, 40)), max_size=12
    ),
    writers=st.integers(1, 4),
)
async def test_however_often_a_client_comes_back_it_sees_each_event_once_and_in_order(
    stays: list[tuple[str, int]], writers: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with watched(Path(folder)) as server:
            seen: list[int] = []
            total = sum(count for _, count in stays) + 20
            async with trio.open_nursery() as nursery:
                for _ in range(writers):
                    nursery.start_soon(server.write, -(-total // writers))
                for kind, count in [*stays, ("websocket", 20)]:
                    async with server.watch(kind, seen[-1] if seen else 0) as source:
                        seen += [(await source.next())["id"] for _ in range(count)]
            assert list(range(1, len(seen) + 1)) == seen
