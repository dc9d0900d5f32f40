"""A thread of Codex in the page: its past is read, it is named, forked, taken back and deleted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.actors.git.repository import plain_git
from tests.browser.conftest import OpenPage, made
from tests.browser.test_agents import photograph
from tests.browser.test_screens import AXE, SERIOUS
from tests.browser.watching import settle
from tests.codex.script import AddFile, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Server
from tests.end_to_end.test_threads import exec_elsewhere

BOTH = pytest.mark.parametrize(("device", "scheme"), [("phone", "light"), ("desktop", "dark")])


def look(page: Page, name: str) -> None:
    """See that everybody can use what is shown, and take a picture."""
    settle(page)
    page.evaluate(AXE)
    assert [] == page.evaluate(SERIOUS)
    photograph(page, name)


def share(page: Page) -> None:
    """Take the session as a page of its own."""
    page.get_by_text("Share it", exact=True).click()
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="As a page").click()
    assert "session-1.html" == downloaded.value.suggested_filename
    assert "Greet them." in downloaded.value.path().read_text("utf-8")


@BOTH
def test_a_thread_is_read_named_forked_taken_back_archived_and_deleted(
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    *,
    open_page: OpenPage,
    request: pytest.FixtureRequest,
    device: str,
    scheme: Any,
) -> None:
    with httpx.Client(base_url=codex_server.url, timeout=30, trust_env=False) as client:
        made(client, "/api/repos", {"localPath": str(repository)})
        made(client, "/api/tasks", {"repositoryId": 1, "title": "Greet", "prompt": "Greet them."})
        made(client, "/api/tasks/1/run", {})
    page = open_page(f"{codex_server.url}/#/sessions/1?pane=details", device=device).page
    page.emulate_media(color_scheme=scheme)
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    expect(page.get_by_label("Context").get_by_text("% used")).to_be_visible()
    look(page, f"{request.node.name}-context")
    share(page)
    page.get_by_role("link", name="Its past, fork, take back").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("What to say").fill("Once more.")
    page.get_by_role("button", name="Start a turn").click()
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    page.go_back()

    turns = page.get_by_label("Turn", exact=True)
    expect(turns).to_have_count(2)
    expect(turns.nth(0)).to_contain_text("Greet them.")
    expect(turns.nth(1)).to_contain_text("Once more.")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name").fill("The greeting")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.locator("h1")).to_have_text("The greeting")
    look(page, f"{request.node.name}-thread")

    before = page.url
    turns.nth(0).get_by_role("button", name="Fork from here").click()
    expect(page).not_to_have_url(before)
    expect(turns).to_have_count(1)
    forked = page.url
    page.goto(before)
    expect(turns).to_have_count(2)
    turns.nth(1).get_by_role("button", name="Take back to before this").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Files stay as they are")
    look(page, f"{request.node.name}-back")
    dialog.get_by_role("button", name="Take it back").click()
    expect(turns).to_have_count(1)
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("button", name="Bring back")).to_be_visible()
    page.get_by_role("button", name="Bring back").click()
    expect(page.get_by_role("button", name="Archive")).to_be_visible()
    page.goto(forked)
    expect(turns.nth(0)).to_contain_text("Greet them.")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    expect(page).to_have_url(re.compile("#/threads$"))
    expect(page.locator("main ul.rows a")).to_have_count(1)


@BOTH
def test_a_review_is_begun_in_the_changes_and_its_findings_stand_at_the_lines(
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    *,
    open_page: OpenPage,
    request: pytest.FixtureRequest,
    device: str,
    scheme: Any,
) -> None:
    scripted_model.script = (AddFile("greeting.txt", "hello\nhello\n"), Say.text("Done."))
    with httpx.Client(base_url=codex_server.url, timeout=30, trust_env=False) as client:
        made(client, "/api/repos", {"localPath": str(repository), "allowWrite": True})
        made(client, "/api/tasks", {"repositoryId": 1, "title": "Greet", "prompt": "Greet them."})
        run = made(client, "/api/tasks/1/run", {"workplace": "worktree"})
    page = open_page(f"{codex_server.url}/#/sessions/1?pane=changes", device=device).page
    page.emulate_media(color_scheme=scheme)
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    place = {
        "absolute_file_path": f"{run['session']['cwd']}/greeting.txt",
        "line_range": {"start": 2, "end": 2},
    }
    found = {"title": "Greet once", "body": "It is said twice.", "code_location": place}
    more = {"confidence_score": 0.9, "priority": 1}
    said = {
        "findings": [{**found, **more}],
        "overall_correctness": "patch is incorrect",
        "overall_explanation": "It greets twice.",
        "overall_confidence_score": 0.9,
    }
    scripted_model.script = (Say((json.dumps(said),)),)
    page.get_by_role("button", name="Review…").click()
    look(page, f"{request.node.name}-sheet")
    page.get_by_role("dialog").get_by_role("button", name="Review", exact=True).click()
    expect(page).to_have_url(re.compile("#/sessions/2"))
    link = page.get_by_role("link", name="comments on the work")
    expect(page.get_by_label("Result")).to_contain_text("1 finding")
    look(page, f"{request.node.name}-result")
    link.click()
    comment = page.locator(".comment").filter(has_text="It is said twice.")
    expect(comment.get_by_role("link", name="found by a review")).to_be_visible()
    look(page, f"{request.node.name}-comment")


def take_back_with_files(page: Page, folder: Path, name: str) -> None:
    """Take it back while a cherry-pick waits in the worktree, and its files back afterwards."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Put the files of its worktree back").check()
    look(page, f"{name}-back")
    waits = Path((folder / ".git").read_text().split()[1]) / "CHERRY_PICK_HEAD"
    waits.write_text(plain_git(folder, "rev-parse", "HEAD"))
    dialog.get_by_role("button", name="Take it back").click()
    expect(dialog.get_by_role("alert")).to_contain_text("cherry-pick")
    expect(dialog.get_by_role("status")).to_contain_text("It is taken back.")
    look(page, f"{name}-files-stay")
    waits.unlink()
    dialog.get_by_role("button", name="Put its files back").click()


def test_taking_a_thread_back_puts_files_back_too_and_that_is_undone(
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    *,
    open_page: OpenPage,
    request: pytest.FixtureRequest,
) -> None:
    scripted_model.script = (AddFile("one.txt", "1\n"), Say.text("One."))
    with httpx.Client(base_url=codex_server.url, timeout=30, trust_env=False) as client:
        made(client, "/api/repos", {"localPath": str(repository), "allowWrite": True})
        made(client, "/api/tasks", {"repositoryId": 1, "title": "Count", "prompt": "Count."})
        run = made(client, "/api/tasks/1/run", {"workplace": "worktree"})
    folder = Path(run["session"]["cwd"])
    page = open_page(
        f"{codex_server.url}/#/sessions/1?pane=details", device="phone", expected={409}
    ).page
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    page.get_by_role("link", name="Its past, fork, take back").click()
    scripted_model.script = (AddFile("two.txt", "2\n"), Say.text("Two."))
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("What to say").fill("Count on.")
    page.get_by_role("button", name="Start a turn").click()
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    assert (folder / "two.txt").exists()
    page.go_back()

    turns = page.get_by_label("Turn", exact=True)
    turns.nth(1).get_by_role("button", name="Take back to before this").click()
    take_back_with_files(page, folder, request.node.name)
    dialog = page.get_by_role("dialog")
    expect(turns).to_have_count(1)
    assert (True, False) == ((folder / "one.txt").exists(), (folder / "two.txt").exists())

    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="dark")
    page.goto(f"{codex_server.url}/#/sessions/2?pane=changes")
    expect(page.locator(".changes-head")).to_contain_text("1 file")
    page.get_by_role("button", name="Put files back…").click()
    expect(dialog.get_by_role("radio")).to_have_count(5)
    dialog.get_by_label("Before files were put back").check()
    look(page, f"{request.node.name}-undo")
    dialog.get_by_role("button", name="Put back", exact=True).click()
    expect(page.locator(".changes-head")).to_contain_text("2 files")
    assert "2\n" == (folder / "two.txt").read_text()

    scripted_model.script = (Say.text("I saw a wombat."),)
    exec_elsewhere(codex_server, repository, "Look for animals.")
    with httpx.Client(base_url=codex_server.url, timeout=30, trust_env=False) as client:
        client.post("/api/codex/threads/import", json={}).raise_for_status()
    page.goto(f"{codex_server.url}/#/threads")
    page.get_by_placeholder("Search, then Enter").fill("wombat")
    page.keyboard.press("Enter")
    said = page.get_by_label("Said elsewhere").get_by_role("link")
    expect(said).to_have_count(1)
    expect(page.get_by_text("None fits the search.")).to_have_count(0)
    page.goto(f"{codex_server.url}/#/tasks?q=wombat")
    expect(said).to_have_count(1)
    look(page, f"{request.node.name}-said")
    said.click()
    expect(page.get_by_label("Turn", exact=True)).to_contain_text("Look for animals.")
