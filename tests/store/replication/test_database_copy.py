"""A copy is what the original is, whatever is written, cut, torn, damaged or sent twice."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_center.store.replication import database_copy
from command_center.store.replication.database_copy import (
    CopyPlace,
    DatabaseCopy,
    begin_copy,
    open_whole,
    remove_copy,
)
from command_center.store.replication.errors import ChangesMissed, DamagedCopy, DamagedPiece
from tests.store.replication.ends import Sender, content, open_wal, vacuumed

BESIDE = ("", "-place", "-pieces", "-sums")

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.integers(1, 40), st.integers(0, 9000)),
        st.tuples(st.just("update"), st.integers(0, 3), st.integers(0, 5000)),
        st.tuples(st.just("delete"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("create"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("drop"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("undo"), st.integers(1, 40), st.integers(0, 9000)),
        st.tuples(
            st.sampled_from(["vacuum", "checkpoint", "truncate", "fold", "crash", "nothing"]),
            st.just(0),
            st.just(0),
        ),
    ),
    max_size=25,
)


def do(sender: Sender, what: str, number: int, size: int) -> None:
    """Change the original by one commit, or by none."""
    run = sender.db.conn.execute
    match what:
        case "insert" | "undo":
            run("BEGIN")
            for row in range(number):
                run("INSERT INTO t (v) VALUES (?)", [random.Random(row).randbytes(size)])  # noqa: S311
            run("COMMIT" if what == "insert" else "ROLLBACK")
        case "update":
            run("UPDATE t SET v = ? WHERE id % 4 = ?", [bytes(size), number])
        case "delete":
            run("DELETE FROM t WHERE id % 4 = ?", [number])
        case "create":
            run(f"CREATE TABLE IF NOT EXISTS more{number} (id INTEGER PRIMARY KEY, v TEXT)")
            sender.send()
            run(f"INSERT INTO more{number} (v) VALUES ('x')")  # noqa: S608
        case "drop":
            run(f"DROP TABLE IF EXISTS more{number}")
        case "vacuum":
            run("VACUUM")
        case "checkpoint":
            run("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        case "truncate":
            run("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        case _:
            pass


def torn(copy: DatabaseCopy, place: random.Random) -> DatabaseCopy:
    """Return the copy as the next process finds it after a crash: what was not flushed is torn."""
    path, fold_bytes = copy.path, copy._fold_bytes
    copy.flush()
    flushed = copy.place
    file = Path(f"{path}-pieces")
    whole = file.read_bytes()
    copy.close()
    cut = place.randint(copy._whole_end, len(whole))
    file.write_bytes(whole[:cut] + place.randbytes(place.choice([0, 3, 40])))
    again = DatabaseCopy(path, fold_bytes=fold_bytes)
    assert flushed == again.place
    return again


ANY_WORK = given(
    steps=STEPS,
    limit=st.sampled_from([4200, 9000, 100_000]),
    fold_bytes=st.sampled_from([1, 50_000, 10**9]),
    seed=st.integers(0, 9),
)


@settings(max_examples=8)
@ANY_WORK
def test_a_copy_is_what_the_original_is_after_any_work(
    steps: list[tuple[str, int, int]], limit: int, fold_bytes: int, seed: int
) -> None:
    hold_that_the_copy_is_the_original(steps, limit, fold_bytes, seed)


@pytest.mark.chaos
@settings(max_examples=500)
@ANY_WORK
@pytest.mark.timeout(900)
def test_a_copy_is_what_the_original_is_after_much_work(
    steps: list[tuple[str, int, int]], limit: int, fold_bytes: int, seed: int
) -> None:
    hold_that_the_copy_is_the_original(steps, limit, fold_bytes, seed)


def hold_that_the_copy_is_the_original(
    steps: list[tuple[str, int, int]], limit: int, fold_bytes: int, seed: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        db = open_wal(folder / "original")
        with closing(db.conn):
            sender = Sender(folder / "original", db, limit)
            sender.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)")
            sender.send()
            sender.base(folder / "copy")
            copy = DatabaseCopy(folder / "copy", fold_bytes=fold_bytes)
            for what, number, size in steps:
                do(sender, what, number, size)
                sender.send()
                sender.feed(copy)
                if what == "fold":
                    copy.fold()
                if what == "crash":
                    copy = torn(copy, random.Random(seed))  # noqa: S311
                    sender.feed(copy)
            assert sender.commit == copy.place.commit
            assert copy.place == copy.finish()
            expected = content(vacuumed(sender.db, folder / "vacuumed"))
        assert expected == content(folder / "copy")


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    """A database with some rows, of which a copy exists."""
    db = open_wal(tmp_path / "original")
    with closing(db.conn):
        made = Sender(tmp_path / "original", db)
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)")
        made.send()
        made.base(tmp_path / "copy")
        yield made


def fill(sender: Sender, rows: int = 20) -> int:
    """Commit rows of 2,000 bytes; return the number of pieces that they came to."""
    sender.db.execute("BEGIN")
    for _ in range(rows):
        sender.db.execute("INSERT INTO t (v) VALUES (randomblob(2000))")
    sender.db.conn.commit()
    return sender.send()


def finished(sender: Sender, copy: DatabaseCopy) -> None:
    """Hold that the copy is the original."""
    copy.finish()
    target = vacuumed(sender.db, copy.path.with_name("vacuumed"))
    assert content(target) == content(copy.path)


def test_the_files_of_a_copy_are_for_their_owner_alone(sender: Sender, tmp_path: Path) -> None:
    fill(sender)
    copy = DatabaseCopy(tmp_path / "copy")
    sender.feed(copy)
    copy.fold()
    copy.close()
    if sys.platform != "win32":
        assert {0o600} == {(tmp_path / f"copy{end}").stat().st_mode & 0o777 for end in BESIDE}
    remove_copy(tmp_path / "copy")
    assert [] == [*tmp_path.glob("copy*")]


def test_a_commit_of_many_pieces_counts_once_the_last_is_there(
    sender: Sender, tmp_path: Path
) -> None:
    pieces = fill(sender, 100)
    assert pieces > 5
    copy = DatabaseCopy(tmp_path / "copy")
    begun = copy.place
    sender.feed(copy, len(sender.sent) - 1)
    assert begun == copy.place
    assert len(sender.sent) - 1 == copy.last_sequence
    copy.flush()
    copy.close()
    copy = DatabaseCopy(tmp_path / "copy")
    assert len(sender.sent) - 1 == copy.last_sequence
    sender.feed(copy)
    assert sender.commit == copy.place.commit
    finished(sender, copy)


def test_what_a_stopped_writer_left_of_a_commit_is_dropped(sender: Sender, tmp_path: Path) -> None:
    fill(sender, 100)
    copy = DatabaseCopy(tmp_path / "copy")
    first, last = copy.last_sequence, len(sender.sent)
    sender.feed(copy, last - 1)
    # Another writer, which has not seen it, makes another commit of that number.
    for sequence in range(first + 1, last):
        copy.take(last + sequence, sender.sent[sequence - 1])
    copy.flush()
    copy.close()
    copy = DatabaseCopy(tmp_path / "copy")
    copy.take(3 * last, sender.sent[-1])
    finished(sender, copy)


def test_unfinished_pieces_are_no_part_of_what_sqlite_opens(sender: Sender, tmp_path: Path) -> None:
    before = content(vacuumed(sender.db, tmp_path / "before"))
    fill(sender, 100)
    copy = DatabaseCopy(tmp_path / "copy")
    sender.feed(copy, len(sender.sent) - 1)
    copy.finish()
    assert before == content(tmp_path / "copy")


def test_a_piece_that_does_not_follow_is_refused_and_changes_nothing(
    sender: Sender, tmp_path: Path
) -> None:
    before = len(sender.sent)
    first = before + fill(sender)
    fill(sender)
    copy = DatabaseCopy(tmp_path / "copy")
    sender.feed(copy, first)
    here = copy.last_sequence
    for sequence, piece in (
        (here + 2, sender.sent[here + 1]),  # one is left out
        (here + 1, sender.sent[here - 1]),  # twice
        (here, sender.sent[here]),  # with a number that was before
    ):
        with pytest.raises(ChangesMissed):
            copy.take(sequence, piece)
    with pytest.raises(DamagedPiece):
        copy.take(here + 1, sender.sent[here][:-1] + b"x")
    sender.feed(copy)
    finished(sender, copy)


@pytest.mark.parametrize("place", ["written", "not written"])
def test_a_fold_that_is_cut_short_is_done_again(sender: Sender, tmp_path: Path, place: str) -> None:
    for _ in range(3):
        fill(sender)
    copy = DatabaseCopy(tmp_path / "copy")
    sender.feed(copy)
    copy.flush()
    kept = {end: (tmp_path / f"copy{end}").read_bytes() for end in ("-place", "-pieces")}
    copy.fold()
    copy.close()
    (tmp_path / "copy-pieces").write_bytes(kept["-pieces"])
    if place == "not written":
        (tmp_path / "copy-place").write_bytes(kept["-place"])
        # And it had come no further than the middle of the copy.
        pages = (tmp_path / "copy").read_bytes()
        (tmp_path / "copy").write_bytes(pages[: len(pages) // 2])
    copy = DatabaseCopy(tmp_path / "copy")
    assert sender.commit == copy.place.commit
    fill(sender)
    sender.feed(copy)
    finished(sender, copy)


@pytest.mark.parametrize("reads_again", [True, False])
def test_a_piece_that_the_disk_has_changed_is_read_again_from_where_it_came(
    sender: Sender, tmp_path: Path, *, reads_again: bool
) -> None:
    for _ in range(3):
        fill(sender)
    copy = DatabaseCopy(tmp_path / "copy")
    sender.feed(copy)
    copy.flush()
    with (tmp_path / "copy-pieces").open("r+b") as file:
        file.seek(-3000, 2)  # within the last record
        file.write(b"damage")
    with pytest.raises(DamagedCopy, match="a piece is not as it was written"):
        copy.finish()
    copy.close()
    copy = DatabaseCopy(tmp_path / "copy")
    assert copy.last_sequence < len(sender.sent)
    if reads_again:
        sender.feed(copy)
        finished(sender, copy)
    else:
        place = copy.finish()
        assert place.commit == sender.commit - 1
        assert 40 == len(content(tmp_path / "copy")["t"])


@pytest.mark.parametrize("damage", ["page", "sum", "shorter", "place"])
def test_a_copy_that_the_disk_has_changed_is_not_opened(
    sender: Sender, tmp_path: Path, damage: str
) -> None:
    fill(sender)
    copy = DatabaseCopy(tmp_path / "copy")
    sender.feed(copy)
    copy.fold()
    copy.check()
    copy.close()
    name, at, size = {
        "page": ("copy", 5000, None),
        "sum": ("copy-sums", 4, None),
        "shorter": ("copy", 0, 4096),
        "place": ("copy-place", 0, None),
    }[damage]
    with (tmp_path / name).open("r+b") as file:
        if size is not None:
            file.truncate(size)
        else:
            file.seek(at)
            file.write(b"\x07")
    with pytest.raises(DamagedCopy):
        DatabaseCopy(tmp_path / "copy").finish()


def test_a_base_whose_making_was_cut_short_is_no_copy(sender: Sender, tmp_path: Path) -> None:
    (tmp_path / "copy-place").unlink()
    with pytest.raises(FileNotFoundError):
        DatabaseCopy(tmp_path / "copy")


def test_a_page_that_sqlite_never_writes_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(b"x" * 4096)
    begin_copy(tmp_path / "copy", CopyPlace(0, 0, 4096))
    with (tmp_path / "copy").open("ab") as copy, (tmp_path / "copy-sums").open("ab") as sums:
        copy.write(bytes(4096) + b"y" * 4096)
        sums.write(bytes(4) + database_copy._sum_of(b"y" * 4096))
    found = DatabaseCopy(tmp_path / "copy")
    found.check()
    found.close()


def test_a_fold_that_a_kill_cut_short_is_done_again(tmp_path: Path) -> None:
    db = open_wal(tmp_path / "original")
    with closing(db.conn):
        sender = Sender(tmp_path / "original", db)
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)")
        sender.send()
        path = tmp_path / "copy"
        sender.base(path)
        do(sender, "insert", 20, 500)
        sender.send()
        copy = DatabaseCopy(path, fold_bytes=10**9)
        sender.feed(copy)
        copy.flush()
        beside = {what: Path(f"{path}{what}").read_bytes() for what in BESIDE[1:]}
        copy.fold()
        copy.close()
        for what, before in beside.items():  # the pages were written, and nothing after them
            Path(f"{path}{what}").write_bytes(before)
        again = open_whole(path)
        assert sender.commit == again.finish().commit
        assert content(vacuumed(db, tmp_path / "vacuumed")) == content(path)
