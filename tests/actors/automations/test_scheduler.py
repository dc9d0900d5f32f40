"""Automations as their users meet them: due times, clocks, failures and changes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import trio.testing

from command_center.actors.automations.scheduler import RETRY_SECONDS
from command_center.actors.contracts.addresses import APPROVALS, SCHEDULER
from command_center.actors.contracts.approvals import Resolution, ResolveApproval
from command_center.actors.contracts.automations import (
    AutomationPayload,
    CreateAutomation,
    DeleteAutomation,
    RunAutomation,
)
from command_center.actors.ledger.templates import TEMPLATES
from command_center.actors.rules.errors import Conflict, Invalid, NotFound
from command_center.actors.rules.policy import PolicyDenied, RunInput
from command_center.store import Automation, Transaction, automations, repositories
from command_center.store.tables import approvals, sessions, tasks
from tests.actors.automations.rig import (
    DAY,
    HOUR,
    NINE,
    Rig,
    at,
    folder,
    opened,
)
from tests.actors.rows import insert_session, insert_task

__all__ = ["folder"]


# ── due times ────────────────────────────────────────────────────────────────────────────────


async def test_a_due_time_makes_a_task_and_runs_it_as_one_story(folder: Path) -> None:
    braces = r"Check {{ name }} and \{{ name }} in the templates."  # none of a hook's fields
    async with opened(folder) as rig:
        automation = await rig.create(
            "daily@09:00", title="Check", pay={"task_type": "repo_health_check", "prompt": braces}
        )
        assert at(NINE) == automation.next_run_at
        rig.clock.set(NINE)
        (run,) = await rig.until_ended(automation, 1)
        assert ("schedule", at(NINE), "completed", 0) == (
            run.trigger,
            run.due_at,
            run.outcome,
            run.missed,
        )
        after = await rig.automation(automation)
        assert (at(NINE + DAY), at(NINE), "completed", run.session_id, 0) == (
            after.next_run_at,
            after.last_run_at,
            after.last_outcome,
            after.last_session_id,
            after.consecutive_failures,
        )
        task = await rig.center.storage.read(lambda db: tasks.get(db, run.task_id or 0))
        assert ("Check", braces, "repo_health_check", automation.id, "/automations/1") == (
            task.title,
            task.prompt,
            task.type,
            task.automation_id,
            task.requested_by,
        )
        (fired,) = await rig.events("automation.fired")
        story = await rig.events(correlation_id=fired["correlationId"])
        assert ["automation.fired", "task.created", "session.created", "session.queued"] == [
            event["type"] for event in story[:4]
        ]
        assert [story[0]["id"], story[1]["id"], story[2]["id"]] == [
            event["causationId"] for event in story[1:4]
        ]


async def test_a_due_time_fires_once_however_often_the_clock_is_looked_at(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00")
        for _ in range(5):
            rig.clock.set(NINE)
            await rig.settled(automation)
        rig.clock.advance(seconds=59)
        await rig.settled(automation)
        assert 1 == len(await rig.runs(automation))


async def test_before_its_time_nothing_fires(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00")
        rig.clock.set(NINE - timedelta(milliseconds=1))
        await rig.settled(automation)
        assert [] == await rig.runs(automation)


async def test_many_that_are_due_at_once_all_fire(folder: Path) -> None:
    async with opened(folder) as rig:
        made = [await rig.create("daily@09:00", title=f"a{n}") for n in range(20)]
        rig.clock.set(NINE)
        fired = await rig.until_event("automation.fired", count=20)
        assert {automation.id for automation in made} == {e["automationId"] for e in fired}


async def test_a_run_that_would_overlap_its_predecessor_is_skipped_and_says_so(
    folder: Path,
) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("hourly", title="Slow", pay={"approval_required": True})
        rig.clock.set(NINE)
        (asked,) = await rig.until_event("approval.requested")
        approval = await rig.center.storage.read(lambda db: approvals.get(db, asked["approvalId"]))
        assert (automation.id, "Slow") == (
            approval.details["automationId"],
            approval.details["automationTitle"],
        )
        rig.clock.set(NINE + HOUR)
        after = await rig.settled(automation)
        assert ("skipped", at(NINE + 2 * HOUR)) == (after.last_outcome, after.next_run_at)
        (skipped,) = await rig.events("automation.skipped")
        assert asked["sessionId"] == skipped["sessionId"]
        assert "still blocked" in skipped["data"]["reason"]
        with pytest.raises(Conflict, match="still blocked"):
            await rig.center.ask(SCHEDULER, RunAutomation(automation.id, "test"))
        assert ["started", "skipped"] == [run.outcome for run in await rig.runs(automation)]


async def test_three_failures_in_a_row_pause_it_and_say_how_to_resume(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig:  # no git repository: every run fails
        automation = await rig.create("hourly")
        for hour in range(3):
            rig.clock.set(NINE + hour * HOUR)
            await rig.until_ended(automation, hour + 1)
        (paused,) = await rig.until_event("automation.paused")
        resume = f'PATCH /api/automations/{automation.id} {{"enabled": true}}'
        assert (3, resume) == (paused["data"]["failures"], paused["data"]["resume"])
        await rig.until_actor(automation, there=False)
        after = await rig.automation(automation)
        assert (False, None, 3) == (after.enabled, after.next_run_at, after.consecutive_failures)
        assert after.paused_reason is not None
        assert resume in after.paused_reason
        rig.clock.advance(hours=5)
        resumed = await rig.patch(automation, enabled=True)
        assert (True, None, 0, at(NINE + 8 * HOUR)) == (
            resumed.enabled,
            resumed.paused_reason,
            resumed.consecutive_failures,
            resumed.next_run_at,
        )
        assert rig.has_actor(automation)


async def test_a_success_ends_a_row_of_failures(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig:
        automation = await rig.create("hourly")
        for hour in range(2):
            rig.clock.set(NINE + hour * HOUR)
            await rig.until_ended(automation, hour + 1)
        assert 2 == (await rig.automation(automation)).consecutive_failures
        await trio.run_process(["git", "init", "-q", tmp_path])
        rig.clock.advance(hours=1)
        await rig.until_ended(automation, 3)
        assert 0 == (await rig.automation(automation)).consecutive_failures


async def test_what_policy_denies_at_night_is_told_and_counts_as_a_failure(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("hourly", run=RunInput(sandbox="workspace-write"))
        await rig.center.storage.write(
            lambda tx: repositories.update(tx, rig.repository_id, allow_write=False)
        )
        rig.clock.set(NINE)
        after = await rig.settled(automation)
        assert ("denied", 1, at(NINE + HOUR)) == (
            after.last_outcome,
            after.consecutive_failures,
            after.next_run_at,
        )
        (run,) = await rig.runs(automation)
        assert run.reason is not None
        assert "does not allow writing" in run.reason
        assert 0 == await rig.center.storage.read(lambda db: tasks.count(db, {}))


async def test_a_cap_that_is_reached_skips_runs_and_is_no_failure(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("hourly", pay={"approval_required": True})

        def cap(tx: Transaction) -> None:
            repositories.update(tx, rig.repository_id, caps={"dailyTokens": 1})
            used = {"total": {"totalTokens": 5}}
            insert_session(
                tx,
                insert_task(tx, repositories.get(tx.db, rig.repository_id)),
                status="completed",
                finished_at=tx.now,
                token_usage=used,
            )

        rig.clock.set(NINE)
        await rig.settled(automation)
        (asked,) = await rig.center.storage.read(lambda db: approvals.every(db, {}))
        await rig.center.storage.write(cap)
        await rig.center.ask(APPROVALS, ResolveApproval(asked.id, Resolution(status="approved")))
        await rig.until_ended(automation, 1)
        for hour in (1, 2, 3):
            rig.clock.set(NINE + hour * HOUR)
            await rig.settled(automation)
        runs = await rig.runs(automation)
        assert 4 * ["skipped"] == [run.outcome for run in runs]
        assert all("of 1 tokens today" in (run.reason or "") for run in runs)
        after = await rig.automation(automation)
        assert (True, 0, "skipped") == (
            after.enabled,
            after.consecutive_failures,
            after.last_outcome,
        )
        assert runs[0].session_id is not None
        refused = await rig.center.storage.read(lambda db: sessions.get(db, asked.session_id or 0))
        assert "failed" == refused.status


async def test_what_policy_denies_is_refused_when_it_is_saved(folder: Path) -> None:
    async with opened(folder) as rig:
        await rig.center.storage.write(
            lambda tx: repositories.update(tx, rig.repository_id, allow_write=False)
        )
        wanted = RunInput(sandbox="workspace-write")
        with pytest.raises(PolicyDenied):
            await rig.create("hourly", run=wanted)
        later = await rig.create("hourly", run=wanted, enabled=False)
        with pytest.raises(PolicyDenied):
            await rig.patch(later, enabled=True)


# ── by hand ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_run_by_hand_leaves_the_schedule_alone(
    folder: Path,
    enabled: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00", enabled=enabled)
        outcome = await rig.center.ask(SCHEDULER, RunAutomation(automation.id, "anna"))
        assert ("anna", "queued") == (outcome.session.requested_by, outcome.session.status)
        assert automation.next_run_at == outcome.automation.next_run_at
        (run,) = await rig.until_ended(automation, 1)
        assert ("manual", None, "completed") == (run.trigger, run.due_at, run.outcome)
        rig.clock.set(NINE)
        if enabled:
            assert at(NINE) == (await rig.until_ended(automation, 2))[1].due_at


# ── changes ──────────────────────────────────────────────────────────────────────────────────


async def test_a_changed_schedule_is_followed_from_now_on(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00")
        changed = await rig.patch(automation, schedule_expr="daily@10:00")
        assert at(NINE + HOUR) == changed.next_run_at
        rig.clock.set(NINE)
        await rig.settled(automation)
        assert [] == await rig.runs(automation)
        rig.clock.set(NINE + HOUR)
        assert at(NINE + HOUR) == (await rig.until_ended(automation, 1))[0].due_at


async def test_only_an_enabled_automation_has_an_actor_and_fires(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00", enabled=False)
        assert (None, False) == (automation.next_run_at, rig.has_actor(automation))
        await rig.patch(automation, enabled=True)
        assert rig.has_actor(automation)
        off = await rig.patch(automation, enabled=False)
        assert (None, None, False) == (
            off.next_run_at,
            off.paused_reason,
            rig.has_actor(automation),
        )
        rig.clock.set(NINE + DAY)
        await trio.testing.wait_all_tasks_blocked()
        assert [] == await rig.runs(automation)


async def test_whoever_races_to_switch_it_the_last_word_decides(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00")
        async with trio.open_nursery() as nursery:
            for n in range(20):
                nursery.start_soon(_switch, rig, automation, n % 2 == 0)
        assert (await rig.automation(automation)).enabled == rig.has_actor(automation)


async def _switch(rig: Rig, automation: Automation, enabled: bool) -> None:  # noqa: FBT001 - start_soon passes by place
    await rig.patch(automation, enabled=enabled)


async def test_a_deleted_automation_is_gone_and_what_it_made_is_not(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00")
        rig.clock.set(NINE)
        (run,) = await rig.until_ended(automation, 1)
        deleted = await rig.center.ask(SCHEDULER, DeleteAutomation(automation.id, "anna"))
        assert deleted.deleted_at is not None
        assert not rig.has_actor(automation)
        not_found = f"Automation {automation.id} not found"
        with pytest.raises(NotFound, match=not_found):
            await rig.center.ask(SCHEDULER, DeleteAutomation(automation.id, "anna"))
        with pytest.raises(NotFound, match=not_found):
            await rig.center.ask(SCHEDULER, RunAutomation(automation.id, "anna"))
        with pytest.raises(NotFound):
            await rig.patch(automation, title="Again")
        kept = await rig.center.storage.read(lambda db: sessions.get(db, run.session_id or 0))
        assert "completed" == kept.status
        assert ["created", "deleted"] == [
            event["type"].removeprefix("automation.")
            for event in await rig.events("automation.created", "automation.deleted")
        ]


async def test_a_change_is_told_with_what_changed(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00")
        await rig.patch(automation, title="Anew", missed_runs="skip")
        await rig.patch(automation, title="Anew")
        (updated,) = await rig.events("automation.updated")
        assert ["missedRuns", "title"] == updated["data"]["changed"]


async def test_the_last_word_on_a_schedule_is_that_it_must_be_one(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00")
        for changes, path in (
            ({"schedule_expr": "sometimes"}, "scheduleExpr"),
            ({"timezone": "Mars/Olympus"}, "timezone"),
            ({"title": " "}, "title"),
            ({"payload": AutomationPayload(prompt="")}, "payload.prompt"),
            ({"payload": AutomationPayload(prompt="x", task_title="")}, "payload.taskTitle"),
        ):
            with pytest.raises(Invalid) as refused:
                await rig.patch(automation, **changes)
            assert path == refused.value.details[0]["path"]
        assert automation == await rig.automation(automation)


# ── crashes of actors ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/automations/1", "/scheduler", "/tasks"])
async def test_a_restarted_actor_forgets_no_due_time(folder: Path, path: str) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00")
        await rig.center.system.restart(path, reason="The test wants it.")
        rig.clock.set(NINE)
        (run,) = await rig.until_ended(automation, 1)
        assert "completed" == run.outcome


async def test_a_crashing_automation_disturbs_no_other(folder: Path) -> None:
    async with opened(folder) as rig:
        broken = await rig.create("daily@09:00")
        whole = await rig.create("daily@09:00")
        await rig.center.storage.write(
            lambda tx: tx.db.execute(
                "update automations set schedule_expr = 'nonsense' where id = ?", [broken.id]
            )
        )
        rig.clock.set(NINE)
        (run,) = await rig.until_ended(whole, 1)
        assert "completed" == run.outcome
        assert [] == await rig.runs(broken)


async def test_an_automation_that_cannot_start_holds_up_no_other(folder: Path) -> None:
    async with opened(folder) as rig:
        broken, fixed = await rig.create("daily@20:00"), await rig.create("daily@20:00")
        whole = await rig.create("daily@09:00")
        await _write_schedules(rig, "nonsense", broken, fixed)
    async with opened(folder) as rig:
        await rig.until_actor(whole, there=True)
        rig.clock.advance(hours=-1)
        rig.clock.set(NINE)
        (run,) = await rig.until_ended(whole, 1)
        assert "completed" == run.outcome
        assert [False, False] == [rig.has_actor(broken), rig.has_actor(fixed)]
        crashed = {event["data"]["path"] for event in await rig.events("actor.crashed")}
        assert {f"/automations/{one.id}" for one in (broken, fixed)} == crashed
        await rig.patch(broken, schedule_expr="daily@10:00")
        assert rig.has_actor(broken)
        await _write_schedules(rig, "daily@11:00", fixed)
        rig.clock.advance(seconds=RETRY_SECONDS)
        await rig.until_actor(fixed, there=True)


async def _write_schedules(rig: Rig, expression: str, *written: Automation) -> None:
    def write(tx: Transaction) -> None:
        for automation in written:
            automations.update(tx, automation.id, schedule_expr=expression)

    await rig.center.storage.write(write)


# ── templates ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(TEMPLATES))
async def test_a_template_is_one_call_away(folder: Path, name: str) -> None:
    async with opened(folder) as rig:
        automation = await rig.center.ask(
            SCHEDULER, CreateAutomation(repository_id=rig.repository_id, template=name)
        )
        assert TEMPLATES[name].title == automation.title
        outcome = await rig.center.ask(SCHEDULER, RunAutomation(automation.id, "anna"))
        assert ("read-only", False) == (outcome.session.sandbox, outcome.blocked)


async def test_what_a_template_gives_may_be_given_otherwise(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.center.ask(
            SCHEDULER,
            CreateAutomation(
                repository_id=rig.repository_id,
                template="morning-health-check",
                schedule_expr="daily@07:15",
            ),
        )
        assert "daily@07:15" == automation.schedule_expr
        with pytest.raises(Invalid, match="morning-health-check"):
            await rig.center.ask(
                SCHEDULER, CreateAutomation(repository_id=rig.repository_id, template="x")
            )
        with pytest.raises(Invalid, match="scheduleExpr"):
            await rig.center.ask(
                SCHEDULER, CreateAutomation(repository_id=rig.repository_id, title="x")
            )
