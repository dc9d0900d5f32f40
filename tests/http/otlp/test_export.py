"""Traces: what is made of requests and events, and what a receiver gets of a server that runs."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import structlog
import trio
import trio.testing
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from command_center.actors.core.events import Fanout
from command_center.http.config.parsers import OTLP_HEADERS
from command_center.http.config.settings import Settings
from command_center.http.middleware.request_log import caller_of, request_id
from command_center.http.otlp.encoding import encoded
from command_center.http.otlp.exporter import ROOM, Exporter, traces_url
from command_center.http.otlp.spans import Span, TraceParent, request_span_of, span_of, trace_of
from command_center.http.otlp.stories import AnsweredRequest, Stories, request_span
from command_center.http.serve import exporter_of
from command_center.store import StoredEvent
from tests.browser.conftest import made, make_repository
from tests.end_to_end.server import Server

PROMPT = "Say hello to the reviewers of invoice 4711."

CALLER = "0af7651916cd43dd8448eb211c80319c"
"""The trace of the program that asks."""


class Receiver(ThreadingHTTPServer):
    """Takes what is sent, and answers with the next of its statuses, or 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taker)
        self.statuses: list[int] = []
        self.taken: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def spans(self) -> list[Any]:
        """All spans, read by the official definition."""
        return [
            span
            for _, _, body in self.taken
            for resource in read(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class Taker(BaseHTTPRequestHandler):
    """Answers with a body that comes to no end where a status is negative."""

    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 200:
            self.server.taken.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(abs(status))
        if status < 0:
            self.send_header("Content-Encoding", "gzip")
        else:
            self.send_header("Content-Length", "0")
        self.end_headers()
        with contextlib.suppress(OSError):
            while status < 0:
                self.wfile.write(b"x" * 65536)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        pass


@contextmanager
def receiving() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


def read(body: dict[str, Any]) -> Any:
    """Read OTLP's JSON by its protobuf definition, which has ids as base64 where OTLP has hex."""

    def ids(part: Any) -> Any:
        if isinstance(part, dict):
            return {
                name: base64.b64encode(bytes.fromhex(value)).decode()
                if name in {"traceId", "spanId", "parentSpanId"}
                else ids(value)
                for name, value in part.items()
            }
        return [ids(one) for one in part] if isinstance(part, list) else part

    return ParseDict(ids(body), ExportTraceServiceRequest())


def span(name: str = "a") -> Span:
    return Span(trace_id=trace_of(name), span_id=span_of(name), parent_id=None, name=name,
                start=1, end=2)  # fmt: skip


def event(number: int, kind: str, *, session: int | None = None) -> StoredEvent:
    return StoredEvent(id=number, type=kind, ts=f"2025-01-31T07:05:0{number}.000Z",
                       session_id=session, correlation_id="r1", body=b"{}")  # fmt: skip


def test_a_request_that_joins_a_story_is_below_the_one_that_began_it() -> None:
    about: Any = {"method": "POST", "route": "/api/tasks", "status": 201, "start": 1, "end": 2}
    first = request_span(AnsweredRequest(name="r1", correlation_id="r1", **about))
    later = request_span(AnsweredRequest(name="r2", correlation_id="r1", **about))
    assert (first.trace_id, None) == (later.trace_id, first.parent_id)
    assert first.span_id == later.parent_id


def test_a_valid_traceparent_alone_makes_a_request_part_of_its_callers_trace() -> None:
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    about: Any = {"method": "POST", "route": "/api/tasks", "status": 201, "start": 1, "end": 2}
    caller = TraceParent.read(f"00-{trace}-{parent}-01")
    assert TraceParent(trace, parent) == caller == TraceParent.read(f"01-{trace}-{parent}-01-more")
    name = request_id(caller)
    root = request_span(AnsweredRequest(name=name, correlation_id=name, caller=caller, **about))
    later = request_span(AnsweredRequest(name="r2", correlation_id=name, **about))
    assert (trace, parent) == (root.trace_id, root.parent_id)
    assert (trace, root.span_id) == (later.trace_id, later.parent_id)
    for wrong in (
        f"00-{trace}-{parent}",
        f"00-{trace}-{parent}-01-more",
        f"ff-{trace}-{parent}-01",
        f"00-{trace.upper()}-{parent}-01",
        f"00-{'0' * 32}-{parent}-01",
        f"00-{trace}-{'0' * 16}-01",
        trace,
    ):
        assert TraceParent.read(wrong) is None
    scope = {"headers": [(b"traceparent", f"00-{trace}-{parent}-01".encode())] * 2}
    assert caller_of(scope) is None  # nobody knows which of them is meant
    assert trace_of(request_id(None)) != trace_of(request_id(None))


def test_a_session_has_its_events_and_its_turn_and_is_an_error_if_it_failed() -> None:
    stories = Stories()
    told = [
        *stories.told(event(1, "session.queued", session=12)),
        *stories.told(event(2, "session.started", session=12)),
        *stories.told(event(3, "approval.requested", session=12)),
        *stories.told(event(4, "session.failed", session=12)),
    ]
    session, turn = told
    assert ("/sessions/*", "codex turn") == (session.name, turn.name)
    assert (request_span_of("r1"), session.span_id) == (session.parent_id, turn.parent_id)
    assert ["session.queued", "session.started", "approval.requested", "session.failed"] == [
        name for _, name in session.events
    ]
    assert (3 * 10**9, 2 * 10**9) == (session.end - session.start, turn.end - turn.start)
    assert session.is_error
    (moment,) = stories.told(event(5, "repo.registered"))
    assert (moment.start, session.trace_id) == (moment.end, moment.trace_id)


def test_what_finds_no_room_is_counted_and_nobody_waits() -> None:
    counted: list[tuple[str, int]] = []
    exporter = Exporter("http://127.0.0.1:9/v1/traces")
    exporter.count = lambda outcome, number: counted.append((outcome, number))
    for _ in range(ROOM + 3):
        exporter.put(span())
    assert [("dropped", 1)] * 3 == counted


@pytest.mark.parametrize("base", ["http://a:4318", "http://a:4318/", "http://a:4318/v1/traces"])
def test_the_address_of_a_receiver_leads_to_its_traces(base: str) -> None:
    assert "http://a:4318/v1/traces" == traces_url(base)


async def test_a_batch_is_sent_again_or_left_out_as_the_receiver_says(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """By the statuses of the protocol; a pause is one of the clock that jumps."""
    counted: list[tuple[str, int]] = []
    answers = [503, 200, 400]
    exporter = Exporter("http://receiver/v1/traces", {"X-Scope": "a"})
    exporter.count = lambda outcome, number: counted.append((outcome, number))
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(answers.pop(0))

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        await exporter._deliver(client, [span(), span("b")])
        await exporter._deliver(client, [span()])
    assert [("sent", 2), ("dropped", 1)] == counted
    assert seen[0].content == seen[1].content == encoded([span(), span("b")])
    assert "a" == seen[0].headers["X-Scope"]


async def test_the_end_is_not_kept_waiting_by_a_receiver_that_is_not_there(
    autojump_clock: trio.testing.MockClock,
) -> None:
    counted: list[tuple[str, int]] = []
    with receiving() as receiver:
        gone = receiver.url
    exporter = Exporter(traces_url(gone))
    exporter.count = lambda outcome, number: counted.append((outcome, number))
    exporter.put(span())
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(exporter.run, Fanout())
            await trio.sleep(10)
            exporter.stop()
    assert [("dropped", 1)] == counted


async def test_of_an_answer_its_status_alone_is_read() -> None:
    counted: list[tuple[str, int]] = []
    with receiving() as receiver:
        receiver.statuses = [-200]
        exporter = Exporter(traces_url(receiver.url))
        settled = trio.Event()

        def count(outcome: str, number: int) -> None:
            counted.append((outcome, number))
            settled.set()

        exporter.count = count
        exporter.put(span())
        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(exporter.run, Fanout())
                await settled.wait()
                exporter.stop()
    assert [("sent", 1)] == counted


async def test_a_receiver_that_accepts_and_says_nothing_is_given_up_after_ten_seconds(
    autojump_clock: trio.testing.MockClock,
) -> None:
    exporter = Exporter("http://receiver/v1/traces")

    async def silent(_: httpx.Request) -> httpx.Response:
        await trio.sleep_forever()
        raise AssertionError

    async with httpx.AsyncClient(transport=httpx.MockTransport(silent)) as client:
        with trio.fail_after(11):
            problem, is_settled = await exporter._send(client, b"{}")
    assert ("no answer came within 10 seconds", False) == (problem, is_settled)


async def test_a_fault_of_the_sending_ends_nothing_else(
    autojump_clock: trio.testing.MockClock,
) -> None:
    exporter = Exporter("http://[::1/v1/traces", {"a": "\u20ac"})
    exporter.put(span())
    with trio.fail_after(60):
        await exporter.run(Fanout())


def test_what_is_told_again_and_again_is_a_warning_once() -> None:
    exporter = Exporter("http://receiver/v1/traces")
    with structlog.testing.capture_logs() as lines:
        for problem in ("a", "a", "b"):
            exporter._tell("otlp.dropped", problem, spans=1)
    assert ["warning", "debug", "warning"] == [line["log_level"] for line in lines]


def test_a_header_that_cannot_be_sent_is_refused_at_the_start(tmp_path: Path) -> None:
    for value in ("a=%C3%A9", "a=%0d%0ab", "a b=c", "a"):
        with pytest.raises(ValueError, match="must be NAME=VALUE"):
            Settings(data_dir=tmp_path, otlp_headers=OTLP_HEADERS(value))
    headers = OTLP_HEADERS("Authorization=Basic%20abc, x_team = 50% of us")
    told = exporter_of(Settings(data_dir=tmp_path, otlp_url="http://a", otlp_headers=headers))
    assert told is not None
    assert {"Authorization": "Basic abc", "x_team": "50% of us"} == told.headers


@pytest.mark.parametrize(
    ("address", "headers"), [("http://[::1", ""), ("localhost:4317", ""), ("http://a", "a=%E9")]
)
def test_what_others_set_and_cannot_be_used_is_told_and_nothing_is_sent(
    address: str, headers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", headers)
    with structlog.testing.capture_logs() as lines:
        assert exporter_of(Settings(data_dir=tmp_path)) is None
    assert ["otlp.unusable"] == [line["event"] for line in lines]


def test_a_receiver_gets_one_trace_from_the_request_to_codex_and_no_word_of_it(
    tmp_path: Path,
) -> None:
    with receiving() as receiver:
        settings = {
            "CC_CODEX_RUNNER_MODE": "stub",
            "CC_OTLP_URL": receiver.url,
            "CC_OTLP_HEADERS": "Authorization=Basic%20abc",
        }
        server = Server(tmp_path / "data", settings).start()
        try:
            with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
                repository = make_repository(tmp_path / "repository")
                wish = {"localPath": str(repository), "allowWrite": True}
                made(client, "/api/repos", wish)
                client.headers["traceparent"] = f"00-{CALLER}-{CALLER[:16]}-01"
                made(client, "/api/tasks", {"repositoryId": 1, "title": PROMPT, "prompt": PROMPT})
                del client.headers["traceparent"]
                session = made(client, "/api/tasks/1/run", {})["session"]
                stream = client.stream(
                    "GET",
                    "/api/events/stream",
                    params={"after": 0, "sessionId": session["id"]},
                    headers={"Accept": "text/event-stream"},
                )
                with stream as lines:
                    assert any("session.completed" in line for line in lines.iter_lines())
                story = client.get(f"/api/sessions/{session['id']}").json()["correlationId"]
        finally:
            server.end()
    path, headers, body = receiver.taken[0]
    assert ("/v1/traces", "Basic abc") == (path, headers["Authorization"])
    resource = body["resourceSpans"][0]["resource"]["attributes"][0]
    assert {"key": "service.name", "value": {"stringValue": "command-center"}} == resource
    spans = {one.name: one for one in receiver.spans() if one.trace_id.hex() == trace_of(story)}
    root, actor, turn = (
        spans["POST /api/tasks"], spans["/sessions/*"], spans["codex turn"]
    )  # fmt: skip
    assert (CALLER[:16], root.span_id, actor.span_id) == (
        root.parent_span_id.hex(), actor.parent_span_id, turn.parent_span_id
    )  # fmt: skip
    assert CALLER == root.trace_id.hex()
    run = spans["POST /api/tasks/<id:task_id>/run"]
    assert root.span_id == run.parent_span_id
    assert root.start_time_unix_nano <= turn.start_time_unix_nano <= turn.end_time_unix_nano
    assert {"session.queued", "session.started"} <= {one.name for one in actor.events}
    assert not re.search("hello|invoice|4711", json.dumps([body for _, _, body in receiver.taken]))
