"""Web Push in a real Chromium: told and decided with the page closed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import attrs
import httpx
import pytest
import trio
from playwright.sync_api import BrowserContext, CDPSession, Page, Worker, expect

from tests.browser.conftest import OpenPage, made
from tests.browser.watching import settle
from tests.end_to_end.server import Server
from tests.push_service import PushService, push_service

pytestmark = pytest.mark.whole_browser

SUBSCRIBED = """
(given) => {
  const key = (text) => Uint8Array.from(
    atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0)).buffer;
  const made = (applicationServerKey) => ({
    options: { applicationServerKey: key(applicationServerKey) },
    toJSON: () => given,
    unsubscribe: async () => { localStorage.removeItem("made"); return true; },
  });
  PushManager.prototype.subscribe = async (options) => {
    if (!options.userVisibleOnly) throw new Error("a notification for each push");
    localStorage.setItem("made", options.applicationServerKey);
    return made(options.applicationServerKey);
  };
  PushManager.prototype.getSubscription = async () =>
    localStorage.getItem("made") && made(localStorage.getItem("made"));
}
"""
"""A browser whose push service is ours; Chromium's own is not to be reached from a test."""

SHOWN = """
async () => (await registration.getNotifications()).map(({ title, body, tag, silent, actions }) =>
  ({ title, body, tag, silent, actions: actions.map(({ action }) => action) }))
"""
COUNTED = """
() => {
  if (self.counted === undefined) {
    self.counted = 0;
    const show = registration.showNotification.bind(registration);
    registration.showNotification = async (...words) => {
      await show(...words);
      self.counted += 1;
    };
  }
  return self.counted;
}
"""
PRESS = """
async (action) => {
  const [notification] = await registration.getNotifications();
  dispatchEvent(new NotificationEvent("notificationclick", { notification, action }));
}
"""
RENEWED = """
async ({ given, before }) => {
  PushManager.prototype.subscribe = async () => ({ toJSON: () => given });
  const told = { oldSubscription: { endpoint: before } };
  dispatchEvent(Object.assign(new ExtendableEvent("pushsubscriptionchange"), told));
}
"""


@attrs.frozen
class Service:
    """A push service in a thread of its own."""

    service: PushService
    token: trio.lowlevel.TrioToken

    def take(self, count: int) -> list[Any]:
        """Wait for so many messages, and return what the browser reads."""
        found: list[Any] = trio.from_thread.run(self.service.take, count, trio_token=self.token)
        return found


@pytest.fixture
def service() -> Iterator[Service]:
    ready: Queue[Service] = Queue()
    with _running(ready):
        yield ready.get(timeout=30)


@contextmanager
def _running(ready: Queue[Service]) -> Iterator[None]:
    scope = trio.CancelScope()
    token: list[trio.lowlevel.TrioToken] = []

    async def serve() -> None:
        token.append(trio.lowlevel.current_trio_token())
        with scope:
            async with push_service() as found:
                ready.put(Service(found, token[0]))
                await trio.sleep_forever()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    yield
    token[0].run_sync_soon(scope.cancel)
    thread.join()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    settings = {"CC_CODEX_RUNNER_MODE": "stub", "CC_PUSH_PRIVATE_ADDRESSES": "allow"}
    server = Server(tmp_path / "data", settings).start()
    yield server
    server.end()


@attrs.frozen
class Closed:
    """A browser whose page is closed, to which its push service brings messages."""

    context: BrowserContext
    cdp: CDPSession
    registration: str
    origin: str

    @property
    def worker(self) -> Worker:
        """Return the service worker, which a message wakes."""
        return self.context.service_workers[-1]

    def deliver(self, message: object) -> None:
        """Bring a message, as the push service does, and wait until the worker has shown it.

        Chromium forgets a notification that is asked for while it is being shown.
        """
        before = self.worker.evaluate(COUNTED)
        self.cdp.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": self.origin,
                "registrationId": self.registration,
                "data": message if isinstance(message, str) else json.dumps(message),
            },
        )
        while self.worker.evaluate(COUNTED) == before:
            self.cdp.send("Runtime.evaluate", WAIT)

    def until(self, wanted: Callable[[list[Any]], bool]) -> list[Any]:
        """Wait until the notifications are as wanted."""
        return until(lambda: self.worker, self.cdp, wanted)


def until(
    worker: Callable[[], Worker], cdp: CDPSession, wanted: Callable[[list[Any]], bool]
) -> list[Any]:
    """Wait until the notifications of a worker are as wanted: a browser lists them when it will."""
    shown: list[Any] = []
    for _ in range(600):
        shown = worker().evaluate(SHOWN)
        if wanted(shown):
            return shown
        cdp.send("Runtime.evaluate", WAIT)
    pytest.fail(str(shown))


WAIT = {"expression": "new Promise((done) => setTimeout(done, 50))", "awaitPromise": True}


def opened(open_page: OpenPage, server: Server, service: Service, device: str) -> Page:
    """A page that has push, where notifications are chosen."""
    page = open_page("about:blank", device=device, permissions=["notifications"]).page
    given = json.dumps(service.service.subscription("browser"))
    page.context.add_init_script(f"({SUBSCRIBED})({given})")
    page.goto(f"{server.url}/#/more")
    settle(page)
    return page


def closed(page: Page, server: Server) -> Closed:
    """Close the page; what is left is an empty one, by which Chromium is spoken to."""
    context = page.context
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    blank = context.new_page()
    cdp = context.new_cdp_session(blank)
    found: list[str] = []
    cdp.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(one["registrationId"] for one in told["registrations"]),
    )
    cdp.send("ServiceWorker.enable")
    while not found:
        cdp.send("Runtime.evaluate", WAIT)
    page.close()
    return Closed(context, cdp, found[-1], server.url)


def ask(server: Server, title: str) -> int:
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        return int(made(client, "/api/approvals", {"title": title})["id"])


def seen(server: Server, path: str) -> Any:
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        return client.get(path).json()


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_a_browser_is_told_with_the_page_closed_and_decides_there(
    server: Server, service: Service, open_page: OpenPage, device: str
) -> None:
    page = opened(open_page, server, service, device)
    page.get_by_label("Also with the page closed").click()
    expect(page.get_by_label("Sessions that have ended")).to_be_checked()
    browser = closed(page, server)
    ask(server, "Deploy?")
    (told,) = service.take(1)
    browser.deliver(told)
    (shown,) = browser.until(lambda shown: len(shown) == 1)
    assert {
        "title": "Deploy?",
        "body": "",
        "tag": "/approvals/1",
        "silent": False,
        "actions": ["approved", "rejected"],
    } == shown
    browser.worker.evaluate(PRESS, "approved")
    browser.until(lambda shown: shown == [])
    while (approval := seen(server, "/api/approvals/1"))["status"] == "pending":
        browser.cdp.send("Runtime.evaluate", WAIT)
    assert ("approved", "notification") == (approval["status"], approval["resolvedBy"])


def test_what_was_settled_elsewhere_loses_its_question(
    server: Server, service: Service, open_page: OpenPage
) -> None:
    page = opened(open_page, server, service, "phone")
    page.get_by_label("Also with the page closed").click()
    expect(page.get_by_label("Quiet hours")).to_be_visible()
    browser = closed(page, server)
    ask(server, "Deploy?")
    (told,) = service.take(1)
    browser.deliver(told)
    browser.until(lambda shown: len(shown) == 1)
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        decision = {"status": "rejected", "resolvedBy": "Ada"}
        made(client, "/api/approvals/1/resolve", decision)
    _, settled = service.take(2)
    browser.deliver(settled)
    (shown,) = browser.until(lambda shown: [one["actions"] for one in shown] == [[]])
    assert ("Rejected by Ada.", True) == (shown["body"], shown["silent"])
    browser.deliver("no JSON")
    browser.until(lambda shown: {one["title"] for one in shown} == {"Deploy?", "Command Center"})


def test_a_press_that_decides_nothing_any_more_opens_the_page_there(
    server: Server, service: Service, open_page: OpenPage
) -> None:
    page = opened(open_page, server, service, "desktop")
    page.get_by_label("Also with the page closed").click()
    expect(page.get_by_label("Quiet hours")).to_be_visible()
    ask(server, "Deploy?")
    (told,) = service.take(1)
    (worker,) = page.context.service_workers
    data = json.dumps({"where": "/approvals/1", "capability": told["capability"]})
    # Without a tag: the page withdraws the approval's own when it is settled.
    worker.evaluate(f"registration.showNotification('Deploy?', {{ data: {data} }})")
    until(lambda: worker, page.context.new_cdp_session(page), lambda shown: len(shown) == 1)
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        made(client, "/api/approvals/1/resolve", {"status": "rejected"})
    worker.evaluate(PRESS, "approved")
    expect(page.locator("h1")).to_have_text("Approval 1")
    assert "rejected" == seen(server, "/api/approvals/1")["status"]


def test_kinds_and_quiet_hours_are_chosen_for_the_browser(
    server: Server, service: Service, open_page: OpenPage
) -> None:
    page = opened(open_page, server, service, "phone")
    page.get_by_label("Also with the page closed").click()
    page.get_by_label("Sessions that have ended").click()
    expect(page.get_by_label("Sessions that have ended")).not_to_be_checked()
    page.get_by_label("Quiet hours").click()
    page.get_by_label("From").fill("21:30")
    page.get_by_label("From").blur()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("A test is on its way.")).to_be_visible()
    assert "A test" == service.take(1)[0]["title"]
    (browser,) = seen(server, "/api/push/subscriptions")["items"]
    assert "sessions" not in browser["kinds"]
    assert "21:30-07:00" == browser["quietHours"]
    page.reload()
    expect(page.get_by_label("From")).to_have_value("21:30")
    page.get_by_label("Also with the page closed").click()
    expect(page.get_by_label("Quiet hours")).not_to_be_visible()
    assert [] == seen(server, "/api/push/subscriptions")["items"]


def test_an_endpoint_that_its_service_has_changed_is_told_to_the_server(
    server: Server, service: Service, open_page: OpenPage
) -> None:
    page = opened(open_page, server, service, "phone")
    page.get_by_label("Also with the page closed").click()
    page.get_by_label("Sessions that have ended").click()
    expect(page.get_by_label("Sessions that have ended")).not_to_be_checked()
    browser = closed(page, server)
    told = {
        "given": service.service.subscription("renewed"),
        "before": service.service.subscription("browser")["endpoint"],
    }
    browser.worker.evaluate(RENEWED, told)
    while (found := seen(server, "/api/push/subscriptions")["items"])[0]["id"] == 1:
        browser.cdp.send("Runtime.evaluate", WAIT)
    (renewed,) = found
    assert "sessions" not in renewed["kinds"]
    ask(server, "Deploy?")
    service.take(1)
    assert "/push/renewed" == service.service.left[0].path


def test_a_browser_that_has_no_push_is_offered_none(server: Server, open_page: OpenPage) -> None:
    page = open_page("about:blank").page
    page.context.add_init_script("delete window.PushManager")
    page.goto(f"{server.url}/#/more")
    settle(page)
    expect(page.get_by_text("This server", exact=True)).to_be_visible()
    expect(page.get_by_label("Also with the page closed")).not_to_be_visible()
