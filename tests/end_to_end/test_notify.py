"""A server that tells people by Apprise, from its settings to the place, killed between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trio

from tests.end_to_end.server import Server
from tests.webhook_receiver import Receiver, Reply, webhook_receiver

SECRET = "a-path-that-nobody-guesses"


@pytest.fixture
def settings() -> dict[str, str]:
    return {"CC_CODEX_RUNNER_MODE": "stub", "CC_LOG_LEVEL": "debug"}


@pytest.fixture
def server(tmp_path: Path, settings: dict[str, str]) -> Iterator[Server]:
    server = Server(tmp_path / "data", settings)
    yield server
    server.end()


async def ask(server: Server, title: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as http:
        answer = await http.post("/api/approvals", json={"title": title})
        assert answer.is_success, answer.text


def titles(receiver: Receiver) -> list[str]:
    return [delivery.event["title"] for delivery in receiver.came]


async def test_nothing_is_lost_where_the_server_is_killed_between_and_no_log_has_the_url(
    server: Server, settings: dict[str, str]
) -> None:
    async with webhook_receiver() as receiver:
        place = f"json{receiver.url.removeprefix('http')}/{SECRET}"
        settings["CC_NOTIFY_URLS"] = f"json://127.0.0.1:9/unused {place}"
        await trio.to_thread.run_sync(server.start)
        page = server.url
        # Taken, but the answer never comes; and one more that is only in the log.
        receiver.replies.append(Reply(None))
        await ask(server, "first")
        await receiver.take(1, f"/{SECRET}")
        await ask(server, "second")
        await trio.to_thread.run_sync(server.kill)
        await trio.to_thread.run_sync(server.start)
        await receiver.take(3, f"/{SECRET}")
        assert ["first", "first", "second"] == titles(receiver)
        assert f"{page}/#/approvals/1" == receiver.came[0].event["message"]
        assert SECRET not in server.log.read_text()
        database = b"".join(path.read_bytes() for path in server.data_dir.glob("*.sqlite3*"))
        assert SECRET.encode() not in database


@pytest.mark.parametrize("urls", ["nonsense://a", "json://127.0.0.1/a mailto://"])
def test_a_place_that_apprise_does_not_know_stops_the_start(
    server: Server, settings: dict[str, str], urls: str
) -> None:
    settings["CC_NOTIFY_URLS"] = urls
    with pytest.raises(pytest.fail.Exception, match="none that Apprise knows"):
        server.start()
