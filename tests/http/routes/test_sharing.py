"""A session as one document: all of it, without secrets, and bounded."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
import httpx

from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.http.sharing import stream
from command_center.http.sharing.story import items_after
from command_center.http.sharing.story import opened as read_beginning
from command_center.store import Session, Transaction, agents, items
from tests.actors.automations.rig import opened
from tests.http.live import client_of
from tests.store.units import add_session

NEW_SECRET = "a word that is secret since"
COLOURED = f"sk-proj-{'a1b2c3d4e5' * 4}"
TOLD_TOGETHER = "hunter2hunter2"
HOSTILE = '</pre><script>alert(1)</script><img src="http://127.0.0.1/x" onerror=alert(2)>'


def entries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give a transcript of every kind."""
    yield "userMessage", {"content": [{"type": "text", "text": "Mend it."}, {"type": "image"}]}
    yield "reasoning", {"summary": ["I look first."]}
    yield "agentMessage", {"text": f"Hello {HOSTILE}\n```py\nx = 1\n```\n{NEW_SECRET}"}
    yield "agentMessage", {"text": f"\x1b[1m{COLOURED[:3]}\x1b[m{COLOURED[3:]} \U000e0041"}
    yield "commandExecution", {"command": ["curl", "--user", f"me:{TOLD_TOGETHER}"]}
    output = f"\x1b[31mred\x1b[0m \u202e turned {HOSTILE}\n{'long ' * 9000}the end"
    command = "/bin/bash -lc 'make check'"
    yield "commandExecution", {"command": command, "aggregatedOutput": output, "exitCode": 2}
    change = {"path": "a.py", "kind": {"type": "add"}, "diff": "x = 1\n"}
    yield "fileChange", {"changes": [change]}
    yield "mcpToolCall", {"server": "s", "tool": "t", "arguments": {"apiKey": "k" * 20}}
    yield "webSearch", {"query": "how"}
    yield "somethingNew", {"a": 1}


def fill(tx: Transaction) -> Session:
    """Add a session that has a little of everything."""
    session = add_session(
        tx,
        prompt=f"Mend the build. {HOSTILE}",
        status="failed",
        exit_reason="Codex was stopped.",
        diff="--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n",
        result={"review": NEW_SECRET},
        token_usage={"total": {"totalTokens": 12345, "inputTokens": 12000}},
    )
    agent = agents.insert(
        tx, session_id=session.id, thread_id="t", parent_thread_id="p", name="Scout"
    )
    for number, (kind, body) in enumerate([*entries(), ("agentMessage", {"text": "I help."})]):
        items.insert(
            tx,
            session_id=session.id,
            turn_id="u",
            item_id=f"i{number}",
            type=kind,
            status="completed",
            body=body,
            agent_id=agent.id if body.get("text") == "I help." else None,
        )
    return session


class Tags(HTMLParser):
    """The tags of a page, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


@asynccontextmanager
async def knowing_more(tmp_path: Path) -> AsyncIterator[tuple[Session, httpx.AsyncClient]]:
    """Serve a session that was stored before its secret was one."""
    async with opened(tmp_path) as rig:
        session = await rig.center.storage.write(fill)
        storage = attrs.evolve(rig.center.storage, secrets=(NEW_SECRET,))
        center = attrs.evolve(rig.center, storage=storage)
        async with client_of(create_app(center, Policy())) as http:
            yield session, http


async def test_a_session_becomes_one_document_of_either_form_without_secrets(
    tmp_path: Path,
) -> None:
    async with knowing_more(tmp_path) as (session, http):
        path = f"/api/sessions/{session.id}/export"
        answer = await http.get(path)
        text = answer.text
        assert "text/markdown; charset=utf-8" == answer.headers["Content-Type"]
        assert (
            f'attachment; filename="session-{session.id}.md"'
            == (answer.headers["Content-Disposition"])
        )
        page = (await http.get(path, params={"format": "html"})).text
        seen = Tags(page)
        for told in (text, seen.words):
            for word in ("Mend the build.", "Mend it.", "[image]", "I look first.", "x = 1", "red"):
                assert word in told, word
            for word in ("$ make check", "the end", "Exit code 2", "+new", "Scout", "I help."):
                assert word in told, word
            for word in ("12,345", "Codex was stopped.", "characters are left out", "[redacted]"):
                assert word.replace("[", "") in told.replace("\\", "").replace("[", ""), word
            assert NEW_SECRET not in told
            assert "k" * 20 not in told
            assert COLOURED not in told
            assert TOLD_TOGETHER not in told
            assert "U000e0041" in told
            assert not re.search("[\x00-\x08\x0b-\x1f\u202e\U000e0041]", told)
            assert len(told) < 40_000
        assert "\n> " in text
        assert "<img" not in text.replace("red \\u202e turned " + HOSTILE, "")

        tags = {tag for tag, _ in seen.tags}
        assert not tags & {"script", "img", "link", "iframe", "a", "form", "object", "base"}
        assert not [name for _, given in seen.tags for name in given if name.startswith("on")]
        policy = next(given["content"] for tag, given in seen.tags if "http-equiv" in given)
        assert policy is not None
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert HOSTILE in seen.words
        sent = (await http.head(path, params={"format": "html"})).headers
        assert f"{policy}; sandbox" == sent["Content-Security-Policy"]

        assert 404 == (await http.get("/api/sessions/99/export")).status_code
        assert 400 == (await http.get(path, params={"format": "pdf"})).status_code


async def test_a_long_transcript_is_cut_with_a_note_and_its_outcome_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig:
        session = await rig.center.storage.write(fill)

        def more(tx: Transaction) -> None:
            for number in range(150):
                body = {"text": f"Message {number}."}
                items.insert(
                    tx,
                    session_id=session.id,
                    turn_id="u",
                    item_id=f"m{number}",
                    type="agentMessage",
                    status="completed",
                    body=body,
                )

        await rig.center.storage.write(more)
        told = await rig.center.storage.read(lambda db: read_beginning(db, session.id))
        document = stream.SessionDocument(rig.center, told, "markdown", longest=1000)
        pieces = [piece async for piece in stream_of(document)]
        text = b"".join(pieces).decode()
        assert 3 == len(pieces)
        assert "Message 80." in text
        assert "Message 149." not in text
        assert "The transcript is longer, and cut here" in text
        assert text.index("cut here") < text.index("## Outcome")


async def test_of_sub_agents_those_alone_are_read_whose_items_are_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig:
        session = await rig.center.storage.write(fill)

        def more(tx: Transaction) -> None:
            said = {"session_id": session.id, "parent_thread_id": "p"}
            for number in range(3):
                agents.insert(tx, thread_id=f"silent {number}", **said)

        await rig.center.storage.write(more)
        _, names = await rig.center.storage.read(lambda db: items_after(db, session.id, None))
        assert ["Scout"] == [*names.values()]


async def stream_of(document: stream.SessionDocument) -> Any:
    try:
        while True:
            yield await document.next()
    except StopAsyncIteration:
        return
