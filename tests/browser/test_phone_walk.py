"""From a fresh clone to merged work, on a phone: the real Codex, a real ssh server, a GitHub."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.actors.git.repository import commit, plain_git
from tests.actors.git.ssh_server import SshServer, make_key, run_agent, serve_ssh, ssh_command
from tests.browser.conftest import DEVICES, OpenPage
from tests.browser.test_agents import photograph
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel, write_codex_home
from tests.end_to_end.server import Server
from tests.fake_github import SECRET, TOKEN, FakeGitHub, fake_github

PROJECT = "ada/work"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="OpenSSH's server is a service.")


@attrs.frozen
class Journey:
    """The things on the way: the clone, the forge's two halves, and the server."""

    clone: Path
    ssh: SshServer
    github: FakeGitHub
    model: ScriptedModel
    server: Server

    def head(self) -> str:
        """Have the forge know where the branch is that was pushed, and return that."""
        (branch,) = plain_git(
            self.ssh.bare, "for-each-ref", "--format=%(refname:short)", "refs/heads/cc/"
        ).splitlines()
        sha = self.github.heads[branch] = self.ssh.head(branch)
        for pull in self.github.pulls.values():
            pull["head"]["sha"] = sha
        return sha

    def check(self, name: str, conclusion: str, summary: str = "") -> None:
        """Have the forge check what was pushed last, and deliver that."""
        with self.github.changed:
            self.github.check(self.head(), name, conclusion, summary)
        assert 200 == self.github.deliver(self.server.url, PROJECT).status_code


@pytest.fixture
def journey(tmp_path: Path, codex_binary: Path) -> Iterator[Journey]:
    with (
        serve_ssh(tmp_path / "forge") as ssh,
        run_agent(tmp_path) as agent,
        fake_github() as github,
        ScriptedModel() as model,
    ):
        ssh.let_in(make_key(tmp_path / "key"))
        agent.add(tmp_path / "key")
        settings = {
            "CC_CODEX_COMMAND": str(codex_binary),
            "CODEX_HOME": str(write_codex_home(tmp_path / "codex-home", model, called=None)),
            "CC_GITHUB_TOKEN": TOKEN,
            "CC_GITHUB_API_BASE": github.url,
            "CC_GITHUB_WEBHOOK_SECRET": SECRET,
            "GIT_SSH_COMMAND": ssh_command(
                tmp_path, known_hosts=ssh.known_host, Port=str(ssh.port)
            ),
            "SSH_AUTH_SOCK": str(agent.socket),
        }
        user = ssh.url.removeprefix("ssh://").partition("@")[0]
        address = f"{user}@127.0.0.1:{PROJECT}.git"
        first = tmp_path / "first"
        plain_git(tmp_path, "clone", "--quiet", address, str(first), variables=settings)
        plain_git(first, "switch", "--quiet", "--orphan", "main")
        commit(first, {"README.md": "# Work\n"}, "Begin")
        plain_git(first, "push", "--quiet", "origin", "main", variables=settings)
        clone = tmp_path / "work"
        plain_git(tmp_path, "clone", "--quiet", address, str(clone), variables=settings)
        for key, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
            plain_git(clone, "config", key, value)
        server = Server(tmp_path / "data", settings).start()
        yield Journey(clone, ssh, github, model, server)
        server.end()


def pictured(page: Page, name: str) -> None:
    """Keep pictures as a phone and a desktop have it, by day and by night."""
    if "CC_TEST_PICTURES" not in os.environ:
        return
    sizes = {"phone": page.viewport_size, "desktop": {"width": 1440, "height": 900}}
    for device, size in sizes.items():
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)  # type: ignore[arg-type]
            photograph(page, f"walk-{name}-{device}-{scheme}")
    page.emulate_media(color_scheme="no-preference")
    page.set_viewport_size(DEVICES["phone"]["viewport"])


class Walk:
    """The way through the page; each step says how many taps it may take."""

    def __init__(self, journey: Journey, page: Page) -> None:
        """Begin at an empty list of repositories."""
        self.journey = journey
        self.page = page
        self.card = page.get_by_role("region", name="Landing")
        self.dialog = page.get_by_role("dialog")
        self.approval = self.card.get_by_role("article")
        self._taps = 0

    def tap(self, place: Locator) -> None:
        """Tap on something."""
        place.tap()
        self._taps += 1

    def counted(self, taps: int) -> None:
        """See that a step has taken so many taps."""
        assert taps == self._taps
        self._taps = 0

    def register(self) -> None:
        """Register the clone."""
        page = self.page
        self.tap(page.get_by_role("button", name="Register").first)
        page.get_by_label("Folder").fill(str(self.journey.clone))
        expect(page.get_by_text("on main, clean")).to_be_visible()
        pictured(page, "1-register")
        self.tap(self.dialog.get_by_role("button", name="Register"))
        expect(page.locator("h1")).to_have_text("work")
        self.counted(2)

    def run(self) -> None:
        """Run a task that wants to go on where checks fail, and to be merged where they pass."""
        page = self.page
        self.tap(page.get_by_role("link", name="New task").first)
        page.get_by_label("What is to be done?").fill("Count to three.")
        self.tap(page.locator("summary").filter(has_text="More"))
        page.get_by_label("Where checks fail").select_option("follow_up")
        page.get_by_label("Merging").select_option("checks_pass")
        pictured(page, "2-task")
        self.tap(page.get_by_role("button", name="Run", exact=True))
        page.wait_for_url("**/#/sessions/1*")
        self.counted(3)

    def changes(self) -> None:
        """Look at what has changed."""
        self.tap(self.page.get_by_role("button", name="Changes"))
        expect(self.card).to_contain_text("Not committed")
        self.counted(1)

    def comment(self, line: int, text: str) -> None:
        """Say something about a line."""
        file = self.page.locator(".file").filter(has_text="numbers.txt")
        name = f"Comment on line {line} after the change"
        self.tap(file.get_by_role("button", name=name))
        file.get_by_label(name).last.fill(text)
        pictured(self.page, f"3-comment-{line}")
        self.tap(file.get_by_role("button", name="Comment", exact=True))
        expect(file.get_by_text(text)).to_be_visible()
        self.counted(2)

    def send(self) -> None:
        """Send the comments."""
        pictured(self.page, "4-comments")
        bar = self.page.get_by_role("region", name="Comments")
        self.tap(bar.get_by_role("button", name="Send"))
        self.page.wait_for_url("**/#/sessions/2*")
        self.counted(1)

    def propose(self) -> None:
        """Commit, push and open the pull request."""
        pictured(self.page, "5-changes")
        self.tap(self.card.get_by_role("button", name="Open pull request…"))
        expect(self.dialog.get_by_label("Title")).to_have_value("Count to three.")
        pictured(self.page, "6-propose")
        self.tap(self.dialog.get_by_role("button", name="Commit, push and open"))
        expect(self.approval).to_contain_text("127.0.0.1:ada/work.git")
        self.counted(2)

    def update(self) -> None:
        """Commit and push what came since."""
        self.tap(self.card.get_by_role("button", name="Update pull request…"))
        pictured(self.page, "11-update")
        self.tap(self.dialog.get_by_role("button", name="Commit and push"))
        expect(self.approval).to_contain_text("127.0.0.1:ada/work.git")
        self.counted(2)

    def approve(self, picture: str) -> None:
        """Agree to what is asked; it is in the transcript, too."""
        ids = self.page.evaluate("[...document.querySelectorAll('[id]')].map(({ id }) => id)")
        assert sorted(set(ids)) == sorted(ids)
        pictured(self.page, picture)
        self.tap(self.approval.get_by_role("button", name="Approve"))
        self.counted(1)


def test_from_a_fresh_clone_to_merged_work_on_a_phone(
    journey: Journey, open_page: OpenPage
) -> None:
    model, github, server = journey.model, journey.github, journey.server
    page = open_page(f"{server.url}/#/repos", device="phone").page
    walk = Walk(journey, page)
    walk.register()

    model.script = (Run("printf 'one\\ntwo\\nthree\\n' > numbers.txt"), Say.text("I counted."))
    walk.run()
    expect(page.get_by_text("I counted.")).to_be_visible()
    walk.changes()
    walk.comment(1, "Uno, please.")
    walk.comment(2, "Due.")

    model.script = (Run("printf 'uno\\ndue\\nthree\\n' > numbers.txt"), Say.text("In Italian."))
    walk.send()
    expect(page.get_by_text("In Italian.")).to_be_visible()
    assert "Uno, please." in str(model.requests[-1].body)
    walk.changes()
    walk.propose()
    assert {} == github.pulls
    walk.approve("7-approve")
    expect(walk.card.get_by_role("link", name="Pull request 1")).to_be_visible()
    pull = github.pulls[PROJECT, 1]
    assert ("Count to three.", "main") == (pull["title"], pull["base"]["ref"])
    expect(walk.card.get_by_role("button", name="Open pull request…")).to_have_count(0)
    assert "0" not in walk.card.inner_text().splitlines()
    pictured(page, "8-opened")

    model.script = (Run("printf 'uno\\ndue\\ntre\\n' > numbers.txt"), Say.text("All of it."))
    journey.check("language", "failure", "three is not Italian")
    expect(walk.card).to_contain_text("language fails")
    pictured(page, "9-check-fails")
    page.goto(f"{server.url}/#/sessions/3")
    expect(page.get_by_text("All of it.")).to_be_visible()
    assert "> three is not Italian" in str(model.requests[-1].body)
    pictured(page, "10-third-turn")
    walk.changes()
    walk.update()
    walk.approve("11-approve")
    expect(walk.card).to_contain_text("is there")

    journey.check("language", "success")
    expect(walk.approval).to_contain_text("Merge pull request 1 into main once its checks pass?")
    walk.approve("12-merge")
    expect(walk.card).to_contain_text("· merged")
    expect(walk.card.get_by_role("button", name="Merge into")).to_have_count(0)
    expect(walk.card.get_by_role("button", name="pull request")).to_have_count(0)
    assert github.pulls[PROJECT, 1]["merged"]
    assert "uno\ndue\ntre" == plain_git(journey.ssh.bare, "show", f"{journey.head()}:numbers.txt")
    pictured(page, "13-merged")
