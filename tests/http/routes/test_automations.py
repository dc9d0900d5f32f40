"""Automations over real sockets, as a script would use them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from tests.actors.automations.rig import START, Rig, opened
from tests.http.live import client_of

MORNING = {
    "title": "Morning repo check",
    "scheduleExpr": "daily@09:00",
    "enabled": True,
    "payload": {
        "taskType": "repo_health_check",
        "taskTitle": "Daily health check",
        "prompt": "Inspect the repo state and report unusual failures.",
        "priority": "normal",
        "runInput": {"sandbox": "read-only"},
    },
}


@attrs.frozen
class Api:
    """The routes, and the center behind them."""

    rig: Rig
    http: httpx.AsyncClient

    async def call(self, method: str, path: str, *, status: int = 200, **more: Any) -> Any:
        """The body of an answer with that status."""
        answer = await self.http.request(method, f"/api/automations{path}", **more)
        assert status == answer.status_code, answer.text
        return answer.json()

    async def create(self, *, status: int = 201, **fields: Any) -> Any:
        body = {"repositoryId": self.rig.repository_id, **MORNING, **fields}
        return await self.call("POST", "", status=status, json=body)

    async def refused(self, **fields: Any) -> tuple[str, str]:
        """The path and the message of the field at fault."""
        error = (await self.create(status=400, **fields))["error"]
        return error["details"][0]["path"], error["details"][0]["message"]


@asynccontextmanager
async def served_api(folder: Path) -> AsyncIterator[Api]:
    await trio.run_process(["git", "init", "-q", folder])
    async with opened(folder) as rig, client_of(create_app(rig.center, Policy())) as http:
        yield Api(rig, http)


async def test_an_automation_is_kept_as_it_was_given_with_its_next_time(tmp_path: Path) -> None:
    async with served_api(tmp_path) as api:
        made = await api.create()
        for name, value in MORNING.items():
            if name != "payload":
                assert value == made[name]
        assert MORNING["payload"].items() <= made["payload"].items()  # type: ignore[attr-defined]
        assert ("2025-06-02T09:00:00.000Z", None, None, None) == (
            made["nextRunAt"],
            made["lastRunAt"],
            made["lastOutcome"],
            made["lastSessionId"],
        )
        assert made == await api.call("GET", f"/{made['id']}")
        assert [made] == (await api.call("GET", "?enabled=true"))["items"]
        assert [] == (await api.call("GET", "?enabled=false"))["items"]


async def test_its_history_tells_what_became_of_each_due_time(tmp_path: Path) -> None:
    async with served_api(tmp_path) as api:
        made = await api.create()
        api.rig.clock.set(START.replace(hour=9, minute=0))
        await api.rig.until_event("session.completed")
        runs = (await api.call("GET", f"/{made['id']}/runs"))["items"]
        assert [("schedule", "2025-06-02T09:00:00.000Z", "completed")] == [
            (run["trigger"], run["dueAt"], run["outcome"]) for run in runs
        ]
        assert [] == (await api.call("GET", f"/{made['id']}/runs?outcome=failed"))["items"]
        after = await api.call("GET", f"/{made['id']}")
        assert ("completed", runs[0]["sessionId"]) == (
            after["lastOutcome"],
            after["lastSessionId"],
        )


async def test_a_run_by_hand_answers_as_a_tasks_run_does(tmp_path: Path) -> None:
    async with served_api(tmp_path) as api:
        made = await api.create()
        ran = await api.call("POST", f"/{made['id']}/run", status=201)
        assert made["id"] == ran["task"]["automationId"]
        assert ("queued", "allow") == (ran["session"]["status"], ran["policy"]["decision"])
        asks = await api.create(payload={**MORNING["payload"], "approvalRequired": True})  # type: ignore[dict-item]
        ran = await api.call("POST", f"/{asks['id']}/run", status=202, json={"requestedBy": "a"})
        assert ran["blocked"] is True
        assert asks["id"] == ran["approvals"][0]["details"]["automationId"]
        again = await api.call("POST", f"/{asks['id']}/run", status=409)
        assert ran["session"]["id"] == again["error"]["facts"]["sessionId"]


async def test_what_is_wrong_is_named_by_its_path_when_it_is_saved(tmp_path: Path) -> None:
    payload = MORNING["payload"]
    assert isinstance(payload, dict)
    async with served_api(tmp_path) as api:
        for fields, path in (
            ({"payload": {**payload, "runInput": {"sandbox": "none"}}}, "payload.runInput.sandbox"),
            ({"payload": {**payload, "runInput": {"colour": 1}}}, "payload.runInput.colour"),
            ({"payload": {**payload, "prompt": " "}}, "payload.prompt"),
            ({"payload": {**payload, "taskType": "dance"}}, "payload.taskType"),
            ({"payload": {"taskType": "review_task"}}, "payload.prompt"),
            ({"timezone": "Europe/Atlantis"}, "timezone"),
            ({"missedRuns": "twice"}, "missedRuns"),
            ({"template": "no-such"}, "template"),
        ):
            assert path == (await api.refused(**fields))[0]
        assert [] == (await api.call("GET", ""))["items"]


@pytest.mark.parametrize("expression", ["hourly:1", "hourly:25", "daily@9", "cron:* *", "now"])
async def test_a_schedule_that_is_none_is_refused_with_what_is_expected(
    tmp_path: Path, expression: str
) -> None:
    async with served_api(tmp_path) as api:
        path, message = await api.refused(scheduleExpr=expression)
        assert "scheduleExpr" == path
        assert "Expected" in message
        answer = await api.http.get("/api/automations/preview", params={"scheduleExpr": expression})
        assert 400 == answer.status_code
        assert "Expected" in answer.json()["error"]["message"]


async def test_a_preview_shows_the_next_times(tmp_path: Path) -> None:
    async with served_api(tmp_path) as api:
        wanted = {"scheduleExpr": "daily@02:30", "timezone": "Europe/Berlin", "count": "2"}
        shown = await api.call("GET", "/preview", params=wanted)
        assert {
            "scheduleExpr": "daily@02:30",
            "timezone": "Europe/Berlin",
            "items": [
                {"at": "2025-06-03T00:30:00.000Z", "local": "2025-06-03T02:30:00+02:00"},
                {"at": "2025-06-04T00:30:00.000Z", "local": "2025-06-04T02:30:00+02:00"},
            ],
        } == shown
        assert 5 == len((await api.call("GET", "/preview?scheduleExpr=hourly"))["items"])
        await api.call("GET", "/preview?scheduleExpr=hourly&count=101", status=400)
        await api.call("GET", "/preview", status=400)


async def test_an_automation_is_changed_switched_and_taken_away(tmp_path: Path) -> None:
    async with served_api(tmp_path) as api:
        made = await api.create()
        path = f"/{made['id']}"
        changed = await api.call("PATCH", path, json={"scheduleExpr": "hourly:6"})
        assert "2025-06-02T12:00:00.000Z" == changed["nextRunAt"]
        off = await api.call("PATCH", path, json={"enabled": False})
        assert (False, None) == (off["enabled"], off["nextRunAt"])
        deleted = await api.call("DELETE", path)
        assert deleted["deletedAt"] is not None
        for method, rest in (("GET", ""), ("GET", "/runs"), ("PATCH", ""), ("DELETE", "")):
            missing = await api.call(method, f"{path}{rest}", status=404)
            assert f"Automation {made['id']} not found." == missing["error"]["message"]
        missing = await api.call("POST", f"{path}/run", status=404)
        assert [] == (await api.call("GET", ""))["items"]


async def test_a_template_is_listed_and_one_call_away(tmp_path: Path) -> None:
    async with served_api(tmp_path) as api:
        listed = (await api.call("GET", "/templates"))["items"]
        assert {"morning-health-check", "nightly-commit-review", "weekly-dependency-look"} == {
            template["id"] for template in listed
        }
        for template in listed:
            body = {"repositoryId": api.rig.repository_id, "template": template["id"]}
            made = await api.call("POST", "", status=201, json=body)
            assert template["scheduleExpr"] == made["scheduleExpr"]


async def test_an_unknown_repository_is_404(tmp_path: Path) -> None:
    async with served_api(tmp_path) as api:
        missing = await api.create(status=404, repositoryId=99999)
        assert "Repository 99999 not found." == missing["error"]["message"]


async def test_templates_are_turned_by_limit_and_cursor_as_all_lists_are(tmp_path: Path) -> None:
    async with served_api(tmp_path) as server:
        path = "/api/automations/templates"
        whole = (await server.http.get(path)).json()
        turned: list[Any] = []
        query = {"limit": "1"}
        while True:
            page = (await server.http.get(path, params=query)).json()
            assert 1 == len(page["items"])
            turned += page["items"]
            if page["nextCursor"] is None:
                break
            query["cursor"] = page["nextCursor"]
        assert whole == {"items": turned, "nextCursor": None}
        foreign = (await server.http.get("/api/events", params={"limit": 1})).json()["nextCursor"]
        assert 400 == (await server.http.get(path, params={"cursor": foreign})).status_code
