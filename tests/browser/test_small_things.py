"""Small things that were in the way of somebody: each is away."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import UNWORKED, OpenPage
from tests.browser.watching import module_of, settle
from tests.end_to_end.server import Server

LONG = "A title that somebody made of a whole paragraph, word after word. " * 3


def all_done(route: Route) -> None:
    """Answer that each task is completed, under a title of two hundred characters."""
    answer = route.fetch()
    told: dict[str, Any] = answer.json()
    for task in told.get("items", [told]):
        task.update(status="completed", title=LONG)
    route.fulfill(response=answer, body=json.dumps(told))


def test_a_board_opens_where_something_is_and_what_is_done_is_not_cancelled(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page("about:blank", **UNWORKED).page
    page.route("**/api/tasks*", all_done)
    page.route("**/api/tasks/*", all_done)
    page.goto(f"{filled_server.url}/#/tasks?view=board")
    settle(page)
    done = page.get_by_role("region", name="Done")
    expect(done.locator("a.card").first).to_be_in_viewport(ratio=0.9)
    done.locator("a.card").first.click()
    expect(page.get_by_role("button", name="Edit")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    title = page.locator("h1").bounding_box()
    assert title is not None
    assert title["height"] < 80  # three lines of it


HUNKS = """
async (module) => {
  const { parseDiff } = await import(module);
  return parseDiff("--- a/x\\n+++ b/x\\n@@ -1 +1 @@\\n-a\\n+b\\n@@ -9 +9 @@\\n-a\\n+b\\n")[0].lines
    .filter(({ kind }) => kind === "hunk").map(({ text }) => text);
}
"""


def test_a_part_of_a_diff_says_where_it_begins(page: Page) -> None:
    settle(page)
    assert ["", "From line 9"] == page.evaluate(HUNKS, module_of(page, "components/diff.js"))


SENTENCE = """
async ([module, type, item]) => {
  const { sentence } = await import(module);
  return sentence({ type: "session.item", data: { type, item } });
}
"""


def test_an_item_in_the_timeline_says_what_it_was(page: Page) -> None:
    settle(page)
    timeline = module_of(page, "components/timeline.js")
    command = ["commandExecution", {"command": "/bin/bash -lc 'pytest -q'"}]
    assert "Command execution: pytest -q" == page.evaluate(SENTENCE, [timeline, *command])
    assert "Agent message" == page.evaluate(SENTENCE, [timeline, "agentMessage", {"text": "Hi."}])


BUSY = """
async ([modules, phase]) => {
  const found = Object.assign({}, ...(await Promise.all(modules.map((m) => import(m)))));
  const { html, render, Button, state } = found;
  const before = state.phase;
  const place = document.createElement("div");
  state.phase = phase;
  try { render(html`<${Button} busy="yes">Approve<//>`, place); }
  finally { state.phase = before; }
  return place.textContent.trim();
}
"""


def test_an_act_without_a_connection_says_that_it_waits_for_one(page: Page) -> None:
    settle(page)
    modules = [module_of(page, name) for name in ("html.js", "store.js", "components/basics.js")]
    assert "Approve" == page.evaluate(BUSY, [modules, "live"])
    assert "Waits for the connection" == page.evaluate(BUSY, [modules, "offline"])


def test_a_session_is_renamed_archived_and_brought_back(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/sessions/1?pane=details").page
    details = page.get_by_label("Details", exact=True)
    details.get_by_text("Rename or archive").click()
    for title in ("Login, again", "Review the login flow"):
        details.get_by_label("Title").fill(title)
        details.get_by_role("button", name="Rename").click()
        expect(page.locator("h1")).to_have_text(title)
        if title == "Review the login flow":
            break
        details.get_by_text("Rename or archive").click()
    details.get_by_text("Rename or archive").click()
    details.get_by_role("button", name="Archive").click()
    expect(details.get_by_role("button", name="Bring back")).to_be_visible()
    rows = page.locator("main ul.rows > li")
    for shown, many in (("archived", 1), ("completed", 0)):
        page.goto(f"{filled_server.url}/#/sessions?show={shown}&q=login")
        expect(rows.filter(has_text="Review the login flow")).to_have_count(many)
    page.goto(f"{filled_server.url}/#/sessions/1?pane=details")
    details.get_by_role("button", name="Bring back").click()
    expect(details.get_by_text("Rename or archive")).to_be_visible()


def test_an_automation_has_its_time_zone_and_words_changed(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/automations/1").page
    page.get_by_label("Time zone").fill("Europe/Berlin")
    expect(page.get_by_text("by the clock of Europe/Berlin")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("What is to be done").fill("Look at the repository.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Look at the repository.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
    expect(page.get_by_text("Look at the repository.")).to_be_visible()
