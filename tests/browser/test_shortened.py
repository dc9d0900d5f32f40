"""Texts that the server shows in part: the page says so, and loads all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import httpx
import pytest
from playwright.sync_api import expect

from command_center.store import Transaction, agents, approvals, items, sessions
from tests.browser.conftest import OpenPage, fill
from tests.browser.watching import settle
from tests.end_to_end.server import Server

FILLER: Final = "and so on. " * 8000
NEEDLE: Final = "The needle in it."
LONG: Final = f"It begins. {FILLER}\n\n{NEEDLE}\n\n{FILLER}It ends."
DIFF: Final = "--- a/x\n+++ b/x\n@@ -0,0 +1,9002 @@\n" + "".join(
    f"+line {number} of many that were added by the agent\n" for number in range(9002)
)


@pytest.fixture(scope="module")
def long_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose first session, its sub-agent and an approval have much to say."""
    folder = tmp_path_factory.mktemp("long")
    server = Server(folder / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        fill(client, folder / "project")

    def say(tx: Transaction) -> None:
        items.insert(
            tx,
            session_id=1,
            turn_id="turn",
            item_id="a/long one",
            type="agentMessage",
            status="completed",
            body={"text": LONG},
        )
        agents.insert(tx, session_id=1, thread_id="t", parent_thread_id="p", diff=DIFF)
        sessions.update(tx, 1, diff=DIFF, result={"review": LONG})
        approvals.insert(tx, title="Is it right?", details={"reason": LONG}, requested_by="web")

    server.write(say)
    yield server
    server.end()


@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("#/sessions/1", ".transcript .entry"),
        ("#/sessions/1", ".result"),
        ("#/approvals", ".approval"),
    ],
)
def test_a_text_that_is_shown_in_part_can_be_loaded_whole(
    long_server: Server, open_page: OpenPage, place: str, part: str
) -> None:
    page = open_page(f"{long_server.url}/{place}").page
    settle(page)
    shown = page.locator(part).filter(has=page.get_by_text("is longer than what is shown here"))
    expect(shown).to_contain_text("characters are left out here")
    expect(shown).not_to_contain_text(NEEDLE)
    shown.get_by_role("button", name="Show all of it").click()
    whole = page.locator(part).filter(has_text=NEEDLE)
    expect(whole).to_contain_text("It ends.")
    expect(whole).not_to_contain_text("is longer than what is shown here")
