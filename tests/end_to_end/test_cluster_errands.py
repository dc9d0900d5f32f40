"""Errands of a cluster: what it does by itself and says in Telegram is done once."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from tests.end_to_end.clusters import Clustered, clustered
from tests.end_to_end.server import NO_AUTHORITIES, Server, client_of
from tests.nats_servers import ON_LINUX
from tests.telegram_bot_api import SECRET, TOKEN, FakeBotApi, fake_bot_api

pytestmark = [ON_LINUX, pytest.mark.chaos, pytest.mark.timeout(900)]

ME = 4242
ROUNDS = 3
AUTOMATIONS = 20


def strike(leader: Server, how: str) -> None:
    """Kill the leader, or have it do nothing more."""
    assert leader.process is not None
    if how == "kill":
        leader.kill()
    elif sys.platform != "win32":
        os.kill(leader.process.pid, signal.SIGSTOP)


def bring_back(leader: Server, how: str) -> None:
    """Start the old leader again, or wake it."""
    assert leader.process is not None
    if how == "kill":
        leader.start()
    elif sys.platform != "win32":
        os.kill(leader.process.pid, signal.SIGCONT)


async def settled(pair: Clustered) -> tuple[Server, Server]:
    """Wait until one centre leads and the other one follows it; return them in this order."""
    with trio.fail_after(180):
        while True:
            told = [(await pair.health(centre) or {}, centre) for centre in pair.centres]
            by_role = {health.get("role"): (health, centre) for health, centre in told}
            if by_role.keys() == {"leader", "standby"}:
                (_, leader), (health, standby) = by_role["leader"], by_role["standby"]
                if health["leader"] == leader.url:
                    return leader, standby
            await trio.sleep(0.1)


async def answered(pair: Clustered, path: str) -> Any:
    """Ask whoever leads, however often that changes on a busy machine."""
    with trio.fail_after(180):
        while True:
            for centre in pair.centres:
                with suppress(httpx.HTTPError):
                    async with httpx.AsyncClient(timeout=20, verify=NO_AUTHORITIES) as http:
                        answer = await http.get(f"{centre.url}{path}")
                    if answer.status_code == 200:
                        return answer.json()
            await trio.sleep(0.1)


async def runs_of(pair: Clustered, automations: list[Any]) -> dict[int, list[Any]]:
    """Return the runs of each automation."""
    return {
        one["id"]: (await answered(pair, f"/api/automations/{one['id']}/runs"))["items"]
        for one in automations
    }


@pytest.mark.parametrize("how", ["kill", "freeze"])
async def test_what_is_due_while_the_leader_is_lost_runs_once(
    tmp_path: Path, repository: Path, how: str
) -> None:
    settings = {"CC_CODEX_RUNNER_MODE": "stub", "CC_MAX_SESSIONS": "2", "CC_TIMEZONE": "UTC"}
    with clustered(tmp_path, settings) as pair:
        leader, standby = await settled(pair)
        async with client_of(leader) as client:
            registered = await client.register(repository)
            due = (datetime.now(UTC) + timedelta(seconds=75)).replace(second=0, microsecond=0)
            made = [
                await client.post(
                    "/api/automations",
                    {
                        "repositoryId": registered["id"],
                        "title": f"Look {number}",
                        "scheduleExpr": f"once@{due:%Y-%m-%dT%H:%M}",
                        "timezone": "UTC",
                        "payload": {"taskTitle": f"Look {number}", "prompt": "Look."},
                    },
                    status=201,
                )
                for number in range(AUTOMATIONS)
            ]
        # The leader is lost in the midst of them: some have run, and some have not.
        with trio.fail_after(180):
            while not (await answered(pair, f"/api/automations/{made[0]['id']}/runs"))["items"]:  # noqa: ASYNC110 - a server does it
                await trio.sleep(0.02)
        strike(leader, how)
        assert standby is await pair.leader(but=leader)
        bring_back(leader, how)
        with trio.fail_after(180):
            while not all((await runs_of(pair, made)).values()):  # noqa: ASYNC110 - the same
                await trio.sleep(0.2)
        await settled(pair)  # the old leader is one of them again
        runs = await runs_of(pair, made)
        tasks = (await answered(pair, "/api/tasks?limit=200"))["items"]
        assert [1] * AUTOMATIONS == [len(each) for each in runs.values()]
        titles = Counter(task["title"] for task in tasks)
        assert dict.fromkeys((f"Look {number}" for number in range(AUTOMATIONS)), 1) == titles


async def delivered(pair: Clustered, api: FakeBotApi, mode: str, update: dict[str, Any]) -> None:
    """Give the bot an update as Telegram does: until it is taken, by whichever centre leads."""
    if mode == "polling":
        api.queue(update)
        return
    with trio.fail_after(120):
        while True:
            for centre in pair.centres:
                with suppress(httpx.HTTPError):
                    hook = f"{centre.url}/api/telegram/webhook"
                    if (await api.deliver(hook, update, attempts=1)).is_success:
                        return
            await trio.sleep(0.1)


async def said(api: FakeBotApi, text: str) -> None:
    """Wait until the chat shows a text; a failover takes longer than a call."""
    with trio.fail_after(120):
        while not any(text in shown for shown in api.texts(ME)):  # noqa: ASYNC110 - a server says it
            await trio.sleep(0.05)


@pytest.mark.parametrize("mode", ["polling", "webhook"])
@pytest.mark.parametrize("how", ["kill", "freeze"])
async def test_telegram_moves_with_the_leader_and_what_is_said_is_done_once(
    tmp_path: Path, mode: str, how: str
) -> None:
    async with fake_bot_api() as api:
        api.chat(ME)
        settings = {
            "CC_CODEX_RUNNER_MODE": "stub",
            "CC_TELEGRAM_MODE": mode,
            "CC_TELEGRAM_BOT_TOKEN": TOKEN,
            "CC_TELEGRAM_WEBHOOK_SECRET": SECRET,
            "CC_TELEGRAM_ALLOWED_IDS": str(ME),
            "CC_TELEGRAM_API_BASE": api.url,
        }
        with clustered(tmp_path, settings) as pair:
            made: list[Any] = []
            for number in range(ROUNDS):
                leader, standby = await settled(pair)
                async with client_of(leader) as client:
                    body = {"title": f"Question {number}?"}
                    made.append(await client.post("/api/approvals", body, status=201))
                await said(api, f"Question {number}?")
                asked = await api.message(ME, f"Question {number}?")
                pressed = api.pressed(asked, "Approve", user_id=ME)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(delivered, pair, api, mode, pressed)
                    strike(leader, how)
                    assert standby is await pair.leader(but=leader)
                    bring_back(leader, how)
                path = f"/api/approvals/{made[-1]['id']}"
                with trio.fail_after(180):
                    while (await answered(pair, path))["status"] != "approved":  # noqa: ASYNC110 - the bot is told
                        await trio.sleep(0.1)
            await settled(pair)
            events = (await answered(pair, "/api/events?limit=500"))["items"]
            decided = Counter(
                one["approvalId"] for one in events if one["type"] == "approval.resolved"
            )
            assert dict.fromkeys((one["id"] for one in made), 1) == decided
        # A message is sent at least once: twice only where the leader was lost while it sent.
        for one in made:
            assert 1 <= sum(one["title"] in text for text in api.texts(ME)) <= 2
