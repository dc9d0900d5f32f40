"""Backups: made beside a writer, checked before they are put back, and never half put back."""

import os
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from command_center.store import (
    DatabaseClaimed,
    DataFolderInUse,
    DataFolderLock,
    NewerSchema,
    Writer,
    events,
    log_identity,
    open_database,
    take_claim,
)
from command_center.store.backups.contents import DATABASE, MANIFEST
from command_center.store.backups.encryption import CONTENT, KEY
from command_center.store.backups.errors import BackupFailed, BadBackup, WrongPassphrase
from command_center.store.backups.making import LEFT_SECONDS, make_backup
from command_center.store.backups.places import kept_backups, place_of, prune
from command_center.store.backups.restoring import restore_backup
from tests.store.units import run, tell

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
    backup = make_backup(here, here / "backups" / "mine.tar.gz")
    installation(here, count=5)
    (here / "sign-in.key").write_bytes(b"n" * 32)
    replaced = restore_backup(backup.path, here).replaced
    assert replaced is not None
    assert 3 == state_of(here)[0]
    assert b"k" * 32 == (here / "sign-in.key").read_bytes()
    assert (8, {"sign-in.key": b"n" * 32}) == state_of(replaced)
    assert before != log_of(here)
    assert not (here / ".restoring").exists()


def test_a_passphrase_is_needed_and_must_be_the_right_one(tmp_path: Path) -> None:
    here, there, file = installation(tmp_path / "here"), tmp_path / "there", tmp_path / "file"
    make_backup(here, file, passphrase="right")
    with tarfile.open(file) as archive:
        assert [KEY, CONTENT] == archive.getnames()
        content = archive.getmember(CONTENT)
    for wrong in (None, "wrong"):
        with pytest.raises(WrongPassphrase):
            restore_backup(file, there, passphrase=wrong)
    restore_backup(file, there, passphrase="right")
    assert state_of(here) == state_of(there)
    whole = file.read_bytes()
    middle = content.offset_data + content.size // 2
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


def with_entry(name: str, kind: bytes = tarfile.REGTYPE) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with tarfile.open(file, "w:gz") as archive:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)

    return change


@pytest.mark.parametrize(
    "change",
    [
        cut,
        flip,
        empty,
        with_entry("../outside"),
        with_entry("/outside"),
        with_entry(DATABASE),
        with_entry("sign-in.key", tarfile.SYMTYPE),
        with_entry(MANIFEST),
    ],
)
def test_what_is_no_whole_backup_is_refused_and_nothing_is_touched(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    here, file = installation(tmp_path / "here"), tmp_path / "file"
    make_backup(here, file)
    change(file)
    with pytest.raises(BadBackup):
        restore_backup(file, here)
    assert (3, {UPLOAD: b"picture", "sign-in.key": b"k" * 32}) == state_of(here)
    assert {"here", "file"} == {path.name for path in tmp_path.iterdir()}


def test_a_backup_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    here, there = installation(tmp_path / "here"), tmp_path / "there"
    with open_database(here / DATABASE) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('command_center', '9')"
        )
    file = make_backup(here, tmp_path / "file").path
    with pytest.raises(NewerSchema):
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

for steps in range(40):
    here = pathlib.Path(shutil.copytree(before, work / f"{steps:02}"))
    if (child := os.fork()) == 0:
        left = [None] * steps
        os.replace, os.link, os.unlink = (
            counted(act, left) for act in (os.replace, os.link, os.unlink)
        )
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
    work = tmp_path / "work"
    work.mkdir()
    command = [sys.executable, "-c", CUT_OFF, *map(str, (file, before, work))]
    subprocess.run(command, check=True, timeout=60)
    last = [state_of(here)[0] for here in sorted(work.iterdir())]
    changed = last.index(3)
    assert [5] * changed + [3] * (len(last) - changed) == last
    assert changed > 3
    for here in work.iterdir():
        restore_backup(file, here)  # it can be done again
        assert 3 == state_of(here)[0]


def test_what_is_wanted_no_more_is_given_up_without_a_trace(tmp_path: Path) -> None:
    here, file = installation(tmp_path / "here"), tmp_path / "to" / "file"
    left, fresh = file.parent / ".backup-left", file.parent / ".backup-fresh"
    for folder, age in ((left, 1.01), (fresh, 0.99)):
        (folder / "uploads").mkdir(parents=True)
        moment = time.time() - age * LEFT_SECONDS
        os.utime(folder, (moment, moment))

    def give_up() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make_backup(here, file, check=give_up)
    assert [fresh] == [*file.parent.iterdir()]  # which somebody may still be at


def test_there_is_no_backup_of_nothing_nor_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="there is no database"):
        make_backup(tmp_path, tmp_path / "file")
    here = installation(tmp_path / "here")
    (tmp_path / "taken").write_text("")
    with pytest.raises(BackupFailed, match="could not be made"):
        make_backup(here, tmp_path / "taken" / "file")


def test_only_those_of_a_schedule_are_pruned_the_oldest_first(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    mine, newest = (
        place_of(tmp_path, now, is_scheduled=is_scheduled, is_encrypted=not is_scheduled).name
        for is_scheduled in (False, True)
    )
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in (
        mine,
        newest,
        "scheduled-20200102T000000Z.age.tar",
        "scheduled-20200101T000000Z.tar.gz",
        "scheduled-20201399T000000Z.tar.gz",
        "command-center-before-m0001.db",
    ):
        (folder / name).write_bytes(b"12345")
    old = kept_backups(tmp_path)[2]
    assert "scheduled-20200102T000000Z.age.tar" == old.name
    assert (5, True, True) == (old.size, old.is_scheduled, old.is_encrypted)
    assert 2020 == datetime.fromisoformat(old.made_at).year
    assert ["scheduled-20200101T000000Z.tar.gz"] == prune(tmp_path, keep=2)
    assert {mine, newest, old.name} == {one.name for one in kept_backups(tmp_path)}
    assert [] == prune(tmp_path, keep=2)
