"""A browser makes a passkey with an authenticator of Chromium's, and signs in by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, make_repository
from tests.browser.conftest import made as made_by
from tests.browser.test_devices import TOKEN, asked, sign_in
from tests.browser.test_notifications import PICTURES, look
from tests.browser.test_screens import AXE, SERIOUS
from tests.end_to_end.server import Server

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Server]:
    settings = {
        "CC_CODEX_RUNNER_MODE": "stub",
        "CC_API_TOKEN": TOKEN,
        "CC_APPROVAL_PASSKEYS": "beyond-run",
    }
    server = Server(tmp_path / "data", settings).start()
    yield server
    server.end()


@pytest.mark.parametrize(("device", "colours"), [("phone", "dark"), ("desktop", "light")])
def test_a_passkey_is_made_and_signs_in(
    secured: Server, open_page: OpenPage, device: str, colours: Any
) -> None:
    address = secured.url.replace("127.0.0.1", "localhost")
    page = open_page(f"{address}/#/", device=device, color_scheme=colours, expected={401, 403}).page
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    by_passkey = page.get_by_role("button", name="Sign in with a passkey")
    expect(page.get_by_role("button", name="I have a code")).to_be_visible()
    expect(by_passkey).to_have_count(0)
    sign_in(page)

    page.goto(f"{address}/#/devices")
    page.get_by_role("button", name="Make a passkey").click()
    listed = page.get_by_role("list", name="Passkeys")
    expect(listed).to_contain_text("for localhost")
    expect(listed).to_contain_text("not used yet")
    look(page, f"passkeys-{device}")

    page.context.clear_cookies()
    page.reload()
    expect(by_passkey).to_be_visible()
    page.evaluate(AXE)
    assert [] == page.evaluate(SERIOUS)
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/passkey-signin-{device}.png")
    by_passkey.click()
    expect(listed).to_contain_text(re.compile("signed in"))
    expect(page.locator(".device-row .row-title")).to_contain_text("this browser")

    number = run_without_a_sandbox(secured)
    page.goto(f"{address}/#/approvals/{number}")
    approve = page.get_by_role("button", name="Approve")
    verified = {"authenticatorId": made["authenticatorId"], "isUserVerified": False}
    session.send("WebAuthn.setUserVerified", verified)
    approve.click()
    approve.click()  # the second time, beyond its run
    expect(page.get_by_role("alert")).to_contain_text("The browser gave no passkey")
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/passkey-approval-{device}.png")
    session.send("WebAuthn.setUserVerified", {**verified, "isUserVerified": True})
    approve.click()
    expect(page.locator(".outcome")).to_contain_text("Approved")
    page.goto(f"{address}/#/devices")

    page.get_by_role("button", name="Remove the passkey").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(listed).to_have_count(0)


def run_without_a_sandbox(server: Server) -> int:
    """Return the approval that such a run waits for."""
    with asked(server) as client:
        allowed = {"allowWrite": True, "allowNetwork": True, "allowCommit": True}
        folder = make_repository(server.data_dir.parent / "project")
        repository = made_by(client, "/api/repos", {"localPath": str(folder), **allowed})
        task = {"repositoryId": repository["id"], "title": "Deploy", "prompt": "Deploy it."}
        path = f"/api/tasks/{made_by(client, '/api/tasks', task)['id']}/run"
        number: int = made_by(client, path, {"sandbox": "danger-full-access"})["approvals"][0]["id"]
        return number
