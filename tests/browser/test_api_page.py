"""The page of the API in a browser: it fits, by day and by night, and everybody can read it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.test_screens import AXE, OVERFLOWING, SERIOUS, WIDTHS
from tests.end_to_end.server import Server


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_the_api_fits_and_everybody_can_read_it(
    filled_server: Server, open_page: OpenPage, scheme: str
) -> None:
    watch = open_page(f"{filled_server.url}/docs", color_scheme=scheme)
    for width in WIDTHS:
        watch.page.set_viewport_size({"width": width, "height": 800})
        assert [] == watch.page.evaluate(OVERFLOWING)
    watch.page.evaluate(AXE)
    assert [] == watch.page.evaluate(SERIOUS)
    assert [] == watch.complaints


def test_the_page_of_the_api_says_what_a_field_means(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/docs#schema-Session").page
    row = page.locator("#schema-Session tr", has_text="origin")
    expect(row).to_contain_text("continuation of previousSessionId")
    limit = page.locator("#listTasks").get_by_role("row", name="limit query")
    expect(limit).to_contain_text("50 unless given")
