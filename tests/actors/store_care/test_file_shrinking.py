"""The database's file gives what was freed back to the disk while nobody works."""

from __future__ import annotations

import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner
from sqlite_utils import Database

from command_center.actors.store_care import file_shrinking
from command_center.actors.store_care.file_shrinking import FileShrinking
from command_center.http.cli.main import main
from command_center.runtime import ChildSpec
from command_center.store import Transaction, Writer, events, open_database
from command_center.store.backups.contents import DATABASE
from command_center.store.queries import compacting, file_size
from tests.actors.rows import Rig, insert_repository, rig, settle
from tests.made_up import made_up
from tests.store.test_integrity import checked
from tests.store.units import run, tell

MIB = 1 << 20


def fill(tx: Transaction) -> None:
    """Write nine megabytes, and events behind them that stay."""
    tx.db.execute(
        """
        WITH RECURSIVE all_of(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM all_of WHERE n < 150)
        INSERT INTO whole_values (record_table, record_id, field, part, bytes, text)
        SELECT 'gone', n, 'text', 0, 60000, randomblob(60000) FROM all_of
        """
    )
    for _ in range(300):
        tx.emit(made_up("session.item", {"text": "-" * 600}), actor="test")


def forget(tx: Transaction) -> None:
    """Remove those megabytes."""
    tx.db.execute("DELETE FROM whole_values WHERE record_table = 'gone'")


async def start(made: Rig) -> None:
    def actor() -> FileShrinking:
        return FileShrinking(made.storage, look_seconds=0.05)

    await made.system.start_child("/", ChildSpec(id="file-shrinking", start=actor))


async def test_the_file_gets_shorter_once_it_is_quiet_and_others_write_in_between(
    tmp_path: Path,
) -> None:
    path = tmp_path / DATABASE
    async with rig(path) as made:
        await made.storage.write(fill)
        await start(made)
        await settle(made)
        assert 0 == made.system.snapshot_of("/file-shrinking").description["freeBytes"]
        await made.storage.write(forget)
        pages = "SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count"
        before, free = await made.storage.read(lambda db: db.execute(pages).fetchone())
        assert free > 2000
        for _ in range(40):  # somebody works
            await made.storage.write(lambda tx: tx.emit(made_up("a.b"), actor="test"))
            await trio.sleep(0.02)
        assert free * 0.5 < await made.storage.read(lambda db: db.execute(pages).fetchone()[1])
        written = 0
        with trio.fail_after(30):
            while await made.storage.read(file_size.spare_pages) > 0:
                await made.storage.write(lambda tx: insert_repository(tx, local_path=f"/{written}"))  # noqa: B023 - at once
                written += 1
        assert written > 5
        now, left = await made.storage.read(lambda db: db.execute(pages).fetchone())
        assert now < before - free * 0.8
        assert (now - left) // 20 - file_shrinking.STEP <= left <= (now - left) // 20
    assert path.stat().st_size <= now * 4096
    assert ([], []) == checked(path)


def test_a_step_takes_a_moment_and_leaves_the_file_whole(tmp_path: Path) -> None:
    path = tmp_path / DATABASE
    taken = []
    with closing(Writer(path)) as writer:
        run(writer, fill)
        run(writer, forget)
        while True:
            begun = time.thread_time()
            run(writer, lambda tx: file_size.give_back(tx.db, file_shrinking.STEP))
            taken.append(time.thread_time() - begun)
            run(writer, tell)
            assert len(taken) < 100
            if not run(writer, lambda tx: file_size.free_bytes(tx.db)):
                break
    assert 30 < len(taken)
    assert sorted(taken)[len(taken) // 2] < 0.05
    assert path.stat().st_size < 3 * MIB
    assert ([], []) == checked(path)


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A file that an older version made, much of which is free."""
    path = tmp_path / DATABASE
    with closing(Writer(path)) as writer:
        run(writer, fill)
        run(writer, forget)
    with closing(open_database(path)) as db:
        for sql in ("PRAGMA journal_mode = DELETE", "PRAGMA auto_vacuum = NONE", "VACUUM"):
            db.execute(sql).fetchall()
        db.execute("PRAGMA journal_mode = WAL").fetchall()
    with closing(Writer(path)) as writer:
        run(writer, fill)
        run(writer, forget)
    return path


async def test_an_older_file_is_left_as_it_is(old_file: Path) -> None:
    async with rig(old_file) as made:
        size = old_file.stat().st_size
        await start(made)
        for _ in range(3):
            await settle(made)
        assert False is made.system.snapshot_of("/file-shrinking").description["canShrink"]
        assert size == old_file.stat().st_size


def test_an_older_file_is_written_anew_by_a_command(old_file: Path) -> None:
    before = old_file.stat()
    command = ("compact",)
    environment = {"CC_DATA_DIR": str(old_file.parent)}
    with closing(Writer(old_file)) as writer:
        events_there = run(writer, lambda tx: events.after(tx.db, 0, limit=500)[0])
        told = CliRunner().invoke(main, command, env=environment)
        assert 1 == told.exit_code
        assert "is in use by" in told.output
    told = CliRunner().invoke(main, command, env=environment)
    assert (0, True) == (told.exit_code, "MB now" in told.output), told.output
    now = old_file.stat()
    assert now.st_size < 3 * MIB < 8 * MIB < before.st_size
    assert before.st_ino == now.st_ino
    with closing(open_database(old_file)) as db:
        assert file_size.can_shrink(db)
        assert events_there == events.after(db, 0, limit=500)[0]
    assert ([], []) == checked(old_file)


@pytest.mark.skipif(sys.platform != "linux", reason="the system tells no open files in a folder")
def test_the_copy_is_made_beside_the_database_whatever_room_other_disks_have(
    old_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[Path] = set()

    def look() -> int:
        for file in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                seen.add(file.readlink())
        return 0

    def opened(path: Path) -> Database:
        db = open_database(path)
        db.conn.set_progress_handler(look, 50)
        return db

    with closing(Writer(old_file)) as writer:
        run(writer, fill)  # more than SQLite keeps in memory
    monkeypatch.setattr(compacting, "open_database", opened)
    compacting.compact_database(old_file.parent, old_file)
    assert {old_file.parent} == {file.parent for file in seen if "etilqs" in file.name}
