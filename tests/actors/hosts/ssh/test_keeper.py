"""The link to a host over ssh, where the machine refuses it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from command_center.actors.contracts.fleet import RetryLink
from command_center.actors.hosts.link.channels import Channels
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.hosts.local.codex.processes import ChildProcess
from command_center.actors.hosts.ssh.address import SshAddress
from command_center.actors.hosts.ssh.client import SshClient, SshFailed
from command_center.actors.hosts.ssh.keeper import REFUSED, SshLink
from command_center.runtime import ChildSpec
from command_center.store import EventFilter, Timestamp, events, from_timestamp
from tests.actors.rows import Rig, rig

TOLD = EventFilter(types=("host.away", "host.refused", "host.connected"))


class FailingClient(SshClient):
    """Fails as it is told to; `tried` counts how often it was asked."""

    tried = 0
    failure = SshFailed("It cannot be reached.")

    async def open(self, nursery: trio.Nursery) -> tuple[Channels, ChildProcess]:
        """Fail."""
        del nursery
        FailingClient.tried += 1
        raise self.failure


async def told(made: Rig) -> list[tuple[str, str]]:
    found, _ = await made.storage.read(lambda db: events.after(db, 0, wanted=TOLD))
    return [(event.type, json.loads(event.body)["data"]["reason"]) for event in found]


async def until_told(made: Rig, count: int) -> list[tuple[str, str]]:
    """Return all that was told, once it is so much."""
    with trio.fail_after(30):
        while len(found := await told(made)) < count:  # noqa: ASYNC110 - it is read from the store
            await trio.sleep(0.01)
    return found


async def until_tried(times: int) -> None:
    with trio.fail_after(30):
        while FailingClient.tried < times:  # noqa: ASYNC110 - a client that fails says nothing
            await trio.sleep(0.01)


async def until_refused(standing: Standing) -> Timestamp:
    """Wait for a refusal; give when the next attempt is."""
    with trio.fail_after(30):
        while True:
            if standing.is_refused and standing.next_try_at is not None:
                return standing.next_try_at
            await trio.sleep(0.01)


async def test_a_machine_that_refuses_is_told_of_once_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FailingClient, "tried", 0)
    standing = Standing("box")
    client = FailingClient(SshAddress("box", None), tmp_path, "~/x")
    async with rig(tmp_path / "db.sqlite3") as made:
        spec = ChildSpec(id="link", start=lambda: SshLink(made.storage, client, standing))
        link = await made.system.start_child("/", spec)
        await until_tried(2)  # what is only away is tried again within a second
        assert not standing.is_refused
        refusal = SshFailed("Permission denied.", is_lasting=True)
        monkeypatch.setattr(FailingClient, "failure", refusal)
        before = FailingClient.tried
        await until_tried(before + 1)
        wait = from_timestamp(await until_refused(standing)) - datetime.now(UTC)
        assert REFUSED.initial * (1 - REFUSED.jitter) - 5 < wait.total_seconds()
        both = [("host.away", "It cannot be reached."), ("host.refused", "Permission denied.")]
        assert both == await until_told(made, 2)

        tried = FailingClient.tried
        await link.tell(RetryLink())  # a person has mended it, or thinks so
        await until_tried(tried + 1)
        assert both == await told(made)
        assert standing.absence == "Permission denied."
        await made.system.stop_child("/link", reason="it was seen")
