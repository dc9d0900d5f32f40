"""Lists of which the page has loaded only the newest: what they find, count and leave out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Request, expect

from command_center.store import Writer, approvals, repositories, sessions, tasks
from command_center.store.transaction import Transaction
from tests.browser.conftest import UNWORKED, OpenPage, made
from tests.browser.test_records import Held
from tests.browser.watching import settle
from tests.end_to_end.server import Server

PAGE = 200
NEWEST = 10 + PAGE
OLD = ("Find the lost 100%", "Clean a_b", "Interrupted", "Stopped")
FAILED = 230


def fill_long(tx: Transaction) -> None:
    """Some that are old, many that failed, and as many open ones as a list shows at first."""
    repository = repositories.insert(tx, name="long", local_path="/srv/long")
    other = repositories.insert(tx, name="other", local_path="/srv/other")

    def add(title: str, status: str, **fields: Any) -> None:
        given = {"repository_id": repository.id, "title": title, "status": status, **fields}
        shared = {"requested_by": "web", "correlation_id": "c"}
        task = tasks.insert(tx, **{"prompt": "Do.", **given}, **shared)
        sessions.insert(
            tx,
            task_id=task.id,
            title=title,
            repository_id=task.repository_id,
            status="completed" if status in {"open", "cancelled"} else status,
            exit_reason=f"It was session {task.id}.",
            runner="stub",
            sandbox="read-only",
            cwd="/srv/long",
            prompt="Do.",
            started_at=tx.now,
            finished_at=tx.now,
            **shared,
        )

    add(OLD[0], "completed", prompt="It is in the ATTIC.", repository_id=other.id)
    add(OLD[1], "cancelled")
    add(OLD[2], "interrupted")
    add(OLD[3], "stopped")
    approvals.insert(
        tx,
        kind="manual",
        status="approved",
        title="May it be cleaned?",
        details={},
        task_id=2,
        requested_by="api",
        resolved_at=tx.now,
        resolved_by="web",
    )
    for number in range(FAILED):
        add(f"Failed {number}", "failed")
    for number in range(NEWEST):
        add(f"Open {number}", "open")


@pytest.fixture(scope="module")
def long_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("long") / "data"
    writer = Writer(folder / "command-center.sqlite3")
    writer.commit([fill_long])
    writer.close()
    server = Server(folder, {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    yield server
    server.end()


@pytest.fixture
def client(long_server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=long_server.url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def page(long_server: Server, open_page: OpenPage) -> Page:
    """A page that has loaded the newest tasks, and looks at them."""
    page = open_page(f"{long_server.url}/#/tasks", device="desktop", **UNWORKED).page
    settle(page)
    expect(rows(page)).to_have_count(60)
    return page


def rows(page: Page) -> Locator:
    return page.locator("main .rows > li")


def note(page: Page) -> Locator:
    return page.locator("main .head .note")


def search(page: Page, words: str) -> None:
    page.get_by_label("Search tasks").fill(words)


def column(page: Page, name: str) -> Locator:
    return page.locator(f"section[aria-label='{name}']")


def test_the_count_is_of_all_tasks_though_the_newest_are_loaded(page: Page) -> None:
    expect(note(page)).to_have_text(f"{len(OLD) + FAILED + NEWEST} tasks")


@pytest.mark.parametrize(
    ("words", "title"),
    [("attic IT", OLD[0]), ("0%", OLD[0]), ("a_b", OLD[1]), ("#3 inter", OLD[2])],
)
def test_a_search_finds_what_is_not_loaded(page: Page, words: str, title: str) -> None:
    search(page, words)
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text(title)
    expect(note(page)).to_have_text("1 task")


def test_a_search_that_finds_nothing_says_so_once_that_is_known(page: Page) -> None:
    held = Held(page, "**/api/tasks?*query=nowhere*", then=lambda: None)
    with page.expect_request("**/api/tasks?*query=nowhere*"):
        search(page, "nowhere")
    expect(page.get_by_text("None of the newest")).to_be_visible()
    expect(note(page)).to_have_text("None so far")
    expect(page.get_by_text("No task matches")).to_have_count(0)
    held.release()
    expect(page.get_by_text("No task matches")).to_be_visible()
    expect(note(page)).to_have_text("0 tasks")


def test_an_answer_to_words_that_were_typed_before_does_not_win(page: Page) -> None:
    held = Held(page, "**/api/tasks?*query=lost*", then=lambda: None)
    with page.expect_request("**/api/tasks?*query=lost*"):
        search(page, "lost")
    search(page, "clean")
    expect(rows(page)).to_contain_text([OLD[1]])
    held.release()
    search(page, "Clean ")
    expect(rows(page)).to_contain_text([OLD[1]])
    expect(note(page)).to_have_text("1 task")


def test_the_server_is_asked_once_one_has_typed(page: Page) -> None:
    asked: list[str] = []

    def note_it(request: Request) -> None:
        if "/api/tasks?" in request.url:
            asked.append(request.url)

    page.on("request", note_it)
    page.get_by_label("Search tasks").press_sequentially("attic")
    expect(rows(page)).to_contain_text([OLD[0]])
    search(page, "")
    expect(rows(page)).to_have_count(60)
    search(page, "attic")
    expect(rows(page)).to_contain_text([OLD[0]])
    assert 1 == len(asked), asked


def test_a_filter_is_paged_to_its_end(page: Page) -> None:
    page.get_by_label("State").select_option("Needs a look")
    expect(note(page)).to_have_text(f"{PAGE}+ tasks")
    page.get_by_role("button", name="Show more").click()
    page.get_by_role("button", name="Load older").click()
    expect(note(page)).to_have_text(f"{FAILED + 2} tasks")
    expect(rows(page).last).to_contain_text(OLD[2])
    expect(page.get_by_role("button", name="Load older")).to_have_count(0)
    page.get_by_label("State").select_option("Running")
    expect(page.get_by_text("No task matches")).to_be_visible()
    page.get_by_label("State").select_option("")
    expect(note(page)).to_have_text(f"{len(OLD) + FAILED + NEWEST} tasks")


def test_a_filter_by_repository_finds_what_is_not_loaded(page: Page) -> None:
    page.get_by_label("Repository").select_option("other")
    expect(rows(page)).to_contain_text([OLD[0]])
    expect(note(page)).to_have_text("1 task")


def test_a_repository_shows_its_tasks_though_others_have_newer_ones(
    long_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{long_server.url}/#/repos/2", expected={409}, **UNWORKED).page
    expect(page.get_by_role("link", name=OLD[0])).to_be_visible()


def test_what_changes_comes_into_a_filter_and_leaves_it(page: Page, client: httpx.Client) -> None:
    search(page, "clean")
    expect(rows(page)).to_have_count(1)
    assert client.patch("/api/tasks/4", json={"title": "Clean as well"}).is_success
    expect(rows(page)).to_contain_text([OLD[1], "Clean as well"][::-1])
    expect(note(page)).to_have_text("2 tasks")
    assert client.patch("/api/tasks/4", json={"title": OLD[3]}).is_success
    expect(rows(page)).to_have_count(1)
    new = made(client, "/api/tasks", {"repositoryId": 1, "title": "Clean more", "prompt": "Do."})
    expect(rows(page)).to_have_count(2)
    assert client.patch(f"/api/tasks/{new['id']}", json={"title": "Open more"}).is_success
    expect(rows(page)).to_have_count(1)


def test_the_board_counts_and_shows_what_is_not_loaded(page: Page) -> None:
    page.get_by_role("button", name="Board").click()
    expect(column(page, "Done").locator(".card")).to_have_count(2)
    expect(column(page, "Done").locator(".count")).to_have_text("2")
    expect(column(page, "Running").locator(".count")).to_have_text("0")
    expect(column(page, "Needs a look").locator(".count")).to_have_text(f"{PAGE}+")
    expect(column(page, "Needs a look").locator(".card")).to_have_count(50)
    expect(column(page, "To do").locator(".count")).to_have_text(f"{NEWEST}+")
    column(page, "Needs a look").get_by_role("link", name="All in the list").click()
    expect(page.get_by_label("State")).to_have_value("Needs a look")
    page.get_by_role("button", name="Board").click()
    expect(column(page, "Done").locator(".card")).to_have_count(2)


def test_a_filter_is_asked_for_again_once_the_connection_is_back(
    long_server: Server, open_page: OpenPage
) -> None:
    address = f"{long_server.url}/#/tasks"
    page = open_page(address, device="desktop", outage=True, **UNWORKED).page
    settle(page)
    page.context.set_offline(True)
    expect(page.get_by_text("Offline").first).to_be_attached()
    search(page, "attic")
    expect(page.get_by_text("None of the newest")).to_be_visible()
    page.context.set_offline(False)
    expect(rows(page)).to_contain_text([OLD[0]])


def test_sessions_of_each_outcome_are_shown_to_the_oldest(
    long_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{long_server.url}/#/sessions", **UNWORKED).page
    settle(page)
    page.get_by_role("button", name="Stopped", exact=True).click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("It was session 4.")
    expect(rows(page).locator(".row-title")).to_have_text(OLD[3])
    page.get_by_role("button", name="Failed", exact=True).click()
    page.get_by_role("button", name="Show more").click()
    expect(rows(page)).to_have_count(PAGE)
    page.get_by_role("button", name="Load older").click()
    expect(rows(page)).to_have_count(FAILED + 1)
    expect(rows(page).last).to_contain_text("It was session 3.")
    expect(rows(page).last).to_contain_text("Interrupted")
    page.get_by_role("button", name="Done", exact=True).click()
    expect(rows(page).last).to_contain_text("It was session 1.")
    page.get_by_role("button", name="Active", exact=True).click()
    expect(page.get_by_text("No session here")).to_be_visible()


def test_what_was_settled_names_its_task_however_old_that_is(
    long_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{long_server.url}/#/approvals?show=settled", **UNWORKED).page
    expect(rows(page).locator(".row-note")).to_have_text(f"{OLD[1]} · by web")


def test_what_the_page_asked_before_it_was_loaded_anew_takes_nothing_away(
    long_server: Server, open_page: OpenPage
) -> None:
    page = open_page("about:blank", **UNWORKED).page
    held = Held(page, "**/api/sessions?limit=10*", then=lambda: None)
    with page.expect_request("**/api/sessions?limit=10*"):
        page.goto(f"{long_server.url}/#/sessions?show=failed")
    page.evaluate("dispatchEvent(new Event('offline')); dispatchEvent(new Event('online'))")
    settle(page)
    page.get_by_role("button", name="Show more").click()
    expect(rows(page)).to_have_count(PAGE)
    held.release()
    page.get_by_role("button", name="Load older").click()
    expect(rows(page)).to_have_count(FAILED + 1)


@pytest.mark.parametrize("device", ["phone", "desktop"])
@pytest.mark.parametrize("screen", ["sessions", "tasks"])
def test_rows_that_are_not_painted_yet_are_as_high_as_those_that_are(
    long_server: Server, open_page: OpenPage, screen: str, device: str
) -> None:
    """Else what is below them moves away from under a finger."""
    page = open_page(f"{long_server.url}/#/{screen}", device=device, **UNWORKED).page
    settle(page)
    expect(rows(page)).to_have_count(60)
    heights = rows(page).evaluate_all(
        "(all) => all.map((row) => parseFloat(getComputedStyle(row).height))"
    )
    assert {68, 69} == set(heights)  # with the line above it, which the first has not
