"""Notifications in the page: this browser's, Apprise's places, webhooks and their deliveries."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
from playwright.sync_api import Page, expect

from command_center.actors.contracts.webpush import PUSH_KINDS
from tests.browser.conftest import OpenPage, made
from tests.browser.test_screens import AXE, OVERFLOWING, SERIOUS
from tests.browser.watching import settle
from tests.end_to_end.server import Server

PICTURES = os.environ.get("CC_TEST_PICTURES")


@attrs.define
class Receiver:
    """A program that is sent events, and what came to it."""

    url: str
    came: list[dict[str, Any]] = attrs.field(factory=list)
    status: int = 204


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.came.append(json.loads(body))
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_given: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        found.url = f"http://127.0.0.1:{serving.server_address[1]}"
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield found
        serving.shutdown()
        thread.join()


@pytest.fixture
def server(tmp_path: Path, receiver: Receiver) -> Iterator[Server]:
    settings = {
        "CC_CODEX_RUNNER_MODE": "stub",
        "CC_WEBHOOK_PRIVATE_ADDRESSES": "allow",
        "CC_NOTIFY_URLS": f"json{receiver.url.removeprefix('http')}/chat",
    }
    server = Server(tmp_path / "data", settings).start()
    yield server
    server.end()


def look(page: Page, name: str) -> None:
    """See that nothing hinders people, and take a picture where one is wanted."""
    settle(page)
    page.evaluate(AXE)
    assert [] == page.evaluate(SERIOUS)
    assert [] == page.evaluate(OVERFLOWING)
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


@pytest.mark.parametrize(("device", "colours"), [("phone", "dark"), ("desktop", "light")])
def test_a_webhook_is_made_tested_paused_and_its_deliveries_sent_again(
    server: Server, receiver: Receiver, open_page: OpenPage, device: str, colours: str
) -> None:
    page = open_page(f"{server.url}/#/notifications", device=device, color_scheme=colours).page
    page.get_by_role("button", name="Add a webhook").click()
    page.get_by_label("Address").fill(f"{receiver.url}/events")
    page.get_by_label("Types of events").fill("approval.requested, approval.resolved")
    look(page, f"add-{device}")
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    secret = page.get_by_label("Secret", exact=True).inner_text()
    assert secret.startswith("whsec_")
    page.get_by_role("button", name="Done").click()
    look(page, f"notifications-{device}")

    page.get_by_role("link", name=f"{receiver.url}/events").click()
    expect(page.get_by_text("Nothing was sent yet")).to_be_visible()
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        made(http, "/api/approvals", {"title": "Deploy?"})
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("Delivered", exact=True)).to_have_count(2, timeout=30_000)
    expect(page.get_by_text("webhook.tested #")).to_be_visible()
    expect(page.get_by_text("approval.requested #")).to_be_visible()
    look(page, f"webhook-{device}")
    page.get_by_role("button", name="Again event").last.click()
    expect(page.get_by_role("button", name="Again event")).to_have_count(3)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator("h1")).to_have_text("Notifications")
    expect(page.get_by_role("link", name=f"{receiver.url}/events")).to_have_count(0)


@pytest.mark.parametrize(("device", "colours"), [("phone", "light"), ("desktop", "dark")])
def test_a_place_is_sent_a_test_and_told_of_what_is_chosen(
    server: Server, receiver: Receiver, open_page: OpenPage, device: str, colours: str
) -> None:
    page = open_page(f"{server.url}/#/notifications", device=device, color_scheme=colours).page
    all_kinds = len(PUSH_KINDS)
    expect(page.get_by_text("not told yet")).to_be_visible()
    page.get_by_text("Told of everything").click()
    approvals = page.get_by_role("switch", name="Approvals")
    expect(approvals).to_be_checked()
    approvals.click()
    expect(page.get_by_text(f"Told of {all_kinds - 1} of {all_kinds} kinds")).to_be_visible()
    look(page, f"kinds-{device}")
    page.reload()
    expect(page.get_by_text(f"Told of {all_kinds - 1} of {all_kinds} kinds")).to_be_visible()
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        made(http, "/api/approvals", {"title": "Deploy?"})
    page.get_by_role("button", name="Send a test to JSON").click()
    expect(page.get_by_text("A test is on its way.")).to_be_visible()
    for _ in range(200):
        if receiver.came:
            break
        settle(page)
    assert ["A test"] == [one["title"] for one in receiver.came]


def test_what_cannot_be_a_webhook_is_told_in_the_dialog(
    server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{server.url}/#/notifications", expected={400}).page
    page.get_by_role("button", name="Add a webhook").click()
    page.get_by_label("Address").fill("https://hooks.example/a")
    page.get_by_label("Types of events").fill("approval.wanted")
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no event 'approval.wanted'.")


@pytest.mark.parametrize(("device", "colours"), [("phone", "light"), ("desktop", "dark")])
def test_each_address_says_what_a_browser_does_there(
    server: Server, open_page: OpenPage, device: str, colours: str
) -> None:
    page = open_page(f"{server.url}/#/devices", device=device, color_scheme=colours).page
    addresses = page.get_by_role("list", name="Addresses")
    expect(addresses.get_by_role("link", name=server.url)).to_be_visible()
    expect(addresses).to_contain_text("This machine alone.")
    look(page, f"devices-{device}")


def test_who_begins_is_led_to_the_code_for_a_phone(server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/#/").page
    page.get_by_role("link", name="Let a phone in by its camera").click()
    page.get_by_role("button", name="Show a code for a phone").click()
    expect(page.get_by_role("img", name="QR code of the address")).to_be_visible()
    look(page, "code-phone")
