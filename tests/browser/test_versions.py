"""A Codex that is not supported, and one that was not tested: the first screen says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, made
from tests.browser.test_agents import photograph
from tests.end_to_end.test_questions import server_with
from tests.end_to_end.test_versions import NEW, OLD


@pytest.mark.parametrize(("device", "scheme"), [("phone", "light"), ("desktop", "dark")])
@pytest.mark.parametrize(
    ("version", "said", "tone"),
    [(OLD, "npm install -g @openai/codex@", ""), (NEW, "was not tested", "warn")],
    ids=["too-old", "untested"],
)
def test_the_first_screen_warns_of_a_version_and_says_what_to_install(
    tmp_path: Path,
    repository: Path,
    open_page: OpenPage,
    request: pytest.FixtureRequest,
    *,
    version: str,
    said: str,
    tone: str,
    device: str,
    scheme: Any,
) -> None:
    server = server_with(tmp_path, f"version={version}")
    try:
        with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
            made(client, "/api/repos", {"localPath": str(repository)})
        page = open_page(server.url, device=device, color_scheme=scheme).page
        warning = page.get_by_role("alert")
        expect(warning).to_contain_text(f"Codex {version}")
        expect(warning).to_contain_text(said)
        expect(warning).to_have_attribute("data-tone", tone)
        photograph(page, request.node.name)
        page.close()
    finally:
        server.end()
