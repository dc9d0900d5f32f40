"""A run that waits for a limit of Codex, in the page."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, made
from tests.codex.script import Say, limited, used
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Server


def test_a_run_that_waits_for_a_limit_is_sent_on(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path, open_page: OpenPage
) -> None:
    resets_at = int(time.time()) + 7200
    scripted_model.headers = used(100, resets_at)
    scripted_model.script = (limited(resets_at),)
    with httpx.Client(base_url=codex_server.url, timeout=30, trust_env=False) as client:
        made(client, "/api/repos", {"localPath": str(repository), "allowWrite": True})
        made(client, "/api/tasks", {"repositoryId": 1, "title": "Go far", "prompt": "Go."})
        page = open_page(f"{codex_server.url}/#/", device="phone").page
        made(client, "/api/tasks/1/run", {})
        waiting = page.get_by_role("link", name="Waiting limit")
        expect(waiting).to_contain_text("It goes on when that resets")
        until = client.get("/api/codex/limits").json()["heldUntil"]
        expect(waiting.locator("time")).to_have_attribute("datetime", until)
        scripted_model.script = (Say.text("There was more."),)
        waiting.click()
        page.get_by_role("button", name="Go on now").click()
        expect(page.get_by_text("There was more.")).to_be_visible()
        page.goto(f"{codex_server.url}/#/account")
        page.get_by_label("Tokens a day").fill("5000")
        page.get_by_role("button", name="Keep").click()
        expect(page.get_by_role("button", name="Keep")).to_have_count(0)
        assert 5000 == client.get("/api/spending").json()["caps"]["dailyTokens"]
