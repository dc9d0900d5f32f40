"""Questions of Codex that cross with its answers, with a lost connection, or with each other."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from command_center.actors.codex.approvals import COMMAND, ELICITATION, FILE_CHANGE
from command_center.actors.codex.messages import (
    AnswerRequest,
)
from command_center.actors.contracts.sessions import ApprovalSettled
from command_center.actors.contracts.turns import ConnectionBack, ConnectionLost, QuestionClosed
from command_center.actors.ledger.approvals import settle_approval
from command_center.actors.sessions import turn_driver
from command_center.store import approvals
from tests.actors.sessions.live import STARTING, live_session
from tests.codex.test_approvals import FORM_PARAMS


async def test_a_question_of_a_thread_within_the_thread_is_not_lost_while_the_turn_begins(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("turn/start")
        await live.bridge.until_called("turn/start")
        inner = {"threadId": "inner", "turnId": "v", "itemId": "i", "command": "touch /x"}
        await live.ask("c:1", COMMAND, **inner)
        slow.set()
        asked = await live.until(lambda session: session.status == "waiting_approval")
        assert "app-server" == asked.runner


async def test_a_question_that_comes_while_the_thread_is_joined_stays_open(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        slow = live.bridge.gate("thread/turns/list")
        live.bridge.status = {"type": "active", "activeFlags": []}
        await live.bridge.until_called("thread/turns/list")
        await live.ask("c:1", COMMAND, itemId="i", command="touch /x")
        await live.until(lambda session: session.status == "waiting_approval")
        slow.set()
        await live.settled()
        (approval,) = await live.rig.storage.read(lambda db: approvals.every(db, {}))
        assert ("pending", "waiting_approval") == (approval.status, (await live.session()).status)


async def test_a_question_that_was_answered_while_nobody_listened_is_closed(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await live.ask("c:1", COMMAND, itemId="i", command="touch /x")
        await live.until(lambda session: session.status == "waiting_approval")
        live.bridge.status = {"type": "active", "activeFlags": []}
        await live.ref.tell(ConnectionBack())
        await live.until(lambda session: session.status == "running")
        (approval,) = await live.rig.storage.read(lambda db: approvals.every(db, {}))
        assert "answered_elsewhere" == approval.status


async def test_a_question_is_held_however_much_else_is_said_before_the_turn_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_driver, "EARLY", 5)
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("turn/start")
        await live.bridge.until_called("turn/start")
        await live.ask("c:1", COMMAND, itemId="i", command="touch /x")
        for _ in range(10):
            await live.notify("item/agentMessage/delta", itemId="m", delta="Well.")
        slow.set()
        await live.until(lambda session: session.status == "waiting_approval")
        await live.bridge.until_called("thread/resume")


async def test_a_decision_whose_way_to_codex_was_lost_is_sent_when_codex_asks_again(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await live.ask("c1:1", COMMAND, itemId="i", command="touch /x")
        await live.until(lambda session: session.status == "waiting_approval")
        live.bridge.loses_answers = True
        approval = await live.rig.storage.write(
            lambda tx: settle_approval(tx, 1, status="approved", actor="ada")
        )
        await live.ref.tell(ApprovalSettled(approval))
        await live.ref.tell(ConnectionLost("The proxy ended."))
        await live.settled()
        assert "waiting_approval" == (await live.session()).status
        live.bridge.loses_answers = False
        await live.ask("c2:1", COMMAND, itemId="i", command="touch /x")
        await live.until(lambda session: session.status == "running")
        (answer,) = [asked for asked in live.bridge.asked if isinstance(asked, AnswerRequest)]
        assert ("c2:1", {"decision": "accept"}) == (answer.request_id, answer.result)
        (only,) = await live.rig.storage.read(lambda db: approvals.every(db, {}))
        assert only.delivered_at is not None


async def test_a_question_that_comes_while_nothing_can_be_read_is_asked_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live_session(tmp_path / "db") as live:
        readers = live.rig.storage.readers

        def connection(*_: object) -> NoReturn:
            raise sqlite3.OperationalError("unable to open database file")

        with monkeypatch.context() as patched:
            patched.setattr(type(readers), "connection", connection)
            await live.ask("c1:1", FILE_CHANGE, itemId="i")
            await live.settled()
        await live.until(lambda session: session.status == "waiting_approval")


async def test_a_question_that_was_answered_elsewhere_before_the_turn_is_known_is_none(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("turn/start")
        await live.bridge.until_called("turn/start")
        await live.ask("c1:1", COMMAND, itemId="i", command="touch /x")
        await live.ref.tell(QuestionClosed("c1:1"))
        slow.set()
        await live.until(lambda session: session.codex_turn_id is not None)
        await live.settled()
        assert "running" == (await live.session()).status
        assert not await live.rig.storage.read(lambda db: approvals.every(db, {}))


async def test_two_questions_that_are_alike_and_wait_together_are_answered_each(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:
        await live.settled()
        for request_id in ("c1:1", "c1:2"):
            await live.ask(request_id, ELICITATION, **FORM_PARAMS)
        await live.until(lambda session: session.status == "waiting_approval")
        await live.settled()
        for asked in await live.rig.storage.read(lambda db: approvals.every(db, {})):
            reject = partial(settle_approval, approval_id=asked.id, status="rejected", actor="ada")
            await live.ref.tell(ApprovalSettled(await live.rig.storage.write(reject)))
        await live.until(lambda session: session.status == "running")
        await live.settled()
        answers = [answer for answer in live.bridge.asked if isinstance(answer, AnswerRequest)]
        assert ["c1:1", "c1:2"] == sorted(answer.request_id for answer in answers)
