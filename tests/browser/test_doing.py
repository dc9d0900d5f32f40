"""The line of what goes on, above the box, and the one line of Codex's state on every screen."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import UNWORKED, OpenPage
from tests.browser.watching import module_of, settle
from tests.end_to_end.server import Server

SAID = """
async ([modules, session, transcript, phase, host, bridge]) => {
  const { doing, state } = Object.assign({}, ...(await Promise.all(modules.map((m) => import(m)))));
  const before = state.codex;
  state.codex = bridge && { bridge: { status: bridge }, account: null, limits: null };
  try {
    return doing(session, { ready: true, events: [], ...transcript,
      entries: new Map((transcript.entries || []).map((one, at) => [at, one])) }, phase, host);
  } finally { state.codex = before; }
}
"""
AT = "2026-11-28T10:00:00.000Z"
RUNNING = {"status": "running", "runner": "app-server", "host": "local", "startedAt": AT}


def said(page: Page, session: dict[str, Any], **given: Any) -> Any:
    """Return what the line says of a session that is otherwise at work."""
    settle(page)
    modules = [module_of(page, name) for name in ("store.js", "components/doing.js")]
    transcript = {name: given[name] for name in ("entries", "events") if name in given}
    known = [given.get("phase", "live"), given.get("host"), given.get("bridge", "connected")]
    return page.evaluate(SAID, [modules, {**RUNNING, **session}, transcript, *known])


def begun(kind: str, **body: Any) -> list[dict[str, Any]]:
    return [{"type": kind, "done": False, "body": body, "since": AT}]


@pytest.mark.parametrize(
    ("session", "given", "text"),
    [
        ({}, {}, "Thinking"),
        ({}, {"entries": begun("commandExecution", command="pytest -q")}, "Running pytest -q"),
        ({}, {"entries": begun("commandExecution", command="bash -lc 'a b'")}, "Running a b"),
        ({}, {"entries": begun("agentMessage")}, "Writing"),
        ({}, {"entries": begun("reasoning")}, "Thinking"),
        ({}, {"entries": begun("mcpToolCall", server="a", tool="b")}, "Calling a · b"),
        (
            {},
            {"events": [{"type": "session.stalled", "data": {"silentSeconds": 300}}]},
            "Silent for 5 min",
        ),
        ({}, {"bridge": "unavailable"}, "Codex is away: nothing is heard of it"),
        (
            {"host": "barn"},
            {"host": {"link": "away", "status": "connected"}},
            "barn is away: nothing is heard of it",
        ),
        ({"host": "barn"}, {"bridge": "unavailable"}, "Thinking"),
        ({"status": "waiting_approval"}, {}, "Waits for you"),
        ({"status": "blocked"}, {}, "Waits for its approval"),
        ({"status": "starting"}, {}, "Starting"),
        ({"stopRequested": {}}, {}, "Stopping"),
        ({"status": "queued", "waitReason": "Waits for session 5.", "waitsFor": 5}, {}, None),
        ({}, {"phase": "offline"}, "Reconnecting: Command Center does not answer"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_the_line_says_what_goes_on(
    page: Page, session: dict[str, Any], given: dict[str, Any], text: str | None
) -> None:
    line = said(page, session, **given)
    if text is None:
        assert {"text": "Waits for session 5.", "session": 5, "tone": "warn"} == line
    else:
        assert text == line["text"]
    if text and text.startswith(("Thinking", "Running", "Writing")):
        assert "live" == line["tone"]
        assert AT == line["since"]


def test_it_says_nothing_of_what_has_ended(page: Page) -> None:
    for status in ("completed", "failed", "stopped", "interrupted"):
        assert said(page, {"status": status}) is None


def test_a_limit_says_when_it_resets(page: Page) -> None:
    line = said(page, {"status": "waiting_limit", "beginAfter": "2099-01-02T10:00:00.000Z"})
    assert line["text"].startswith("Limit resets ")
    assert "2099" in line["text"]


STATES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Codex 0.163", {"bridge/health": {"status": "connected", "version": "0.163"}}),
    ("Codex is away", {"bridge/health": {"status": "unavailable"}}),
    ("Codex: signed out", {"account": {"status": "signed_out"}}),
    ("Limit reached", {"limits": {"heldSince": AT, "heldUntil": None}}),
)
USUAL: dict[str, Any] = {
    "bridge/health": {"status": "connected", "version": None},
    "account": {"status": "signed_in", "kind": "chatgpt"},
    "limits": {"heldSince": None},
}


def test_the_state_of_codex_is_on_every_screen(filled_server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{filled_server.url}/#/tasks", **UNWORKED).page
    settle(page)
    shown = page.locator("main > .bridge")
    expect(shown).to_have_text("No Codex: a stub plays")
    answers: dict[str, Any] = {}

    def answer(route: Route) -> None:
        route.fulfill(json=answers[route.request.url.partition("/api/codex/")[2]])

    page.route(re.compile("/api/codex/(bridge/health|account|limits)$"), answer)
    for screen, (text, state) in zip(("/", "/more", "/sessions/1", "/repos"), STATES, strict=True):
        answers.update({**USUAL, **state})
        page.goto(f"{filled_server.url}/#{screen}")
        page.reload()
        expect(shown).to_have_text(text)
