"""Events past a person: decided by a model, let out by rules, left in the background."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, made
from tests.browser.test_agents import photograph
from tests.codex.schemas import schema_of
from tests.codex.script import CallTool, Run, Say, Script
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.hostile import allow
from tests.end_to_end.server import Server
from tests.end_to_end.test_reviewer import REVIEW

BOTH = pytest.mark.parametrize(("device", "scheme"), [("phone", "dark"), ("desktop", "light")])


@pytest.fixture
def outside() -> Iterator[Path]:
    """A place that no sandbox may write to, as temporary folders are."""
    with tempfile.TemporaryDirectory(prefix=".command-center-test-", dir=Path.home()) as folder:
        yield Path(folder) / "written"


def begin(server: Server, repository: Path, **flags: object) -> None:
    """A first session, whose turn begins."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        wish = {"localPath": str(repository), "allowWrite": True, **flags}
        made(client, "/api/repos", wish)
        made(client, "/api/tasks", {"repositoryId": 1, "title": "Write", "prompt": "Begin."})
        made(client, "/api/tasks/1/run", {})


def ended(page: Page, status: str) -> None:
    expect(page.locator(".head").get_by_text(status)).to_be_visible()


@BOTH
def test_what_a_model_decides_is_shown_at_the_command_with_its_reason(
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    *,
    outside: Path,
    open_page: OpenPage,
    request: pytest.FixtureRequest,
    device: str,
    scheme: Any,
) -> None:
    verdict = {
        "risk_level": "high",
        "user_authorization": "low",
        "outcome": "deny",
        "rationale": "Nobody asked for a file there.",
    }

    def choose(prompt: str) -> Script:
        if REVIEW in prompt:
            return (Say.text(json.dumps(verdict)),)
        return (Run(f"touch {outside}", justification="May I?"), Say.text("I tried."))

    scripted_model.choose = choose
    begin(codex_server, repository, reviewer="auto")
    page = open_page(f"{codex_server.url}/#/sessions/1", device=device, color_scheme=scheme).page
    ended(page, "Completed")
    entry = page.get_by_role("list", name="Transcript").get_by_role("listitem")
    command = entry.filter(has_text="touch")
    expect(command).to_contain_text("A model decided: denied, high risk.")
    expect(command).to_contain_text("Nobody asked for a file there.")
    photograph(page, request.node.name)
    if device == "phone":
        page.get_by_role("button", name="Timeline").click()
    event = page.get_by_role("list", name="Timeline").get_by_text("session.auto_review")
    expect(event).to_be_visible()
    told = page.get_by_role("list", name="Timeline")
    expect(told).to_contain_text("denied · Nobody asked for a file there.")


@BOTH
def test_a_command_that_nobody_was_asked_of_says_so(
    codex_home: Path,
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    *,
    outside: Path,
    open_page: OpenPage,
    request: pytest.FixtureRequest,
    device: str,
    scheme: Any,
) -> None:
    codex_server.stop()
    (codex_home / "rules").mkdir()
    (codex_home / "rules" / "default.rules").write_text(allow("touch"))
    codex_server.start()
    scripted_model.script = (Run("echo in"), Run(f"touch {outside}"), Say.text("Done."))
    begin(codex_server, repository)
    page = open_page(f"{codex_server.url}/#/sessions/1", device=device, color_scheme=scheme).page
    ended(page, "Completed")
    entry = page.get_by_role("list", name="Transcript").get_by_role("listitem")
    said = "Nobody was asked: your Codex rules allow “touch” outside of the sandbox."
    expect(entry.filter(has_text="touch").get_by_text(said)).to_be_visible()
    expect(page.get_by_text(said)).to_have_count(1)
    photograph(page, request.node.name)


@BOTH
def test_a_command_that_outlives_its_turn_is_in_the_background_and_can_be_ended(
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    open_page: OpenPage,
    *,
    request: pytest.FixtureRequest,
    device: str,
    scheme: Any,
) -> None:
    variants = schema_of("ClientRequest")["oneOf"]
    if not any("backgroundTerminals/list" in str(variant) for variant in variants):
        pytest.skip("This Codex does not list the commands that it leaves.")
    serve = "while :; do sleep 0.1; done"
    patience = {"login": False, "yield_time_ms": 250}
    scripted_model.script = (
        CallTool("exec_command", {"cmd": serve, **patience}),
        Say.text("It goes on."),
    )
    begin(codex_server, repository)
    page = open_page(f"{codex_server.url}/#/sessions/1", device=device, color_scheme=scheme).page
    ended(page, "Completed")
    entry = page.get_by_role("list", name="Transcript").get_by_role("listitem")
    command = entry.filter(has_text=serve)
    expect(command.get_by_text("in the background")).to_be_visible()
    left = page.get_by_text("1 command of this session still runs in the background.")
    expect(left).to_be_visible()
    photograph(page, request.node.name)
    page.reload()
    expect(command.get_by_text("in the background")).to_be_visible()
    page.get_by_role("button", name="End it").click()
    page.get_by_role("dialog").get_by_role("button", name="End it").click()
    expect(left).to_have_count(0)
    expect(command.get_by_text("in the background")).to_have_count(0)
