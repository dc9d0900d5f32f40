"""A copy of the database is put back, as the documents say, and every client notices."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.end_to_end.server import Client, Server, Stream, client_of

DATABASE = "command-center.sqlite3"


def copy_while_it_runs(server: Server) -> Path:
    """A copy as the documents say to make one."""
    copy = server.data_dir.with_name("copy.db")
    with closing(sqlite3.connect(server.data_dir / DATABASE)) as db:
        db.execute("VACUUM INTO ?", [str(copy)])
    return copy


def put_back(server: Server, copy: Path) -> None:
    """Stop it, move its files away, put the copy in place, and start it again."""
    server.stop()
    away = server.data_dir.with_name("away")
    away.mkdir()
    for file in server.data_dir.glob(f"{DATABASE}*"):
        if file.suffix != ".sqlite3-mark":
            file.rename(away / file.name)
    shutil.copy(copy, server.data_dir / DATABASE)
    server.start()


async def ask_often(client: Client, times: int) -> int:
    """Make so many approvals; the log's last id."""
    for number in range(times):
        await client.post("/api/approvals", {"title": f"Question {number}"}, status=201)
    newest = await client.get("/api/events", newestFirst=True, limit=1)
    last: int = newest["items"][0]["id"]
    return last


async def refused(client: Client, **query: Any) -> Any:
    """Return what a stream and a list say to whoever resumes so; they say the same."""
    async with client.websocket("/api/events/stream", **query) as connection:
        assert 4410 == await Stream(connection).closed()
    answer = await client.http.get("/api/events", params=query)
    error = Client.expect(410, answer)["error"]
    sse = await client.http.get(
        "/api/events/stream", params=query, headers={"Accept": "text/event-stream"}
    )
    assert error == Client.expect(410, sse)["error"]
    return error["facts"]


async def test_who_had_seen_what_is_no_longer_there_is_told_so_at_once(
    stub_server: Server,
) -> None:
    async with client_of(stub_server) as client:
        await ask_often(client, 1)
        copy = copy_while_it_runs(stub_server)
        seen = await ask_often(client, 5)
        former = (await client.get("/health"))["logId"]
    put_back(stub_server, copy)
    async with client_of(stub_server) as client:
        now = (await client.get("/health"))["logId"]
        assert former != now
        assert {"logId": now, "lastId": 1} == await refused(client, after=seen)
        assert seen < await ask_often(client, 10)
        assert now == (await refused(client, after=seen, logId=former))["logId"]
        async with client.watch(after=1, logId=now) as stream:
            assert {"logId": now, "after": 1} == stream.first["data"]
            assert 2 == (await stream.next())["id"]
    stub_server.stop()
    stub_server.start()
    async with client_of(stub_server) as client:
        assert now == (await client.get("/health"))["logId"]
