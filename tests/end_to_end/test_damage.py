"""Changes that the disk made in the database are told as damage, and allow nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.server import Client, Server, client_of


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    yield server
    server.end()


async def asked(client: Client, title: str) -> Any:
    return await client.post("/api/approvals", {"title": title}, status=201)


def change(server: Server, *statements: str) -> None:
    """Change the database as the server would not."""
    server.stop()
    with sqlite3.connect(server.data_dir / "command-center.sqlite3") as conn:
        conn.execute("DROP TRIGGER events_are_never_changed")
        for statement in statements:
            conn.execute(statement)
    conn.close()


async def test_a_damaged_approval_is_told_and_cannot_be_resolved(server: Server) -> None:
    async with client_of(server) as client:
        for title in ("First", "Second"):
            await asked(client, title)
    change(
        server,
        "UPDATE approvals SET status = 'approved' WHERE id = 1",
        "UPDATE events SET approval_id = 2 WHERE id = 1",
    )
    server.start()
    async with client_of(server) as client:
        damaged = {"kind": "Approval", "id": 1}
        for answer in (
            await client.http.get("/api/approvals/1"),
            await client.http.post("/api/approvals/1/resolve", json={"status": "approved"}),
        ):
            assert (500, damaged) == (answer.status_code, answer.json()["error"]["facts"])
        assert "Second" == (await client.get("/api/approvals/2"))["title"]
        listed = await client.get("/api/approvals")
        assert ([2], [1], None) == (
            [approval["id"] for approval in listed["items"]],
            listed["damaged"],
            listed["nextCursor"],
        )
        events = (await client.get("/api/events"))["items"]
        async with client.watch(after=0) as stream:
            streamed = await stream.until("event.damaged")
        assert 1 == streamed["id"]
        types = {event["id"]: event["type"] for event in events}
        assert {1: "event.damaged", 2: "approval.requested"}.items() <= types.items()
        await client.post("/api/approvals/2/resolve", {"status": "approved"})


async def test_a_damaged_session_is_not_taken_up_and_others_go_on(
    server: Server, repository: Path
) -> None:
    async with client_of(server) as client:
        registered = await client.register(repository, allowWrite=False)
        task = await client.task(registered, "Wait.", approvalRequired=True)
        await client.post(f"/api/tasks/{task['id']}/run", status=202)
    change(server, "UPDATE sessions SET status = 'queued'")
    server.start()
    async with client_of(server) as client:
        other = await client.run(registered, "Go on.")
        await client.until_session(other, "completed")
        damaged = await client.http.get("/api/sessions/1")
        assert (500, {"kind": "Session", "id": 1}) == (
            damaged.status_code,
            damaged.json()["error"]["facts"],
        )
    assert "session.damaged" in server.log.read_text()
