"""A page under watch: whatever its console, its errors or its policy report is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
from playwright.sync_api import BrowserContext, ConsoleMessage, Page

REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`refused by policy: ${event.violatedDirective} ${event.blockedURI}`));
"""
UNREACHABLE = re.compile(r"net::ERR_|WebSocket connection to|ServiceWorker|Failed to fetch")
WITHOUT_WORKER = "Service Worker registration blocked by Playwright"
LOADING_FAILED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


@attrs.define(slots=False)  # Playwright marks the methods that it calls
class Watched:
    """A page, and what it complained of.

    An answer that tells of a failure makes a browser write a line, too; the statuses in `expected`
    are those that a test means to see, and with `outage` also that the server cannot be reached.
    """

    page: Page
    expected: set[int] = attrs.field(factory=set)
    outage: bool = False
    complaints: list[str] = attrs.field(factory=list)

    def note(self, message: ConsoleMessage) -> None:
        """Keep a warning or an error."""
        failed = LOADING_FAILED.match(message.text)
        if failed and int(failed[1]) in self.expected:
            return
        if self.outage and UNREACHABLE.search(message.text):
            return
        if message.text == WITHOUT_WORKER:
            return
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text} ({message.location['url']})")

    def fail(self, error: Any) -> None:
        """Keep what was thrown and not caught."""
        self.complaints.append(f"thrown: {error}")


@contextmanager
def watched(
    context: BrowserContext, *, expected: set[int] | None = None, outage: bool = False
) -> Iterator[Watched]:
    """A new page; when its test is done it must have had nothing to complain of."""
    context.add_init_script(REPORT_VIOLATIONS)
    page = context.new_page()
    watch = Watched(page, expected or set(), outage)
    page.on("console", watch.note)
    page.on("pageerror", watch.fail)
    yield watch
    page.close()
    assert [] == watch.complaints, watch.complaints


PLACES = """
async (button) => {
  button.scrollIntoView({ block: "center" });
  const places = [];
  for (let frame = 0; frame < 12; frame++) {
    places.push(Math.round(button.getBoundingClientRect().y));
    await new Promise(requestAnimationFrame);
  }
  return places;
}
"""
"""The places of a button once it was scrolled to: a press on one that moves is lost."""


def settle(page: Page) -> None:
    """Wait until the page is live and its screen is there."""
    page.get_by_role("status").filter(has_text="Live").first.wait_for(state="attached")
    page.locator("h1").first.wait_for()
    page.locator(".loading").first.wait_for(state="detached")


def module_of(page: Page, name: str) -> str:
    """The address of a module of the page, as the page itself imports it."""
    return str(
        page.locator("script[type=module]").evaluate(f"({{ src }}) => new URL('{name}', src).href")
    )
