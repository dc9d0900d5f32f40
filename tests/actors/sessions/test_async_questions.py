"""A question that does not wait is asked once and answered once, whatever fails."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from command_center.actors.codex.errors import BridgeUnavailable, CodexError
from command_center.actors.codex.messages import Call
from command_center.actors.contracts.sessions import ApprovalSettled
from command_center.actors.ledger.approvals import settle_approval
from command_center.store import Approval, approvals, followups
from tests.actors.sessions.live import TURN, Live, live_session

ASKING = {
    "id": "ask",
    "type": "agentMessage",
    "text": "Which?",
    "delivery": "async",
    "questions": [{"title": "Which?", "options": ["A", "B"]}],
}


async def asked(live: Live) -> Approval:
    """The one approval of what Codex asks, and asks again."""
    for _ in range(2):
        await live.notify("item/completed", item=ASKING)
    await live.settled()
    (approval,) = await live.rig.storage.read(
        lambda db: approvals.every(db, {"kind": "user_input"})
    )
    return approval


async def answer(live: Live, approval: Approval) -> None:
    """Decide, and let the session know."""
    settled = await live.rig.storage.write(
        lambda tx: settle_approval(
            tx, approval.id, status="approved", actor="Ada", answers={"question-1": "B"}
        )
    )
    await live.ref.tell(ApprovalSettled(settled))
    await live.settled()


async def said_later(live: Live) -> list[str]:
    """Return what waits to be said when the turn has ended."""
    waiting = await live.rig.storage.read(lambda db: followups.every(db, {}))
    return [followup.message for followup in waiting]


def steers(live: Live) -> list[Call]:
    return [one for one in live.bridge.asked if isinstance(one, Call) and "steer" in one.method]


def failing(error: Exception) -> Any:
    def reply(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise error

    return reply


async def test_an_answer_is_steered_into_the_turn_once(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db.sqlite3") as live:
        approval = await asked(live)
        assert "running" == (await live.session()).status
        await answer(live, approval)
        await answered_again(live, approval)
        await live.complete()
        await live.until(lambda now: now.finished_at)
        (steer,) = steers(live)
        assert TURN == steer.params["expectedTurnId"]
        assert "> Which?\n\nB" == steer.params["input"][0]["text"]


async def test_an_answer_that_the_turn_refuses_is_said_when_it_has_ended(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db.sqlite3") as live:
        live.bridge.replies["turn/steer"] = failing(CodexError("turn/steer", -32600, "no turn"))
        await answer(live, await asked(live))
        await live.complete()
        await live.until(lambda now: now.finished_at)
        assert ["> Which?\n\nB"] == await said_later(live)


async def test_an_answer_that_was_heard_without_a_word_is_not_said_again(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db.sqlite3") as live:
        live.bridge.replies["turn/steer"] = failing(BridgeUnavailable("The connection was lost."))
        approval = await asked(live)
        await answer(live, approval)
        heard = {
            "id": "m",
            "type": "userMessage",
            "clientId": f"command-center-answer-{live.session_id}-{approval.id}",
        }
        await live.notify("item/completed", item=heard)
        await answered_again(live, approval)
        await live.complete()
        await live.until(lambda now: now.finished_at)
        assert 1 == len(steers(live))
        assert [] == await said_later(live)


async def answered_again(live: Live, approval: Approval) -> None:
    """Tell the session of the decision as its next life is told of it."""
    now = await live.rig.storage.read(lambda db: approvals.get(db, approval.id))
    await live.ref.tell(ApprovalSettled(now))
    await live.settled()
