"""Commit and merge in the page what a session of the real Codex left in its worktree."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
from playwright.sync_api import expect

from command_center.actors.codex.settings import Transport
from tests.actors.git.remote import local_ssh
from tests.browser.conftest import OpenPage, made
from tests.browser.test_agents import photograph
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.test_transports import reached_by


@attrs.frozen
class Left:
    """The address of an ended session's page, and the repository in whose worktree it worked."""

    url: str
    repository: Path
    model: ScriptedModel

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.repository), *arguments],  # noqa: S607 - the user's own git
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()


@pytest.fixture
def left(tmp_path: Path, codex_binary: Path, repository: Path) -> Iterator[Left]:
    for key, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
        subprocess.run(["git", "-C", str(repository), "config", key, value], check=True)  # noqa: S607 - as above
    with (
        ScriptedModel() as model,
        reached_by(Transport.SPAWN, tmp_path, codex_binary, model) as reached,
        httpx.Client(base_url=reached.server.url, trust_env=False, timeout=30) as client,
    ):
        model.script = (Run("echo '# Ours' > README.md; echo 1 > one.txt"), Say.text("Done."))
        flags = {"allowWrite": True, "requireWorktree": True}
        registered = made(client, "/api/repos", {"localPath": str(repository), **flags})
        wanted = {"repositoryId": registered["id"], "title": "Make it ours", "prompt": "Do it."}
        task = made(client, "/api/tasks", wanted)
        session = made(client, f"/api/tasks/{task['id']}/run", {})["session"]
        yield Left(
            f"{reached.server.url}/#/sessions/{session['id']}?pane=changes", repository, model
        )


def change_readme(left: Left, branch: str) -> None:
    """Give a branch that is checked out nowhere a commit with another README.md."""
    blob = left.git("hash-object", "-w", ".git/HEAD")
    tree = subprocess.run(
        ["git", "-C", str(left.repository), "mktree"],  # noqa: S607 - as above
        input=f"100644 blob {blob}\tREADME.md\n",
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    made = left.git("commit-tree", "-p", branch, tree, "-m", "Theirs")
    left.git("update-ref", f"refs/heads/{branch}", made)


@pytest.mark.parametrize(
    ("device", "scheme"), [("phone", "dark"), ("desktop", "light")], ids=["phone", "desktop"]
)
def test_what_a_session_left_is_committed_and_merged(
    left: Left, open_page: OpenPage, request: pytest.FixtureRequest, *, device: str, scheme: Any
) -> None:
    page = open_page(left.url, device=device, color_scheme=scheme, expected={409}).page
    card = page.get_by_role("region", name="Landing")
    expect(card).to_contain_text("Not committed")
    expect(card).to_contain_text("2 files +2")
    files = page.locator(".file")
    expect(files.nth(1).locator(".add").filter(has_text="1")).not_to_have_count(0)
    photograph(page, f"{request.node.name}-left")
    card.get_by_role("button", name="Commit…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Message")).to_have_value("Make it ours")
    photograph(page, f"{request.node.name}-commit")
    dialog.get_by_label("Message").fill("Make it ours, at last")
    dialog.get_by_role("button", name="Commit", exact=True).click()
    expect(card).to_contain_text("1 commit")
    assert "Begin" == left.git("log", "-1", "--format=%s", "main")
    photograph(page, f"{request.node.name}-committed")
    card.get_by_role("button", name="Merge into main…").click()
    dialog.get_by_label("Into").fill("release")
    left.git("branch", "release", "main")
    change_readme(left, "release")
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("README.md")
    expect(dialog.get_by_role("button", name="Resolve with Codex")).to_be_visible()
    photograph(page, f"{request.node.name}-conflicts")
    dialog.get_by_label("Into").fill("main")
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(card).to_have_count(0)
    assert "Make it ours, at last" == left.git("log", "-1", "--format=%s", "main")
    assert "1" == (left.repository / "one.txt").read_text().strip()
    cleaned = httpx.post(f"{left.url.partition('/#')[0]}/api/repos/1/worktrees/clean", json={})
    assert 1 == len(cleaned.json()["items"])
    page.reload()
    pane = page.locator(".pane-changes")
    expect(pane).to_contain_text("is gone")
    expect(pane.get_by_role("alert")).to_have_count(0)


@pytest.mark.skipif(sys.platform == "win32", reason="The other side is a script.")
def test_what_is_committed_is_pushed_once_a_person_has_seen_where_it_goes(
    request: pytest.FixtureRequest,
    open_page: OpenPage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", str(local_ssh(tmp_path)))
    bare = tmp_path / "bare"
    subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)  # noqa: S607 - as above
    left: Left = request.getfixturevalue("left")
    left.git("remote", "add", "origin", f"git@example.org:{bare}")
    page = open_page(left.url, device="phone", color_scheme="dark").page
    card = page.get_by_role("region", name="Landing")
    dialog = page.get_by_role("dialog")
    card.get_by_role("button", name="Commit…").click()
    dialog.get_by_role("button", name="Commit", exact=True).click()
    expect(card).to_contain_text("1 commit")
    card.get_by_role("button", name="Push…").click()
    photograph(page, f"{request.node.name}-push")
    dialog.get_by_role("button", name="Push", exact=True).click()
    expect(card).to_contain_text("waits for an approval")
    photograph(page, f"{request.node.name}-waits")
    card.get_by_role("link", name="decide").click()
    approval = page.get_by_role("article")
    expect(approval).to_contain_text(f"git@example.org:{bare}")
    expect(approval).to_contain_text("Make it ours")
    photograph(page, f"{request.node.name}-asked")
    approval.get_by_role("button", name="Approve").click()
    page.goto(left.url)
    expect(card).to_contain_text("is there", timeout=30_000)
    photograph(page, f"{request.node.name}-pushed")
    listed = subprocess.run(
        ["git", "-C", str(bare), "log", "--format=%s", "--branches"],  # noqa: S607 - as above
        check=True,
        capture_output=True,
        text=True,
    )
    assert "Make it ours" == listed.stdout.splitlines()[0]


def test_codex_resolves_what_conflicts(left: Left, open_page: OpenPage) -> None:
    page = open_page(left.url, device="phone", expected={409}).page
    card = page.get_by_role("region", name="Landing")
    card.get_by_role("button", name="Commit…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Commit", exact=True).click()
    expect(card).to_contain_text("1 commit")
    (left.repository / "README.md").write_text("# Theirs\n")
    left.git("commit", "--quiet", "--all", "-m", "Theirs")
    left.model.script = (Run("echo '# Both' > README.md"), Say.text("Resolved."))
    card.get_by_role("button", name="Merge into main…").click()
    dialog.get_by_role("button", name="Merge", exact=True).click()
    dialog.get_by_role("button", name="Resolve with Codex").click()
    page.wait_for_url("**/#/sessions/2*")
    page.get_by_role("button", name="Changes").click()
    expect(card).to_contain_text("Not committed")
    asked = str(left.model.requests[-1].body)
    assert "- README.md" in asked
    card.get_by_role("button", name="Commit…").click()
    dialog.get_by_role("button", name="Commit", exact=True).click()
    expect(card).to_contain_text("2 commits")
    card.get_by_role("button", name="Merge into main…").click()
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(card).to_have_count(0)
    assert "# Both" == (left.repository / "README.md").read_text().strip()
    assert "Ada" == left.git("log", "-1", "--format=%an", "main")
