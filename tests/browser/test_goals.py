"""A goal, watched and paused in the browser, as the real Codex pursues it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from command_center.actors.codex.settings import Transport
from tests.browser.conftest import OpenPage, made
from tests.browser.test_agents import photograph
from tests.codex.script import Gate, Hold, Say, Script
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.test_goals import GOAL_TURN
from tests.end_to_end.test_transports import reached_by


@pytest.fixture
def gate() -> Gate:
    """Return where the model stands in the turn that Codex began for the goal."""
    return Gate()


@pytest.fixture
def address(tmp_path: Path, codex_binary: Path, repository: Path, gate: Gate) -> Iterator[str]:
    """A session that pursues a goal, in the page."""

    def choose(prompt: str) -> Script:
        if GOAL_TURN in prompt:
            return (Hold(gate, Say.text("The last one.")),)
        return (Say.text("Begun."),)

    with (
        ScriptedModel() as model,
        reached_by(Transport.SPAWN, tmp_path, codex_binary, model) as reached,
        httpx.Client(base_url=reached.server.url, trust_env=False, timeout=30) as client,
    ):
        model.choose = choose
        registered = made(client, "/api/repos", {"localPath": str(repository), "allowWrite": True})
        wanted = {"repositoryId": registered["id"], "title": "Files", "prompt": "Make files."}
        task = made(client, "/api/tasks", wanted)
        run = {"goal": {"objective": "Three files"}}
        session = made(client, f"/api/tasks/{task['id']}/run", run)["session"]
        yield f"{reached.server.url}/#/sessions/{session['id']}?pane=details"


@pytest.mark.parametrize(
    ("device", "scheme"), [("phone", "dark"), ("desktop", "light")], ids=["phone", "desktop"]
)
def test_a_goal_is_shown_as_it_is_pursued_paused_and_resumed(
    address: str,
    gate: Gate,
    open_page: OpenPage,
    request: pytest.FixtureRequest,
    *,
    device: str,
    scheme: Any,
) -> None:
    gate.wait_until_reached()
    page = open_page(address, device=device, color_scheme=scheme).page
    goal = page.get_by_role("region", name="Goal")
    expect(goal).to_contain_text("Three files")
    expect(goal).to_contain_text("turn 2")
    photograph(page, request.node.name)
    goal.get_by_role("button", name="Pause after this turn").click()
    expect(goal).to_contain_text("Paused")
    goal.get_by_role("button", name="Go on").click()
    expect(goal).to_contain_text("Active")
    goal.get_by_role("button", name="Pause after this turn").click()
    expect(goal).to_contain_text("Paused")
    gate.open()
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    expect(goal.get_by_role("button")).to_have_count(0)


def test_a_goal_is_cleared_and_its_turn_is_the_last_one(
    address: str, gate: Gate, open_page: OpenPage
) -> None:
    gate.wait_until_reached()
    page = open_page(address).page
    goal = page.get_by_role("region", name="Goal")
    goal.get_by_role("button", name="Clear the goal").click()
    expect(goal).to_have_count(0)
    gate.open()
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
