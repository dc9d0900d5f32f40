"""Reading beside the writer."""

import sqlite3
import threading
from pathlib import Path

import pytest

from command_center.store import Readers, StoreClosed, StoreUnavailable, Writer, repositories
from tests.store.units import add_repository, run


def test_what_is_read_through_one_connection_is_one_snapshot(
    writer: Writer, readers: Readers
) -> None:
    run(writer, add_repository)
    with readers.connection() as db:
        assert 1 == repositories.count(db, {})
        run(writer, add_repository)
        assert 1 == repositories.count(db, {})
    with readers.connection() as db:
        assert 2 == repositories.count(db, {})


def test_a_reader_cannot_write(readers: Readers) -> None:
    with (
        pytest.raises(sqlite3.OperationalError, match="readonly"),
        readers.connection() as db,
    ):
        db.execute("DELETE FROM repositories")


def test_a_reader_does_not_wait_for_the_writer(writer: Writer, readers: Readers) -> None:
    def reads_meanwhile(_: object) -> int:
        with readers.connection() as db:
            return repositories.count(db, {})

    assert 0 == run(writer, reads_meanwhile)


def test_a_connection_is_used_again_by_any_thread(readers: Readers) -> None:
    seen = []

    def read() -> None:
        with readers.connection() as db:
            seen.append(db)
            repositories.count(db, {})

    for _ in range(2):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    assert 2 == len(seen)
    assert seen[0] is seen[1]


def test_reads_at_one_time_have_connections_of_their_own_and_few_are_kept(
    path: Path, writer: Writer
) -> None:
    assert writer is not None
    readers = Readers(path, keep=1)
    with readers.connection() as one, readers.connection() as other:
        assert one is not other
    assert [other] == [db for db in (one, other) if db in readers._idle]
    readers.close()


def test_a_connection_that_failed_its_borrower_is_not_lent_again(readers: Readers) -> None:
    with pytest.raises(LookupError), readers.connection() as failed:
        raise LookupError
    with readers.connection() as other:
        assert failed is not other


def test_closed_readers_lend_nothing_and_close_what_comes_back(readers: Readers) -> None:
    with readers.connection() as lent:
        readers.close()
        assert 0 == repositories.count(lent, {})
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        lent.execute("SELECT 1")
    with pytest.raises(StoreClosed), readers.connection():
        pass


def test_readers_need_a_database(tmp_path: Path) -> None:
    readers = Readers(tmp_path / "absent.db")
    with (
        pytest.raises(StoreUnavailable, match="cannot read now: unable to open") as unavailable,
        readers.connection(),
    ):
        pass
    assert "SQLITE_CANTOPEN" == unavailable.value.code
    assert [] == list(tmp_path.iterdir())


def test_a_path_may_have_any_characters(tmp_path: Path) -> None:
    path = tmp_path / "100% ?mode=rw #é" / "a b.db"
    writer = Writer(path)
    readers = Readers(path)
    run(writer, add_repository)
    with readers.connection() as db:
        assert 1 == repositories.count(db, {})
    readers.close()
    writer.close()
