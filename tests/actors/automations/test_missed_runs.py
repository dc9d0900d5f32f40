"""Due times when the clock is set, the machine sleeps, or the server is off."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.actors.automations.rig import (
    DAY,
    HOUR,
    NINE,
    START,
    ManualClock,
    at,
    folder,
    opened,
)

__all__ = ["folder"]


# ── due times ────────────────────────────────────────────────────────────────────────────────


async def test_an_automation_keeps_to_the_clocks_of_its_own_zone(folder: Path) -> None:
    async with opened(folder, timezone="Asia/Tokyo") as rig:
        here = await rig.create("daily@09:00", timezone=None)
        there = await rig.create("daily@09:00", timezone="Europe/Berlin")
        assert "2025-06-03T00:00:00.000Z" == here.next_run_at
        assert "2025-06-03T07:00:00.000Z" == there.next_run_at


# ── missed runs ──────────────────────────────────────────────────────────────────────────────


async def test_after_hours_asleep_one_run_catches_up_with_all_that_were_missed(
    folder: Path,
) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("hourly")
        rig.clock.set(NINE + 7 * HOUR + timedelta(minutes=30))
        (run,) = await rig.until_ended(automation, 1)
        assert ("catch_up", at(NINE + 7 * HOUR), 8) == (run.trigger, run.due_at, run.missed)
        assert at(NINE + 8 * HOUR) == (await rig.automation(automation)).next_run_at


async def test_what_came_due_while_the_server_was_off_is_caught_up_with_once(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00")
    async with opened(folder, ManualClock(NINE + 3 * DAY + HOUR)) as rig:
        (run,) = await rig.until_ended(automation, 1)
        assert ("catch_up", at(NINE + 3 * DAY), 4) == (run.trigger, run.due_at, run.missed)
        assert at(NINE + 4 * DAY) == (await rig.automation(automation)).next_run_at
    async with opened(folder, ManualClock(NINE + 3 * DAY + 2 * HOUR)) as rig:
        await rig.settled(automation)
        assert 1 == len(await rig.runs(automation))


async def test_missed_runs_may_be_skipped(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00", missed_runs="skip")
        rig.clock.set(NINE + DAY + HOUR)
        after = await rig.settled(automation)
        assert (at(NINE + 2 * DAY), "missed", None) == (
            after.next_run_at,
            after.last_outcome,
            after.last_run_at,
        )
        (run,) = await rig.runs(automation)
        assert ("missed", 2, None) == (run.outcome, run.missed, run.session_id)
        (skipped,) = await rig.events("automation.skipped")
        assert ("missed", 2) == (skipped["data"]["outcome"], skipped["data"]["missed"])


async def test_a_run_that_is_merely_late_is_none_that_was_missed(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00", missed_runs="skip")
        rig.clock.set(NINE + timedelta(seconds=40))
        (run,) = await rig.until_ended(automation, 1)
        assert ("schedule", "completed") == (run.trigger, run.outcome)


# ── clocks that are set ──────────────────────────────────────────────────────────────────────


async def test_a_clock_set_back_over_a_due_time_does_not_fire_it_again(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("hourly")
        rig.clock.set(NINE)
        await rig.until_ended(automation, 1)
        rig.clock.set(NINE - HOUR - timedelta(minutes=10))  # 08:00 has not been, 09:00 has
        await rig.until_next(automation, NINE - HOUR)
        rig.clock.set(NINE - HOUR)
        await rig.until_ended(automation, 2)
        assert at(NINE + HOUR) == (await rig.automation(automation)).next_run_at
        rig.clock.set(NINE)
        await rig.settled(automation)
        rig.clock.set(NINE + HOUR)
        runs = await rig.until_ended(automation, 3)
        assert [at(NINE), at(NINE - HOUR), at(NINE + HOUR)] == [run.due_at for run in runs]


async def test_a_clock_that_was_years_ahead_for_a_while_silences_nothing(folder: Path) -> None:
    async with opened(folder) as rig:
        automation = await rig.create("daily@09:00")
        rig.clock.set(NINE + 2000 * DAY)
        await rig.until_ended(automation, 1)
        rig.clock.set(START + timedelta(minutes=5))
        await rig.until_next(automation, NINE)
        rig.clock.set(NINE)
        runs = await rig.until_ended(automation, 2)
        assert [at(NINE + 2000 * DAY), at(NINE)] == [run.due_at for run in runs]


async def test_a_clock_set_back_while_the_server_was_off_silences_nothing(folder: Path) -> None:
    async with opened(folder, ManualClock(START + 2000 * DAY)) as rig:
        automation = await rig.create("daily@09:00")
    async with opened(folder, ManualClock(START)) as rig:
        await rig.until_next(automation, NINE)


async def test_another_zone_of_the_server_holds_from_its_next_start(folder: Path) -> None:
    async with opened(folder, timezone="Europe/Berlin") as rig:
        automation = await rig.create("daily@12:00", timezone=None)
        assert "2025-06-02T10:00:00.000Z" == automation.next_run_at
    async with opened(folder, timezone="America/New_York") as rig:
        await rig.until_next(automation, START.replace(hour=16, minute=0))
        rig.clock.set(START.replace(hour=10, minute=0))
        await rig.settled(automation)
        assert [] == await rig.runs(automation)


# ── overlap, approvals, failures ─────────────────────────────────────────────────────────────
