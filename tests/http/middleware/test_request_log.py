"""A request's id, from its header through the log to the events."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import structlog
import trio
from structlog.testing import capture_logs

from command_center.http.app import create_app
from command_center.http.config.logs import name_origin
from command_center.http.middleware.gate import Policy
from command_center.http.middleware.request_log import subject_of
from command_center.http.transport.channel import ConnectionLimits
from tests.actors.automations.rig import opened
from tests.http.live import client_of, served

SECRET = "sk-" + "Ab1c" * 12


async def test_an_answer_names_its_request(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        made = await http.get("/health")
        refused = await http.get("/health", headers={"Host": "evil.example"})
    ids = {answer.headers["X-Request-Id"] for answer in (made, refused)}
    assert 2 == len(ids)
    assert {16} == {len(name) for name in ids}
    assert 421 == refused.status_code


async def test_an_id_that_a_client_brings_is_logged_and_joins_no_story(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        path = f"/api/repos/{rig.repository_id}"
        story = (await http.patch(path, json={"allowCommit": True})).headers["X-Request-Id"]
        with capture_logs() as lines:
            change, named = {"allowCommit": False}, {"X-Request-Id": story}
            second = await http.patch(path, json=change, headers=named)
            for brought in ("mine-1", "no word", SECRET):
                await http.get("/health", headers={"X-Request-Id": brought})
        events = (await http.get("/api/events", params={"correlationId": story})).json()["items"]
    assert story != second.headers["X-Request-Id"]
    assert ["repo.updated"] == [event["type"] for event in events]
    told = [line.get("client_request_id") for line in lines if line["event"] == "request.answered"]
    assert [story, "mine-1", None, None] == told


async def test_a_secret_of_the_installation_is_no_clients_id(tmp_path: Path) -> None:
    own = "the-token-of-this-server"
    async with opened(tmp_path) as rig:
        settings = attrs.evolve(rig.center.settings, secrets=(own,))
        center = attrs.evolve(rig.center, settings=settings)
        async with client_of(create_app(center, Policy())) as http:
            with capture_logs() as lines:
                await http.get("/health", headers={"X-Request-Id": own})
    assert own not in str(lines)


async def test_a_line_can_be_followed_from_its_request_to_the_events(tmp_path: Path) -> None:
    await trio.run_process(["git", "init", "-q", tmp_path])
    merge = structlog.contextvars.merge_contextvars
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        with capture_logs(processors=[merge, name_origin]) as lines:
            task: Any = {"repositoryId": rig.repository_id, "title": "a", "prompt": "b"}
            made = await http.post("/api/tasks", json=task)
            run = await http.post(f"/api/tasks/{made.json()['id']}/run")
            await http.get("/api/tasks")
        assert 201 == run.status_code
        told = {line["request_id"]: line for line in lines if line["event"] == "request.answered"}
        one, two = (answer.headers["X-Request-Id"] for answer in (made, run))
        assert "info" == told[two]["log_level"]
        assert run.json()["session"]["id"] == told[two]["session_id"]
        cause = told[two]["correlation_id"]
        found = (await http.get("/api/events", params={"correlationId": cause})).json()["items"]
        assert {"task.created", "session.queued"} <= {event["type"] for event in found}
        assert cause == told[one]["correlation_id"]
        assert ["debug"] == [told[name]["log_level"] for name in told if name not in {one, two}]


async def test_a_line_of_a_sessions_actor_names_the_request_that_it_works_for(
    tmp_path: Path,
) -> None:
    await trio.run_process(["git", "init", "-q", tmp_path])
    merge = structlog.contextvars.merge_contextvars
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        with capture_logs(processors=[merge, name_origin]) as lines:
            task: Any = {"repositoryId": rig.repository_id, "title": "a", "prompt": "b"}
            made = (await http.post("/api/tasks", json=task)).json()
            run = await http.post(f"/api/tasks/{made['id']}/run")
            session = run.json()["session"]
            await rig.until_event("session.completed", session_id=session["id"])
    told = {
        line["status"]: line
        for line in lines
        if line["event"] in {"session.taken_up", "session.moved"}
    }
    assert {"queued", "starting", "running", "completed"} == told.keys()
    for line in told.values():
        assert run.headers["X-Request-Id"] == line["request_id"]
        assert (session["id"], made["correlationId"]) == (
            line["session_id"],
            line["correlation_id"],
        )


async def test_a_session_that_waited_for_another_is_not_put_down_to_the_others_end(
    tmp_path: Path,
) -> None:
    await trio.run_process(["git", "init", "-q", tmp_path])
    merge = structlog.contextvars.merge_contextvars
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        with capture_logs(processors=[merge, name_origin]) as lines:
            rig.center.system.suspend("/slots", reason="so that both wait")
            names = []
            for _ in ("first", "second"):  # both write in one folder
                task: Any = {"repositoryId": rig.repository_id, "title": "a", "prompt": "b"}
                made = (await http.post("/api/tasks", json=task)).json()
                run = await http.post(f"/api/tasks/{made['id']}/run")
                names.append(run.headers["X-Request-Id"])
            rig.center.system.resume("/slots", reason="enough")
            await rig.until_event("session.completed", count=2)
    moved = [line for line in lines if line["event"] == "session.moved"]
    assert {*enumerate(names, 1)} == {(line["session_id"], line["request_id"]) for line in moved}


async def test_what_a_request_begins_has_its_id_for_its_correlation(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        task: Any = {"repositoryId": rig.repository_id, "title": "a", "prompt": "b"}
        made = await http.post("/api/tasks", json=task)
        assert made.headers["X-Request-Id"] == made.json()["correlationId"]
        change = {"allowCommit": True}
        path = f"/api/repos/{rig.repository_id}"
        changed = await http.patch(path, json=change)
        for answer, kind in ((made, "task.created"), (changed, "repo.updated")):
            query = {"correlationId": answer.headers["X-Request-Id"]}
            found = (await http.get("/api/events", params=query)).json()["items"]
            assert [kind] == [event["type"] for event in found]


async def test_a_stream_that_finds_no_place_is_logged_and_counted_as_it_is_answered(
    tmp_path: Path,
) -> None:
    limits = ConnectionLimits(connections=8)
    async with (
        opened(tmp_path) as rig,
        served(create_app(rig.center, Policy()), limits=limits) as address,
        httpx.AsyncClient(base_url=address.url) as http,
        AsyncExitStack() as stack,
    ):

        def stream() -> AbstractAsyncContextManager[httpx.Response]:
            headers = {"Accept": "text/event-stream"}
            return http.stream("GET", "/api/events/stream", headers=headers)

        for _ in range(7):
            assert 200 == (await stack.enter_async_context(stream())).status_code
        with capture_logs() as lines:
            async with stream() as refused:
                assert (503, "10") == (refused.status_code, refused.headers["Retry-After"])
                assert 16 == len(refused.headers["X-Request-Id"])
            socket = {
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            }
            unopened = await http.get("/api/events/stream", headers=socket)
            assert (503, 16) == (unopened.status_code, len(unopened.headers["X-Request-Id"]))
            counted = (await http.get("/metrics")).text
    told = [line for line in lines if line["event"] == "request.answered"]
    found = [(line["status"], line["log_level"]) for line in told]
    assert [(503, "info"), (200, "debug")] == found
    route = 'method="GET",route="/api/events/stream"'
    assert f'cc_http_requests_total{{{route},status="503"}} 1.0' in counted


async def test_the_line_of_a_request_names_the_session_that_it_was_about(tmp_path: Path) -> None:
    await trio.run_process(["git", "init", "-q", tmp_path])
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        task: Any = {"repositoryId": rig.repository_id, "title": "a", "prompt": "b"}
        made = (await http.post("/api/tasks", json=task)).json()
        session = (await http.post(f"/api/tasks/{made['id']}/sessions")).json()["id"]
        question = {"title": "May it?", "sessionId": session}
        with capture_logs() as lines:
            approval = (await http.post("/api/approvals", json=question)).json()["id"]
            await http.post(f"/api/approvals/{approval}/resolve", json={"status": "approved"})
            refused = await http.post(f"/api/sessions/{session}/steer", json={"message": "more"})
            await http.patch(f"/api/sessions/{session}", json={"status": "stopped"})
        assert 409 == refused.status_code
    told = [line for line in lines if line["event"] == "request.answered"]
    assert [session] * 4 == [line.get("session_id") for line in told]


@pytest.mark.parametrize("body", [b"", b"[]", b"no", b'{"id": "a"}', b"\xff", b'{"session": 1}'])
def test_an_answer_that_names_nothing_is_about_nothing(body: bytes) -> None:
    assert {} == subject_of(body)
