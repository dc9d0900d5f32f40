"""Files of a session and of a repository in the page: looked through, read, and searched."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Changed, OpenPage
from tests.browser.test_agents import photograph
from tests.browser.test_changes import row
from tests.browser.watching import PLACES


@pytest.mark.parametrize(("device", "scheme"), [("phone", "light"), ("desktop", "dark")])
def test_files_are_looked_through_read_and_searched(
    changed: Changed,
    open_page: OpenPage,
    request: pytest.FixtureRequest,
    *,
    device: str,
    scheme: Any,
) -> None:
    (changed.folder / "deep" / "er").mkdir(parents=True)
    (changed.folder / "deep" / "er" / "long.py").write_text(
        "".join(f"value_{number} = {number}\n" for number in range(1, 2001)) + "needle = 'here'\n"
    )
    (changed.folder / "out").symlink_to("/etc")
    page = open_page(changed.url, device=device, color_scheme=scheme).page
    row(page, "notes.md").get_by_role("link", name="Open the file").click()
    expect(page.get_by_role("heading", name="notes.md")).to_be_visible()
    expect(page.locator(".whole-file")).to_contain_text("This is new.")
    page.get_by_role("navigation", name="Path").get_by_role("link", name="Top").click()
    entries = page.locator(".row.thing")
    expect(entries.first).to_contain_text("deep")
    expect(entries.filter(has_text="out")).to_contain_text("A link to /etc")
    photograph(page, f"{request.node.name}-folder")
    entries.filter(has_text="raw.bin").click()
    expect(page.get_by_text("A binary file of 256 B.")).to_be_visible()
    page.go_back()
    entries.filter(has_text="deep").click()
    expect(page.get_by_role("link", name="er", exact=True)).to_be_visible()
    search = page.get_by_role("searchbox", name="Search the files")
    search.fill("lng py")
    expect(page.locator(".hits a")).to_have_count(1)
    expect(page.locator(".hits")).to_contain_text("deep/er/long.py")
    page.get_by_role("button", name="Text", exact=True).click()
    search.fill("needle")
    hit = page.locator(".hits a")
    expect(hit).to_contain_text("line 2001")
    expect(hit).to_contain_text("needle = 'here'")
    photograph(page, f"{request.node.name}-found")
    search.press("Enter")
    line = page.locator("tr[data-current]")
    expect(line).to_contain_text("needle")
    expect(line).to_be_in_viewport()
    expect(line.locator(".no")).to_have_text("2001")
    expect(line.locator(".hl-string").nth(1)).to_have_text("here")
    page.go_back()
    expect(search).to_have_value("needle")
    search.fill("nowhere at all")
    expect(page.get_by_text("No line has it.")).to_be_visible()
    (changed.folder / "many").mkdir()
    for number in range(501):
        (changed.folder / "many" / f"{number:03}").touch()
    page.goto(f"{changed.url.partition('?')[0]}/files?path=many")
    expect(entries).to_have_count(500)
    more = page.get_by_role("button", name="Load more of it")
    assert 1 == len(set(more.evaluate(PLACES)))
    more.click()
    expect(entries).to_have_count(501)
    page.goto(f"{changed.url.split('#')[0]}#/repos/1")
    page.get_by_role("link", name="Files").click()
    entries.filter(has_text="code.py").click()
    expect(page.locator(".whole-file")).to_contain_text("return 39")
    expect(page.locator(".crumbs [aria-current]")).to_have_text("code.py")
