"""Whatever people, repositories and agents write stays text in the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, made, make_repository
from tests.browser.watching import settle
from tests.end_to_end.server import Server

PLANTED = (
    '"><img src=x onerror="window.owned=1"><script>window.owned=1</script>'
    '<a href="javascript:window.owned=1">a</a> [b](javascript:window.owned=1) '
    "`<svg onload=owned=1>`"
)
"""Markup that would do something, in a text that is in every field that takes one."""

SCREENS = (
    "/",
    "/approvals",
    "/approvals/1",
    "/tasks",
    "/tasks/1",
    "/tasks?q=planted",
    "/sessions",
    "/sessions/1",
    "/repos",
    "/repos/1",
    "/automations",
    "/automations/1",
)


HARM = "[onerror], [onload], [src='x'], main script, a[href^='javascript:' i]"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server in which every text is hostile."""
    folder = tmp_path_factory.mktemp("planted")
    server = Server(folder / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        plant(client, make_repository(folder / "<img src=x onerror=owned=1>"))
    yield server
    server.end()


def plant(client: httpx.Client, checkout: Path) -> None:
    """Put the text everywhere."""
    by = {"requestedBy": PLANTED}
    name = {"name": PLANTED[:200], "localPath": str(checkout), "allowWrite": True}
    made(client, "/api/repos", {**name, "workplace": "main_checkout", **by})
    said = {"repositoryId": 1, "title": f"planted {PLANTED}", "prompt": f"planted {PLANTED}"}
    made(client, "/api/tasks", {**said, **by})
    made(client, "/api/tasks/1/run", by)
    details = {"reason": PLANTED, "url": "javascript:window.owned=1", PLANTED: PLANTED}
    made(client, "/api/approvals", {"title": PLANTED, "taskId": 1, "details": details, **by})
    when = {"repositoryId": 1, "title": PLANTED, "scheduleExpr": "hourly"}
    made(client, "/api/automations", {**when, "payload": {"prompt": PLANTED}, **by})
    worktree = Path(made(client, "/api/repos/1/worktrees", {"branchName": "cc/<img>"})["path"])
    (worktree / "README.md").write_text(f"{PLANTED}\n", encoding="utf-8")
    (worktree / "<svg onload=owned=1>").write_text(PLANTED, encoding="utf-8")


def test_hostile_text_stays_text_on_every_screen(planted: Server, open_page: OpenPage) -> None:
    page = open_page(f"{planted.url}/#/", device="desktop").page
    for screen in SCREENS:
        page.goto(f"{planted.url}/#{screen}")
        settle(page)
        if screen == "/repos/1":
            page.get_by_role("button", name="Diff").last.click()
            for name in ("README.md", "<svg onload=owned=1>"):
                added = page.get_by_role("group", name=name).locator(".diff .add, .add")
                expect(added.filter(has_text="onerror")).to_be_visible()
        text = page.locator("main").get_by_text("onerror").filter(visible=True)
        expect(text.first, screen).to_be_visible()
        expect(page.locator(HARM), screen).to_have_count(0)
        assert page.evaluate("window.owned") is None, screen


def test_what_cannot_be_seen_is_spelled_out_where_it_is_decided(
    planted: Server, open_page: OpenPage
) -> None:
    """A character that turns the writing round lets a command look like another."""
    with httpx.Client(base_url=planted.url, trust_env=False) as client:
        details = {"command": "rm \u202e#txt.eton\u2066 \u200bx"}
        asked = made(client, "/api/approvals", {"title": "Run it?", "details": details})
    page = open_page(f"{planted.url}/#/approvals/{asked['id']}").page
    shown = "rm \\u202e#txt.eton\\u2066 \\u200bx"
    expect(page.locator(".approval").get_by_text(shown, exact=True)).to_be_visible()


def test_details_of_any_shape_leave_an_approval_to_be_decided(
    planted: Server, open_page: OpenPage
) -> None:
    """Ask for a decision by the API, in whatever words."""
    details = {
        **dict.fromkeys(("files", "read", "write", "questions", "schema"), "a.txt"),
        **dict.fromkeys(("cwd", "grantRoot", "script", "url"), ("a", "b")),
        **dict.fromkeys(("diff", "command", "network", "reason"), 5),
    }
    with httpx.Client(base_url=planted.url, trust_env=False) as client:
        asked = made(client, "/api/approvals", {"title": "Odd?", "details": details})
    page = open_page(f"{planted.url}/#/approvals").page
    card = page.locator(f"#approval-{asked['id']}")
    expect(card.get_by_text("a.txt").first).to_be_visible()
    card.get_by_role("button", name="Approve").click()
    expect(card).to_have_count(0)
