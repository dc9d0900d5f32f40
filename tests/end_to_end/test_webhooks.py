"""A server that sends events to a webhook, killed between: none is lost, and all are in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from tests.end_to_end.server import Server
from tests.webhook_receiver import Receiver, Reply, webhook_receiver

SETTINGS = {"CC_CODEX_RUNNER_MODE": "stub", "CC_WEBHOOK_PRIVATE_ADDRESSES": "allow"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data", SETTINGS)
    yield server
    server.end()


async def post(server: Server, path: str, body: object) -> Any:
    async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as http:
        answer = await http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()


async def started(server: Server) -> None:
    await trio.to_thread.run_sync(server.start)


async def killed(server: Server) -> None:
    await trio.to_thread.run_sync(server.kill)


def numbers(receiver: Receiver) -> list[int]:
    return [int(delivery.event["data"]["title"]) for delivery in receiver.came]


async def test_none_is_lost_and_all_are_in_order_where_the_server_is_killed_between(
    server: Server,
) -> None:
    async with webhook_receiver() as receiver:
        await started(server)
        body = {"url": receiver.url, "types": ["approval.requested"]}
        secret = (await post(server, "/api/webhooks", body))["secret"]
        told = 0
        for life in range(3):
            # Taken, but the answer never comes; and more that are only in the log.
            receiver.replies.extend([Reply(), Reply(None)])
            for _ in range(4):
                told += 1
                await post(server, "/api/approvals", {"title": str(told)})
            await receiver.until(lambda: not receiver.replies)
            await killed(server)
            await started(server)
            expected = 4 * (life + 1)
            await receiver.until(lambda: expected in numbers(receiver))  # noqa: B023 - waited for here
        came = numbers(receiver)
        assert [*range(1, told + 1)] == sorted(set(came))
        assert came == sorted(came)
        assert told < len(came) <= told + 3  # what was cut off comes twice
        assert all(delivery.is_signed_by(secret) for delivery in receiver.came)
        ids = {delivery.headers["webhook-id"] for delivery in receiver.came}
        assert told == len(ids)
