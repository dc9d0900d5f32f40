"""The first start: an empty server's page leads to Codex, to repositories and to a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from command_center.actors.hosts.local.finding import WIDEST
from tests.browser.conftest import OpenPage, make_repository
from tests.end_to_end.server import Server


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


def test_an_empty_server_is_begun_with_in_three_steps(
    empty_server: Server, open_page: OpenPage
) -> None:
    page = open_page(empty_server.url).page
    steps = page.get_by_role("list", name="First steps").get_by_role("listitem")
    expect(steps).to_have_count(3)
    expect(steps.nth(0)).to_contain_text("CC_CODEX_RUNNER_MODE is stub")
    expect(steps.nth(2).get_by_role("link", name="Let a phone in")).to_be_visible()
    page.get_by_role("button", name="Look for repositories").click()
    expect(page.get_by_role("checkbox", name="billing")).to_be_visible()
    expect(page.get_by_text("Not looked through")).to_contain_text("home/scans.")
    page.get_by_role("checkbox", name="storefront").check()
    page.get_by_role("button", name="Register 1 repository").click()
    expect(page.get_by_role("checkbox", name="storefront Registered")).to_be_disabled()
    expect(page.get_by_role("checkbox", name="billing")).to_be_enabled()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Nothing waits on you.")).to_be_visible()
