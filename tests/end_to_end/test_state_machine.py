"""Random operations over HTTP, against a model: states, events and approvals always agree.

The model knows what each answer may be from what was answered before. Turns end by themselves
while the operations run, so the model bounds what is possible; and at the end, when nothing runs
any more, everything must be told by the events exactly as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    multiple,
    rule,
    run_state_machine_as_test,
)

from command_center.actors.rules.transitions import TRANSITIONS
from command_center.store.statuses import FINAL
from tests.end_to_end.server import Server

ENDED = {*FINAL, "blocked"}


def machine_for(  # noqa: C901 - a list of operations
    server: Server, repository: Path
) -> type[RuleBasedStateMachine]:
    """The machine that drives this server."""
    http = httpx.Client(base_url=server.url, timeout=30)
    registered = http.post(
        "/api/repos", json={"localPath": str(repository), "allowWrite": True}
    ).json()

    class Operations(RuleBasedStateMachine):
        tasks = Bundle("tasks")
        sessions = Bundle("sessions")
        approvals = Bundle("approvals")

        def __init__(self) -> None:
            super().__init__()
            self.made: list[int] = []
            self.settled: dict[int, str] = {}

        @rule(target=tasks, ask=st.booleans(), attempts=st.integers(1, 3))
        def create_task(self, *, ask: bool, attempts: int) -> int:
            body = {
                "repositoryId": registered["id"],
                "title": "T",
                "prompt": "P",
                "approvalRequired": ask,
                "maxAttempts": attempts,
            }
            answer = http.post("/api/tasks", json=body)
            assert 201 == answer.status_code
            return int(answer.json()["id"])

        @rule(targets=(sessions,), task=tasks)
        def run(self, task: int) -> Any:
            before = http.get(f"/api/tasks/{task}").json()
            answer = http.post(f"/api/tasks/{task}/run", json={})
            assert answer.status_code in {201, 202, 409}, answer.text
            if answer.status_code == 409:
                return multiple()
            assert before["status"] != "cancelled"
            outcome = answer.json()
            assert before["approvalRequired"] == outcome.get("blocked", False)
            self.made.append(outcome["session"]["id"])
            return outcome["session"]["id"]

        @rule(target=sessions, task=tasks)
        def create_session(self, task: int) -> Any:
            answer = http.post(f"/api/tasks/{task}/sessions", json={})
            assert answer.status_code in {201, 409}, answer.text
            if answer.status_code == 409:
                return multiple()
            self.made.append(answer.json()["id"])
            return answer.json()["id"]

        @rule(session=sessions, status=st.sampled_from(["running", "queued", "stopped"]))
        def patch(self, session: int, status: str) -> None:
            before = http.get(f"/api/sessions/{session}").json()
            answer = http.patch(f"/api/sessions/{session}", json={"status": status})
            assert answer.status_code in {200, 409}, answer.text
            if before["finishedAt"] is not None and status != "stopped":
                assert 409 == answer.status_code
            if answer.status_code == 409:
                named = answer.json()["error"]["facts"]
                assert {"currentStatus"} <= set(named)

        @rule(session=sessions)
        def stop(self, session: int) -> None:
            answer = http.post(f"/api/sessions/{session}/stop", json={})
            assert 200 == answer.status_code
            assert answer.json()["session"]["finishedAt"] is not None

        @rule(session=sessions)
        def steer(self, session: int) -> None:
            answer = http.post(f"/api/sessions/{session}/steer", json={"message": "Hm."})
            assert 409 == answer.status_code

        @rule(session=sessions)
        def follow_up(self, session: int) -> None:
            answer = http.post(f"/api/sessions/{session}/followups", json={"message": "Then?"})
            assert answer.status_code in {201, 409}, answer.text

        @rule(target=approvals, session=sessions)
        def find_approvals(self, session: int) -> Any:
            found = http.get("/api/approvals", params={"sessionId": session}).json()["items"]
            return multiple(*(approval["id"] for approval in found))

        @rule(approval=consumes(approvals), status=st.sampled_from(["approved", "rejected"]))
        def resolve(self, approval: int, status: str) -> None:
            answer = http.post(f"/api/approvals/{approval}/resolve", json={"status": status})
            assert answer.status_code in {200, 409}, answer.text
            if answer.status_code == 200:
                assert approval not in self.settled
                self.settled[approval] = status

        @rule(task=tasks, status=st.sampled_from(["open", "cancelled"]))
        def patch_task(self, task: int, status: str) -> None:
            answer = http.patch(f"/api/tasks/{task}", json={"status": status})
            assert answer.status_code in {200, 409}, answer.text

        def teardown(self) -> None:
            """Let everything end, and hold what is against what was told."""
            for session in self.made:
                http.post(f"/api/sessions/{session}/stop", json={})
            for session in self.made:
                check_session(http, session)
            for approval, status in self.settled.items():
                assert status == http.get(f"/api/approvals/{approval}").json()["status"]

    return Operations


def check_session(http: httpx.Client, session_id: int) -> None:
    """The session, its approvals and its events say the same."""
    session = http.get(f"/api/sessions/{session_id}").json()
    assert session["finishedAt"] is not None
    assert session["status"] in ENDED
    told = http.get(f"/api/sessions/{session_id}/events", params={"limit": 500}).json()["items"]
    status = "created"
    for event in told:
        data = event["data"]
        if event["type"].startswith("session.") and "to" in data:
            assert status == data["from"], told
            assert data["to"] in TRANSITIONS[data["from"]], told
            status = data["to"]
    assert status == session["status"]
    ids = [event["id"] for event in told]
    assert sorted(ids) == ids
    for approval in http.get("/api/approvals", params={"sessionId": session_id}).json()["items"]:
        about = [event for event in told if event.get("approvalId") == approval["id"]]
        kinds = [event["type"] for event in about if event["type"].startswith("approval.")]
        assert ["approval.requested", "approval.resolved"] == kinds, about
        assert approval["status"] != "pending"


@pytest.mark.timeout(240)
def test_states_events_and_approvals_agree_whatever_is_done(
    stub_server: Server, repository: Path
) -> None:
    run_state_machine_as_test(
        machine_for(stub_server, repository),
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
