"""A new task: two taps and the text; what is written stays until it is sent."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import UNWORKED, OpenPage
from tests.end_to_end.server import Server

REFUSED = {"error": {"statusCode": 409, "message": "The host is away."}}


def test_a_task_runs_after_two_taps_and_its_text_outlives_a_reload(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(filled_server.url, device="phone", expected={409}, **UNWORKED).page
    page.get_by_role("link", name="New task").first.tap()
    box = page.get_by_label("What is to be done?")
    expect(box).to_be_focused()
    page.keyboard.type("Count the files.")
    page.reload()
    expect(box).to_have_value("Count the files.")
    page.get_by_role("button", name="Run", exact=True).tap()
    expect(page).to_have_url(re.compile("/sessions/[0-9]+$"))
    expect(page.locator("h1")).to_have_text("Count the files.")
    page.get_by_role("link", name="Back").tap()
    expect(page.locator("h1")).to_have_text("Now")  # from where it began

    page.goto(f"{filled_server.url}/#/tasks/new")
    expect(box).to_have_value("")
    box.fill("Count them again.")
    page.route("**/run", lambda route: route.fulfill(status=409, json=REFUSED))
    box.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("The host is away.")
    expect(page.locator("h1")).to_have_text("Count them again.")  # it is made, and can be run
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
