"""The page's records: of each the newest that it asked for, whatever overtakes what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.conftest import UNWORKED, OpenPage, fill, made, make_repository
from tests.browser.watching import module_of, settle
from tests.end_to_end.server import Server


@pytest.fixture(scope="module")
def busy_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of which more is asked than others' tests would like."""
    folder = tmp_path_factory.mktemp("busy")
    server = Server(folder / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        fill(client, folder / "storefront")
    yield server
    server.end()


@pytest.fixture
def client(busy_server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=busy_server.url, trust_env=False, timeout=30) as client:
        yield client


class Held:
    """An answer that is on its way for as long as the test wants."""

    def __init__(self, page: Page, path: str, then: Callable[[], object]) -> None:
        """Hold the first answer to what is asked of the path, and once it is made do something."""
        self._held: list[tuple[Route, APIResponse]] = []
        self._page = page
        self._then = then
        page.route(path, self._hold, times=1)

    def _hold(self, route: Route) -> None:
        self._held.append((route, route.fetch()))
        self._then()

    def release(self) -> None:
        """Let it come, and wait until the page has it."""
        while not self._held:
            self._page.evaluate("0")  # it is still being made; Playwright hears of it meanwhile
        ((route, answer),) = self._held
        with self._page.expect_event("requestfinished"):
            route.fulfill(response=answer)


def task_named(client: httpx.Client, title: str) -> dict[str, Any]:
    body = {"repositoryId": 1, "title": title, "prompt": "Do."}
    task: dict[str, Any] = made(client, "/api/tasks", body)
    return task


def rename(client: httpx.Client, task: dict[str, Any], title: str) -> None:
    assert client.patch(f"/api/tasks/{task['id']}", json={"title": title}).is_success


def be_told(client: httpx.Client, page: Page, title: str) -> None:
    """Wait until the page shows what has just happened."""
    asked = made(client, "/api/approvals", {"title": title})
    expect(page.locator(".toast").filter(has_text=title)).to_be_visible()
    made(client, f"/api/approvals/{asked['id']}/resolve", {"status": "rejected"})


def show_few(page: Page, kind: str, few: int = 2) -> None:
    """Have the page see a list as if only so few went into a page of it."""

    def ask_for_few(route: Route) -> None:
        route.continue_(url=re.sub(r"limit=\d+", f"limit={few}", route.request.url))

    page.route(f"**/api/{kind}?limit=*", ask_for_few)


def ask_for_one(route: Route) -> None:
    """Answer as if only one came at first."""
    route.continue_(url=route.request.url.replace("limit=10", "limit=1"))


def test_what_a_screen_needs_is_there_however_few_are_loaded_at_first(
    busy_server: Server, open_page: OpenPage
) -> None:
    before = open_page(f"{busy_server.url}/#/sessions/1").page
    expect(before.locator("main .badge").first).to_have_text("Completed")
    page = open_page("about:blank", **UNWORKED).page
    page.route("**/api/*?limit=10*", ask_for_one)
    page.goto(busy_server.url)
    title = "Review the login flow"
    ended = page.get_by_role("region", name="Just ended")
    expect(ended.get_by_role("link", name=title)).to_be_visible()
    for screen in ("tasks", "tasks?view=board", "repos/1", "sessions"):
        page.goto(f"{busy_server.url}/#/{screen}")
        expect(page.locator("main").get_by_role("link", name=title).first).to_be_visible()


def test_an_answer_that_was_overtaken_is_not_shown(
    client: httpx.Client, busy_server: Server, open_page: OpenPage
) -> None:
    task = task_named(client, "As it was")
    page = open_page(f"{busy_server.url}/#/tasks/{task['id']}", **UNWORKED).page
    settle(page)
    path = f"**/api/tasks/{task['id']}"
    held = Held(page, path, then=lambda: rename(client, task, "As it is"))
    rename(client, task, "In between")
    expect(page.locator("h1")).to_have_text("As it is")
    held.release()
    be_told(client, page, "Was it overtaken?")
    expect(page.locator("h1")).to_have_text("As it is")


def test_a_list_that_was_overtaken_takes_nothing_away(
    client: httpx.Client, busy_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{busy_server.url}/#/tasks", outage=True, **UNWORKED).page
    settle(page)
    page.context.set_offline(True)
    for number in range(45):
        task_named(client, f"Gathered {number}")
    held = Held(page, "**/api/tasks?*", then=lambda: task_named(client, "Made after the list"))
    page.context.set_offline(False)
    expect(page.get_by_role("link", name="Made after the list")).to_be_visible()
    held.release()
    expect(page.get_by_role("link", name="Gathered 44")).to_be_visible()
    expect(page.get_by_role("link", name="Made after the list")).to_be_visible()


def test_what_an_old_answer_brings_late_is_put_right(
    client: httpx.Client, busy_server: Server, open_page: OpenPage
) -> None:
    task = task_named(client, "Before the edit")
    page = open_page(f"{busy_server.url}/#/tasks/{task['id']}", **UNWORKED).page
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Title").fill("Edited here")
    path = f"**/api/tasks/{task['id']}"
    held = Held(page, path, then=lambda: rename(client, task, "Edited elsewhere"))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Edited elsewhere")
    held.release()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("h1")).to_have_text("Edited elsewhere")


def test_a_record_that_could_not_be_read_is_asked_for_again(
    client: httpx.Client, busy_server: Server, open_page: OpenPage
) -> None:
    task = task_named(client, "Readable")
    address = f"{busy_server.url}/#/tasks/{task['id']}"
    page = open_page(address, expected={503}, **UNWORKED).page
    settle(page)
    refused = {"error": {"statusCode": 503, "message": "Not now."}}
    path = f"**/api/tasks/{task['id']}"
    page.route(path, lambda route: route.fulfill(status=503, json=refused), times=1)
    with page.expect_response(path):
        rename(client, task, "Readable again")
    be_told(client, page, "Is it readable?")
    expect(page.locator("h1")).to_have_text("Readable again")


def test_a_screen_of_an_old_record_outlives_a_long_absence(
    client: httpx.Client, busy_server: Server, open_page: OpenPage
) -> None:
    """So much has happened that lists are asked for anew, and it is in none of them."""
    page = open_page("about:blank", outage=True, **UNWORKED).page
    show_few(page, "tasks")
    page.goto(f"{busy_server.url}/#/tasks/2")
    settle(page)
    page.context.set_offline(True)
    for number in range(45):
        task_named(client, f"In the absence {number}")
    with page.expect_request("**/api/tasks?*"):
        page.context.set_offline(False)
    be_told(client, page, "Is it still there?")
    expect(page.locator("h1")).to_have_text("Find the slow query")
    page.goto(f"{busy_server.url}/#/tasks?q=In+the+absence")
    expect(page.locator("main .rows > li")).to_have_count(45)


def test_a_screen_says_that_its_record_was_removed_elsewhere(
    client: httpx.Client, busy_server: Server, open_page: OpenPage, tmp_path: Path
) -> None:
    folder = make_repository(tmp_path / "passing")
    repository = made(client, "/api/repos", {"localPath": str(folder)})
    body = {"repositoryId": repository["id"], "title": "Passing", "prompt": "Do."}
    task = made(client, "/api/tasks", body)
    page = open_page(f"{busy_server.url}/#/tasks/{task['id']}", expected={404}).page
    settle(page)
    assert client.delete(f"/api/repos/{repository['id']}").is_success
    expect(page.get_by_role("alert").first).to_contain_text("not found")
    expect(page.locator(".loading")).to_have_count(0)


def test_what_is_not_over_is_there_however_old_it_is(
    client: httpx.Client, busy_server: Server, open_page: OpenPage
) -> None:
    made(client, "/api/tasks/2/run", {})
    page = open_page("about:blank", **UNWORKED).page
    page.route("**/api/*?limit=10*", ask_for_one)
    page.route(
        "**/api/sessions?*cursor=*",
        lambda route: route.fulfill(json={"items": [], "nextCursor": None}),
    )
    page.goto(busy_server.url)
    coming = page.get_by_role("region", name="Comes next")
    expect(coming.get_by_role("link", name="Deploy")).to_be_visible()


def test_older_ones_that_cannot_be_loaded_say_so(
    client: httpx.Client, busy_server: Server, open_page: OpenPage
) -> None:
    page = open_page("about:blank", outage=True, **UNWORKED).page
    for task in (2, 3):
        made(client, f"/api/tasks/{task}/run", {})
    show_few(page, "sessions", few=1)
    page.goto(f"{busy_server.url}/#/sessions")
    expect(page.locator("main .rows > li")).to_have_count(2)
    older = page.get_by_role("button", name="Load older")
    page.context.set_offline(True)
    older.click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.context.set_offline(False)


def test_what_changes_as_soon_as_a_part_is_shown_is_shown(
    busy_server: Server, open_page: OpenPage
) -> None:
    page = open_page(busy_server.url).page
    settle(page)
    shown = page.evaluate(
        """async ([elements, store]) => {
          const { html, render } = await import(elements);
          const { changed, useStore } = await import(store);
          let value = "as it was";
          const Part = () => (useStore("a topic"), html`<p>${value}</p>`);
          const place = document.createElement("div");
          requestAnimationFrame = () => 0; // as where nothing is painted yet
          render(html`<${Part} />`, place);
          value = "as it is";
          changed("a topic");
          await new Promise((resolve) => setTimeout(resolve, 200));
          return place.textContent;
        }""",
        [module_of(page, "html.js"), module_of(page, "store.js")],
    )
    assert "as it is" == shown
