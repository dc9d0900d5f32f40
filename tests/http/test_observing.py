"""A request's id, from its header through the log to the events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import structlog
import trio
from structlog.testing import capture_logs

from command_center.http.app import create_app
from command_center.http.observing import subject_of
from command_center.http.security import Policy
from tests.actors.automations.rig import opened
from tests.http.live import client_of


async def test_an_answer_names_its_request(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        given = await http.get("/health", headers={"X-Request-Id": "mine-1"})
        made = await http.get("/health")
        refused = await http.get("/health", headers={"Host": "evil.example"})
        odd = await http.get("/health", headers={"X-Request-Id": "no word"})
    assert "mine-1" == given.headers["X-Request-Id"]
    ids = {answer.headers["X-Request-Id"] for answer in (given, made, refused, odd)}
    assert 4 == len(ids)
    assert 421 == refused.status_code
    assert "no word" not in ids


async def test_a_line_can_be_followed_from_its_request_to_the_events(tmp_path: Path) -> None:
    await trio.run_process(["git", "init", "-q", tmp_path])
    merge = structlog.contextvars.merge_contextvars
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        with capture_logs(processors=[merge]) as lines:
            task: Any = {"repositoryId": rig.repository_id, "title": "a", "prompt": "b"}
            made = await http.post("/api/tasks", json=task, headers={"X-Request-Id": "one"})
            run = await http.post(
                f"/api/tasks/{made.json()['id']}/run", headers={"X-Request-Id": "two"}
            )
            await http.get("/api/tasks")
        assert 201 == run.status_code
        told = {line["request_id"]: line for line in lines if line["event"] == "request.answered"}
        assert "info" == told["two"]["log_level"]
        assert run.json()["session"]["id"] == told["two"]["session_id"]
        cause = told["two"]["correlation_id"]
        found = (await http.get("/api/events", params={"correlationId": cause})).json()["items"]
        assert {"task.created", "session.queued"} <= {event["type"] for event in found}
        assert cause == told["one"]["correlation_id"]
        assert ["debug"] == [told[name]["log_level"] for name in told if name not in {"one", "two"}]


@pytest.mark.parametrize("body", [b"", b"[]", b"no", b'{"id": "a"}', b"\xff", b'{"session": 1}'])
def test_an_answer_that_names_nothing_is_about_nothing(body: bytes) -> None:
    assert {} == subject_of(body)
