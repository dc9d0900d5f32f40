"""A session that says more than comes at once: its newest is there, and all can be reached."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from command_center.store import Transaction, items
from tests.browser.conftest import OpenPage, fill
from tests.browser.watching import module_of, settle
from tests.end_to_end.server import Server

SCROLL_WITH_EACH_CHANGE = """() => {
  const watcher = new MutationObserver(() => dispatchEvent(new Event("scroll")));
  watcher.observe(document.body, { childList: true, subtree: true });
}"""
SAID = 1_300
AT_ONCE = 500


@pytest.fixture(scope="module")
def long_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose first session has said thousands of things."""
    folder = tmp_path_factory.mktemp("long")
    server = Server(folder / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        fill(client, folder / "project")

    def say(tx: Transaction) -> None:
        for number in range(SAID):
            items.insert(
                tx,
                session_id=1,
                turn_id="turn",
                item_id=f"item-{number}",
                type="agentMessage",
                status="completed",
                body={"text": f"Word {number}."},
            )

    server.write(say)
    yield server
    server.end()


def words(page: Page) -> Locator:
    """Return what the transcript shows of them."""
    return page.locator(".transcript .agent .prose").filter(has_text="Word")


def test_the_newest_is_shown_and_what_was_before_it_is_loaded_as_it_is_asked_for(
    long_server: Server, open_page: OpenPage
) -> None:
    asked: list[str] = []
    page = open_page("about:blank").page
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{long_server.url}/#/sessions/1")
    settle(page)
    expect(page.get_by_text(f"Word {SAID - 1}.", exact=True)).to_be_visible()
    assert 1 == len([url for url in asked if "/items" in url])
    earlier = page.get_by_role("button", name="earlier entries")
    for _ in range(SAID):
        if not earlier.count():
            break
        before = words(page).count()
        earlier.click()
        expect(words(page)).not_to_have_count(before)
    assert [f"Word {number}." for number in range(SAID)] == words(page).all_text_contents()
    assert 1 + SAID // AT_ONCE == len([url for url in asked if "/items" in url])


def test_a_transcript_that_was_scrolled_is_left_without_a_complaint(
    long_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{long_server.url}/#/sessions/1").page
    settle(page)
    words(page).last.scroll_into_view_if_needed()
    page.wait_for_function("scrollY > 0")
    page.evaluate(SCROLL_WITH_EACH_CHANGE)
    page.get_by_role("link", name="Tasks", exact=True).click()
    expect(page.locator("h1")).to_have_text("Tasks")


TOLD = """async ([modules, body, told]) => {
  const imported = await Promise.all(modules.map((module) => import(module)));
  const { html, render, Transcript } = Object.assign({}, ...imported);
  const place = document.createElement("div");
  const entry = { key: "1", type: "collabAgentToolCall", done: true, body, version: 1 };
  render(html`<${Transcript} entries=${[entry]} cwd="/w" />`, place);
  const read = () => [...place.querySelectorAll("summary, p")].map((one) => one.textContent);
  const until = Date.now() + 30_000; // what formats it is loaded with the first text
  while (read().length < told.length && Date.now() < until)
    await new Promise((soon) => setTimeout(soon, 10));
  return read();
}"""


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"tool": "spawnAgent", "prompt": "Look.\n\nAt all.", "agentsStates": {}},
            ["Spawn agent: Look.", "Look.", "At all."],
        ),
        (
            {
                "tool": "wait",
                "prompt": None,
                "agentsStates": {"t": {"status": "completed", "message": "It is well."}},
            },
            ["Wait", "Completed", "It is well."],
        ),
    ],
)
def test_what_is_said_to_a_sub_agent_and_by_it_is_shown_as_words(
    long_server: Server, open_page: OpenPage, body: dict[str, Any], told: list[str]
) -> None:
    page = open_page(long_server.url).page
    settle(page)
    modules = [module_of(page, name) for name in ("html.js", "components/transcript.js")]
    assert told == page.evaluate(TOLD, [modules, body, told])


COMMANDS = """async ([modules, commands]) => {
  const imported = await Promise.all(modules.map((module) => import(module)));
  const { html, render, Transcript } = Object.assign({}, ...imported);
  const place = document.createElement("div");
  const entries = commands.map((command, key) => ({
    key: String(key), type: "commandExecution", done: true, version: 1,
    body: { command, exitCode: 0, status: "completed" },
  }));
  render(html`<${Transcript} entries=${entries} cwd="/w" />`, place);
  return [...place.querySelectorAll("summary code")].map((one) => one.textContent);
}"""

SCRIPTS = (
    "make",
    "git status --short",
    "printf 'one\\ntwo\\n' > numbers.txt",
    "echo \"$HOME\" 'it is'",
    'echo "it\'s" `date` \\ $((1 + 1))',
)


def test_of_a_shells_command_the_script_is_shown_as_the_shell_reads_it(
    long_server: Server, open_page: OpenPage
) -> None:
    page = open_page(long_server.url).page
    settle(page)
    modules = [module_of(page, name) for name in ("html.js", "components/transcript.js")]
    doubled = [re.sub(r'([$`"\\])', r"\\\1", script) for script in SCRIPTS]
    ways = [
        [shlex.join(["/bin/bash", "-lc", script]) for script in SCRIPTS],
        [f'bash -lc "{script}"' for script in doubled],
    ]
    for commands in ways:
        assert [*SCRIPTS] == page.evaluate(COMMANDS, [modules, commands])
    others = ["python -c 'print(1)'", "bash -lc 'a' b", 'bash -lc "a', "bash run.sh"]
    assert others == page.evaluate(COMMANDS, [modules, others])
