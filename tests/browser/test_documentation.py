"""The documentation in a browser: everybody can read it, and find something in it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.test_screens import AXE, OVERFLOWING, SERIOUS, WIDTHS
from tests.end_to_end.server import Server

SERIOUS_OF_COLOURS = SERIOUS.replace("{ result", '{ runOnly: ["color-contrast"], result')


def test_the_documentation_fits_is_read_by_everybody_and_searched(
    filled_server: Server, open_page: OpenPage
) -> None:
    watch = open_page(f"{filled_server.url}/docs/doctor.html", color_scheme="light")
    page = watch.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for width in WIDTHS[::2]:
        page.set_viewport_size({"width": width, "height": 800})
        assert [] == page.evaluate(OVERFLOWING)
    page.evaluate(AXE)
    page.keyboard.press("/")
    page.get_by_role("searchbox").fill("user namespaces")
    found = page.get_by_role("region", name="Found").get_by_role("link")
    expect(found.filter(has_text="codex-sandbox")).to_contain_text("user namespaces and Landlock")
    assert [] == page.evaluate(SERIOUS)
    page.emulate_media(color_scheme="dark")  # which changes colours alone
    assert [] == page.evaluate(SERIOUS_OF_COLOURS)
    page.get_by_role("searchbox").fill("zyzzyva")
    expect(page.get_by_role("region", name="Found")).to_have_text("Nothing has all of these words.")
    page.get_by_role("searchbox").fill("backup schedule")
    found.first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert not page.url.endswith("doctor.html")
    assert [] == [url for url in asked if not url.startswith(filled_server.url)]
    assert [] == watch.complaints


def test_more_and_the_doctor_lead_to_the_documentation(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/more").page
    expect(page.get_by_role("link", name="Documentation")).to_have_attribute("href", "/docs/")
    page.goto(f"{filled_server.url}/#/runtime?show=doctor")
    finding = (
        page.get_by_role("article")
        .filter(has_text="was not found")
        .or_(page.get_by_role("article"))
    )
    link = finding.first.get_by_role("link", name="What the documentation says of it")
    with page.context.expect_page() as opened:
        link.click()
    shown = opened.value
    expect(shown.locator("h2:target")).to_be_visible()
