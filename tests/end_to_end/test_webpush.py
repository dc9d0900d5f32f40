"""A server that tells browsers, killed between: nothing is lost, and what comes twice is one."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trio

from tests.end_to_end.server import Server
from tests.push_service import PushService, Reply, push_service

SETTINGS = {"CC_CODEX_RUNNER_MODE": "stub", "CC_PUSH_PRIVATE_ADDRESSES": "allow"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data", SETTINGS)
    yield server
    server.end()


async def post(server: Server, path: str, body: object) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as http:
        answer = await http.post(path, json=body)
        assert answer.is_success, answer.text


async def started(server: Server) -> None:
    await trio.to_thread.run_sync(server.start)


async def killed(server: Server) -> None:
    await trio.to_thread.run_sync(server.kill)


def titles(service: PushService) -> list[str]:
    return [service.read(left)["title"] for left in service.left]


async def test_nothing_is_lost_where_the_server_is_killed_between(server: Server) -> None:
    async with push_service() as service:
        await started(server)
        key = server.data_dir / "push.key"
        secret = key.read_bytes()
        assert 0o600 == stat.S_IMODE(key.stat().st_mode)
        await post(server, "/api/push/subscriptions", service.subscription())
        # Taken, but the answer never comes; and one more that is only in the log.
        service.replies.append(Reply(None))
        await post(server, "/api/approvals", {"title": "first"})
        await service.take(1)
        await post(server, "/api/approvals", {"title": "second"})
        await killed(server)
        await started(server)
        assert ["first", "first", "second"] == [one["title"] for one in await service.take(3)]
        topics = [left.headers["topic"] for left in service.left]
        assert topics[0] == topics[1] != topics[2]
        claims = {left.claims["k"] for left in service.left}
        assert 1 == len(claims)
        assert secret == key.read_bytes()


async def test_what_was_decided_while_nobody_could_be_told_is_not_asked(server: Server) -> None:
    async with push_service() as service:
        await started(server)
        await post(server, "/api/push/subscriptions", service.subscription())
        service.replies.append(Reply(None))
        await post(server, "/api/approvals", {"title": "first"})
        await service.take(1)
        await post(server, "/api/approvals", {"title": "second"})
        await post(server, "/api/approvals/2/resolve", {"status": "approved"})
        await post(server, "/api/approvals", {"title": "third"})
        await killed(server)
        await started(server)
        told = await service.take(3)
        assert ["first", "first", "third"] == [one["title"] for one in told]
        capability = {one["capability"] for one in told[:2]}
        assert 1 == len(capability)  # whichever of the two is shown, its buttons are good
