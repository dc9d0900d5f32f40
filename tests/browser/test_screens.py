"""Every screen, on a phone and on a desktop: it shows, complains of nothing, fits, and can be used
by everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Response, expect

from command_center.store import sessions
from tests.browser.conftest import (
    DEVICES,
    PATIENCE_MS,
    UNWORKED,
    OpenPage,
    fill,
    made,
    make_repository,
)
from tests.browser.vendored import TESTS
from tests.browser.watching import Watched, module_of, settle, watched
from tests.end_to_end.server import Server

SCREENS: dict[str, str | re.Pattern[str]] = {
    "/": "Now",
    "/tasks": "Tasks",
    "/tasks?view=board": "Tasks",
    "/tasks/new": "New task",
    "/tasks/2": "Find the slow query",
    "/approvals": "Approvals",
    "/approvals/1": "Approval 1",
    "/sessions": "Sessions",
    "/sessions/1": "Review the login flow",
    "/repos": "Repositories",
    "/repos/1": "storefront",
    "/automations": "Automations",
    "/automations/1": "Morning check",
    "/automations/new": "New automation",
    "/threads": "Threads",
    "/hosts": "Hosts",
    "/telemetry": "Telemetry",
    "/runtime": "Runtime",
    "/runtime?show=doctor": "Doctor",
    "/runtime?show=settings": "Settings",
    "/notifications": "Notifications",
    "/devices": "Devices",
    "/account": "Codex account",
    "/tasks/lost": "Nothing is here",
    "/more": re.compile("^(More|Preferences)$"),
}
NEEDS_CODEX = {"/threads": {409}, "/account": {409}}
WIDTHS = (320, 390, 600, 768, 900, 1100, 1440, 2560)

AXE = (TESTS / "axe.min.js").read_text(encoding="utf-8")
VIOLATIONS = """
async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`)
"""
SERIOUS = """
async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .filter((found) => ["serious", "critical"].includes(found.impact))
  .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`)
"""
OVERFLOWING = """
() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("main *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => `${innerWidth}: ${element.tagName} ${element.className}`)
    .slice(0, 5)
"""

OVERFLOWING_RTL = """
() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().left < -1)
    .map((element) => `${element.tagName} ${element.className}`)
    .slice(0, 5)
"""

TOO_SMALL = """
() => {
const pressed = "a, button, input, select, textarea, summary";
return [...document.querySelectorAll(pressed)].filter((element) => {
  const target = element.closest("label") || element;
  const isInText = element.matches(".note > a, .quiet-line > a");
  if (isInText || getComputedStyle(target).display === "inline") return false;
  if (element.closest(".visually-hidden") || !element.checkVisibility()) return false;
  target.scrollIntoView({ block: "center" });
  const { x, y, width, height } = target.getBoundingClientRect();
  if (!width || x < 0) return false;
  const reaches = (dx, dy) => {
    const hit = document.elementFromPoint(x + width / 2 + dx, y + height / 2 + dy);
    return target.contains(hit);
  };
  const isWide = width >= 43.5 || (reaches(-21, 0) && reaches(21, 0));
  return !isWide || !(height >= 43.5 || (reaches(0, -21) && reaches(0, 21)));
}).map((element) => element.outerHTML.slice(0, 160));
}
"""


@pytest.fixture(scope="module", params=["phone-light", "desktop-dark"])
def shown(
    request: pytest.FixtureRequest, browser: Browser, filled_server: Server
) -> Iterator[Watched]:
    """One page that goes from screen to screen."""
    device, _, scheme = request.param.partition("-")
    options: dict[str, Any] = {**DEVICES[device], "color_scheme": scheme}
    context = browser.new_context(**options, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    with watched(context) as watch:
        watch.page.goto(filled_server.url)
        settle(watch.page)
        watch.page.evaluate(AXE)
        yield watch
    context.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_shows_and_everybody_can_use_it(
    shown: Watched, filled_server: Server, screen: str
) -> None:
    shown.expected = NEEDS_CODEX.get(screen, set())
    shown.page.goto(f"{filled_server.url}/#{screen}")
    settle(shown.page)
    expect(shown.page.locator("h1")).to_have_text(SCREENS[screen], use_inner_text=True)
    assert [] == shown.page.evaluate(VIOLATIONS)
    assert [] == shown.complaints


@pytest.mark.parametrize("shown", ["phone-light"], indirect=True)
@pytest.mark.parametrize("screen", SCREENS)
def test_a_finger_has_44_pixels_wherever_it_presses(
    shown: Watched, filled_server: Server, screen: str
) -> None:
    shown.expected = NEEDS_CODEX.get(screen, set())
    shown.page.goto(f"{filled_server.url}/#{screen}")
    settle(shown.page)
    expect(shown.page.locator("h1")).to_have_text(SCREENS[screen], use_inner_text=True)
    assert [] == shown.page.evaluate(TOO_SMALL)


def test_no_screen_is_wider_than_its_window(filled_server: Server, open_page: OpenPage) -> None:
    page = open_page(filled_server.url, device="desktop", expected={409}).page
    for screen in SCREENS:
        page.goto(f"{filled_server.url}/#{screen}")
        settle(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert [] == page.evaluate(OVERFLOWING), screen
        page.evaluate("document.documentElement.dir = 'rtl'")
        expect(page.locator("h1")).to_be_in_viewport()
        assert [] == page.evaluate(OVERFLOWING_RTL), screen
        page.evaluate("document.documentElement.dir = 'ltr'")


@pytest.mark.parametrize("device", DEVICES)
def test_the_box_that_talks_to_a_session_is_at_the_bottom_however_little_was_said(
    tmp_path: Path, open_page: OpenPage, device: str
) -> None:
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        made(client, "/api/repos", {"localPath": str(make_repository(tmp_path / "project"))})
        made(client, "/api/tasks", {"repositoryId": 1, "title": "Wait", "prompt": "Wait."})
        made(client, "/api/runtime/actors/slots/suspend", {"reason": "so that it waits"})
        made(client, "/api/tasks/1/run", {})
    page = open_page(f"{server.url}/#/sessions/1", device=device).page
    box = page.get_by_label("A follow-up in the same thread")
    expect(box).to_be_in_viewport()
    page.wait_for_function("document.documentElement.scrollHeight <= innerHeight + 1")
    bottom = "document.querySelector('.composer textarea').getBoundingClientRect().bottom"
    page.wait_for_function(f"innerHeight - {bottom} < 100")
    page.close()
    server.stop()


TITLE_IS_WIDER = """
() => {
  const row = [...document.querySelectorAll("main .rows a")].find(
    ({ textContent }) => textContent.includes("Deploy"),
  );
  const [title, note] = ["title", "note"].map((name) => row?.querySelector(`.row-${name}`));
  return title && note && title.clientWidth > note.clientWidth;
}
"""


def test_the_title_of_a_row_has_more_room_than_its_note_has_beside_its_state(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/tasks", viewport={"width": 320, "height": 640}).page
    expect(page.get_by_role("link", name="Deploy")).to_be_visible()
    page.wait_for_function(TITLE_IS_WIDER)


def test_back_goes_back_and_an_address_can_be_kept(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/tasks?q=slow").page
    expect(page.get_by_role("searchbox")).to_have_value("slow")
    page.get_by_role("link", name="Find the slow query").click()
    expect(page.locator("h1")).to_have_text("Find the slow query")
    expect(page).to_have_title(re.compile("Find the slow query · Command Center$"))
    page.go_back()
    expect(page.locator("h1")).to_have_text("Tasks")
    expect(page.locator("main ul.rows > li")).to_have_count(1)


def test_a_search_ends_where_its_address_ends(filled_server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{filled_server.url}/#/tasks?q=slow").page
    expect(page.locator("main ul.rows > li")).to_have_count(1)
    page.get_by_role("link", name="Tasks", exact=True).click()
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.get_by_role("link", name="Write the release notes")).to_be_visible()


def test_a_step_back_comes_to_where_one_was_and_a_step_on_to_the_top(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/runtime", viewport={"width": 390, "height": 400}).page
    settle(page)
    page.evaluate("scrollTo(0, 500)")
    page.wait_for_function("() => scrollY === 500")
    page.get_by_role("link", name="Tasks", exact=True).click()
    expect(page.locator("h1")).to_have_text("Tasks")
    page.wait_for_function("() => scrollY === 0")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Runtime")
    page.wait_for_function("() => scrollY === 500")


@pytest.mark.parametrize(
    ("screen", "choice", "address"),
    [
        ("/sessions", "Failed", "/sessions?show=failed"),
        ("/approvals", "Settled", "/approvals?show=settled"),
        ("/telemetry", "30 days", "/telemetry?window=30d"),
        ("/sessions/1", "Timeline", "/sessions/1?pane=timeline"),
        ("/tasks", "Board", "/tasks?view=board"),
    ],
)
def test_what_is_chosen_stands_in_the_address(
    page: Page, filled_server: Server, screen: str, choice: str, address: str
) -> None:
    page.goto(f"{filled_server.url}/#{screen}")
    page.get_by_role("button", name=choice, exact=True).click()
    expect(page).to_have_url(f"{filled_server.url}/#{address}")
    page.reload()
    chosen = page.get_by_role("button", name=choice, exact=True)
    expect(chosen).to_have_attribute("aria-pressed", "true")


def test_a_screen_that_fails_says_so_and_leaves_the_others(
    filled_server: Server, open_page: OpenPage
) -> None:
    opened = open_page("about:blank", **UNWORKED)
    page = opened.page
    failing = 'export const Telemetry = () => { throw new Error("It cannot be shown"); };'
    page.route(
        "**/web/*/screens/telemetry.js",
        lambda route: route.fulfill(content_type="text/javascript", body=failing),
    )
    page.goto(f"{filled_server.url}/#/telemetry")
    expect(page.get_by_role("heading", name="This screen has failed")).to_be_visible()
    expect(page.get_by_text("It cannot be shown")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="This screen has failed")).to_be_visible()
    page.get_by_role("link", name="Tasks", exact=True).click()
    expect(page.locator("h1")).to_have_text("Tasks")
    assert all("It cannot be shown" in complaint for complaint in opened.complaints)
    opened.complaints.clear()


def test_a_part_that_cannot_be_loaded_says_so_and_comes_with_the_connection(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(filled_server.url, outage=True, **UNWORKED).page
    settle(page)
    page.context.set_offline(True)
    page.get_by_role("link", name="Tasks", exact=True).click()
    expect(page.get_by_role("heading", name="This part of the page is not here")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("h1")).to_have_text("Tasks")


def test_the_help_sheet_comes_when_it_is_asked_for_again_with_a_connection(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(filled_server.url, device="desktop", outage=True, **UNWORKED).page
    settle(page)
    page.context.set_offline(True)
    expect(page.get_by_text("Offline").first).to_be_attached()
    with page.expect_event("requestfailed", lambda request: "help.js" in request.url):
        page.keyboard.press("?")
    page.context.set_offline(False)
    settle(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


def test_what_a_lost_connection_kept_away_comes_once_it_is_back(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/telemetry", outage=True, **UNWORKED).page
    settle(page)
    page.context.set_offline(True)
    page.get_by_role("button", name="24 h").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_keyboard_goes_everywhere_and_its_sheet_says_how(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(filled_server.url, device="desktop").page
    settle(page)
    for keys, title in (("gt", "Tasks"), ("gr", "Repositories"), ("gn", "Now"), ("c", "New task")):
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator("h1")).to_have_text(title)
        page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_idle_page_asks_for_nothing(filled_server: Server, open_page: OpenPage) -> None:
    page = open_page(filled_server.url).page
    settle(page)
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("new Promise((resolve) => setTimeout(resolve, 1500))")
    assert [] == asked


def test_what_sessions_have_changed_is_loaded_where_it_is_looked_at(
    tmp_path: Path, open_page: OpenPage
) -> None:
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        fill(client, tmp_path / "project")
    lines = "+A line that was added.\n" * 10_000
    diff = f"diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -0,0 +1,10000 @@\n{lines}"
    server.write(lambda tx: sessions.update(tx, 1, diff=diff))
    page = open_page("about:blank", outage=True, **UNWORKED).page
    answers: list[int] = []

    def note(response: Response) -> None:
        answers.append(int(response.headers.get("content-length", 0)))

    page.on("response", note)
    page.goto(server.url)
    settle(page)
    assert sum(answers) < len(diff)
    page.goto(f"{server.url}/#/sessions/1?pane=changes")
    expect(page.get_by_label("Changes").get_by_text("1 file +10K")).to_be_visible()
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        found = client.get("/api/sessions").json()["items"][-1]
        assert found["diff"].startswith(diff[:40_000])
        assert ["diff"] == found["shortened"]
        assert client.get("/api/sessions?diff=false").json()["items"][-1]["diff"] is None
    server.stop()


DARK = "rgb(16, 18, 22)"


def test_a_color_scheme_can_be_chosen_and_stays(filled_server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{filled_server.url}/#/more", color_scheme="light").page
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("body")).to_have_css("background-color", DARK)
    page.reload()
    settle(page)
    expect(page.locator("body")).to_have_css("background-color", DARK)


def test_a_dialog_that_goes_with_its_screen_leads_nowhere(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/runtime/store").page
    expect(page.get_by_role("dialog", name="/store")).to_be_visible()
    page.goto(f"{filled_server.url}/#/tasks")
    expect(page.locator("h1")).to_have_text("Tasks")
    page.go_back()
    page.get_by_role("button", name="Close").click()
    expect(page).to_have_url(re.compile("#/runtime$"))


def test_what_was_said_in_sessions_is_found_beside_the_tasks(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/tasks").page
    page.get_by_role("searchbox").fill("prompt had")
    found = page.get_by_role("region", name="Said in sessions")
    found.get_by_role("link").filter(has_text="Review the login flow").first.click()
    expect(page.locator("h1")).to_have_text("Review the login flow")


def test_an_operator_suspends_an_actor_with_a_reason_and_resumes_it(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/runtime/clock").page
    for act in ("Suspend", "Resume"):
        page.get_by_role("button", name=act, exact=True).click()
        expect(page.get_by_label(f"Why {act.lower()}?")).to_be_focused()
        page.keyboard.type("To see it.")
        page.get_by_role("button", name=act, exact=True).click()
        expect(page.get_by_label(f"Why {act.lower()}?")).to_have_count(0)


def test_a_trace_shows_messages_as_they_come_and_ends_with_its_dialog(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/runtime/approvals").page
    with page.expect_websocket(lambda socket: "/trace" in socket.url) as opened:
        page.get_by_role("button", name="Trace").click()
    trace = page.get_by_label("Trace", exact=True)
    expect(trace).to_have_text("Waiting for messages…")
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        asked = made(client, "/api/approvals", {"title": "Is it traced?"})
        expect(trace).to_contain_text("CreateApproval")
        made(client, f"/api/approvals/{asked['id']}/resolve", {"status": "rejected"})
    with opened.value.expect_event("close", timeout=PATIENCE_MS):
        page.get_by_role("button", name="Close").click()


def test_what_happens_elsewhere_is_told_and_leads_there(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/repos").page
    settle(page)
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        asked = made(client, "/api/approvals", {"title": "Is somebody there?"})
        toast = page.locator(".toast").filter(has_text="Is somebody there?")
        box = toast.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 200  # far from what a thumb presses
        assert box["x"] > 60  # the way back is beside it
        assert "approval." not in toast.inner_text()
        toast.get_by_role("link").click()
        expect(page.locator("h1")).to_have_text(f"Approval {asked['id']}")
        page.get_by_role("link", name="Sessions", exact=True).click()
        by = {"status": "rejected", "resolvedBy": "ada"}
        made(client, f"/api/approvals/{asked['id']}/resolve", by)
        expect(page.locator(".toast")).to_contain_text("Rejected by ada: Is somebody there?")


def test_next_times_are_shown_while_a_schedule_is_typed(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/automations/new", expected={400}).page
    page.get_by_label("When").fill("weekly@mon@07:30")
    times = page.locator(".next-times time")
    expect(times).to_have_text([re.compile("^Mon, .* 07:30")] * 4)
    expect(times.first).to_have_attribute("title", re.compile("UTC$"))
    page.get_by_label("When").fill("now and then")
    expect(page.locator(".hint[data-bad='true']")).to_be_visible()


def test_a_browser_without_room_for_the_shell_shows_it_all_the_same(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(filled_server.url).page
    settle(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    full = {"origin": filled_server.url, "quotaSize": 1}
    page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", full)
    page.reload()
    settle(page)


def test_the_shell_is_there_without_a_server(tmp_path: Path, open_page: OpenPage) -> None:
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    page = open_page(server.url, outage=True).page
    settle(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()  # the files are kept as they come through the worker
    settle(page)
    server.stop()
    page.reload()
    expect(page.get_by_text("Command Center cannot be reached")).to_be_visible()
    kept = page.evaluate(
        "caches.keys().then(async ([name]) => (await (await caches.open(name)).keys())"
        ".map((request) => new URL(request.url).pathname))"
    )
    assert [] == [path for path in kept if path.startswith("/api")]


def test_the_shell_of_another_version_is_kept_no_longer(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(filled_server.url).page
    settle(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    kept = "caches.open('shell-1').then(async (kept) => (await kept.keys()).map(({ url }) => url))"
    old = f"{filled_server.url}/web/0123456789ab/store.js"
    page.evaluate(f"caches.open('shell-1').then((kept) => kept.put('{old}', new Response('')))")
    assert [old] == [url for url in page.evaluate(kept) if "0123456789ab" in url]
    page.reload()
    settle(page)
    page.wait_for_function(f"{kept}.then((urls) => urls.length > 20 && !urls.includes('{old}'))")
    assert module_of(page, "app.js") in page.evaluate(kept)
