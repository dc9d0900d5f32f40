"""The page without the server, the network or the right to speak for a while."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import WebSocket, expect

from command_center.store import Transaction
from tests.browser.conftest import PATIENCE_MS, UNWORKED, OpenPage, fill, made
from tests.browser.watching import module_of, settle
from tests.end_to_end.server import Server
from tests.made_up import made_up

TOKEN = "a-token-of-32-characters-or-more"
LOST = re.compile(r"Offline, as of \d")


def test_a_page_that_was_offline_misses_nothing(filled_server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{filled_server.url}/#/tasks", device="desktop", outage=True).page
    settle(page)
    page.context.set_offline(True)
    expect(page.get_by_text(LOST)).to_be_visible()
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        for number in range(3):
            body = {"repositoryId": 1, "title": f"Meanwhile {number}", "prompt": "Do."}
            made(client, "/api/tasks", body)
    expect(page.get_by_text("Meanwhile")).to_have_count(0)
    page.context.set_offline(False)
    expect(page.get_by_text("Meanwhile")).to_have_count(3)
    expect(page.get_by_text(LOST)).to_have_count(0)


def test_a_page_outlives_the_servers_crash(tmp_path: Path, open_page: OpenPage) -> None:
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    port = server.url.rpartition(":")[2]
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        fill(client, tmp_path / "project")
    page = open_page(f"{server.url}/#/tasks", outage=True).page
    settle(page)
    server.kill()
    expect(page.get_by_text(LOST)).to_be_visible()
    expect(
        page.get_by_role("link", name="Find the slow query")
    ).to_be_visible()  # what was known is shown
    with page.expect_request("**/api/events?**"):
        page.get_by_role("button", name="Try now").click()
    server.settings = {**server.settings, "CC_PORT": port}
    server.start()
    expect(page.get_by_text(LOST)).to_have_count(0, timeout=2 * PATIENCE_MS)
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        made(client, "/api/tasks", {"repositoryId": 1, "title": "After it", "prompt": "Do."})
    expect(page.get_by_text("After it")).to_be_visible()
    server.stop()


def test_a_page_that_wakes_has_one_stream(filled_server: Server, open_page: OpenPage) -> None:
    """Whatever tells it to begin again, and however many do so at once."""
    page = open_page("about:blank", outage=True).page
    streams: list[WebSocket] = []

    def note(stream: WebSocket) -> None:
        streams.append(stream)

    page.on("websocket", note)
    page.goto(filled_server.url)
    settle(page)
    page.evaluate(
        """() => {
          dispatchEvent(new Event("offline"));
          dispatchEvent(new Event("online"));
          document.dispatchEvent(new Event("visibilitychange"));
          dispatchEvent(new Event("online"));
        }"""
    )
    settle(page)
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        asked = made(client, "/api/approvals", {"title": "Is it awake?"})
        expect(page.locator(".toast")).to_have_count(1)
        made(client, f"/api/approvals/{asked['id']}/resolve", {"status": "rejected"})
    while 1 != len([stream for stream in streams if not stream.is_closed()]):
        page.wait_for_timeout(10)  # Playwright hears later than the page that one is closed


def test_after_a_sleep_what_is_shown_is_as_of_before_it(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page("about:blank", outage=True, **UNWORKED).page
    page.clock.install(time="2026-03-02T09:30:00Z")
    page.goto(filled_server.url)
    settle(page)
    before = page.evaluate(
        "new Date().toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'})"
    )
    page.route("**/api/events?*", lambda route: route.abort("internetdisconnected"))
    page.clock.fast_forward("05:00:00")
    expect(page.get_by_text(f"Offline, as of {before}")).to_be_visible()
    page.unroute("**/api/events?*")
    page.get_by_role("button", name="Try now").click()
    expect(page.get_by_text(LOST)).to_have_count(0)


def test_what_nobody_answers_for_after_a_sleep_is_shown_as_stale(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page("about:blank", outage=True, **UNWORKED).page
    page.clock.install()
    page.goto(filled_server.url)
    settle(page)
    page.route("**/api/events?*", lambda _: None)
    page.clock.fast_forward("05:00:00")
    expect(page.get_by_text(LOST)).to_be_visible()
    page.unroute("**/api/events?*")  # which lets it go on
    expect(page.get_by_text(LOST)).to_have_count(0)


def test_a_server_that_comes_back_with_another_log_is_read_anew(
    tmp_path: Path, open_page: OpenPage
) -> None:
    former = Server(tmp_path / "former", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    port = former.url.rpartition(":")[2]
    with httpx.Client(base_url=former.url, trust_env=False) as client:
        fill(client, tmp_path / "old-project")
    page = open_page(f"{former.url}/#/repos", expected={410}, outage=True).page
    settle(page)
    former.stop()
    other = Server(tmp_path / "other", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=other.url, trust_env=False) as client:
        fill(client, tmp_path / "new-project")
        for number in range(30):
            body = {"repositoryId": 1, "title": f"Task {number}", "prompt": "Do."}
            made(client, "/api/tasks", body)
    other.stop()
    other.settings = {**other.settings, "CC_PORT": port}
    other.start()
    expect(page.locator("main").get_by_text("new-project", exact=True)).to_be_visible()
    expect(page.locator("main").get_by_text("old-project", exact=True)).to_have_count(0)
    other.stop()


@pytest.fixture
def guarded_server(tmp_path: Path) -> Iterator[Server]:
    settings = {"CC_CODEX_RUNNER_MODE": "stub", "CC_API_TOKEN": TOKEN}
    server = Server(tmp_path / "data", settings).start()
    yield server
    server.end()


def test_a_token_is_asked_for_once_and_kept_where_no_script_reads_it(
    guarded_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{guarded_server.url}/#/more", expected={401}).page
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The token is wrong")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("More", use_inner_text=True)
    settle(page)
    kept = page.evaluate("[document.cookie, JSON.stringify(localStorage), location.href].join()")
    assert TOKEN not in kept
    assert "cc_signin" not in kept
    page.reload()
    settle(page)

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Token")).to_be_visible()


def test_who_signed_out_is_shown_nothing_more(guarded_server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{guarded_server.url}/#/more", expected={401}, outage=True).page
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    settle(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Token").fill("half of it")
    page.context.set_offline(True)
    page.evaluate("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50)))")
    expect(page.get_by_label("Token")).to_have_value("half of it")
    known = "(store) => import(store).then(({ state }) => [state.lastId, state.tasks.size])"
    page.context.set_offline(False)
    assert [None, 0] == page.evaluate(known, module_of(page, "store.js"))


def test_where_no_token_is_asked_for_nobody_can_sign_out(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page("about:blank").page
    with page.expect_response("**/api/repos?limit=1") as asked:
        page.goto(f"{filled_server.url}/#/more")
    assert 200 == asked.value.status
    expect(page.get_by_text("Documentation")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)


def test_another_token_signs_everybody_out(guarded_server: Server, open_page: OpenPage) -> None:
    page = open_page(guarded_server.url, expected={401}, outage=True).page
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    settle(page)
    guarded_server.stop()
    port = guarded_server.url.rpartition(":")[2]
    another = {"CC_API_TOKEN": f"{TOKEN}-2", "CC_PORT": port}
    guarded_server.settings = {**guarded_server.settings, **another}
    guarded_server.start()
    expect(page.get_by_label("Token")).to_be_visible()


def test_ten_thousand_events_and_tasks_in_their_hundreds_stay_quick(
    tmp_path: Path, open_page: OpenPage
) -> None:
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        fill(client, tmp_path / "project")
        for number in range(300):
            body = {"repositoryId": 1, "title": f"Task {number}", "prompt": "Do."}
            made(client, "/api/tasks", body)

    def warn(tx: Transaction) -> None:
        for number in range(10_000):
            tx.emit(
                made_up("session.warning", {"message": f"Warning {number}"}),
                actor="codex",
                repository_id=1,
                task_id=1,
                session_id=1,
                correlation_id="c",
            )

    server.write(warn)
    page = open_page(f"{server.url}/#/sessions/1", device="desktop", outage=True).page
    expect(page.get_by_text("Warning 9999")).to_be_visible()
    assert page.locator(".timeline li").count() <= 200
    page.goto(f"{server.url}/#/tasks")
    expect(page.get_by_role("link", name="Task 299")).to_be_visible()
    assert page.locator("main .rows > li").count() <= 100
    page.get_by_role("searchbox").fill("Task 123")
    expect(page.locator("main .rows > li")).to_have_count(1)
    server.stop()


def test_a_page_of_the_version_before_says_so_and_takes_no_module_of_the_new_one(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(filled_server.url, expected={404}, **UNWORKED).page
    settle(page)
    strip = page.get_by_text("Command Center was updated")
    expect(strip).to_have_count(0)
    folder = module_of(page, ".")
    page.route(f"{folder}**", lambda route: route.fulfill(status=404))  # as another version does
    page.evaluate("dispatchEvent(new Event('offline')); dispatchEvent(new Event('online'))")
    expect(strip).to_be_visible()
    page.get_by_role("link", name="Tasks", exact=True).click()
    expect(page.get_by_text("It comes with the page of the new version.")).to_be_visible()
    page.unroute(f"{folder}**")
    page.get_by_role("button", name="Load it anew").click()
    expect(page.locator("h1")).to_have_text("Tasks")
    expect(strip).to_have_count(0)
