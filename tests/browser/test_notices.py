"""Calls for attention: a number in the title and the icon, and notifications."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import UNWORKED, OpenPage, made
from tests.browser.watching import settle
from tests.end_to_end.server import Server

pytestmark = pytest.mark.whole_browser

HIDDEN = "Object.defineProperty(document, 'hidden', { get: () => !window.isLookedAt })"
BADGES = "navigator.setAppBadge = async (count) => { window.badge = count; }"
NO_WORKER = "navigator.serviceWorker.getRegistration = async () => undefined"
BY_THE_PAGE = """
() => {
  window.shown = [];
  window.Notification = class {
    static permission = "granted";
    constructor(title, options) { Object.assign(this, { title, ...options }); shown.push(this); }
    close() { this.isClosed = true; }
  };
}
"""
COUNTING = """
() => {
  const show = registration.showNotification.bind(registration);
  const ask = registration.getNotifications.bind(registration);
  Object.assign(self, { told: 0, begun: 0, askedBetween: 0 });
  registration.showNotification = async (...words) => {
    self.begun += 1;
    await show(...words);
    self.told += 1;
  };
  registration.getNotifications = (...words) => {
    self.askedBetween += self.begun - self.told;
    return ask(...words);
  };
}
"""
"""Chromium forgets a notification that is asked for while it is being shown."""

TOGETHER = """
() => {
  const told = (data) => dispatchEvent(new ExtendableMessageEvent("message", { data }));
  for (const tag of ["/approvals/901", "/approvals/902"]) {
    told({ show: { body: "Together?", tag, data: { where: tag } } });
    told({ withdraw: "/approvals/900" });
  }
}
"""

SHOWN = """
async () => (await (await navigator.serviceWorker.ready).getNotifications())
  .map(({ title, body, tag }) => ({ title, body, tag }))
"""
PRESS = """
async () => {
  const [notification] = await registration.getNotifications();
  dispatchEvent(new NotificationEvent("notificationclick", { notification }));
}
"""


def asked_for(server: Server, title: str) -> dict[str, Any]:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        approval: dict[str, Any] = made(client, "/api/approvals", {"title": title})
        return approval


def settle_by_another(server: Server, approval: dict[str, Any]) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        made(client, f"/api/approvals/{approval['id']}/resolve", {"status": "rejected"})


def counted(number: int) -> str:
    return f"() => ({SHOWN})().then((shown) => shown.length === {number})"


def wait_until_shown(page: Page, told: int, *, listed: int = 1) -> None:
    """Wait until so many were shown since they are counted, and so many are listed."""
    (worker,) = page.context.service_workers
    while worker.evaluate("self.told") < told:
        settle(page)
    page.wait_for_function(counted(listed))


def shown_on(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(SHOWN)
    return found


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_a_page_that_is_not_looked_at_notifies_and_a_press_leads_to_what_asks(
    filled_server: Server, open_page: OpenPage, device: str
) -> None:
    page = open_page(filled_server.url, device=device, permissions=["notifications"]).page
    settle(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    toasts = page.locator(".toast")
    (worker,) = page.context.service_workers
    worker.evaluate(COUNTING)
    page.evaluate(HIDDEN)
    page.evaluate("window.isLookedAt = true")
    seen = asked_for(filled_server, "Is it looked at?")
    expect(toasts.filter(has_text=seen["title"])).to_be_visible()
    assert [] == shown_on(page)

    page.evaluate("window.isLookedAt = false")
    asked = asked_for(filled_server, "May it go on?")
    where = f"/approvals/{asked['id']}"
    expect(toasts.filter(has_text=asked["title"])).to_be_visible()
    wait_until_shown(page, 1)
    told = {"title": "Command Center", "body": "May it go on?", "tag": where}
    assert [told] == shown_on(page)
    worker.evaluate(PRESS)
    expect(page.locator("h1")).to_have_text(f"Approval {asked['id']}")
    page.wait_for_function(counted(0))

    later = asked_for(filled_server, "And now?")
    wait_until_shown(page, 2)
    settle_by_another(filled_server, later)
    page.wait_for_function(counted(0))
    worker.evaluate(TOGETHER)
    wait_until_shown(page, 4, listed=2)
    assert 0 == worker.evaluate("askedBetween")
    for approval in (seen, asked):
        settle_by_another(filled_server, approval)


def test_nobody_is_notified_who_has_not_allowed_it(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(filled_server.url).page
    settle(page)
    page.evaluate(HIDDEN)
    asked = asked_for(filled_server, f"Quietly? {'And with a title that is long. ' * 4}".strip())
    toast = page.locator(".toast").filter(has_text=asked["title"])
    expect(toast).to_be_visible()
    expect(toast.get_by_role("button", name="Dismiss")).to_be_in_viewport(ratio=1)
    assert [] == shown_on(page)
    settle_by_another(filled_server, asked)


def test_a_page_without_a_worker_notifies_by_itself(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/tasks", device="desktop").page
    settle(page)
    page.evaluate(HIDDEN)
    page.evaluate(NO_WORKER)
    page.evaluate(BY_THE_PAGE)
    asked = asked_for(filled_server, "By the page?")
    page.wait_for_function("() => shown.length === 1")
    assert "By the page?" == page.evaluate("shown[0].body")
    page.evaluate("shown[0].onclick()")
    expect(page.locator("h1")).to_have_text(f"Approval {asked['id']}")
    settle_by_another(filled_server, asked)


def test_notifications_are_asked_for_by_a_press_and_told_as_they_are(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/more").page
    page.evaluate("Notification.requestPermission = async () => 'granted'")
    page.get_by_role("button", name="Allow notifications").click()
    expect(page.get_by_text("On, while a page is open.")).to_be_visible()


def test_the_title_the_icon_and_the_badge_tell_how_many_decisions_wait(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page("about:blank", **UNWORKED).page
    page.add_init_script(BADGES)
    page.goto(filled_server.url)
    settle(page)
    expect(page).to_have_title("(2) Now · Command Center")
    icon = page.locator("#favicon")
    expect(icon).to_have_attribute("href", "/web/icons/icon-alert.svg")
    page.wait_for_function("badge === 2")
    asked = asked_for(filled_server, "A third?")
    expect(page).to_have_title("(3) Now · Command Center")
    settle_by_another(filled_server, asked)
    expect(page).to_have_title("(2) Now · Command Center")
    page.wait_for_function("badge === 2")
    page.route("**/api/approvals*", lambda route: route.fulfill(json={"items": []}))
    page.reload()
    expect(page).to_have_title("Now · Command Center")
    expect(icon).to_have_attribute("href", "/web/icons/icon.svg")
    page.wait_for_function("badge === 0")
