"""The first start: an empty server's page leads to Codex, to repositories and to a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from command_center.actors.hosts.local.finding import WIDEST
from tests.browser.conftest import UNWORKED, OpenPage, make_repository
from tests.end_to_end.server import Server

FOUND = "**/api/repos/found*"


@pytest.fixture
def empty_server(tmp_path: Path) -> Iterator[Server]:
    """A server without a repository, whose user has two, and a wide folder, in the home folder."""
    home = tmp_path / "home"
    for name in ("work/storefront", "billing"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        make_repository(home / name)
    (home / "scans").mkdir()
    for number in range(WIDEST + 1):
        (home / "scans" / str(number)).touch()
    settings = {"CC_CODEX_RUNNER_MODE": "stub", "HOME": str(home)}
    server = Server(tmp_path / "data", settings).start()
    yield server
    server.end()


def look_and_stop(page: Page) -> None:
    """Stop a look that stands at a folder whose disk does not answer; it answers afterwards."""
    held: list[Route] = []

    def told(name: str, after: str | None) -> dict[str, object]:
        found = {"name": name, "localPath": f"/srv/{name}", "isRegistered": False}
        return {"items": [found], "folders": 2000, "nextAfter": after, "passedOver": []}

    def answer(route: Route) -> None:
        if "after=" in route.request.url:
            held.append(route)
        else:
            route.fulfill(json=told("early", "/srv/music"))

    page.route(FOUND, answer)
    page.get_by_role("button", name="Look for repositories").click()
    expect(page.get_by_text("Looking in /srv/music…")).to_be_visible()
    while not held:
        page.wait_for_timeout(10)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped in /srv/music.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="early")).to_be_enabled()
    (late,) = held
    late.fulfill(json=told("late", "/srv/next"))
    page.unroute(FOUND)


def test_an_empty_server_is_begun_with_in_three_steps(
    empty_server: Server, open_page: OpenPage
) -> None:
    page = open_page(empty_server.url, **UNWORKED).page
    steps = page.get_by_role("list", name="First steps").get_by_role("listitem")
    expect(steps).to_have_count(3)
    expect(steps.nth(0)).to_contain_text("CC_CODEX_RUNNER_MODE is stub")
    expect(steps.nth(2).get_by_role("link", name="Let a phone in")).to_be_visible()
    look_and_stop(page)
    page.get_by_role("button", name="Look for repositories").click()
    expect(page.get_by_role("checkbox", name="billing")).to_be_visible()
    for name in ("early", "late"):
        expect(page.get_by_role("checkbox", name=name)).to_have_count(0)
    expect(page.get_by_text("Not looked through")).to_contain_text("home/scans.")
    page.get_by_role("checkbox", name="storefront").check()
    page.get_by_role("button", name="Register 1 repository").click()
    expect(page.get_by_role("checkbox", name="storefront Registered")).to_be_disabled()
    expect(page.get_by_role("checkbox", name="billing")).to_be_enabled()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Nothing waits on you.")).to_be_visible()
