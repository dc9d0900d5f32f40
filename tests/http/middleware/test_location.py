"""The answer to a creation says where the new resource is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import httpx
import trio

from command_center.actors.contracts.automations import HandRun
from command_center.actors.contracts.devices import DeviceToken
from command_center.actors.contracts.tasks import RunOutcome
from command_center.actors.contracts.webhooks import MadeWebhook
from command_center.actors.contracts.webpush import SubscribedBrowser
from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.http.routes.table import OPERATIONS
from command_center.store import (
    Approval,
    Automation,
    Comment,
    Device,
    DiscardedWork,
    Followup,
    PullRequest,
    Push,
    Repository,
    Session,
    Task,
    Upload,
)
from tests.actors.automations.rig import opened
from tests.http.live import client_of

RUN = {"sandbox": "read-only"}
AUTOMATION: dict[str, Any] = {
    "repositoryId": 1,
    "title": "a",
    "scheduleExpr": "hourly",
    "payload": {"prompt": "a", "runInput": RUN},
}
MADE: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("/api/tasks", {"repositoryId": 1, "title": "a", "prompt": "b"}, "/api/tasks/1"),
    ("/api/tasks/1/sessions", RUN, "/api/sessions/1"),
    ("/api/sessions/1/followups", {"message": "a"}, "/api/followups/1"),
    ("/api/tasks", {"repositoryId": 1, "title": "a", "prompt": "b"}, "/api/tasks/2"),
    ("/api/tasks/2/run", RUN, "/api/sessions/2"),
    ("/api/approvals", {"title": "May I?"}, "/api/approvals/1"),
    ("/api/automations", AUTOMATION, "/api/automations/1"),
    ("/api/automations/1/run", {}, "/api/sessions/3"),
)


@asynccontextmanager
async def api(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    await trio.run_process(["git", "init", "-q", folder])
    async with opened(folder) as rig, client_of(create_app(rig.center, Policy())) as http:
        yield http


async def test_each_thing_that_is_made_is_found_where_its_location_says(tmp_path: Path) -> None:
    async with api(tmp_path) as http:
        for path, body, place in MADE:
            made = await http.post(path, json=body)
            assert (201, place) == (made.status_code, made.headers["Location"])
            record = made.json().get("session", made.json())
            assert record["id"] == (await http.get(place)).json()["id"]


def test_every_post_that_makes_a_record_declares_where_it_is() -> None:
    records = (
        Repository
        | Task
        | Session
        | RunOutcome
        | HandRun
        | Followup
        | Approval
        | Automation
        | Device
        | DeviceToken
        | Comment
        | DiscardedWork
        | Push
        | PullRequest
        | SubscribedBrowser
        | MadeWebhook
        | Upload
    )
    made = {
        operation.rule
        for operation in OPERATIONS
        if operation.method == "POST" and operation.answers.get(201) in get_args(records)
    }
    located = [operation for operation in OPERATIONS if operation.location]
    assert made == {operation.rule for operation in located if 201 in operation.answers}


async def test_an_answer_that_was_kept_says_it_too_and_a_refusal_does_not(tmp_path: Path) -> None:
    key = {"Idempotency-Key": "5f0c"}
    async with api(tmp_path) as http:
        places = [
            (await http.post("/api/tasks", json=MADE[0][1], headers=key)).headers["Location"]
            for _ in range(2)
        ]
        assert ["/api/tasks/1"] * 2 == places
        refused = await http.post("/api/tasks", json={})
        assert "Location" not in refused.headers
