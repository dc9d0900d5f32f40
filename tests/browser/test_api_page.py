"""The page of the API in a browser: it fits, by day and by night, and everybody can read it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.test_screens import AXE, OVERFLOWING, SERIOUS, WIDTHS
from tests.end_to_end.server import Server

SERIOUS_OF_COLOURS = SERIOUS.replace("{ result", '{ runOnly: ["color-contrast"], result')


def test_the_page_of_the_api_fits_and_everybody_can_read_it(
    filled_server: Server, open_page: OpenPage
) -> None:
    watch = open_page(f"{filled_server.url}/docs/openapi.html", color_scheme="light")
    for width in WIDTHS:
        watch.page.set_viewport_size({"width": width, "height": 800})
        assert [] == watch.page.evaluate(OVERFLOWING)
    watch.page.evaluate(AXE)
    assert [] == watch.page.evaluate(SERIOUS)
    watch.page.emulate_media(color_scheme="dark")  # which changes colours alone
    assert [] == watch.page.evaluate(SERIOUS_OF_COLOURS)
    assert [] == watch.complaints


def test_the_page_of_the_api_says_what_a_field_means(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/docs/openapi.html#schema-Session").page
    row = page.locator("#schema-Session tr", has_text="origin")
    expect(row).to_contain_text("continuation of previousSessionId")
    limit = page.locator("#listTasks").get_by_role("row", name="limit query")
    expect(limit).to_contain_text("50 unless given")
