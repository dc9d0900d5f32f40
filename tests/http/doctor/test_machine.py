"""The machine: a disk that is full, and a clock that went back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from command_center.store import open_database, to_timestamp
from command_center.store.backups.contents import DATABASE
from tests.http.doctor.looks import look, look_for_one, subject


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte, in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place],  # noqa: S607 - the system's own
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("nothing can be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)  # noqa: S607 - the same


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root of Linux mounts a small disk"
)
async def test_a_disk_that_is_full_is_told_of(tmp_path: Path, small_disk: Path) -> None:
    level, message, mend = await look_for_one("disk", subject(tmp_path, data_dir=small_disk))
    assert "error" == level
    assert message.startswith("Only ")
    assert str(small_disk) in mend


async def test_a_disk_tells_its_room_and_how_long_a_flush_takes(tmp_path: Path) -> None:
    assert shutil.disk_usage(tmp_path).free > 1 << 30
    level, message, _ = await look_for_one("disk", subject(tmp_path))
    assert level in {"ok", "warning"}
    assert "a flush takes" in message
    assert [] == [path for path in tmp_path.iterdir() if path.name != "home"]


async def test_a_clock_behind_the_last_event_is_told_of(tmp_path: Path) -> None:
    here = subject(tmp_path)
    file = here.settings.data_dir / DATABASE
    assert "error" not in [seen.level for seen in await look("clock", here)]
    ahead = datetime.now(UTC) + timedelta(days=400)
    with closing(open_database(file)) as db:
        db.conn.execute(
            "INSERT INTO events (type, ts, body) VALUES ('runtime.started', ?, '{}')",
            [to_timestamp(ahead)],
        )
    seen = (await look("clock", here))[0]
    assert "error" == seen.level
    assert f"the last event is of {ahead:%Y-%m-%d}" in seen.message
    with closing(open_database(file)) as db:  # of a version that is to come
        db.conn.execute("UPDATE _sqlite_migrations SET name = '9999' WHERE id = 1")
    assert "failed" not in (await look("clock", here))[0].message
