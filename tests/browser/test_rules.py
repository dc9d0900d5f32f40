"""Always allowing: shown to the word, pressed for twice, listed, and taken back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Route, expect

from command_center.store import Transaction, rules
from tests.browser.conftest import UNWORKED, OpenPage, made
from tests.end_to_end.server import Server

WORDS = ["pytest", "tests", "tests/a b.py"]
OFFER = {
    "kind": "command",
    "words": WORDS,
    "fewest": 1,
    "folder": "",
    "host": None,
    "protocol": None,
}


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_always_allowing_shows_each_word_and_takes_a_second_press(
    filled_server: Server, open_page: OpenPage, device: str
) -> None:
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        asked = made(client, "/api/approvals", {"title": "Run the tests?"})
        details = {"command": "pytest tests", "cwd": "/srv/project", "alwaysAllow": OFFER}
        record = {**asked, "kind": "command", "details": details}
        sent: list[Any] = []

        def settle(route: Route) -> None:
            sent.append(route.request.post_data_json)
            route.fulfill(json={**record, "status": "approved"})

        page = open_page("about:blank", device=device, **UNWORKED).page
        page.route("**/api/approvals?*", lambda route: route.fulfill(json={"items": [record]}))
        page.route("**/resolve", settle)
        page.goto(f"{filled_server.url}/#/approvals/{asked['id']}")
        page.get_by_role("button", name="Always allow…").click()
        exact = page.get_by_label("Exactly pytest tests 'tests/a b.py'")
        expect(exact).to_be_checked()
        page.get_by_label("Whatever begins with pytest", exact=True).check()
        assert [] == sent
        page.get_by_role("button", name="Approve, and always allow").click()
        expect(page.get_by_text("Approved")).to_be_visible()
        assert [{"words": ["pytest"], "isExact": False}] == [body["rule"] for body in sent]
        made(client, f"/api/approvals/{asked['id']}/resolve", {"status": "rejected"})


def test_what_is_always_allowed_is_listed_and_taken_back(
    filled_server: Server, open_page: OpenPage
) -> None:
    filled_server.write(allow)
    page = open_page(f"{filled_server.url}/#/repos/1").page
    listed = page.get_by_role("region", name="Always allowed")
    expect(listed).to_contain_text("pytest 'tests/a b.py' …")
    expect(listed).to_contain_text("by ada")
    least = "In runs with at least: Workspace write, network on, commits off"
    expect(listed).to_contain_text(least)
    listed.get_by_role("button", name="Remove").click()
    told = listed.get_by_role("status")
    expect(told).to_have_text("pytest 'tests/a b.py' … is asked about again.")
    left = httpx.get(f"{filled_server.url}/api/repos/1/rules", trust_env=False)
    assert [] == left.json()["items"]


def allow(tx: Transaction) -> None:
    """Write a rule, as an approval of the real Codex leads to one."""
    rules.insert(
        tx,
        repository_id=1,
        kind="command",
        words=["pytest", "tests/a b.py"],
        is_exact=False,
        sandbox="workspace-write",
        allow_network=True,
        allow_commit=False,
        requested_by="ada",
    )
