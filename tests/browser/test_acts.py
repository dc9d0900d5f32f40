"""Acts of the page on repositories, worktrees, automations, follow-ups and deadlines."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, made, make_repository
from tests.browser.watching import settle
from tests.end_to_end.server import Server


@pytest.fixture
def client(filled_server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=filled_server.url, trust_env=False, timeout=30) as client:
        yield client


def committed_in(folder: str, name: str) -> None:
    Path(folder, name).write_text("It is here.\n", encoding="utf-8")
    git = ["git", "-C", folder, "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for words in (["add", "."], ["commit", "-q", "-m", f"Add {name}"]):
        subprocess.run([*git, *words], check=True, capture_output=True)


def test_a_worktree_is_looked_at_merged_and_removed_and_the_repository_forgotten(
    client: httpx.Client, filled_server: Server, open_page: OpenPage, tmp_path: Path
) -> None:
    checkout = make_repository(tmp_path / "library")
    repository = made(client, "/api/repos", {"localPath": str(checkout), "allowWrite": True})
    at = f"/repos/{repository['id']}"
    worktree = made(client, f"/api{at}/worktrees", {"branchName": "cc/merged"})["path"]
    committed_in(worktree, "new.txt")
    going = {404, 409}  # what the page may ask of the repository while it goes
    page = open_page(f"{filled_server.url}/#{at}", expected=going).page
    row = page.locator(".worktree").filter(has_text="cc/merged")
    row.get_by_role("button", name="Diff").click()
    expect(row.locator(".diff .add").filter(has_text="It is here.")).to_be_visible()
    page.reload()
    expect(row.locator(".diff .add").filter(has_text="It is here.")).to_be_visible()
    row.get_by_role("button", name="Merge").click()
    page.get_by_role("dialog").get_by_role("button", name="Merge").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert "It is here.\n" == (checkout / "new.txt").read_text(encoding="utf-8")
    row.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove it", exact=True).click()
    expect(row).to_have_count(0)
    assert not Path(worktree).exists()
    keeping = page.get_by_role("region", name="How long its history is kept")
    keeping.get_by_label("Days of events").fill("90")
    keeping.get_by_label("Keep all its transcripts").check()
    keeping.get_by_role("button", name="Keep").click()
    expect(keeping.get_by_role("button", name="Keep")).to_have_count(0)
    kept = client.get(f"/api{at}").json()
    assert ("90d", "all") == (kept["keepEvents"], kept["keepTranscripts"])
    keeping.get_by_label("Keep all its transcripts").uncheck()
    keeping.get_by_label("Days of transcripts").fill("30")
    keeping.get_by_label("Days of events").fill("")
    keeping.get_by_label("Megabytes of events").fill("500")
    keeping.get_by_label("Megabytes of transcripts").fill("2000")
    keeping.get_by_role("button", name="Keep").click()
    expect(keeping.get_by_role("button", name="Keep")).to_have_count(0)
    kept = client.get(f"/api{at}").json()
    assert ("500MB", "30d,2000MB") == (kept["keepEvents"], kept["keepTranscripts"])
    page.get_by_role("button", name="Forget this repository").click()
    page.get_by_label("Remove its history, too").check()
    page.get_by_role("button", name="Forget it").click()
    expect(page.locator("h1")).to_have_text("Repositories")
    expect(page.locator("main").get_by_text("library", exact=True)).to_have_count(0)
    assert checkout.exists()
    told = client.get("/api/events", params={"type": "repo.deleted"}).json()["items"]
    assert (repository["id"], True) == (
        told[-1]["repositoryId"],
        told[-1]["data"]["historyRemoved"],
    )


def test_what_the_server_refuses_is_told_in_its_words(
    client: httpx.Client, filled_server: Server, open_page: OpenPage
) -> None:
    """The checkout of the first repository is held by a session that waits for approval."""
    made(client, "/api/repos/1/worktrees", {"branchName": "cc/refused"})
    page = open_page(f"{filled_server.url}/#/repos/1", expected={409}).page
    row = page.locator(".worktree").filter(has_text="cc/refused")
    row.get_by_role("button", name="Merge").click()
    page.get_by_role("dialog").get_by_role("button", name="Merge").click()
    expect(page.get_by_role("alert")).to_contain_text("Session 2 works in")


def test_a_switch_of_the_policy_is_kept(
    client: httpx.Client, filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/repos/1").page
    for is_on in (True, False):
        page.get_by_role("switch", name="Commit", exact=True).click()
        expect(page.get_by_role("switch", name="Commit", exact=True)).to_be_enabled()
        expect(page.get_by_role("switch", name="Commit", exact=True)).to_be_checked(checked=is_on)
        assert is_on is client.get("/api/repos/1").json()["allowCommit"]


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("Work side by side", "workplace", ("worktree", "main_checkout")),
        ("Use its own .codex files", "codexConfig", ("ask", "ignore")),
        ("Let a model decide", "reviewer", ("auto", "user")),
    ],
)
def test_a_switch_between_two_values_is_kept(
    client: httpx.Client,
    filled_server: Server,
    open_page: OpenPage,
    *,
    name: str,
    field: str,
    values: tuple[str, str],
) -> None:
    page = open_page(f"{filled_server.url}/#/repos/1").page
    for value in values:
        switch = page.get_by_role("switch", name=name)
        switch.click()
        expect(switch).to_be_enabled()
        expect(switch).to_be_checked(checked=value == values[0])
        assert value == client.get("/api/repos/1").json()[field]


def test_an_automation_is_made_run_paused_and_deleted(
    client: httpx.Client, filled_server: Server, open_page: OpenPage
) -> None:
    # Its runs may be asked for again while it is being deleted.
    page = open_page(f"{filled_server.url}/#/automations/new", expected={404}).page
    page.get_by_role("button", name="Nightly review").click()
    page.get_by_label("Title").fill("Look at it nightly")
    page.get_by_role("button", name="Create").click()
    expect(page.locator("h1")).to_have_text("Look at it nightly")
    address = page.url
    page.get_by_role("button", name="Run now").click()
    expect(page).to_have_url(re.compile("/sessions/[0-9]+"))
    page.goto(address)
    expect(page.locator("main .rows").first).to_contain_text("Manual")
    page.get_by_role("switch", name="Enabled").click()
    expect(page.get_by_role("switch", name="Enabled")).not_to_be_checked()
    found = client.get(f"/api/automations/{address.rpartition('/')[2]}").json()
    assert found["enabled"] is False
    page.get_by_role("button", name="Delete this automation").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("h1")).to_have_text("Automations")
    expect(page.get_by_text("Look at it nightly")).to_have_count(0)


def test_a_task_is_edited_and_cancelled(
    client: httpx.Client, filled_server: Server, open_page: OpenPage
) -> None:
    body = {"repositoryId": 1, "title": "Before", "prompt": "Do."}
    task: dict[str, Any] = made(client, "/api/tasks", body)
    page = open_page(f"{filled_server.url}/#/tasks/{task['id']}").page
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Title").fill("After")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("After")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the task").click()
    expect(page.locator(".head").get_by_text("Cancelled")).to_be_visible()


def test_a_short_deadline_is_put_off_by_an_hour(
    client: httpx.Client, filled_server: Server, open_page: OpenPage
) -> None:
    approval = made(client, "/api/approvals", {"title": "In a hurry?", "ttlSeconds": 1800})
    page = open_page(f"{filled_server.url}/#/approvals/{approval['id']}").page
    expect(page.get_by_text("29 min")).to_be_visible()
    page.get_by_role("button", name="One hour more").click()
    expect(page.get_by_text("1 h 29 min left")).to_be_visible()
    expect(page.get_by_role("button", name="One hour more")).to_have_count(0)
    made(client, f"/api/approvals/{approval['id']}/resolve", {"status": "rejected"})


def test_the_page_can_be_installed(filled_server: Server, open_page: OpenPage) -> None:
    page = open_page(filled_server.url).page
    settle(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    session = page.context.new_cdp_session(page)
    assert [] == session.send("Page.getAppManifest")["errors"]
    found = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # A test's profile is private, and nothing is installed from one.
    assert {"in-incognito"} >= {error["errorId"] for error in found}
