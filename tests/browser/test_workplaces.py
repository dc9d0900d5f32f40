"""The page says in which folder runs work, and what a queued one waits for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from command_center.actors.codex.settings import Transport
from tests.browser.conftest import OpenPage, made, make_repository
from tests.browser.test_agents import photograph
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Server
from tests.end_to_end.test_transports import reached_by


@pytest.fixture
def url(tmp_path: Path, codex_binary: Path, repository: Path) -> Iterator[str]:
    """The address of a server in whose checkout session 1 asks, and session 2 waits for that."""
    with (
        ScriptedModel() as model,
        reached_by(Transport.SPAWN, tmp_path, codex_binary, model) as reached,
        httpx.Client(base_url=reached.server.url, trust_env=False, timeout=30) as client,
    ):
        model.script = (Run("touch /asked", justification="May I?"), Say.text("Done."))
        wish = {"localPath": str(repository), "allowWrite": True, "workplace": "main_checkout"}
        made(client, "/api/repos", wish)
        for title in ("Ask first", "Come after"):
            task = made(client, "/api/tasks", {"repositoryId": 1, "title": title, "prompt": "Go."})
            made(client, f"/api/tasks/{task['id']}/run", {})
        wanted = {"repositoryId": 1, "title": "Go beside them", "prompt": "Go."}
        made(client, "/api/tasks", wanted)
        yield reached.server.url


@pytest.mark.parametrize(
    ("device", "scheme"), [("phone", "dark"), ("desktop", "light")], ids=["phone", "desktop"]
)
def test_a_queued_session_leads_to_the_one_that_it_waits_for(
    url: str, open_page: OpenPage, request: pytest.FixtureRequest, *, device: str, scheme: Any
) -> None:
    first = open_page(f"{url}/#/sessions/1", device=device, color_scheme=scheme).page
    expect(first.get_by_role("button", name="Approve", exact=True)).to_be_visible()
    page = open_page(f"{url}/#/sessions/2", device=device, color_scheme=scheme).page
    why = page.locator(".doing")
    expect(why).to_have_text(
        "Number 1 in the queue: it waits for session 1, which waits for your decision."
    )
    photograph(page, f"{request.node.name}-waits")
    why.get_by_role("link", name="session 1").click()
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_visible()

    page = open_page(f"{url}/#/tasks/3", device=device, color_scheme=scheme).page
    places = page.get_by_role("group", name="Works in")
    mine = places.get_by_role("button", name="Your checkout")
    expect(mine).to_have_attribute("aria-pressed", "true")
    places.get_by_role("button", name="A worktree").click()
    expect(page.get_by_text("worktree_automatic")).to_be_visible()
    photograph(page, f"{request.node.name}-run")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".pane-details")).to_contain_text("cc-task-3-session-3")


@pytest.mark.parametrize(
    ("device", "scheme"), [("phone", "light"), ("desktop", "dark")], ids=["phone", "desktop"]
)
@pytest.mark.parametrize("workplace", ["worktree", "main_checkout"])
def test_a_repository_is_registered_with_a_workplace(
    filled_server: Server,
    open_page: OpenPage,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    *,
    workplace: str,
    device: str,
    scheme: Any,
) -> None:
    name = f"{device}-{workplace}"
    checkout = make_repository(tmp_path / name)
    page = open_page(f"{filled_server.url}/#/repos", device=device, color_scheme=scheme).page
    page.get_by_role("button", name="Register").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Folder").fill(str(checkout))
    side_by_side = dialog.get_by_role("switch", name="Work side by side")
    expect(side_by_side).to_be_checked()
    if workplace == "main_checkout":
        side_by_side.click()
    photograph(page, f"{request.node.name}-register")
    dialog.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    switch = page.get_by_role("switch", name="Work side by side")
    expect(switch).to_be_checked(checked=workplace == "worktree")
    photograph(page, f"{request.node.name}-registered")


@pytest.mark.parametrize(
    ("device", "scheme"), [("phone", "light"), ("desktop", "dark")], ids=["phone", "desktop"]
)
def test_a_person_agrees_to_a_set_up_and_sees_what_it_says(
    setup_url: str, open_page: OpenPage, request: pytest.FixtureRequest, *, device: str, scheme: Any
) -> None:
    at = f"{setup_url}/#/sessions/1"
    page = open_page(at, device=device, color_scheme=scheme, expected={409}).page
    expect(page.get_by_text("1 file to copy: .env")).to_be_visible()
    expect(page.locator(".diff .add").filter(has_text="echo installed")).to_be_visible()
    expect(page.get_by_role("button", name="Leave out")).to_be_visible()
    photograph(page, f"{request.node.name}-asked")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("exit code 3", exact=False).first).to_be_visible()
    expect(page.get_by_text("no such tool", exact=False).first).to_be_visible()
    photograph(page, f"{request.node.name}-failed")


@pytest.fixture
def setup_url(tmp_path: Path, codex_binary: Path, repository: Path) -> Iterator[str]:
    """The address of a server in which session 1 waits for a set-up to be agreed to."""
    (repository / ".git" / "info" / "exclude").write_text(".env\n")
    (repository / ".env").write_text("PORT=1\n")
    (repository / ".worktreeinclude").write_text(".env\n")
    folder = repository / ".codex" / "environments"
    folder.mkdir(parents=True)
    script = "echo installed\necho no such tool\nexit 3"
    (folder / "environment.toml").write_text(f"[setup]\nscript = '''\n{script}\n'''\n")
    with (
        ScriptedModel() as model,
        reached_by(Transport.SPAWN, tmp_path, codex_binary, model) as reached,
        httpx.Client(base_url=reached.server.url, trust_env=False, timeout=30) as client,
    ):
        made(client, "/api/repos", {"localPath": str(repository), "allowWrite": True})
        made(client, "/api/tasks", {"repositoryId": 1, "title": "Set up", "prompt": "Go."})
        made(client, "/api/tasks/1/run", {})
        yield reached.server.url
