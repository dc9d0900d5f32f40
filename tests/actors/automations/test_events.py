"""Automations that run by what happens: each event once, in no circle, and within bounds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import trio
import trio.testing

from command_center.actors.contracts.addresses import SCHEDULER
from command_center.actors.contracts.automations import RunAutomation
from command_center.actors.contracts.events.repositories import RepositoryScanned
from command_center.actors.ledger import event_firing
from command_center.actors.rules.errors import Invalid
from command_center.store import Automation, Transaction, Writer, automations, events
from command_center.store.tables import tasks
from tests.actors.automations.rig import START, ManualClock, Rig, folder, opened

__all__ = ["folder"]

SCANNED = "on_event@repo.scanned?data.isDirty=true"


def scan(tx: Transaction, *, dirty: bool = True) -> int:
    """Tell of a scan; its event's id."""
    seen = RepositoryScanned(
        current_branch="main", head_sha=None, is_dirty=dirty, ahead=None, behind=None
    )
    return tx.emit(seen, actor="test", repository_id=1)


async def until_followed(rig: Rig, automation: Automation, event_id: int) -> Automation:
    """Return the automation once it has acted on that event, or passed it."""
    with trio.fail_after(20):
        while ((now := await rig.automation(automation)).last_event_id or 0) < event_id:
            await trio.testing.wait_all_tasks_blocked()
    return now


async def test_a_session_that_fails_begins_one_run_that_goes_on_with_its_story(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as rig:  # no git repository: every run fails
        watch = await rig.create("on_event@session.failed", pay={"prompt": "{{data.exitReason}}?"})
        assert (None, True) == (watch.next_run_at, watch.enabled)
        other = await rig.create("never")
        begun = await rig.center.ask(SCHEDULER, RunAutomation(other.id, "test"))
        (run,) = await rig.until_ended(watch, 1)
        (fired,) = await rig.events("automation.fired", automation_id=watch.id)
        failures = await rig.until_event("session.failed", count=2)
        assert [begun.session.id, run.session_id] == [event["sessionId"] for event in failures]
        assert ("event", "failed", failures[0]["id"]) == (run.trigger, run.outcome, run.event_id)
        assert failures[0]["id"] == fired["causationId"]
        assert failures[0]["correlationId"] == fired["correlationId"]
        task = await rig.center.storage.read(lambda db: tasks.get(db, run.task_id or 0))
        assert "[data.exitReason]?\n\nThe words" in task.prompt
        assert failures[0]["data"]["exitReason"] in task.prompt
        # Its own failure, and what that leads to elsewhere, begin it no more.
        echo = await rig.create("on_event@session.failed")
        await rig.center.ask(SCHEDULER, RunAutomation(watch.id, "test"))
        await rig.until_ended(echo, 1)
        last = (await rig.until_event("session.failed", count=4))[-1]
        await until_followed(rig, watch, last["id"])
        assert ["event", "manual"] == [one.trigger for one in await rig.runs(watch)]


async def test_each_event_that_is_meant_is_run_or_passed_over_with_the_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_firing, "MOST_AN_HOUR", 2)
    async with opened(folder) as rig:
        write = rig.center.storage.write
        meant = await rig.create(SCANNED, pay={"approval_required": True})
        clean = await write(lambda tx: scan(tx, dirty=False))
        first, second = await write(lambda tx: (scan(tx), scan(tx)))
        await until_followed(rig, meant, second)
        runs = await rig.runs(meant)
        assert clean not in {run.event_id for run in runs}
        assert [(first, "started"), (second, "skipped")] == [
            (run.event_id, run.outcome) for run in runs
        ]
        (skipped,) = await rig.events("automation.skipped")
        assert second == skipped["causationId"]
        assert "still blocked" in skipped["data"]["reason"]

        free = await rig.create(SCANNED)
        for count in (1, 2):
            event = await write(scan)
            await until_followed(rig, free, event)
            await rig.until_ended(free, count)
        last = await write(scan)
        await until_followed(rig, free, last)
        *_, refused = await rig.runs(free)
        assert ("skipped", last) == (refused.outcome, refused.event_id)
        assert "2 runs within an hour" in (refused.reason or "")


async def test_a_burst_is_passed_over_in_one_row_and_whoever_switches_it_off_comes_in_between(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(folder) as rig:
        write = rig.center.storage.write
        meant = await rig.create(SCANNED, pay={"approval_required": True})
        last = await write(lambda tx: [scan(tx) for _ in range(event_firing.PAGE + 100)][-1])
        await until_followed(rig, meant, last)
        last = await write(scan)
        await until_followed(rig, meant, last)
        started, passed = await rig.runs(meant)
        assert ("started", "skipped") == (started.outcome, passed.outcome)
        assert (event_firing.PAGE + 100, last) == (passed.missed, passed.event_id)
        assert 1 == len(await rig.events("automation.skipped"))

        monkeypatch.setattr(event_firing, "PAGE", 1)
        last = await write(lambda tx: [scan(tx) for _ in range(200)][-1])
        off = await rig.patch(meant, enabled=False)
        assert (False, True) == (off.enabled, (off.last_event_id or 0) < last)


async def test_no_run_begins_by_what_tells_of_runs_also_of_an_automation_that_is_kept(
    folder: Path,
) -> None:
    async with opened(folder) as rig:
        write = rig.center.storage.write
        first, second = [
            await rig.create("on_event@session.failed", pay={"approval_required": True})
            for _ in "ab"
        ]
        await write(
            lambda tx: [
                automations.update(tx, one.id, schedule_expr="on_event@automation.skipped")
                for one in (first, second)
            ]
        )
        await rig.create(SCANNED, pay={"approval_required": True})
        for one in (first, second):
            await rig.patch(one, title="Look again")
        await write(lambda tx: [scan(tx), scan(tx)])
        (skipped,) = await rig.until_event("automation.skipped")
        for one in (first, second):
            await until_followed(rig, one, skipped["id"])
        assert [] == await rig.runs(first) + await rig.runs(second)


async def test_what_came_while_it_was_off_is_forgotten_and_what_came_without_a_server_is_not(
    folder: Path,
) -> None:
    async with opened(folder) as rig:
        caught = await rig.create(SCANNED)
        passed = await rig.create(SCANNED, missed_runs="skip")
        off = await rig.create(SCANNED, enabled=False)
        await rig.center.storage.write(scan)
        await rig.until_ended(caught, 1)
        await rig.until_ended(passed, 1)
        await rig.patch(off, enabled=True)
        assert [] == await rig.runs(off)
        await rig.patch(off, enabled=False)
    writer = Writer(folder / "center.sqlite3")  # as if a server had been killed just behind it
    writer.commit([scan])
    writer.close()
    later = ManualClock(START + timedelta(days=36500))
    async with opened(folder, later) as rig:
        runs = await rig.until_ended(caught, 2)
        assert ["event", "event"] == [run.trigger for run in runs]
        last = await rig.center.storage.read(events.last_id)
        *_, missed = await rig.until_ended(passed, 2)
        assert ("missed", runs[1].event_id) == (missed.outcome, missed.event_id)
        assert "The server was off" in (missed.reason or "")
        changed = await rig.patch(caught, schedule_expr="on_event@session.failed")
        assert (changed.last_event_id or 0) >= last
        event = await rig.center.storage.write(scan)
        await until_followed(rig, passed, event)
        assert 2 == len(await rig.runs(caught))


async def test_an_event_that_there_is_not_is_refused_with_what_may_be_meant(folder: Path) -> None:
    async with opened(folder) as rig:
        for expression, said in (
            ("on_event@session.fail", "Did you mean session.failed"),
            ("on_event@session.item", "No run begins by an event 'session.item'"),
            ("on_event@automation.skipped", "No run begins by an event 'automation.skipped'"),
            ("on_event@automation.fired", "No run begins by an event 'automation.fired'"),
            ("on_event@", "names no events"),
            ("on_event@session.failed?=x", "names no field"),
        ):
            with pytest.raises(Invalid, match=said):
                await rig.create(expression)
        with pytest.raises(Invalid, match="app-server; the runner here is stub"):
            await rig.create("never", thread="same")
        kept = await rig.center.storage.read(lambda db: automations.every(db, {}))
        assert [] == kept
