"""A disk that fails: what is acknowledged is kept, what is refused is not, and what is not known is
said to be so.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from tests.end_to_end.server import Client, Server, client_of
from tests.faults.faults import Call, Faults

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has LD_PRELOAD and /proc"
)


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    (tmp_path / "data").mkdir()
    return Faults.beneath(tmp_path / "data")


@pytest.fixture
def server(tmp_path: Path, faults: Faults) -> Iterator[Server]:
    """A server whose calls of the system fail when the test says so."""
    settings = {"CC_CODEX_RUNNER_MODE": "stub", **faults.environment}
    server = Server(tmp_path / "data", settings, is_fresh=True).start()
    yield server
    faults.stop()
    server.end()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with client_of(server) as client:
        yield client


async def ask(client: Client, title: str) -> httpx.Response:
    return await client.http.post("/api/approvals", json={"title": title})


async def keep(client: Client, title: str) -> None:
    """Ask, and wait until the server has written all that follows from it: what it tells browsers.

    Else that write may be the one that meets the fault.
    """
    assert 201 == (await ask(client, title)).status_code
    newest = (await client.get("/api/events", newestFirst=True, limit=1))["items"][0]["id"]
    with trio.fail_after(30):
        while await told_to(client) < newest:  # noqa: ASYNC110 - it is asked
            await trio.sleep(0.01)


async def told_to(client: Client) -> int:
    """The id of the last event that browsers were told of."""
    notifier = await client.get("/api/runtime/actors/webpush/notifier")
    position: int = notifier["description"]["position"]
    return position


async def titles(client: Client) -> list[str]:
    listed = await client.get("/api/approvals")
    return [approval["title"] for approval in listed["items"]]


def facts(answer: httpx.Response) -> Any:
    assert 503 == answer.status_code, answer.text
    return answer.json()["error"].get("facts")


async def test_what_was_refused_after_one_flush_that_failed_is_not_there_after_a_kill(
    faults: Faults, server: Server, client: Client
) -> None:
    await keep(client, "Kept")
    faults.fail(Call.SYNC, errno.EIO, times=1)
    refused = await ask(client, "Refused")
    assert facts(refused) is None
    assert 1 == faults.failed
    server.kill()
    server.start()
    async with client_of(server) as again:
        assert ["Kept"] == await titles(again)


async def test_while_no_flush_succeeds_the_outcome_is_unconfirmed_and_nothing_is_acknowledged(
    faults: Faults, server: Server, client: Client
) -> None:
    await keep(client, "Kept")
    faults.fail(Call.SYNC, errno.EIO)
    assert {"outcome": "unconfirmed"} == facts(await ask(client, "Unconfirmed"))
    assert facts(await ask(client, "Not begun")) is None
    assert "unwritable" == (await client.get("/health"))["checks"]["store"]
    faults.stop()
    assert 201 == (await ask(client, "Later")).status_code
    there = await titles(client)
    server.kill()
    server.start()
    async with client_of(server) as again:
        assert there == await titles(again)
        assert ["Later", "Kept"] == there
        events = (await again.get("/api/events"))["items"]
        assert [*range(1, len(events) + 1)] == [event["id"] for event in events]


async def test_a_kill_while_an_outcome_is_unconfirmed_leaves_it_done_or_not_done(
    faults: Faults, server: Server, client: Client
) -> None:
    await keep(client, "Kept")
    faults.fail(Call.SYNC, errno.EIO)
    assert {"outcome": "unconfirmed"} == facts(await ask(client, "Unconfirmed"))
    server.kill()
    faults.stop()
    server.start()
    async with client_of(server) as again:
        assert await titles(again) in (["Kept"], ["Unconfirmed", "Kept"])
        assert 201 == (await ask(again, "Later")).status_code


@pytest.mark.parametrize(
    ("call", "error", "state"),
    [
        (Call.WRITE, errno.ENOSPC, "unwritable"),
        (Call.SYNC, errno.EIO, "unwritable"),
        (Call.READ, errno.EIO, "unreadable"),
    ],
)
async def test_health_says_what_cannot_be_done_now(
    call: Call, error: int, state: str, faults: Faults, client: Client
) -> None:
    assert "ok" == (await client.get("/health"))["checks"]["store"]
    faults.fail(call, error)
    await until_store_is(state, client)
    faults.stop()
    await until_store_is("ok", client)


async def until_store_is(state: str, client: Client) -> None:
    """Ask until health says so: what it found before holds for two seconds."""
    with trio.fail_after(30):
        while (await client.get("/health"))["checks"]["store"] != state:  # noqa: ASYNC110 - it is asked
            await trio.sleep(0.1)
