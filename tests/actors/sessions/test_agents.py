"""The sub-agents of a session: each is kept, and there are not more than can be followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from sqlite_utils import Database

from command_center.actors.codex.messages import CodexNotification
from command_center.actors.ledger import agents as ledger
from command_center.actors.sessions.runners.codex.turn_events import heard
from command_center.store import agents
from tests.actors.sessions.live import THREAD, TURN, Live, live_session


async def _begins(live: Live, agent: str) -> None:
    """Have Codex tell that a sub-agent's turn begins."""
    turn: dict[str, Any] = {"id": f"u-{agent}", "status": "inProgress", "items": []}
    told = {"threadId": agent, "turn": turn}
    await live.ref.tell(heard(CodexNotification(agent, "turn/started", told, THREAD)))


def _count(db: Database) -> int:
    return agents.count(db, {})


async def test_more_sub_agents_than_before_are_each_kept(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db") as live:
        await live.bridge.until_called("thread/resume")
        for number in range(205):
            await _begins(live, f"a{number}")
        with trio.fail_after(60):
            while await live.rig.storage.read(_count) < 205:  # noqa: ASYNC110 - it is read
                await trio.sleep(0.05)
        assert (await live.session()).stop_requested is None


@pytest.mark.parametrize("told", ["turn", "item"])
async def test_a_session_with_more_sub_agents_than_can_be_followed_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.setattr(ledger, "MOST_AGENTS", 2)
    async with live_session(tmp_path / "db") as live:
        await live.bridge.until_called("thread/resume")
        await _begins(live, "a1")
        await _begins(live, "a2")
        await live.settled()
        assert (await live.session()).stop_requested is None
        if told == "turn":
            await _begins(live, "a3")
        else:
            item = {
                "id": "i",
                "type": "subAgentActivity",
                "kind": "started",
            }
            await live.notify("item/started", item={**item, "agentThreadId": "a3"})
        await live.bridge.until_called("turn/interrupt")
        interrupted: dict[str, Any] = {
            "id": TURN,
            "status": "interrupted",
            "items": [],
            "error": None,
        }
        await live.notify("turn/completed", turn=interrupted)
        ended = await live.until(lambda session: session.finished_at)
        assert ("interrupted", "It started more than 2 sub-agents.") == (
            ended.status,
            ended.exit_reason,
        )
        assert not await live.rig.storage.read(lambda db: agents.every(db, {"status": "running"}))
