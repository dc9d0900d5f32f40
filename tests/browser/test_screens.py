"""Every screen, on a phone and on a desktop: it shows, complains of nothing, fits, and can be used
by everybody."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.vendored import TESTS
from tests.browser.watching import settle
from tests.end_to_end.server import Server

SCREENS = {
    "/": "Now",
    "/tasks": "Tasks",
    "/tasks?view=board": "Tasks",
    "/tasks/new": "New task",
    "/tasks/2": "Find the slow query",
    "/approvals": "Approvals",
    "/approvals/1": "Approval 1",
    "/sessions": "Sessions",
    "/sessions/1": "Review the login flow",
    "/repos": "Repositories",
    "/repos/1": "storefront",
    "/automations": "Automations",
    "/automations/1": "Morning check",
    "/automations/new": "New automation",
    "/threads": "Threads",
    "/telemetry": "Telemetry",
    "/runtime": "Runtime",
    "/more": "More",
}
NEEDS_CODEX = {"/threads": {409}}
WIDTHS = (320, 390, 600, 768, 900, 1100, 1440, 2560)

AXE = (TESTS / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = """
async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .filter((found) => ["serious", "critical"].includes(found.impact))
  .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`)
"""
OVERFLOWING = """
() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("main *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => `${innerWidth}: ${element.tagName} ${element.className}`)
    .slice(0, 5)
"""


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(("device", "scheme"), [("phone", "light"), ("desktop", "dark")])
def test_a_screen_shows_and_everybody_can_use_it(
    filled_server: Server, open_page: OpenPage, screen: str, device: str, scheme: Any
) -> None:
    page = open_page(
        f"{filled_server.url}/#{screen}",
        device=device,
        color_scheme=scheme,
        reduced_motion="reduce",
        expected=NEEDS_CODEX.get(screen, set()),
    ).page
    settle(page)
    expect(page.locator("h1")).to_have_text(SCREENS[screen])
    page.evaluate(AXE)
    assert [] == page.evaluate(SERIOUS)


def test_no_screen_is_wider_than_its_window(filled_server: Server, open_page: OpenPage) -> None:
    page = open_page(filled_server.url, device="desktop", expected={409}).page
    for screen in SCREENS:
        page.goto(f"{filled_server.url}/#{screen}")
        settle(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert [] == page.evaluate(OVERFLOWING), screen


def test_back_goes_back_and_an_address_can_be_kept(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/tasks?q=slow").page
    expect(page.get_by_role("searchbox")).to_have_value("slow")
    page.get_by_role("link", name="Find the slow query").click()
    expect(page.locator("h1")).to_have_text("Find the slow query")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Tasks")
    expect(page.locator("main ul.rows > li")).to_have_count(1)


def test_the_keyboard_goes_everywhere_and_its_sheet_says_how(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(filled_server.url, device="desktop").page
    settle(page)
    for keys, title in (("gt", "Tasks"), ("gr", "Repositories"), ("gn", "Now"), ("c", "New task")):
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator("h1")).to_have_text(title)
        page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_title_tells_how_many_decisions_wait(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(filled_server.url).page
    expect(page).to_have_title("(2) Command Center")


def test_an_idle_page_asks_for_nothing(filled_server: Server, open_page: OpenPage) -> None:
    page = open_page(filled_server.url).page
    settle(page)
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("new Promise((resolve) => setTimeout(resolve, 1500))")
    assert [] == asked


def test_the_first_load_is_quick_on_a_slow_machine(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page("about:blank").page
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.goto(filled_server.url)
    settle(page)
    milliseconds: float = page.evaluate("performance.now()")
    assert milliseconds < 3000  # 1 s on a machine that has nothing else to do


def test_a_color_scheme_can_be_chosen_and_stays(filled_server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{filled_server.url}/#/more", color_scheme="light").page
    page.get_by_role("button", name="Dark").click()
    assert "rgb(16, 18, 22)" == background(page)
    page.reload()
    settle(page)
    assert "rgb(16, 18, 22)" == background(page)


def background(page: Page) -> str:
    found: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return found
