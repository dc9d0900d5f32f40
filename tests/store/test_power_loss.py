"""Acknowledged writes are there after a loss of power, at whatever moment."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from command_center.store import Writer, events, open_database, repositories
from tests.checkout import ROOT
from tests.faults.faults import Call, Faults
from tests.faults.power_loss import Change, Disk, changes_in
from tests.store.units import run, tell

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has LD_PRELOAD and /proc"
)
DATABASE = "command-center.db"
ACKNOWLEDGED = "acknowledged.txt"


def changes_of_a_life(folder: Path, *, megabytes: int) -> list[Change]:
    """Let a program write and acknowledge, and give what it did to its files.

    What it acknowledges it writes to a file beside the database, so that it stands in the journal
    between the changes that it rests on and those that come after.
    """
    data, journal = folder / "life", folder / "journal"
    data.mkdir()
    faults = Faults.beneath(data, journal=journal)
    with (data / ACKNOWLEDGED).open("wb") as acknowledged:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.killed_writer", str(data / DATABASE)],
            cwd=ROOT,
            env={**os.environ, **faults.environment},
            stdout=acknowledged,
        )
    while not journal.exists() or journal.stat().st_size < megabytes * 2**20:
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    return list(changes_in(journal))


def check(database: Path, acknowledged: bytes) -> None:
    """Open what was left, and compare it with what was acknowledged by then."""
    lines = acknowledged.decode().split("\n")[:-1]
    pairs = [(int(line.split()[0]), int(line.split()[1])) for line in lines]
    if not pairs and not database.exists():
        return
    with open_database(database) as db:
        assert "ok" == db.execute("PRAGMA integrity_check").fetchone()[0]
        told = {event.id: event.repository_id for event in events.after(db, 0, limit=100_000)[0]}
        assert [*range(1, len(told) + 1)] == [*told]
        assert {*told.values()} == {repository.id for repository in repositories.every(db, {})}
        assert pairs == [(told.get(event), event) for _, event in pairs]
    writer = Writer(database)
    assert len(told) + 1 == run(writer, tell)
    writer.close()


@pytest.mark.parametrize(
    ("megabytes", "moments"),
    [
        (6, 12),
        pytest.param(8, 600, marks=[pytest.mark.chaos, pytest.mark.timeout(3600)]),
    ],
)
def test_a_loss_of_power_at_any_moment_loses_nothing_acknowledged(
    tmp_path: Path, megabytes: int, moments: int
) -> None:
    changes = changes_of_a_life(tmp_path, megabytes=megabytes)
    kinds = Counter(change.call for change in changes)
    assert min(kinds[Call.WRITE], kinds[Call.SYNC]) > 10
    assert any(change.path.name == DATABASE for change in changes[len(changes) // 2 :]), (
        "no checkpoint is among them"
    )
    chance = random.Random(29)  # noqa: S311 - the same ones each time
    chosen = set(chance.sample(range(len(changes)), min(moments, len(changes))))
    disk = Disk(tmp_path / "life")
    acknowledged = bytearray()
    for number, change in enumerate(changes):
        if change.path.name == ACKNOWLEDGED:
            acknowledged += change.data
        else:
            disk.take(change)
        if number in chosen:
            for image, luck in (("flushed", None), ("torn", chance)):
                left = tmp_path / image
                disk.leave(left, luck)
                check(left / DATABASE, bytes(acknowledged))
                shutil.rmtree(left, ignore_errors=True)
