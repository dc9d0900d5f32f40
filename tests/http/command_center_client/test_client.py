"""Both clients, against a server: answers, refusals, lists of many pages, and streams."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trio

from command_center_client import (
    AsyncCommandCenter,
    CallRefused,
    CommandCenter,
    LogChanged,
    LogPlace,
    NotCommandCenter,
    NotReachable,
    calls,
)
from tests.end_to_end.server import Server

LOG = "5f1a60c2b7d94e83"


def test_the_client_that_waits_sends_calls_lists_pages_and_hears_events(
    stub_server: Server,
) -> None:
    with CommandCenter(stub_server.url) as center:
        log_id = center.send(calls.health())["logId"]
        made = [center.send(calls.create_approval(title=f"Number {i}")) for i in range(3)]
        listed = [*center.every(calls.list_approvals(status="pending", limit=1))]
        assert [a["id"] for a in reversed(made)] == [a["id"] for a in listed]
        events = center.events(LogPlace(0, log_id), type=["approval.requested"])
        assert [a["id"] for a in made] == [next(events)["approvalId"] for _ in made]
        settled = center.send(calls.resolve_approval(made[0]["id"], status="rejected"))
        assert "rejected" == settled["status"]
        with pytest.raises(CallRefused, match="not found") as refused:
            center.send(calls.get_approval(999_999))
        assert 404 == refused.value.status
        with pytest.raises(LogChanged) as changed:
            next(center.events(LogPlace(1, "0" * 16)))
        assert log_id == changed.value.log_id
        once = calls.create_approval(title="Once").provided(key="one-key")
        assert center.send(once)["id"] == center.send(once)["id"]
    with CommandCenter("http://127.0.0.1:9") as nobody, pytest.raises(NotReachable):
        nobody.send(calls.health())


def test_a_token_that_loses_its_scope_ends_its_stream_with_the_reason(stub_server: Server) -> None:
    with CommandCenter(stub_server.url) as owner:
        device = owner.send(calls.create_device(name="Script", scopes=["read"]))
        with CommandCenter(stub_server.url, token=device["token"]) as center:
            number = owner.send(calls.create_approval(title="Seen"))["id"]
            events = center.events(LogPlace(after=0), type=["approval.requested"])
            while number != next(events)["approvalId"]:
                pass
            owner.send(calls.patch_device(device["id"], scopes=["approve"]))
            with pytest.raises(CallRefused, match='the scope "read"') as refused:
                next(events)
    assert (403, "read") == (refused.value.status, refused.value.facts["scope"])


async def test_the_client_that_does_not_block_does_the_same(stub_server: Server) -> None:
    async with AsyncCommandCenter(stub_server.url) as center:
        log_id = (await center.send(calls.health()))["logId"]
        newest = (await center.send(calls.list_events(newestFirst=True, limit=1)))["items"]
        place = LogPlace(newest[0]["id"] if newest else 0, log_id)
        heard: list[Any] = []
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def listen() -> None:
                async with center.events(place, type="approval.requested") as events:
                    heard.extend([(await anext(events))["approvalId"] for _ in "ab"])

            made = [(await center.send(calls.create_approval(title=t)))["id"] for t in "ab"]
        assert made == heard
        listed = [a["id"] async for a in center.every(calls.list_approvals(limit=1))]
        assert made == sorted(listed)[-2:]
        with pytest.raises(CallRefused, match="not found"):
            await center.send(calls.get_approval(999_999))
        with pytest.raises(LogChanged):
            async with center.events(LogPlace(1, "0" * 16)) as events:
                await anext(events)
    async with AsyncCommandCenter("http://127.0.0.1:9") as nobody:
        with pytest.raises(NotReachable):
            await nobody.send(calls.health())


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server of such answers, and its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("data", [b"nonsense", b"[]", b"\xff"])
async def test_what_streams_no_events_is_no_command_center(data: bytes) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(b"data: " + data + b"\n\n")

        def log_message(self, *_: Any) -> None: ...

    with serving(Other) as url:
        with CommandCenter(url) as center, pytest.raises(NotCommandCenter):
            next(center.events())
        async with AsyncCommandCenter(url) as other, other.events() as events:
            with pytest.raises(NotCommandCenter):
                await anext(events)


@contextmanager
def faltering() -> Iterator[tuple[str, list[str]]]:
    """A server whose every stream is cut in the middle of its third event."""
    asked: list[str] = []

    class Faltering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path.partition("?")[2])
            if 2 == len(asked):
                refusal = {"error": {"statusCode": 503, "message": "Not now."}}
                self.send_response(503)
                self.end_headers()
                self.wfile.write(json.dumps(refusal).encode())
                return
            after = int(dict(p.split("=") for p in asked[-1].split("&"))["after"])
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for number in range(after + 1, after + 4):
                told = json.dumps({"id": number, "type": "task.created"})
                end = "\n\n" if number < after + 3 else ""
                self.wfile.write(f"id: {LOG}:{number}\ndata: {told}{end}".encode())

        def log_message(self, *_: Any) -> None: ...

    with serving(Faltering) as url:
        yield url, asked


EXPECTED = [f"after={after}&logId={LOG}" for after in (0, 2, 2, 4)]


def test_a_stream_that_is_cut_goes_on_after_the_last_whole_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("command_center_client.place.FIRST_SECONDS", 0.001)
    told: list[str] = []
    with faltering() as (url, asked), CommandCenter(url) as center:
        events = center.events(
            LogPlace(0, LOG),
            on_open=lambda: told.append("open"),
            on_loss=lambda error, _: told.append(str(error)),
        )
        assert [1, 2, 3, 4, 5] == [next(events)["id"] for _ in range(5)]
        events.close()
    assert EXPECTED == asked
    lost = f"No server answers at {url}: the stream ended."
    assert ["open", True, "Not now.", "open", True, "open"] == [
        line.startswith(lost) or line for line in told
    ]


async def test_a_stream_that_is_left_goes_on_from_its_place_with_what_was_not_handed_out() -> None:
    place = LogPlace(0, LOG)
    with faltering() as (url, asked):
        async with AsyncCommandCenter(url) as center:
            async with center.events(place) as events:
                assert 1 == (await anext(events))["id"]
            assert 1 == place.after
            asked.append("as if there had been a refusal")
            async with center.events(place) as events:
                assert [2, 3] == [(await anext(events))["id"] for _ in range(2)]


async def test_so_does_one_that_nothing_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("command_center_client.place.FIRST_SECONDS", 0.001)
    with faltering() as (url, asked):
        async with AsyncCommandCenter(url) as center, center.events(LogPlace(0, LOG)) as events:
            assert [1, 2, 3, 4, 5] == [(await anext(events))["id"] for _ in range(5)]
    assert EXPECTED == asked
