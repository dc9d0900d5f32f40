"""Devices in the page: a phone is let in by a code, and put out again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_screens import AXE, SERIOUS
from tests.browser.watching import settle
from tests.end_to_end.server import Server

TOKEN = "a-token-of-32-characters-or-more"


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Server]:
    """A server that wants a token."""
    settings = {"CC_CODEX_RUNNER_MODE": "stub", "CC_API_TOKEN": TOKEN}
    server = Server(tmp_path / "data", settings).start()
    yield server
    server.end()


def asked(server: Server) -> httpx.Client:
    """Return a client that may do everything."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=30, trust_env=False)


def sign_in(page: Page) -> None:
    page.get_by_label("Token", exact=True).fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("Now")


def code_of(server: Server, **wanted: object) -> str:
    with asked(server) as client:
        answer = client.post("/api/devices/pairings", json=wanted)
    code: str = answer.json()["code"]
    return code


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_a_phone_is_let_in_by_a_code_and_put_out_again(
    secured: Server, open_page: OpenPage, device: str
) -> None:
    owner = open_page(f"{secured.url}/#/devices", device=device, expected={401}).page
    sign_in_at(owner)
    expect(owner.get_by_text("No devices yet")).to_be_visible()
    owner.get_by_role("button", name="Add a device").click()
    settle(owner)
    assert serious_in(owner) == []
    owner.get_by_label("Name").fill("My phone")
    owner.get_by_role("button", name="Show a code").click()
    expect(owner.get_by_role("img", name="QR code of the address")).to_be_visible()
    settle(owner)
    assert serious_in(owner) == []
    code = owner.locator(".pairing-code").inner_text()
    address = owner.get_by_label("Address", exact=True).input_value()
    assert f"{secured.url}/#/pair/{code}" == address

    phone = open_page(address, expected={401, 403}).page
    expect(phone.locator("h1")).to_have_text("Now")
    expect(phone).to_have_url(re.compile(r"/#/$"))
    expect(owner.get_by_text("It is signed in")).to_be_visible()
    owner.get_by_role("button", name="Done").click()
    expect(owner.locator(".device-row .row-title")).to_have_text("My phone")
    owner.reload()
    seen = re.compile(r"seen .+ from 127\.0\.0\.1")
    expect(owner.locator(".device-row .row-note").last).to_have_text(seen)
    settle(owner)
    assert serious_in(owner) == []

    phone.goto(f"{secured.url}/#/devices")
    expect(phone.get_by_text('This needs the scope "admin"')).to_be_visible()

    owner.get_by_role("button", name="Revoke My phone").click()
    owner.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(owner.get_by_text("No devices yet")).to_be_visible()
    expect(phone.get_by_text("This server wants its token.")).to_be_visible()


def sign_in_at(page: Page) -> None:
    """Sign in where one has come to."""
    page.get_by_label("Token", exact=True).fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("Devices")


def serious_in(page: Page) -> list[str]:
    """Return what hinders people in the page as it is shown."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(SERIOUS)
    return found


def test_an_agent_gets_a_token_with_limits_that_is_shown_once(
    secured: Server, open_page: OpenPage, repository: Path
) -> None:
    with asked(secured) as client:
        client.post("/api/repos", json={"name": "Shop", "localPath": str(repository)})
    page = open_page(f"{secured.url}/#/devices", device="desktop", expected={401}).page
    sign_in_at(page)
    page.get_by_role("button", name="Add a device").click()
    page.get_by_label("Name").fill("An agent")
    page.get_by_role("button", name="An agent", exact=True).click()
    page.get_by_label("Shop").check()
    page.get_by_label("Runs an hour").fill("")
    settle(page)
    assert serious_in(page) == []
    page.get_by_role("button", name="Make a token for an agent").click()
    token = page.get_by_label("Token", exact=True).inner_text()
    expect(page.get_by_label("Configuration")).to_contain_text(f'url = "{secured.url}/mcp"')
    with httpx.Client(base_url=secured.url, trust_env=False) as agent:
        headers = {"Authorization": f"Bearer {token}"}
        assert 403 == agent.get("/api/tasks", headers=headers).status_code
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("read, work")).to_be_visible()
    expect(page.get_by_text("tools in Shop · 1 deep")).to_be_visible()
    page.get_by_role("button", name="Change An agent").click()
    page.get_by_label("Runs an hour").fill("3")
    page.get_by_label("Shop").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("tools in all repositories · 1 deep · 3 runs an hour")).to_be_visible()
    page.get_by_role("button", name="Change An agent").click()
    page.get_by_label("For tools alone").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("tools in")).to_have_count(0)
    with httpx.Client(base_url=secured.url, trust_env=False) as agent:
        told = agent.get("/api/devices/current", headers=headers).json()
        assert ("An agent", ["read", "work"]) == (told["device"]["name"], told["scopes"])
    page.get_by_role("button", name="Change An agent").click()
    page.get_by_label("work", exact=True).uncheck()
    page.get_by_label("Name").fill("A reader")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".device-row .row-title")).to_have_text("A reader")
    expect(page.locator(".device-row .row-note").first).to_have_text("read")


def test_a_code_that_is_no_good_says_so_and_another_one_can_be_typed(
    secured: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{secured.url}/#/pair/00000000", expected={401, 409}).page
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
    used = code_of(secured)
    httpx.post(f"{secured.url}/api/pair", json={"code": used}, trust_env=False)
    page.get_by_label("Code").fill(used)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("This code was used already")
    page.get_by_label("Code").fill(code_of(secured).lower())
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("h1")).to_have_text("Now")
    with asked(secured) as client:
        names = [device["name"] for device in client.get("/api/devices").json()["items"]]
    assert re.fullmatch(r"Chrome on \w+", names[1])


def test_who_is_signed_in_already_is_asked_first(secured: Server, open_page: OpenPage) -> None:
    page = open_page(secured.url, device="desktop", expected={401}).page
    page.get_by_role("button", name="I have a code").click()
    expect(page.get_by_role("heading", name="Sign this device in")).to_be_visible()
    page.get_by_role("button", name="Sign in with a token instead").click()
    sign_in(page)
    page.goto(f"{secured.url}/#/pair/{code_of(secured, name='Tablet')}")
    expect(page.get_by_text("This browser may do everything here already.")).to_be_visible()
    with asked(secured) as client:
        assert [] == client.get("/api/devices").json()["items"]
    page.get_by_role("button", name="Stay as it is").click()
    expect(page.locator("h1")).to_have_text("Now")
