"""A session of thousands of events: all of them can be reached, and few are in the page at once."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from command_center.store import Transaction
from tests.browser.conftest import OpenPage, fill, made
from tests.browser.watching import module_of, settle
from tests.end_to_end.server import Server
from tests.made_up import made_up

WARNINGS = 2_600
MOST = 300
TO_END = "(row) => row.scrollIntoView({ block: 'end' })"
TO_START = "(row) => row.scrollIntoView({ block: 'start' })"


@pytest.fixture(scope="module")
def long_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose first session has had a warning each second."""
    folder = tmp_path_factory.mktemp("long")
    server = Server(folder / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        fill(client, folder / "project")

    def warn(tx: Transaction) -> None:
        for number in range(WARNINGS):
            tx.emit(
                made_up("session.warning", {"message": f"Warning {number}."}),
                actor="codex",
                repository_id=1,
                task_id=1,
                session_id=1,
                correlation_id="c",
            )

    def settle_turn(tx: Transaction) -> None:
        tx.emit(
            made_up("session.turn.settled", {"interrupted": True}),
            actor="codex",
            repository_id=1,
            task_id=1,
            session_id=1,
            correlation_id="c",
        )

    server.write(warn, settle_turn)
    yield server
    server.end()


def open_timeline(page: Page) -> Locator:
    """The timeline's rows, with the pane shown where there is room for one only."""
    settle(page)
    choice = page.get_by_role("button", name="Timeline")
    listed = page.get_by_role("list", name="Timeline")
    choice.or_(listed).filter(visible=True).first.wait_for()
    if choice.is_visible():
        choice.click()
    rows = listed.locator("li")
    expect(rows.filter(has_text=f"Warning {WARNINGS - 1}.")).to_be_visible()
    return rows


def test_a_queued_session_says_what_it_waits_for(long_server: Server, open_page: OpenPage) -> None:
    page = open_page(long_server.url).page
    said = """async ([timeline, data]) => {
      const { sentence } = await import(timeline);
      return sentence({ type: "session.queued", data });
    }"""
    timeline = module_of(page, "components/timeline.js")
    queued = {"from": "created", "to": "queued"}
    assert "waits for its turn" == page.evaluate(said, [timeline, queued])
    yielded = {"from": "starting", "to": "queued", "writingSessionId": 7}
    assert "session 7 is writing in its folder" == page.evaluate(said, [timeline, yielded])


def ids_of(rows: Locator) -> list[int]:
    numbers: list[str] = rows.locator(".no").all_inner_texts()
    return [int(number.removeprefix("#")) for number in numbers]


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_scrolling_reaches_the_first_event_and_comes_back(
    long_server: Server, open_page: OpenPage, device: str
) -> None:
    page = open_page(f"{long_server.url}/#/sessions/1", device=device).page
    rows = open_timeline(page)
    begun = rows.filter(has_text="session.created")
    seen: set[int] = set()
    for _ in range(WARNINGS):
        before = ids_of(rows)
        assert before == sorted(before, reverse=True)
        assert len(before) <= MOST
        seen.update(before)
        if begun.count():
            break
        rows.last.evaluate(TO_END)
        oldest = f"#{before[-1]}"
        expect(rows.last.locator(".no")).not_to_have_text(oldest)
        kept = rows.filter(has=page.get_by_text(oldest, exact=True))
        expect(kept).to_be_in_viewport()  # what was looked at is still there
    expect(begun).to_have_count(1)
    seen.update(ids_of(rows))
    assert len(seen) > WARNINGS
    for _ in range(WARNINGS):
        newest = rows.first.locator(".no").inner_text()
        if rows.filter(has_text=f"Warning {WARNINGS - 1}.").count():
            break
        rows.first.evaluate(TO_START)
        expect(rows.first.locator(".no")).not_to_have_text(newest)
        assert rows.count() <= MOST


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_what_happens_meanwhile_does_not_move_what_is_read(
    long_server: Server, open_page: OpenPage, device: str
) -> None:
    page = open_page(f"{long_server.url}/#/sessions/1", device=device).page
    rows = open_timeline(page)
    newest = rows.first.locator(".no").inner_text()
    read = rows.nth(60)
    row = rows.filter(has=page.get_by_text(read.locator(".no").inner_text(), exact=True))
    row.scroll_into_view_if_needed()
    element = row.element_handle()
    before = element.bounding_box()
    with httpx.Client(base_url=long_server.url, trust_env=False) as client:
        made(client, "/api/approvals", {"title": "Meanwhile?", "sessionId": 1})
    expect(rows.first.locator(".no")).not_to_have_text(newest)
    expect(rows.first).to_contain_text("Meanwhile?")
    assert before is not None
    is_there = "([row, y]) => Math.abs(row.getBoundingClientRect().y - y) < 2"
    page.wait_for_function(is_there, arg=[element, before["y"]])


def test_a_turn_that_was_settled_says_how(long_server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{long_server.url}/#/sessions/1", device="desktop").page
    settled = open_timeline(page).filter(has_text="session.turn.settled")
    expect(settled).to_contain_text("It still ran, and was interrupted.")
