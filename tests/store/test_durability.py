"""Acknowledged writes are there after the process was killed, at whatever moment."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from command_center.store import Readers, Writer, events, repositories
from tests.store.units import run, tell

ROOT = Path(__file__).parents[2]


def acknowledge_until_killed(path: Path, *, lines: int, bytes_more: int) -> list[tuple[int, int]]:
    """Start the writer, kill it amid its work, and give what it had acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.killed_writer", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    said = b"".join(process.stdout.readline() for _ in range(lines))
    # So many bytes later it may be anywhere: in a unit, in a commit, in a checkpoint.
    said += process.stdout.read(bytes_more)
    process.kill()
    said += process.stdout.read()
    process.stdout.close()
    process.wait()
    whole_lines = said.decode().split("\n")[:-1]
    return [(int(line.split()[0]), int(line.split()[1])) for line in whole_lines]


@pytest.mark.timeout(300)
def test_kill_at_any_moment_loses_nothing_acknowledged(path: Path) -> None:
    moments = random.Random(20250131)  # noqa: S311 - it only has to vary
    acknowledged: list[tuple[int, int]] = []
    for _ in range(12):
        acknowledged += acknowledge_until_killed(
            path, lines=moments.randrange(1, 120), bytes_more=moments.randrange(2000)
        )
        writer = Writer(path)
        readers = Readers(path)
        with readers.connection() as db:
            assert "ok" == db.execute("PRAGMA integrity_check").fetchone()[0]
            assert [] == db.execute("PRAGMA foreign_key_check").fetchall()
            ids = [row[0] for row in db.execute("SELECT id FROM events ORDER BY id")]
            told = dict(db.execute("SELECT id, repository_id FROM events").fetchall())
            present = {repository.id for repository in repositories.every(db, {})}
        # Ids have no gap; each event has its repository and each repository its event.
        assert list(range(1, len(ids) + 1)) == ids
        assert present == set(told.values())
        assert len(told) == len(present)
        # All that was acknowledged is there, as it was acknowledged.
        assert acknowledged == [(told.get(event), event) for _, event in acknowledged]
        readers.close()
        writer.close()
    assert len(acknowledged) > 100


def test_the_log_goes_on_where_it_was_cut_off(path: Path) -> None:
    acknowledged = acknowledge_until_killed(path, lines=20, bytes_more=0)
    writer = Writer(path)
    readers = Readers(path)
    with readers.connection() as db:
        last = events.last_id(db)
    assert last >= acknowledged[-1][1]
    assert last + 1 == run(writer, tell)
    readers.close()
    writer.close()
