"""The files of a centre, at whichever step it is killed."""

from __future__ import annotations

import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from command_center.store import DataFolderLock, Writer, log_identity, take_claim
from command_center.store.replication.centre_folder import ASIDE, CentreFolder
from tests.store.replication.ends import content
from tests.store.units import add_task, run


class Killed(BaseException):
    """Stands for the end of the process."""


def killed_leader(folder: Path) -> CentreFolder:
    """Leave the files of a leader that was killed: its log has two tasks, the file has none."""
    centre = CentreFolder(folder, folder / "db")
    with DataFolderLock(folder) as lock:
        claim = take_claim(centre.database, lock)
        writer = Writer(centre.database, is_checked=True, claim=claim)
        with closing(writer):
            run(writer, add_task)
            run(writer, add_task)
            names = ("db", "db-wal", "db-mark")
            left = {name: folder.joinpath(name).read_bytes() for name in names}
    for name, data in left.items():
        folder.joinpath(name).write_bytes(data)
    return centre


def names_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir() if file.name.startswith("db")}


@pytest.mark.parametrize("step", range(1, 5))
def test_a_database_that_a_kill_left_half_set_aside_is_set_aside_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    centre, moves = killed_leader(tmp_path), 0
    replace = Path.replace

    def replace_or_die(file: Path, target: Path) -> Path:
        nonlocal moves
        moves += 1
        if moves == step:
            raise Killed
        return replace(file, target)

    monkeypatch.setattr(Path, "replace", replace_or_die)
    with pytest.raises(Killed):
        centre.set_aside()
    monkeypatch.undo()
    centre.set_aside()
    assert set() == names_in(tmp_path)
    assert log_identity.is_own(tmp_path / ASIDE / "db")
    assert 2 == len(content(tmp_path / ASIDE / "db")["tasks"])


def test_a_log_that_somebody_left_without_its_database_is_none_of_the_next_one(
    tmp_path: Path,
) -> None:
    centre = killed_leader(tmp_path)
    centre.set_aside()
    mine = tmp_path / "mine"
    mine.mkdir()
    killed_leader(mine)
    mine.joinpath("db-wal").replace(tmp_path / "db-wal")
    centre.move_database()
    assert set() == names_in(tmp_path)
    assert tmp_path.joinpath(ASIDE, "unknown-wal").stat().st_size
    assert 2 == len(content(tmp_path / ASIDE / "db")["tasks"])


def test_a_kill_before_the_copy_is_in_its_place_changes_no_mark_of_what_was_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre = killed_leader(tmp_path)
    centre.set_aside()
    centre.join("cluster")
    with closing(sqlite3.connect(tmp_path / ASIDE / "db")) as db:
        db.execute("VACUUM INTO ?", [str(centre.copy)])

    replace = Path.replace

    def replace_or_die(file: Path, target: Path) -> Path:
        if file == centre.copy:
            raise Killed
        return replace(file, target)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Path, "replace", replace_or_die)
        centre.promote()
    assert {"db-mark"} == names_in(tmp_path)
    centre.set_aside()
    assert set() == names_in(tmp_path)
    assert log_identity.is_own(tmp_path / ASIDE / "db")


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of Unix")
def test_folders_into_which_databases_come_are_there_before_any_run(tmp_path: Path) -> None:
    CentreFolder(tmp_path, tmp_path / "db").join("cluster")
    for name in ("standby", ASIDE):
        assert 0o700 == stat.S_IMODE(tmp_path.joinpath(name).stat().st_mode)
