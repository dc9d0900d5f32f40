"""The identity of a log: the same one, or one that only begins as another did."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from command_center.store import AcknowledgedLost, Writer, log_identity, open_database
from tests.store.units import run, tell


def begin_life(path: Path) -> str:
    """Begin a life of the database; its log's id."""
    with open_database(path) as db:
        log_identity.begin_life(db, path)
        return log_identity.log_id(db)


def live(path: Path, events: int) -> str:
    """A life of the database in which so many events happen; its log's id."""
    log_id = begin_life(path)
    writer = Writer(path, is_checked=True)
    for _ in range(events):
        run(writer, tell)
    writer.close()
    return log_id


def put_back(copy: Path, path: Path) -> None:
    """Do as the documents say: move the files away, and put the copy in place."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        if path.with_name(name).exists():
            path.with_name(name).rename(path.with_name(f"{name}.old"))
    shutil.copy(copy, path)


def copy_of(path: Path) -> Path:
    target = path.with_name("copy.db")
    with sqlite3.connect(path) as db:
        db.execute("VACUUM INTO ?", [str(target)])
    db.close()
    return target


def test_a_log_keeps_its_id_over_restarts_and_each_has_its_own(path: Path, tmp_path: Path) -> None:
    first = live(path, 3)
    assert [first, first, first] == [live(path, number) for number in (2, 0, 1)]
    assert 16 == len(first)
    assert first != live(tmp_path / "other.db", 1)


def test_a_copy_of_an_earlier_life_that_is_put_back_is_another_log(path: Path) -> None:
    first = live(path, 3)
    copy = copy_of(path)
    assert first == live(path, 3)
    put_back(copy, path)
    second = live(path, 10)  # by then as many events as the other log has
    assert first != second
    assert second == live(path, 1)


def test_a_copy_of_the_same_life_that_is_put_back_is_another_log(path: Path) -> None:
    first = begin_life(path)
    writer = Writer(path, is_checked=True)
    run(writer, tell)
    copy = copy_of(path)
    run(writer, tell)
    writer.close()
    put_back(copy, path)
    assert first != live(path, 1)


def test_a_database_that_has_lost_its_log_is_refused_until_that_is_back(path: Path) -> None:
    first = live(path, 3)
    begin_life(path)
    writer = Writer(path, is_checked=True)
    run(writer, tell)
    files = [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-mark")]
    killed = {file: file.read_bytes() for file in files}  # as `kill -9` leaves them
    writer.close()
    path.write_bytes(killed[path])
    files[2].write_bytes(killed[files[2]])
    for _ in range(2):
        with pytest.raises(AcknowledgedLost, match="ends at event 3, though event 4 was") as lost:
            begin_life(path)
        assert (3, 4) == (lost.value.last_id, lost.value.acknowledged)
    files[1].write_bytes(killed[files[1]])
    assert first == live(path, 1)
    path.write_bytes(killed[path])
    files[2].unlink()
    assert first != live(path, 1)


def test_a_folder_that_was_copied_whole_is_another_log(path: Path) -> None:
    first = live(path, 3)
    shutil.copytree(path.parent, path.parent.with_name("copy"))
    assert first == live(path, 3)
    shutil.rmtree(path.parent)
    path.parent.with_name("copy").rename(path.parent)
    assert first != live(path, 3)


def test_a_database_without_its_mark_is_another_log(path: Path) -> None:
    first = live(path, 3)
    path.with_name(f"{path.name}-mark").unlink()
    assert first != live(path, 0)


def unreadable(mark: Path) -> None:
    mark.write_bytes(b"\xff\xfe no mark")


def from_another_life(mark: Path) -> None:
    mark.write_bytes(mark.read_bytes().replace(b'"life":"', b'"life":"f'))


@pytest.mark.parametrize("spoil", [unreadable, from_another_life])
def test_a_mark_that_is_not_the_databases_makes_it_another_log(
    path: Path, spoil: Callable[[Path], None]
) -> None:
    first = live(path, 3)
    spoil(path.with_name(f"{path.name}-mark"))
    assert first != live(path, 0)


def test_a_start_that_is_cut_off_before_the_mark_leaves_the_log_what_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = live(path, 3)
    with monkeypatch.context() as cut:

        def cut_off(*_: object) -> None:
            raise OSError(28, "No space left on device")

        cut.setattr(log_identity, "_write", cut_off)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                begin_life(path)
    assert first == live(path, 1)


def test_a_mark_that_lies_behind_after_a_loss_of_power_is_no_other_log(path: Path) -> None:
    first = live(path, 3)
    mark = path.with_name(f"{path.name}-mark")
    mark.write_bytes(mark.read_bytes().replace(b"%020d" % 3, b"%020d" % 1))
    assert first == live(path, 1)
