"""One server has the data, whatever is done to its files; no other acknowledges anything."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.server import Client, Server, client_of

DATABASE = "command-center.sqlite3"
CLAIM_LOST = 3
STUB = {"CC_CODEX_RUNNER_MODE": "stub"}

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows removes and links no file in use"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server whose files are the test's own."""
    server = Server(tmp_path / "data", STUB).start()
    yield server
    server.end()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with client_of(server) as client:
        yield client


def refusal_of(server: Server) -> str:
    with pytest.raises(pytest.fail.Exception) as failed:
        server.start()
    return str(failed.value)


async def is_lost(server: Server, client: Client) -> None:
    """Whatever is asked of it next is not acknowledged; it stops at once, and says why."""
    with pytest.raises(httpx.TransportError):
        await client.http.post("/api/approvals", json={"title": "Is it kept?"})
    assert CLAIM_LOST == server.wait()
    assert "no longer has its database" in server.log.read_text()


async def test_without_its_lock_a_server_stops_and_a_second_one_was_told_who_it_is(
    server: Server, client: Client
) -> None:
    assert server.process is not None
    (server.data_dir / "lock").unlink()
    told = refusal_of(Server(server.data_dir, STUB))
    assert f"in use by process {server.process.pid} on " in told
    await is_lost(server, client)
    server.start()


async def test_a_database_that_is_linked_into_another_folder_has_one_server(
    server: Server, client: Client, tmp_path: Path
) -> None:
    other = tmp_path / "linked"
    other.mkdir()
    (other / DATABASE).hardlink_to(server.data_dir / DATABASE)
    assert "in use by process" in refusal_of(Server(other, STUB))
    await client.post("/api/approvals", {"title": "Does it go on?"}, status=201)


def all_of(folder: Path) -> list[Path]:
    return list(folder.glob(f"{DATABASE}*"))


def log_of(folder: Path) -> list[Path]:
    return [folder / f"{DATABASE}-wal"]


@pytest.mark.parametrize("files", [all_of, log_of])
async def test_nothing_is_acknowledged_that_a_restart_would_not_find(
    files: Callable[[Path], list[Path]], server: Server, client: Client
) -> None:
    for file in files(server.data_dir):
        file.unlink()
    await is_lost(server, client)
