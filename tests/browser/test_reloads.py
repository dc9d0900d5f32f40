"""A screen asks again when something changes: once at a time, and not too often."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import UNWORKED, OpenPage
from tests.browser.watching import module_of, settle
from tests.end_to_end.server import Server

CHANGE_EVERY_30_MS = """async (store) => {
  const { changed } = await import(store);
  window.changing = setInterval(() => changed("sessions"), 30);
}"""


class Summaries:
    """Requests for the summary, each of which is answered when the test says so."""

    def __init__(self, page: Page, answer: dict[str, Any]) -> None:
        self.page = page
        self.asked: list[Route] = []
        self._answer = answer
        page.route("**/api/telemetry/summary?*", self._keep)

    def _keep(self, route: Route) -> None:
        self.asked.append(route)

    def await_asked(self, count: int) -> None:
        """Let the page's time pass until there are so many requests; never are there more."""
        for _ in range(200):
            if len(self.asked) >= count:
                break
            self.page.clock.run_for(20)
        assert count == len(self.asked)

    def give(self, place: int, count: int) -> None:
        """Answer a request with so many events."""
        events = {**self._answer["events"], "count": count}
        self.asked[place].fulfill(json={**self._answer, "events": events})

    def shows(self, count: int) -> None:
        """Wait until the screen says so many events."""
        expect(self.page.get_by_text(f"{count} events in this time")).to_be_visible()


@pytest.fixture
def summaries(filled_server: Server, open_page: OpenPage) -> Summaries:
    page = open_page("about:blank", device="desktop", **UNWORKED).page
    page.clock.install()
    page.goto(f"{filled_server.url}/#/telemetry")
    settle(page)
    expect(page.get_by_text("events in this time")).to_be_visible()
    answer = httpx.get(f"{filled_server.url}/api/telemetry/summary?window=7d", trust_env=False)
    return Summaries(page, answer.json())


def test_changes_while_an_answer_is_awaited_are_one_more_request_after_it(
    summaries: Summaries,
) -> None:
    page = summaries.page
    page.evaluate(CHANGE_EVERY_30_MS, module_of(page, "store.js"))
    page.clock.run_for(3_000)
    summaries.await_asked(1)
    summaries.give(0, 101)
    summaries.shows(101)
    page.clock.run_for(3_000)
    summaries.await_asked(2)
    page.evaluate("clearInterval(window.changing)")
    page.clock.run_for(3_000)
    summaries.await_asked(2)
    summaries.give(1, 102)
    summaries.shows(102)
    page.clock.run_for(3_000)
    summaries.await_asked(3)
    summaries.give(2, 103)
    summaries.shows(103)
    page.clock.run_for(3_000)
    summaries.await_asked(3)


def test_changes_without_end_are_asked_for_once_a_second(summaries: Summaries) -> None:
    page = summaries.page
    began = page.evaluate("performance.now()")
    page.evaluate(CHANGE_EVERY_30_MS, module_of(page, "store.js"))
    for count in range(4):
        summaries.await_asked(count + 1)
        summaries.give(count, 200 + count)
        summaries.shows(200 + count)
    assert page.evaluate("performance.now()") - began >= 3_000


def test_another_question_is_asked_at_once_and_the_answer_to_the_one_before_is_not_shown(
    summaries: Summaries,
) -> None:
    page = summaries.page
    for place, name in enumerate(("24 h", "30 days")):
        page.get_by_role("button", name=name).click()
        summaries.await_asked(place + 1)
    summaries.give(1, 301)
    summaries.shows(301)
    with page.expect_response("**/api/telemetry/summary?*"):
        summaries.give(0, 300)
    page.clock.run_for(3_000)
    summaries.shows(301)
    summaries.await_asked(2)
