"""Backups: made beside a writer, checked before they are put back, and never half put back."""

import sqlite3
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from command_center.store import (
    DatabaseClaimed,
    DataFolderInUse,
    DataFolderLock,
    DataFolderUnusable,
    Writer,
    events,
    log_identity,
    open_database,
    take_claim,
)
from command_center.store.backups import restoring
from command_center.store.backups.contents import DATABASE, MANIFEST
from command_center.store.backups.encryption import CONTENT, KEY
from command_center.store.backups.errors import (
    BackupFailed,
    BadBackup,
    DamagedBackup,
    WrongPassphrase,
)
from command_center.store.backups.making import make_backup
from command_center.store.backups.places import kept_backups, place_of, prune
from command_center.store.backups.restoring import finish_restore, restore_backup
from tests.store.units import add_repository, run, tell

TOLD = b'{"version":"","madeAt":"","logId":"","lastEventId":0,"files":{}}'
UPLOAD = f"uploads/{'a' * 64}.png"


def installation(folder: Path, *, count: int = 3) -> Path:
    """A data folder as a server leaves it, with so many events."""
    with DataFolderLock(folder) as lock:
        take_claim(folder / DATABASE, lock)
        writer = Writer(folder / DATABASE)
        for _ in range(count):
            run(writer, tell)
        writer.close()
    (folder / "uploads").mkdir(exist_ok=True)
    (folder / UPLOAD).write_bytes(b"picture")
    (folder / "sign-in.key").write_bytes(b"k" * 32)
    (folder / "worktrees").mkdir(exist_ok=True)
    (folder / "worktrees" / "file").write_text("work")
    return folder


def state_of(folder: Path) -> tuple[int, dict[str, bytes]]:
    """Its last event, and what is in its other files that a backup has."""
    with open_database(folder / DATABASE) as db:
        last = events.last_id(db)
    names = [UPLOAD, "sign-in.key"]
    return last, {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}


def log_of(folder: Path) -> str:
    """The log's id, as it is after a start."""
    with DataFolderLock(folder) as lock:
        take_claim(folder / DATABASE, lock)
    with open_database(folder / DATABASE) as db:
        return log_identity.log_id(db)


def test_a_backup_beside_a_writer_brings_another_machine_to_its_moment(tmp_path: Path) -> None:
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "to" / "file"
    installation(here)
    writer = Writer(here / DATABASE)  # what is newest is in its log, not in the file
    run(writer, tell)
    made = make_backup(here, file)
    run(writer, tell)
    writer.close()
    assert (file, file.stat().st_size, 4) == (made.path, made.size, made.manifest.last_event_id)
    assert 0o600 == stat.S_IMODE(file.stat().st_mode) or sys.platform == "win32"
    assert [file] == [*file.parent.iterdir()]
    restored = restore_backup(file, there)
    assert (made.manifest, None) == (restored.manifest, restored.replaced)
    assert (4, {UPLOAD: b"picture", "sign-in.key": b"k" * 32}) == state_of(there)
    assert not (there / "worktrees").exists()
    assert made.manifest.log_id != log_of(there)


def test_what_is_replaced_is_kept_and_the_log_gets_another_identity(tmp_path: Path) -> None:
    here = installation(tmp_path / "here")
    before = log_of(here)
    backup = make_backup(here, here / "backups" / "mine.zip")
    installation(here, count=5)
    (here / "sign-in.key").write_bytes(b"n" * 32)
    replaced = restore_backup(backup.path, here).replaced
    assert replaced is not None
    assert 3 == state_of(here)[0]
    assert b"k" * 32 == (here / "sign-in.key").read_bytes()
    assert (8, {UPLOAD: b"picture", "sign-in.key": b"n" * 32}) == state_of(replaced)
    assert before != log_of(here)
    assert not [*here.glob("**/.resto*")]


def test_a_restore_makes_no_new_name_that_a_run_could_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = installation(tmp_path / "here")
    backup = make_backup(here, tmp_path / "file").path  # by which there is a folder of backups
    before = {path.name for path in here.iterdir()}
    seen: list[set[str]] = []

    def look(database: Path, *, takes_damaged: bool) -> None:
        assert database.is_file()
        assert not takes_damaged
        seen.append({path.name for path in here.iterdir()} - before)

    monkeypatch.setattr(restoring, "check_database", look)
    restore_backup(backup, here)
    assert [set()] == seen


def test_a_passphrase_is_needed_and_must_be_the_right_one(tmp_path: Path) -> None:
    here, there, file = (
        installation(tmp_path / "here"),
        tmp_path / "there",
        tmp_path / "to" / "file",
    )
    file.parent.mkdir()
    seen: set[bytes] = set()

    def look() -> None:
        seen.update(one.read_bytes() for one in file.parent.glob("**/*") if one.is_file())

    make_backup(here, file, passphrase="right", check=look)
    seen.add(file.read_bytes())
    assert not any(b"SQLite format" in one or b"kkkk" in one for one in seen)
    assert [file] == [*file.parent.iterdir()]
    with zipfile.ZipFile(file) as archive:
        assert [KEY, CONTENT] == archive.namelist()
        content = archive.getinfo(CONTENT)
    for wrong in (None, "wrong"):
        with pytest.raises(WrongPassphrase):
            restore_backup(file, there, passphrase=wrong)
    restore_backup(file, there, passphrase="right")
    assert state_of(here) == state_of(there)
    whole = file.read_bytes()
    middle = content.header_offset + content.file_size // 2
    file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    with pytest.raises(BadBackup):
        restore_backup(file, there, passphrase="right")
    assert state_of(here) == state_of(there)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


def empty(file: Path) -> None:
    file.write_bytes(b"")


def with_entry(name: str, content: bytes = b"") -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, content)
            if name != MANIFEST:
                archive.writestr(MANIFEST, TOLD)

    return change


def grown(file: Path) -> None:
    """Have it tell of an upload that unpacks to more than a disk has."""
    entry = zipfile.ZipInfo(f"uploads/{'b' * 64}")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(entry, b"x")
        entry.file_size = 1 << 60


@pytest.mark.parametrize(
    "change",
    [
        cut,
        flip,
        empty,
        with_entry("../outside"),
        with_entry("/outside"),
        with_entry(DATABASE),
        with_entry(MANIFEST, b"[" * 100_000),
        with_entry(KEY),
    ],
)
def test_what_is_no_whole_backup_is_refused_and_nothing_is_touched(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    here, file = installation(tmp_path / "here"), tmp_path / "file"
    make_backup(here, file)
    change(file)
    with pytest.raises((BadBackup, WrongPassphrase)):
        restore_backup(file, here)
    assert (3, {UPLOAD: b"picture", "sign-in.key": b"k" * 32}) == state_of(here)
    assert {"here", "file"} == {path.name for path in tmp_path.iterdir()}


def test_what_would_fill_the_disk_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    file = make_backup(installation(tmp_path / "here"), tmp_path / "file").path
    grown(file)
    with pytest.raises(BackupFailed, match="too little room"):
        restore_backup(file, tmp_path / "there")


def test_a_backup_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    here, there = installation(tmp_path / "here"), tmp_path / "there"
    with open_database(here / DATABASE) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('command_center', '9')"
        )
    file = make_backup(here, tmp_path / "file").path
    with pytest.raises(BadBackup, match="newer version"):
        restore_backup(file, there)
    assert not (there / DATABASE).exists()


def test_nothing_is_put_back_under_a_server_that_runs(tmp_path: Path) -> None:
    here, other = installation(tmp_path / "here"), tmp_path / "other"
    file = make_backup(here, tmp_path / "file").path
    with DataFolderLock(here), pytest.raises(DataFolderInUse):
        restore_backup(file, here)
    other.mkdir()
    (other / DATABASE).hardlink_to(here / DATABASE)  # the same database from another folder
    with DataFolderLock(here) as lock:
        take_claim(here / DATABASE, lock)
        writer = Writer(here / DATABASE)
        with pytest.raises(DatabaseClaimed):
            restore_backup(file, other)
        writer.close()


CUT_OFF = """
import os, pathlib, shutil, sys
from command_center.store.backups.restoring import restore_backup
file, before, work = map(pathlib.Path, sys.argv[1:])

def counted(act, left):
    def acts(*given, **named):
        if not left:
            os._exit(9)
        left.pop()
        return act(*given, **named)
    return acts

restore_backup(file, work.parent / "warm")
for steps in range(90):
    here = pathlib.Path(shutil.copytree(before, work / f"{steps:02}"))
    if (child := os.fork()) == 0:
        left = [None] * steps
        os.replace, os.link, os.unlink, os.rename = (
            counted(act, left) for act in (os.replace, os.link, os.unlink, os.rename)
        )
        pathlib.Path.rename = lambda self, target: os.rename(self, target) or target
        pathlib.Path.replace = lambda self, target: os.replace(self, target) or target
        pathlib.Path.unlink = lambda self, missing_ok=False: self.exists() and os.unlink(self)
        restore_backup(file, here)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) == 0:
        break
    assert os.waitstatus_to_exitcode(status) == 9
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork.")
def test_a_restore_that_is_cut_off_leaves_one_state_or_the_other(tmp_path: Path) -> None:
    file = make_backup(installation(tmp_path / "made"), tmp_path / "file").path
    before = installation(tmp_path / "before", count=5)
    (before / "sign-in.key").write_bytes(b"n" * 32)
    work = tmp_path / "work"
    work.mkdir()
    command = [sys.executable, "-c", CUT_OFF, *map(str, (file, before, work))]
    subprocess.run(command, check=True, timeout=60)
    states = []
    for here in sorted(work.iterdir()):
        finish_restore(here)  # as a start does
        states.append((state_of(here)[0], (here / "sign-in.key").read_bytes()[:1]))
        assert not [*here.glob("**/.resto*")]
    changed = states.index((3, b"k"))
    assert [(5, b"n")] * changed + [(3, b"k")] * (len(states) - changed) == states
    assert 3 < changed < len(states) - 3
    for step in (1, changed - 1, changed + 1):  # it can be done again
        restore_backup(file, here := work / f"{step:02}")
        assert 3 == state_of(here)[0]


@pytest.mark.parametrize("place", ["backups/.restored", ".restored"])
def test_a_start_says_that_it_cannot_finish_a_restore_and_finishes_it_later(
    tmp_path: Path, place: str
) -> None:
    """A version before this one had the folder in another place."""
    here = installation(tmp_path / "here")
    ready = here / place
    ready.mkdir(parents=True)
    (ready / "sign-in.key").write_bytes(b"r" * 32)
    (here / "sign-in.key").unlink()
    (here / "sign-in.key").mkdir()
    with pytest.raises(DataFolderUnusable, match="cannot be finished"):
        finish_restore(here)
    (here / "sign-in.key").rmdir()
    finish_restore(here)
    assert (3, {UPLOAD: b"picture", "sign-in.key": b"r" * 32}) == state_of(here)


def test_what_is_wanted_no_more_is_given_up_without_a_trace(tmp_path: Path) -> None:
    here, file = installation(tmp_path / "here"), tmp_path / "to" / "file"
    left, fresh = here / "backups" / ".making-left", here / "backups" / ".making-fresh"
    mine = file.parent / ".making-mine"
    for folder in (left, fresh, mine):
        (folder / "uploads").mkdir(parents=True)

    def give_up() -> None:
        raise ZeroDivisionError

    with DataFolderLock(fresh), pytest.raises(ZeroDivisionError):
        make_backup(here, file, check=give_up)
    assert [fresh] == [*(here / "backups").iterdir()]  # somebody is at it
    assert [mine] == [*file.parent.iterdir()]


def test_damaged_records_are_named_and_put_back_on_demand_alone(tmp_path: Path) -> None:
    here, there = installation(tmp_path / "here"), tmp_path / "there"
    writer = Writer(here / DATABASE)
    run(writer, add_repository)
    writer.close()
    with closing(sqlite3.connect(here / DATABASE)) as db, db:
        db.execute("UPDATE repositories SET name = 'changed by the disk'")
    made = make_backup(here, tmp_path / "file")
    assert ["repositories 1"] == made.manifest.damaged
    with pytest.raises(DamagedBackup, match="repositories 1"):
        restore_backup(made.path, there)
    assert made.manifest == restore_backup(made.path, there, takes_damaged=True).manifest


def test_a_database_that_lacks_a_part_is_refused(tmp_path: Path) -> None:
    here = installation(tmp_path / "here")
    with closing(sqlite3.connect(here / DATABASE)) as db:
        db.execute("DROP TABLE devices")
    file = make_backup(here, tmp_path / "file").path
    with pytest.raises(BadBackup, match="lacks table devices"):
        restore_backup(file, tmp_path / "there")


def test_nothing_is_put_back_while_another_program_reads_the_database(tmp_path: Path) -> None:
    here = installation(tmp_path / "here")
    file = make_backup(here, tmp_path / "file").path
    with closing(sqlite3.connect(here / DATABASE)) as reader:
        reader.execute("BEGIN").execute("SELECT count(*) FROM events").fetchone()
        with pytest.raises(DatabaseClaimed):
            restore_backup(file, here)
    assert 3 == state_of(here)[0]


@pytest.mark.skipif(sys.platform == "win32", reason="Links need rights there.")
def test_a_linked_secret_is_kept_and_a_linked_upload_is_none(tmp_path: Path) -> None:
    here, there = installation(tmp_path / "here"), tmp_path / "there"
    (here / "sign-in.key").rename(tmp_path / "key")
    (here / "sign-in.key").symlink_to("../key")
    (here / UPLOAD).unlink()
    (here / UPLOAD).symlink_to(tmp_path / "key")
    restore_backup(make_backup(here, tmp_path / "file").path, there)
    assert (3, {"sign-in.key": b"k" * 32}) == state_of(there)


def test_there_is_no_backup_of_nothing_nor_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="there is no database"):
        make_backup(tmp_path, tmp_path / "file")
    here = installation(tmp_path / "here")
    (tmp_path / "taken").write_text("")
    with pytest.raises(BackupFailed, match="could not be made"):
        make_backup(here, tmp_path / "taken" / "file")


def test_only_those_of_a_schedule_are_pruned_the_oldest_first(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    names = [
        place_of(
            tmp_path, now - timedelta(days=age), is_scheduled=age < 9, is_encrypted=age == 1
        ).name
        for age in (-3650, 0, 1, 2, 9)
    ]
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in (*names, "scheduled-20201399T000000.000000Z.zip", "x-before-m0001.db"):
        (folder / name).write_bytes(b"12345")
    ahead, newest, second, old, mine = names
    one = kept_backups(tmp_path)[2]
    assert (second, 5, True, True) == (one.name, one.size, one.is_scheduled, one.is_encrypted)
    assert [old] == prune(tmp_path, now, keep=2)
    # One of a moment that has not come was made while the clock was wrong: it replaces none.
    assert [ahead, newest, second, mine] == [one.name for one in kept_backups(tmp_path)]
    assert [] == prune(tmp_path, now, keep=2)
