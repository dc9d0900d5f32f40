"""Codex's account in the page: it says that nobody is signed in, signs in by a code, and out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.test_screens import AXE, SERIOUS
from tests.browser.watching import settle
from tests.codex.sign_in_provider import CODE, EMAIL, SignInProvider
from tests.end_to_end.server import Server


@pytest.fixture
def provider() -> Iterator[SignInProvider]:
    with SignInProvider() as one:
        yield one


@pytest.fixture
def server(
    tmp_path: Path, codex_binary: Path, codex_home: Path, provider: SignInProvider
) -> Iterator[Server]:
    """A server whose Codex needs an account, and has none."""
    settings = {
        "CC_CODEX_COMMAND": str(codex_binary),
        "CODEX_HOME": str(codex_home),
        **provider.write_home(codex_home),
    }
    server = Server(tmp_path / "data", settings).start()
    yield server
    server.end()


@pytest.mark.parametrize(("device", "scheme"), [("phone", "light"), ("desktop", "dark")])
def test_codex_is_signed_in_by_a_code_and_out_again(
    server: Server,
    provider: SignInProvider,
    open_page: OpenPage,
    *,
    device: str,
    scheme: str,
) -> None:
    page = open_page(server.url, device=device, color_scheme=scheme).page
    page.get_by_role("link", name="Sign in").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Get a code").click()
    expect(dialog.get_by_text(CODE)).to_be_visible()
    link = dialog.get_by_role("link", name="Open the page")
    expect(link).to_have_attribute("href", f"{provider.url}/codex/device")
    settle(page)
    page.evaluate(AXE)
    assert [] == page.evaluate(SERIOUS)
    provider.entered.set()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text(EMAIL)).to_be_visible()
    expect(page.get_by_text("42 %")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Codex isn't signed in")).to_be_visible()


def test_a_sign_in_that_fails_says_why_and_a_key_signs_in(
    server: Server, provider: SignInProvider, open_page: OpenPage
) -> None:
    provider.is_down = True
    page = open_page(f"{server.url}/#/account", expected={409}).page
    page.get_by_role("button", name="Sign in").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Get a code").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_text("With an API key").click()
    dialog.get_by_label("API key", exact=True).fill("sk-a-key-that-nobody-may-see")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("A key has none here")).to_be_visible()
