"""A process that is killed while it fires loses no due time and fires none twice."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import trio

from command_center.store import Writer, from_timestamp
from command_center.store.tables import sessions, tasks
from tests.actors.automations.rig import START, ManualClock, opened
from tests.actors.automations.test_events import scan
from tests.checkout import ROOT

NINE = datetime(2025, 6, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def started(folder: Path, point: str, moment: datetime) -> subprocess.Popen[str]:
    command = "tests.actors.automations.killed_center"
    return subprocess.Popen(
        [sys.executable, "-m", command, str(folder), point, moment.isoformat()],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("point", "is_committed", "schedule"),
    [
        ("before", False, "daily@09:00"),
        ("between", False, "daily@09:00"),
        ("after", True, "daily@09:00"),
        ("between", False, "on_event@repo.scanned"),
        ("after", True, "on_event@repo.scanned"),
    ],
)
async def test_a_kill_at_each_point_of_a_firing_neither_loses_nor_doubles_it(
    tmp_path: Path,
    point: str,
    is_committed: bool,  # noqa: FBT001 - a parameter of the test
    schedule: str,
) -> None:
    await trio.run_process(["git", "init", "-q", tmp_path])
    async with opened(tmp_path) as rig:
        automation = await rig.create(schedule)
    writer = Writer(tmp_path / "center.sqlite3")
    writer.commit([scan])
    writer.close()
    with started(tmp_path, point, NINE) as process:
        code = await trio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
    assert code != 0
    # Before its time the next life looks at what the killed one has left.
    async with opened(tmp_path, ManualClock(START)) as rig:
        if schedule.startswith("daily"):
            await rig.settled(automation)
            assert (1 if is_committed else 0) == len(await rig.runs(automation))
        rig.clock.set(NINE)
        (run,) = await rig.until_ended(automation, 1)
        assert "completed" == run.outcome
        made = await rig.center.storage.read(
            lambda db: (tasks.count(db, {}), sessions.count(db, {}))
        )
        assert (1, 1) == made
        for kind in ("automation.fired", "task.created", "session.created", "session.completed"):
            assert 1 == len(await rig.events(kind))


@pytest.mark.timeout(300)
async def test_kills_at_any_moment_neither_lose_nor_double_a_due_time(tmp_path: Path) -> None:
    moments = random.Random(20250602)  # noqa: S311 - it only has to vary
    await trio.run_process(["git", "init", "-q", tmp_path])
    async with opened(tmp_path) as rig:
        automation = await rig.create("cron:* * * * *")
    now = START
    for _ in range(6):
        with started(tmp_path, "any", now) as process:
            assert process.stdout is not None
            for _ in range(moments.randrange(1, 6)):
                line = await trio.to_thread.run_sync(process.stdout.readline)
                now = datetime.fromisoformat(line.strip())
            process.kill()
    async with opened(tmp_path, ManualClock(now + 2 * MINUTE)) as rig:
        await rig.settled(automation)
        runs = await rig.runs(automation)
    due = [from_timestamp(run.due_at) for run in runs if run.due_at is not None]
    assert sorted(set(due)) == due
    # Each minute has its own run, or is counted by the one that caught up with it.
    assert START + MINUTE == due[0]
    assert [(run.missed + 1) * MINUTE for run in runs[1:]] == [
        moment - before for before, moment in pairwise(due)
    ]
    assert due[-1] >= now
