"""Extensions of Codex, in the browser: servers with their tools, skills, plugins and hooks."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import UNWORKED, OpenPage
from tests.end_to_end.server import Server

TOOL = {"name": "delete_ticket", "title": None, "description": "Deletes a ticket for ever."}
TICKETS: dict[str, Any] = {
    "name": "tickets",
    "signIn": "notLoggedIn",
    "tools": [{**TOOL, "isReadOnly": False, "isDestructive": True}],
    "error": None,
    "origin": "https://tickets.example.org",
    "plugin": None,
    "leadsHere": False,
}
CENTRE = {**TICKETS, "name": "centre", "tools": [], "origin": None, "leadsHere": True}
SKILL = {
    "name": "release-notes",
    "description": "How to write the notes of a release.",
    "path": "/srv/ada/.codex/skills/release-notes/SKILL.md",
    "scope": "user",
    "isEnabled": True,
    "plugin": None,
}
HOOK = {
    "event": "postToolUse",
    "type": "command",
    "runs": "notify-send done",
    "matcher": "Bash",
    "source": "user",
    "path": "/srv/ada/.codex/hooks.json",
    "isEnabled": False,
    "isManaged": False,
    "trust": "untrusted",
    "plugin": None,
}
PROFILE = {"id": ":workspace", "isAllowed": True, "description": "Writes in its folder."}
SIGN_IN = "https://tickets.example.org/authorize?state=a"


def answered(page: Page, sent: list[Any]) -> None:
    """Answer what Codex would be asked."""

    def switch(route: Route) -> None:
        sent.append(route.request.post_data_json)
        wanted: Any = route.request.post_data_json
        route.fulfill(json={"path": wanted["path"], "isEnabled": wanted["isEnabled"]})

    servers, found = (
        {"items": [TICKETS, CENTRE], "nextCursor": None},
        {"host": "local", "problems": []},
    )
    more = {"skills": [SKILL], "plugins": [], "hooks": [HOOK], "profiles": [PROFILE]}
    begun = {"host": "local", "server": "tickets", "authorizationUrl": SIGN_IN}
    page.route("**/api/codex/mcp-servers", lambda route: route.fulfill(json=servers))
    page.route("**/sign-ins", lambda route: route.fulfill(status=201, json=begun))
    page.route("**/api/codex/extensions*", lambda route: route.fulfill(json={**found, **more}))
    page.route("**/api/codex/skills", switch)


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_a_server_is_signed_in_and_off_in_a_repository_and_a_skill_is_switched(
    filled_server: Server, open_page: OpenPage, device: str
) -> None:
    sent: list[Any] = []
    page = open_page("about:blank", device=device, **UNWORKED).page
    answered(page, sent)
    page.goto(f"{filled_server.url}/#/tools?repo=1")
    row = page.get_by_role("listitem").filter(has_text="tickets.example.org")
    row.get_by_text("1 tool").click()
    expect(row).to_contain_text("says that it may destroy")
    row.get_by_role("button", name="Sign in").click()
    shown = page.get_by_role("dialog", name="Sign in to tickets")
    expect(shown.get_by_role("link", name="Open the page")).to_have_attribute("href", SIGN_IN)
    page.keyboard.press("Escape")
    allowed = row.get_by_role("switch", name="For runs in storefront")
    own = "command_center"  # is off from the start
    for names, is_on in (([own, "tickets"], False), ([own], True)):
        allowed.click()
        expect(allowed).to_be_checked(checked=is_on)
        kept = httpx.get(f"{filled_server.url}/api/repos/1", trust_env=False).json()
        assert names == kept["mcpServersOff"]
    # Its own tools have a switch of their own. While they are off, so is what is taken for them,
    # and no switch of a server turns them on.
    own_tools = page.get_by_role("listitem").filter(has_text="Command Center's own tools")
    of_own = own_tools.get_by_role("switch")
    of_taken = page.get_by_role("listitem").filter(has_text="centre").get_by_role("switch")
    expect(of_own).not_to_be_checked()
    expect(of_taken).not_to_be_checked()
    expect(of_taken).to_be_disabled()
    for switch, names, is_on in (
        (of_own, [], True),
        (of_taken, ["centre"], False),
        (of_taken, [], True),
        (of_own, [own], False),
    ):
        switch.click()
        expect(switch).to_be_checked(checked=is_on)
        kept = httpx.get(f"{filled_server.url}/api/repos/1", trust_env=False).json()
        assert names == kept["mcpServersOff"]
    expect(of_taken).not_to_be_checked()
    page.get_by_text("Skills, plugins, hooks").click()
    expect(page.get_by_label("It runs")).to_have_text("notify-send done")
    expect(page.get_by_text("None is installed.")).to_be_visible()
    expect(page.get_by_text("Writes in its folder.")).to_be_visible()
    page.get_by_role("switch", name="release-notes").click()
    expect(page.get_by_role("switch", name="release-notes")).not_to_be_checked()
    assert [(SKILL["path"], False)] == [(one["path"], one["isEnabled"]) for one in sent]
