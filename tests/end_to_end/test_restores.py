"""A backup is put back, as the documents say, and every client notices."""

from __future__ import annotations

from typing import Any

from click.testing import CliRunner

from command_center.http.cli.main import main
from tests.end_to_end.server import Client, Server, Stream, client_of


def typed(server: Server, *words: str) -> str:
    """Type a command on the server's machine; what it says."""
    told = CliRunner().invoke(main, words, env={"CC_DATA_DIR": str(server.data_dir)})
    assert 0 == told.exit_code, told.output
    return told.output


def put_back(server: Server, backup: str) -> None:
    """Stop it, put a backup in its place, and start it again."""
    refused = CliRunner().invoke(
        main, ["restore", backup], env={"CC_DATA_DIR": str(server.data_dir)}
    )
    assert (1, True) == (refused.exit_code, "in use" in refused.stderr), refused.output
    server.stop()
    assert "event 1." in typed(server, "restore", backup)
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
        backup = str(stub_server.data_dir.with_name("backup"))
        assert "up to event 1" in typed(stub_server, "backup", backup)
        seen = await ask_often(client, 5)
        former = (await client.get("/health"))["logId"]
    put_back(stub_server, backup)
    async with client_of(stub_server) as client:
        now = (await client.get("/health"))["logId"]
        assert former != now
        assert {"logId": now, "lastId": 1, "oldestId": 1} == await refused(client, after=seen)
        assert seen < await ask_often(client, 10)
        assert now == (await refused(client, after=seen, logId=former))["logId"]
        async with client.watch(after=1, logId=now) as stream:
            assert {"logId": now, "after": 1} == stream.first["data"]
            assert 2 == (await stream.next())["id"]
    stub_server.stop()
    stub_server.start()
    async with client_of(stub_server) as client:
        assert now == (await client.get("/health"))["logId"]
        made = await client.post("/api/backups", {"requestedBy": "ada"}, status=201)
        assert [made] == (await client.get("/api/backups"))["items"]
