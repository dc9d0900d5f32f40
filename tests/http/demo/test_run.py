"""The demo: what it begins with, and that its stand-in for Codex plays whole turns."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from command_center.http.demo.run import begin_work, run_demo
from command_center.http.demo.scripts import DEMO, Say, play_for
from tests.checkout import ROOT

SECONDS = 60.0


@pytest.fixture(scope="module")
def demo() -> Iterator[httpx.Client]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CC_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "command_center.http", "demo", "--port", "0"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = re.search(r"http://\S+", process.stdout.readline())
    assert address is not None
    with httpx.Client(base_url=address[0], timeout=30, trust_env=False) as client:
        yield client
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    if sys.platform != "win32":
        assert 0 == process.returncode


def until(demo: httpx.Client, path: str, **wanted: object) -> Any:
    """The first record of a list that has these members, once there is one."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for item in demo.get(path).json()["items"]:
            if wanted.items() <= item.items():
                return item
        time.sleep(0.1)
    raise AssertionError(f"{path} has no {wanted}")


def test_what_it_begins_with_is_left_where_it_has_ended_already() -> None:
    begin_work("http://127.0.0.1:9")


def test_ctrl_c_again_while_it_is_taken_away_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Pressed(tempfile.TemporaryDirectory[str]):
        def cleanup(self) -> None:
            folders.append(Path(self.name))
            signal.raise_signal(signal.SIGINT)
            super().cleanup()

    folders: list[Path] = []
    monkeypatch.setattr(tempfile, "TemporaryDirectory", Pressed)
    monkeypatch.setattr("command_center.http.demo.run.run", lambda *_: 0)
    before = signal.getsignal(signal.SIGINT)
    try:
        run_demo(0)
    finally:
        signal.signal(signal.SIGINT, before)
    (folder,) = folders
    assert not folder.exists()


def test_it_has_a_past(demo: httpx.Client) -> None:
    summary = demo.get("/api/telemetry/summary", params={"window": "30d"}).json()
    assert summary["sessions"]["outcomes"]["completed"] > 10
    assert summary["tokens"]["total"] > 0


def test_its_automations_ran_when_they_were_due(demo: httpx.Client) -> None:
    for automation in demo.get("/api/automations").json()["items"]:
        runs = demo.get(f"/api/automations/{automation['id']}/runs").json()["items"]
        newest = runs[0]
        assert ("schedule", "completed") == (newest["trigger"], newest["outcome"])
        assert (newest["sessionId"], "completed") == (
            automation["lastSessionId"],
            automation["lastOutcome"],
        )
        task = demo.get(f"/api/tasks/{newest['taskId']}").json()
        assert (automation["id"], automation["title"]) == (task["automationId"], task["title"])


def test_what_it_begins_with_asks_for_a_decision_and_goes_on_after_it(demo: httpx.Client) -> None:
    asked = until(demo, "/api/approvals?status=pending", kind="command")
    demo.post(f"/api/approvals/{asked['id']}/resolve", json={"status": "approved"})
    ended = until(demo, "/api/sessions", id=asked["sessionId"], status="completed")
    assert "+RETRIES = 2" in ended["diff"]
    said = demo.get(f"/api/sessions/{ended['id']}/items").json()["items"]
    assert any(DEMO.strip() in str(item["body"].get("text")) for item in said)


def test_a_question_is_answered(demo: httpx.Client) -> None:
    asked = until(demo, "/api/approvals?status=pending", kind="user_input")
    answers = {"choice": "customer_id"}
    body = {"status": "approved", "answers": answers}
    assert 200 == demo.post(f"/api/approvals/{asked['id']}/resolve", json=body).status_code
    until(demo, "/api/sessions", id=asked["sessionId"], status="completed")


def test_a_turn_is_steered_and_stopped_and_its_thread_forked(demo: httpx.Client) -> None:
    body = {"repositoryId": 2, "title": "Look", "prompt": "Look around."}
    task = demo.post("/api/tasks", json=body).json()
    session = demo.post(f"/api/tasks/{task['id']}/run").json()["session"]
    until(demo, "/api/sessions", id=session["id"], status="running")
    steered = demo.post(f"/api/sessions/{session['id']}/steer", json={"message": "Briefly."})
    assert 200 == steered.status_code, steered.text
    stopped = demo.post(f"/api/sessions/{session['id']}/stop").json()["session"]
    assert "stopped" == stopped["status"]
    path = f"/api/codex/threads/{stopped['codexThreadId']}"
    named = demo.patch(path, json={"name": "Round the house"}).json()
    assert "Round the house" == named["thread"]["name"]
    fork = demo.post(f"{path}/fork", json={}).json()["thread"]["id"]
    turns = demo.get(f"/api/codex/threads/{fork}/turns").json()["items"]
    back = demo.post(f"{path}/revert", json={"beforeTurnId": turns[-1]["id"]})
    assert 200 == back.status_code, back.text
    assert [] == demo.get(f"{path}/turns").json()["items"]
    assert 200 == demo.patch(path, json={"archived": True}).status_code
    assert 200 == demo.delete(path).status_code
    assert 404 == demo.get(path).status_code


@pytest.mark.parametrize("prompt", ["The cart", "A payment", "An index", "Anything"])
def test_every_play_says_first_that_it_is_a_demo(prompt: str) -> None:
    first = play_for(prompt)[0]
    assert isinstance(first, Say)
    assert first.text.startswith(DEMO)
