"""The box over everything: by keyboard and by thumb, read well, with what the server finds."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import UNWORKED, OpenPage
from tests.browser.test_screens import AXE, SERIOUS
from tests.browser.watching import settle
from tests.end_to_end.server import Server


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search everything")


def option(page: Page, group: str, name: str) -> Locator:
    return page.get_by_role("group", name=group, exact=True).get_by_role("option", name=name)


def test_the_keyboard_finds_a_place_a_task_and_what_was_said(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/tasks/new", device="desktop", expected={409}).page
    settle(page)
    page.get_by_label("What is to be done?").press("Control+k")
    expect(box(page)).to_be_focused()
    box(page).fill("slow query")
    found = option(page, "Tasks", "Find the slow query")
    expect(found).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="found")).to_be_attached()
    box(page).fill("login")
    expect(option(page, "Sessions", "Review the login flow")).to_be_visible()
    expect(option(page, "Said in sessions", "login").first).to_be_visible()
    page.evaluate(AXE)
    assert [] == page.evaluate(SERIOUS)
    box(page).fill("telem")
    first = option(page, "Places", "Telemetry")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(first).to_have_id(str(box(page).get_attribute("aria-activedescendant")))
    box(page).press("Enter")
    expect(page.locator("h1")).to_have_text("Telemetry")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_arrows_go_round_and_escape_leaves_the_place(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/repos", device="desktop").page
    settle(page)
    page.route("**/docs/search.json", lambda route: route.fulfill(json=[]))
    page.keyboard.press("Meta+k")
    box(page).fill("colours")
    options = page.get_by_role("option")
    expect(options).to_have_count(3)
    for at in (1, 2, 0):
        box(page).press("ArrowDown")
        expect(options.nth(at)).to_have_attribute("aria-selected", "true")
    box(page).press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    box(page).press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("h1")).to_have_text("Repositories")


def test_a_thumb_opens_it_and_settings_are_found(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/sessions/1", expected={409}, **UNWORKED).page
    settle(page)
    page.get_by_role("button", name="Search everything").tap()
    box(page).fill("api_token")
    expect(option(page, "Settings", "Settings").first).to_be_visible()
    box(page).fill("#1")
    option(page, "By number", "Task 1").tap()
    expect(page.locator("h1")).to_have_text("Review the login flow")
    page.get_by_role("button", name="Search everything").tap()
    box(page).fill("nothing has these words")
    expect(page.get_by_text("Nothing is found.")).to_be_visible()
