"""From events to messages: each once, none missed, whatever ends in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trio

from command_center.actors.contracts.addresses import APPROVALS
from command_center.actors.contracts.approvals import (
    ExtendApproval,
    Extension,
    Resolution,
    ResolveApproval,
)
from command_center.actors.contracts.events.usage_limits import LimitReached
from command_center.actors.core.clock import later
from command_center.actors.ledger.deadlines import warn
from command_center.store import (
    Transaction,
    approvals,
    automations,
    repositories,
    telegram_messages,
)
from tests.actors.rows import insert_session, insert_task
from tests.actors.telegram.rig import ME, Rig, opened, rig
from tests.made_up import made_up
from tests.telegram_bot_api import fake_bot_api


async def end_session(r: Rig, status: str, **fields: Any) -> None:
    """Commit a session that has ended, and the event that says so."""

    def unit(tx: Transaction) -> None:
        repository = repositories.get(tx.db, r.repository_id)
        task = insert_task(tx, repository, title="Fix it", prompt="Fix it, please")
        session = insert_session(tx, task, status=status, finished_at=tx.now, **fields)
        tx.emit(made_up(f"session.{status}"), actor="test", session_id=session.id)

    await r.center.storage.write(unit)


async def test_a_session_that_ended_tells_its_outcome_words_tokens_and_changes(
    tmp_path: Path,
) -> None:
    diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    async with rig(tmp_path) as r:
        await end_session(
            r,
            "completed",
            last_message="All <tests> pass & more.",
            token_usage={"total": {"totalTokens": 12345}},
            diff=diff,
        )
        message = await r.api.message(ME, "Session 1 completed")
        shown = r.api.texts(ME)[0]
        assert "All <tests> pass & more." in shown
        assert "12\N{NARROW NO-BREAK SPACE}345 tokens" in shown
        assert "1 file changed, +1 -1" in shown
        await r.press(message, "Diff")
        await r.api.message(ME, "-a\n+b")


async def test_an_interrupted_session_says_why(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await end_session(r, "interrupted", exit_reason="The server was restarted.")
        message = await r.api.message(ME, "Session 1 interrupted")
        assert "The server was restarted." in message["text"]


async def test_a_paused_automation_and_a_quarantined_actor_are_told_of(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:

        def unit(tx: Transaction) -> None:
            automation = automations.insert(
                tx,
                repository_id=r.repository_id,
                title="Morning check",
                schedule_expr="daily@09:00",
                requested_by="test",
                enabled=False,
                paused_reason="Failed 3 times in a row.",
            )
            tx.emit(made_up("automation.paused"), actor="x", automation_id=automation.id)
            data = {"path": "/sessions/7", "error": "ValueError: odd"}
            tx.emit(made_up("actor.quarantined", data), actor="runtime")

        await r.center.storage.write(unit)
        assert "Failed 3 times" in (await r.api.message(ME, "Morning check"))["text"]
        assert "ValueError: odd" in (await r.api.message(ME, "/sessions/7"))["text"]


async def test_what_happened_while_nobody_was_there_is_told_by_the_next_life_once(
    tmp_path: Path,
) -> None:
    async with fake_bot_api() as api:
        api.chat(ME)
        async with opened(tmp_path, api) as r:
            await r.center.system.stop_child("/telegram/notifier", reason="test")
            await end_session(r, "completed", last_message="While you were out.")
            await r.ask("Still open?")
            settled = await r.ask("Settled meanwhile?")
            wish = Resolution(status="approved", resolved_by="web")
            await r.center.ask(APPROVALS, ResolveApproval(settled.id, wish))
        for _ in range(2):
            async with opened(tmp_path, api) as r:
                await r.told()
                await api.message(ME, "While you were out.")
                await api.message(ME, "Still open?")
        assert 2 == len(api.texts(ME))
        assert "Settled meanwhile?" not in " ".join(api.texts(ME))


async def test_the_first_time_history_is_not_told_but_what_is_pending_is_asked(
    tmp_path: Path,
) -> None:
    async with fake_bot_api() as api:
        async with opened(tmp_path, api, allowed_ids=frozenset()) as r:
            await r.ask("Pending since long?")
            await end_session(r, "completed")
            await r.told()
            await r.center.system.stop_child("/telegram/notifier", reason="test")
            await r.center.storage.write(
                lambda tx: len(tx.db.execute("delete from telegram_marks").fetchall())
            )
        api.chat(ME)
        async with opened(tmp_path, api):
            await api.message(ME, "Pending since long?")
            assert 1 == len(api.texts(ME))


async def let_expire_soon(r: Rig, approval_id: int) -> None:
    """Have an approval waited for long, and its deadline near, so that it is warned of."""

    def unit(tx: Transaction) -> None:
        approvals.update(tx, approval_id, expires_at=later(tx.now, 300))
        tx.db.execute("UPDATE approvals SET created_at = '2000-01-31T09:00:00.000Z'")
        warn(tx, approval_id)

    await r.center.storage.write(unit)


async def warnings_of(r: Rig, approval_id: int) -> int:
    """Return how many warnings of an approval were written."""
    return await r.center.storage.read(
        lambda db: telegram_messages.count(
            db, {"approval_id": approval_id, "purpose": "warning", "edits": None}
        )
    )


async def test_an_approval_that_expires_soon_is_warned_of_once_and_its_buttons_work(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path, allowed_ids=frozenset({ME})) as r:
        approval = await r.ask("Hurry?")
        await r.api.message(ME, "Hurry?")
        await let_expire_soon(r, approval.id)
        warning = await r.api.message(ME, "expires at")
        await let_expire_soon(r, approval.id)
        answer = await r.press(warning, "Approve")
        assert "Approved" in answer["text"]
        assert 1 == await warnings_of(r, approval.id)


async def test_a_deadline_that_is_put_off_is_warned_of_anew_and_shown(tmp_path: Path) -> None:
    async with rig(tmp_path, allowed_ids=frozenset({ME})) as r:
        approval = await r.ask("Hurry?")
        message = await r.api.message(ME, "Hurry?")
        await let_expire_soon(r, approval.id)
        await r.api.message(ME, "expires at")
        wish = Extension(expires_at="2999-01-31T09:00:00Z")
        await r.center.ask(APPROVALS, ExtendApproval(approval.id, wish))
        # Both the question and its warning show it.
        await r.api.message(ME, "31 Jan 09:00", count=2)
        await let_expire_soon(r, approval.id)
        await r.until(lambda db: telegram_messages.count(db, {"purpose": "warning"}) == 3)
        assert 2 == await warnings_of(r, approval.id)
        answer = await r.press(message, "Approve")
        assert "Approved" in answer["text"]


async def test_nobody_is_warned_of_a_deadline_that_was_put_off_before_that_could_be_told(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path, allowed_ids=frozenset({ME})) as r:
        approval = await r.ask("Hurry?")
        await r.api.message(ME, "Hurry?")
        await r.center.system.stop_child("/telegram/notifier", reason="test")
        await let_expire_soon(r, approval.id)
        wish = Extension(expires_at="2999-01-31T09:00:00Z")
        await r.center.ask(APPROVALS, ExtendApproval(approval.id, wish))
        await r.center.system.restart("/telegram/notifier", reason="test")
        await r.api.message(ME, "31 Jan 09:00")
        assert 0 == await warnings_of(r, approval.id)


async def test_an_expired_approval_says_so_and_loses_its_buttons(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.ask("Too late?", ttl_seconds=1)
        message = {**await r.api.message(ME, "Too late?")}
        await r.api.message(ME, "Expired")
        answer = await r.press(message, "Approve")
        assert "button" in answer["text"]


async def test_the_notifier_goes_on_when_its_subscription_lags(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        for subscription in list(r.center.fanout._subscriptions):
            subscription.close("lagging")
        await trio.lowlevel.checkpoint()
        await r.ask("Heard all the same?")
        await r.api.message(ME, "Heard all the same?")


async def test_what_waits_for_a_limit_is_sent_on_from_the_chat(tmp_path: Path) -> None:
    def unit(tx: Transaction) -> None:
        repository = repositories.get(tx.db, r.repository_id)
        task = insert_task(tx, repository, title="Fix it", prompt="[]")
        cwd = repository.local_path
        session = insert_session(tx, task, status="waiting_limit", cwd=cwd)
        tx.emit(LimitReached(host=session.host, until=None), actor="test", session_id=session.id)

    async with rig(tmp_path) as r:
        await r.center.storage.write(unit)
        message = await r.api.message(ME, "A limit of Codex is reached")
        (row,) = message["reply_markup"]["inline_keyboard"]
        assert ["▶️ Go on with 1 now", "⏹ Stop 1"] == [button["text"] for button in row]
        assert "Session 1 is queued" in (await r.press(message, "Go on with 1"))["text"]
