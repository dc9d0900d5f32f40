"""Texts that are longer than a row shows: in lists and events in part, and whole in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from command_center.actors.center import Center
from command_center.actors.rules.lengths import JSON_BYTES, PROMPT_LENGTH
from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.store import Session, Transaction, agents, approvals, items, sessions, tasks
from command_center.store.lists.pages import PAGE_BYTES
from command_center.store.long_texts.shortening import LONGEST
from tests.actors.automations.rig import opened
from tests.http.live import client_of
from tests.made_up import made_up
from tests.store.units import add_session

LONG = "€ and more " * 200_000


@asynccontextmanager
async def asked(tmp_path: Path) -> AsyncIterator[tuple[Center, httpx.AsyncClient]]:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        yield rig.center, http


def fill(tx: Transaction) -> Session:
    """Add a session with long texts of every kind."""
    session = add_session(tx, diff=LONG, last_message=LONG, result={"review": LONG}, plan=None)
    agents.insert(
        tx, session_id=session.id, thread_id="t", parent_thread_id="p", prompt=LONG, diff=LONG
    )
    approvals.insert(
        tx,
        title="Run it?",
        kind="command",
        details={"command": LONG, "cwd": "/srv"},
        codex_request={"method": "m", "params": {"command": LONG}},
        requested_by="codex",
        session_id=session.id,
    )
    items.insert(
        tx,
        session_id=session.id,
        turn_id="u",
        item_id="call/1",
        type="commandExecution",
        status="completed",
        body={"command": "make", "aggregatedOutput": LONG, "exitCode": 2},
    )
    tx.emit(made_up("thing.happened", {"text": LONG, "number": 7}), actor="test")
    return session


async def whole(http: httpx.AsyncClient, path: str, **query: str) -> str:
    text = ""
    while True:
        answer = await http.get(path, params=query)
        assert 200 == answer.status_code, answer.text
        piece = answer.json()
        assert len(piece["text"].encode()) <= PAGE_BYTES
        text += str(piece["text"])
        if piece["nextCursor"] is None:
            assert len(text.encode()) == piece["bytes"]
            return text
        query["cursor"] = piece["nextCursor"]


async def test_records_show_a_part_and_name_the_fields_and_all_can_be_had(tmp_path: Path) -> None:
    async with asked(tmp_path) as (center, http):
        session = await center.storage.write(fill)
        base = f"/api/sessions/{session.id}"
        shown: dict[str, Any] = {
            base: (await http.get(base)).json(),
            "/api/agents/1": (await http.get(f"{base}/agents")).json()["items"][0],
            "/api/approvals/1": (await http.get("/api/approvals")).json()["items"][0],
            f"{base}/items": (await http.get(f"{base}/items")).json()["items"][0],
        }
        wholes: dict[str, dict[str, Any]] = {
            base: {"diff": LONG, "lastMessage": LONG, "result": {"review": LONG}},
            "/api/agents/1": {"diff": LONG, "prompt": LONG},
            "/api/approvals/1": {
                "details": {"command": LONG, "cwd": "/srv"},
                "codexRequest": {"method": "m", "params": {"command": LONG}},
            },
            f"{base}/items": {"body": {"command": "make", "aggregatedOutput": LONG, "exitCode": 2}},
        }
        for path, record in shown.items():
            of = {"itemId": "call/1"} if path.endswith("/items") else {}
            assert sorted(wholes[path]) == record["shortened"]
            for field, expected in wholes[path].items():
                assert len(msgspec.json.encode(record[field])) < 4 * LONGEST
                text = await whole(http, f"{path}/text", field=field, **of)
                assert expected == (
                    text if isinstance(expected, str) else msgspec.json.decode(text)
                )
        body = shown[f"{base}/items"]["body"]
        assert ("make", 2) == (body["command"], body["exitCode"])


async def test_an_event_says_that_it_is_shortened_and_all_of_it_can_be_had(tmp_path: Path) -> None:
    async with asked(tmp_path) as (center, http):
        await center.storage.write(fill)
        events = (await http.get("/api/events?newestFirst=true&limit=1")).json()["items"]
        assert events[0]["shortened"] is True
        path = f"/api/events/{events[0]['id']}/text"
        assert {"text": LONG, "number": 7} == msgspec.json.decode(await whole(http, path))
        assert 400 == (await http.get(path, params={"cursor": "a"})).status_code
        assert 404 == (await http.get("/api/events/999/text")).status_code
        short = await center.storage.write(lambda tx: tx.emit(made_up("a.b", {"a": 1}), actor="t"))
        assert {"a": 1} == msgspec.json.decode(await whole(http, f"/api/events/{short}/text"))
        other = {"cursor": (await http.get(path)).json()["nextCursor"]}
        assert 400 == (await http.get(f"/api/events/{short}/text", params=other)).status_code
    assert 7 == events[0]["data"]["number"]
    assert len(events[0]["data"]["text"]) < LONGEST + 100


async def test_a_diff_comes_in_pieces(tmp_path: Path) -> None:
    async with asked(tmp_path) as (center, http):
        session = await center.storage.write(fill)
        seen = ""
        query: dict[str, str] = {}
        while True:
            answer = await http.get(f"/api/sessions/{session.id}/diff", params=query)
            assert len(answer.json()["diff"].encode()) <= PAGE_BYTES
            seen += answer.json()["diff"]
            if answer.json()["nextCursor"] is None:
                break
            query = {"cursor": answer.json()["nextCursor"]}
    assert seen == LONG


async def test_a_field_that_has_changed_is_begun_anew(tmp_path: Path) -> None:
    async with asked(tmp_path) as (center, http):
        session = await center.storage.write(fill)
        path = f"/api/sessions/{session.id}/text"
        first = (await http.get(path, params={"field": "diff"})).json()
        await center.storage.write(lambda tx: sessions.update(tx, session.id, diff=LONG + "!"))
        query = {"field": "diff", "cursor": first["nextCursor"]}
        answers = [await http.get(path, params=query)]
        answers += [await http.get(f"{path}?field=diff&cursor={c}") for c in ("x", "a" * 300)]
        answers += [await http.get(f"{path}?field=prompt")]
    assert [400] * 4 == [answer.status_code for answer in answers]


@pytest.mark.parametrize(
    "path",
    [
        "/api/sessions/9/text?field=diff",
        "/api/sessions/9/diff",
        "/api/sessions/9/items/text?itemId=x",
        "/api/agents/9/text?field=diff",
        "/api/approvals/9/text?field=details",
    ],
)
async def test_what_is_not_there_has_no_text(tmp_path: Path, path: str) -> None:
    async with asked(tmp_path) as (_, http):
        answer = await http.get(path)
    assert 404 == answer.status_code
    assert 404 == answer.json()["error"]["statusCode"]


async def test_what_has_no_value_has_an_empty_text(tmp_path: Path) -> None:
    async with asked(tmp_path) as (center, http):
        session = await center.storage.write(fill)
        piece = (await http.get(f"/api/sessions/{session.id}/text?field=plan")).json()
    assert {"field": "plan", "text": "", "bytes": 0, "nextCursor": None} == piece


async def test_a_list_of_tasks_with_the_longest_prompts_comes_in_pages(tmp_path: Path) -> None:
    count = 12

    def unit(tx: Transaction) -> None:
        place = add_session(tx).repository_id
        for _ in range(count):
            tasks.insert(
                tx,
                repository_id=place,
                title="T",
                prompt="x" * PROMPT_LENGTH,
                requested_by="t",
                correlation_id="c",
            )

    async with asked(tmp_path) as (center, http):
        await center.storage.write(unit)
        seen: list[Any] = []
        query = {"limit": "500"}
        while True:
            answer = await http.get("/api/tasks", params=query)
            assert len(answer.content) < PAGE_BYTES + 2 * PROMPT_LENGTH
            page = answer.json()
            seen += [task["id"] for task in page["items"]]
            if page["nextCursor"] is None:
                break
            query["cursor"] = page["nextCursor"]
    assert count + 1 == len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("path", "body", "field", "message"),
    [
        ("/api/tasks", {"prompt": "x" * (PROMPT_LENGTH + 1)}, "prompt", "200000 characters"),
        ("/api/sessions/1/steer", {"message": "x" * (PROMPT_LENGTH + 1)}, "message", "characters"),
        ("/api/sessions/1/stop", {"reason": "x" * 4001}, "reason", "4000 characters"),
        ("/api/sessions/1/stop", {"requestedBy": "x" * 201}, "requestedBy", "200 characters"),
        ("/api/repos", {"localPath": "/" + "x" * 4000}, "localPath", "4000 characters"),
        ("/api/approvals", {"title": "x" * 201}, "title", "200 characters"),
        ("/api/approvals", {"title": "x", "details": {"a": "x" * JSON_BYTES}}, "details", "65536"),
        (
            "/api/approvals",
            {"title": "x", "details": {"a": [[1]] * 200_000}},
            "details",
            "65536 bytes of JSON",
        ),
        ("/api/approvals/1/resolve", {"answers": {"a": "x" * JSON_BYTES}}, "answers", "65536"),
        (
            "/api/approvals",
            {"title": "x", "details": {"a": [[]] * 10_000 + [1] * 11_000}},
            "",
            "more than 20000 values",
        ),
    ],
)
async def test_a_text_beyond_its_limit_is_refused_with_its_field(
    tmp_path: Path, path: str, body: dict[str, Any], field: str, message: str
) -> None:
    needed = {"repositoryId": 1, "title": "T"} if path == "/api/tasks" else {}
    if path.endswith("/resolve"):
        needed = {"status": "approved"}
    async with asked(tmp_path) as (_, http):
        answer = await http.post(
            path,
            content=msgspec.json.encode({**needed, **body}),
            headers={"Content-Type": "application/json"},
        )
    assert 400 == answer.status_code
    error = answer.json()["error"]
    assert field == error["details"][0]["path"]
    assert message in error["message"]


async def test_the_longest_prompt_is_taken_whole(tmp_path: Path) -> None:
    async with asked(tmp_path) as (center, http):
        session = await center.storage.write(add_session)
        prompt = "é" * PROMPT_LENGTH
        body = {"repositoryId": session.repository_id, "title": "T", "prompt": prompt}
        answer = await http.post("/api/tasks", json=body)
        assert 201 == answer.status_code
        task = (await http.get(answer.headers["Location"])).json()
    assert prompt == task["prompt"]
