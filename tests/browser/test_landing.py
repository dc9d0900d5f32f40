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
from playwright.sync_api import Page, expect

from command_center.actors.codex.settings import Transport
from tests.actors.git.remote import local_ssh
from tests.browser.conftest import OpenPage, made
from tests.browser.test_agents import photograph
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.test_transports import reached_by
from tests.fake_github import TOKEN, FakeGitHub, fake_github


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


def commit_one_file(left: Left, page: Page, picture: str) -> None:
    """Commit one of two files, with the message that Codex writes, by another author."""
    card = page.get_by_role("region", name="Landing")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Message")).to_have_value("Make it ours\n\nDone.")
    photograph(page, f"{picture}-commit")
    left.model.script = (Say.text("Make the project ours"),)
    dialog.get_by_role("button", name="Ask Codex").click()
    expect(dialog.get_by_label("Message")).to_have_value("Make the project ours")
    dialog.get_by_label("one.txt").uncheck()
    expect(dialog).to_contain_text("1 of 2 files")
    dialog.get_by_text("Author").click()
    dialog.get_by_label("Name").fill("Grace")
    dialog.get_by_label("E-mail").fill("grace@example.org")
    photograph(page, f"{picture}-asked")
    dialog.get_by_role("button", name="Commit", exact=True).click()
    expect(card).to_contain_text("has 1 file")
    expect(card).to_contain_text("Hooks that did not run: pre-commit.")
    by_grace = left.git("log", "--all", "--author=Grace", "--name-only", "--format=%s")
    assert ["Make the project ours", "", "README.md"] == by_grace.split("\n")
    expect(card).to_contain_text("1 file +1")


@pytest.mark.parametrize(
    ("device", "scheme"), [("phone", "dark"), ("desktop", "light")], ids=["phone", "desktop"]
)
def test_what_a_session_left_is_committed_and_merged(
    left: Left, open_page: OpenPage, request: pytest.FixtureRequest, *, device: str, scheme: Any
) -> None:
    (left.repository / ".git" / "hooks" / "pre-commit").write_text("make test\n", encoding="utf-8")
    url = left.url.replace("pane=changes", "pane=transcript")
    page = open_page(url, device=device, color_scheme=scheme, expected={409}).page
    review = page.get_by_role("region", name="Changed")
    if device == "phone":
        expect(review).to_contain_text("2 files +2")
        photograph(page, f"{request.node.name}-ended")
        review.get_by_role("button", name="Review").click()
    expect(review).to_be_hidden()
    card = page.get_by_role("region", name="Landing")
    expect(card).to_contain_text("Not committed")
    expect(card).to_contain_text("2 files +2")
    files = page.locator(".file")
    expect(files.nth(1).locator(".add").filter(has_text="1")).not_to_have_count(0)
    photograph(page, f"{request.node.name}-left")
    card.get_by_role("button", name="Commit…").click()
    commit_one_file(left, page, request.node.name)
    dialog = page.get_by_role("dialog")
    card.get_by_role("button", name="Commit…").click()
    expect(dialog.get_by_label("Message")).to_have_value("Make it ours\n\nDone.")
    dialog.get_by_label("Message").fill("Make it ours, at last")
    dialog.get_by_role("button", name="Commit", exact=True).click()
    expect(card).to_contain_text("2 commits")
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
    expect(card).to_have_text("Merged: 2 commits into main.")
    assert "Make it ours, at last" == left.git("log", "-1", "--format=%s", "main")
    assert "1" == (left.repository / "one.txt").read_text().strip()
    cleaned = httpx.post(f"{left.url.partition('/#')[0]}/api/repos/1/worktrees/clean", json={})
    assert 1 == len(cleaned.json()["items"])
    page.reload()
    pane = page.locator(".pane-changes")
    expect(pane).to_contain_text("is gone")
    expect(pane.get_by_role("alert")).to_have_count(0)


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """A GitHub that the server of `left` speaks with, if this comes before it."""
    monkeypatch.setenv("GIT_SSH_COMMAND", str(local_ssh(tmp_path)))
    bare = tmp_path / "ada" / "work.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)  # noqa: S607 - as above
    settings = tmp_path / "config" / "command-center" / "config.toml"
    settings.parent.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with fake_github() as github:
        settings.write_text(f'github_token = "{TOKEN}"\ngithub_api_base = "{github.url}"\n')
        yield github


@pytest.mark.skipif(sys.platform != "linux", reason="It is set up by scripts and XDG folders.")
def test_what_is_committed_is_pushed_and_becomes_a_pull_request(
    forge: FakeGitHub, left: Left, open_page: OpenPage, request: pytest.FixtureRequest
) -> None:
    left.git("remote", "add", "origin", "git@127.0.0.1:ada/work.git")
    page = open_page(left.url, device="phone", color_scheme="dark").page
    card = page.get_by_role("region", name="Landing")
    dialog = page.get_by_role("dialog")
    card.get_by_role("button", name="Commit…").click()
    dialog.get_by_role("button", name="Commit", exact=True).click()
    expect(card).to_contain_text("1 commit")
    card.get_by_role("button", name="Push…").click()
    dialog.get_by_role("button", name="Push", exact=True).click()
    expect(card).to_contain_text("waits for an approval")
    approval = card.get_by_role("article")
    expect(approval).to_contain_text("git@127.0.0.1:ada/work.git")
    expect(approval).to_contain_text("Make it ours")
    photograph(page, f"{request.node.name}-asked")
    approval.get_by_role("button", name="Approve").click()
    expect(card).to_contain_text("is there", timeout=30_000)
    expect(card.get_by_role("button", name="Push…")).to_have_count(0)

    branch = left.git("branch", "--list", "--format=%(refname:short)", "cc/*")
    sha = forge.heads[branch] = left.git("rev-parse", branch)
    card.get_by_role("button", name="Open pull request…").click()
    expect(dialog.get_by_label("Title")).to_have_value("Make it ours")
    photograph(page, f"{request.node.name}-propose")
    dialog.get_by_role("button", name="Push and open", exact=True).click()
    expect(card.get_by_role("link", name="Pull request 1")).to_be_visible()
    forge.check(sha, "tests", "failure")
    server = left.url.partition("/#")[0]
    httpx.post(f"{server}/api/pull-requests/1/read", trust_env=False).raise_for_status()
    expect(card).to_contain_text("checks fail")
    expect(card).to_contain_text("tests fails")
    photograph(page, f"{request.node.name}-opened")
    card.get_by_role("button", name="Merge when checks pass…").click()
    dialog.get_by_role("button", name="Ask", exact=True).click()
    card.get_by_role("article").get_by_role("button", name="Approve").click()
    expect(card).to_contain_text("It is merged once its checks pass.")
    photograph(page, f"{request.node.name}-agreed")
    card.get_by_role("button", name="Don't merge it…").click()
    dialog.get_by_role("button", name="Call it off", exact=True).click()
    expect(card).to_contain_text("It is not merged: ")
    expect(card.get_by_role("button", name="Merge when checks pass…")).to_be_visible()


@pytest.mark.skipif(sys.platform != "linux", reason="It is set up by scripts and XDG folders.")
def test_an_issue_is_run_from_the_page_of_its_repository(
    forge: FakeGitHub, left: Left, open_page: OpenPage, request: pytest.FixtureRequest
) -> None:
    left.git("remote", "add", "origin", "git@127.0.0.1:ada/work.git")
    forge.issue("ada/work", "It breaks", "Here.", labels=["bug"])
    server = left.url.partition("/#")[0]
    httpx.post(f"{server}/api/repos/1/scan", json={}, trust_env=False).raise_for_status()
    page = open_page(f"{server}/#/repos/1", device="phone", color_scheme="dark").page
    page.get_by_role("button", name="Show open issues").click()
    expect(page.get_by_text("#1 It breaks")).to_be_visible()
    photograph(page, f"{request.node.name}-issues")
    page.get_by_role("button", name="Run this").click()
    expect(page).to_have_url(f"{server}/#/sessions/2")


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
    expect(card).to_contain_text("Merged: 2 commits")
    assert "# Both" == (left.repository / "README.md").read_text().strip()
    assert "Ada" == left.git("log", "-1", "--format=%an", "main")
