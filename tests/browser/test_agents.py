"""The sub-agents of a session in the browser: a tree that grows, each with its own transcript."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, made
from tests.browser.watching import settle
from tests.codex.script import AddFile, Gate, Run, Say, Script, SpawnAgent, WaitForAgents
from tests.codex.scripted_model import OLD_MODEL, ScriptedModel
from tests.end_to_end.server import Server

BEGIN = (
    SpawnAgent("You are the tester: run the tests.", "tests"),
    SpawnAgent("You are the writer: write the notes.", "notes"),
    WaitForAgents(60),
    WaitForAgents(60),
    Say.text("All of it is done."),
)


def begin(server: Server, repository: Path) -> None:
    """A first session, whose turn begins."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        # In a worktree, git says what has changed; here each agent does.
        allowed = {"allowWrite": True, "workplace": "main_checkout"}
        made(client, "/api/repos", {"localPath": str(repository), **allowed})
        made(client, "/api/tasks", {"repositoryId": 1, "title": "Delegate", "prompt": "Begin."})
        made(client, "/api/tasks/1/run", {})


def photograph(page: Page, name: str) -> None:
    """Keep a picture, where `CC_TEST_PICTURES` names a folder for them."""
    folder = os.environ.get("CC_TEST_PICTURES")
    if folder:
        settle(page)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize(
    ("device", "scheme", "codex_model"),
    [("phone", "dark", None), ("desktop", "light", OLD_MODEL)],
    ids=["phone", "desktop"],
)
def test_sub_agents_are_a_tree_of_transcripts_that_grow(
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    open_page: OpenPage,
    *,
    device: str,
    scheme: Any,
    codex_model: str | None,
    request: pytest.FixtureRequest,
) -> None:
    gate = Gate()

    def choose(prompt: str) -> Script:
        if "tester" in prompt:
            return (
                Run("echo 12 passed"),
                Run("echo once more", justification="May I run them outside?"),
                Say.text("The tests", gate, " pass."),
            )
        if "writer" in prompt:
            return (AddFile("NOTES.md", "It works.\n"), Say.text("The notes are written."))
        return BEGIN

    scripted_model.choose = choose
    begin(codex_server, repository)
    page = open_page(f"{codex_server.url}/#/sessions/1", device=device, color_scheme=scheme).page
    agents = page.get_by_role("region", name="Sub-agents")
    expect(agents.locator(".branch")).to_have_count(2)
    tester = agents.locator(".branch", has_text="tests").first
    if codex_model is not None:
        tester = agents.locator(".branch", has_text="run the tests")
    expect(page.get_by_text("The sub-agent", exact=False)).to_be_visible()
    expect(tester.get_by_text("Running")).to_be_visible()
    tester.locator("summary").first.click()
    told = tester.get_by_role("list")
    expect(told.get_by_text("echo 12 passed")).to_be_visible()
    expect(told.get_by_text("waits for you")).to_be_visible()
    photograph(page, f"{request.node.name}-asked")
    page.get_by_role("button", name="Approve").click()
    gate.wait_until_reached()
    expect(told.get_by_text("The tests", exact=True)).to_be_visible()  # while it is written
    gate.open()
    expect(told.get_by_text("The tests pass.")).to_be_visible()
    expect(tester.get_by_text("Completed").first).to_be_visible()
    own = page.get_by_role("list", name="Transcript", exact=True)
    expect(own.get_by_text("All of it is done.")).to_be_visible()
    expect(own.get_by_text("echo 12 passed")).to_have_count(0)
    writer = agents.locator(".branch", has_text="The notes are written.")
    writer.locator("summary").first.click()
    expect(writer.locator(".diff .add").filter(has_text="It works.")).to_be_visible()
    expect(tester.get_by_text("360 tokens")).to_be_visible()
    photograph(page, f"{request.node.name}-done")
    if device == "phone":
        page.get_by_role("button", name="Changes").click()
    changes = page.get_by_role("region", name="Changes")
    expect(changes.get_by_role("heading", name="By")).to_be_visible()
    expect(changes.locator(".diff .add").filter(has_text="It works.")).to_be_visible()
    if device == "phone":
        page.get_by_role("button", name="Transcript").click()
    page.reload()
    expect(agents.locator(".branch")).to_have_count(2)
    agents.locator(".branch summary").first.click()
    expect(agents.get_by_text("echo 12 passed")).to_be_visible()
