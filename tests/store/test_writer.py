"""Group commit: who is harmed by whom, what is durable, what the machine's faults do."""

import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.store import (
    Done,
    Failed,
    Readers,
    StoreClosed,
    StoreUnavailable,
    Transaction,
    Writer,
    WrongThread,
    events,
    open_database,
    repositories,
)
from tests.made_up import made_up
from tests.store.units import add_repository, fail, run, tell


def event_ids(readers: Readers) -> list[int]:
    with readers.connection() as db:
        return [event.id for event in events.after(db, 0, limit=10_000)[0]]


def names(readers: Readers) -> list[str]:
    with readers.connection() as db:
        return [repository.name for repository in repositories.every(db, {})]


def errors(writer: Writer, *units: object) -> list[type[Exception] | None]:
    outcomes = writer.commit(units).outcomes  # type: ignore[arg-type]
    return [type(o.error) if isinstance(o, Failed) else None for o in outcomes]


def test_a_batch_gives_each_unit_its_own_value_in_order(writer: Writer) -> None:
    commit = writer.commit([lambda _: "first", lambda _: 2, lambda _: None])
    assert (Done("first"), Done(2), Done(None)) == commit.outcomes
    assert () == commit.events


def test_no_units_are_no_transaction(writer: Writer) -> None:
    assert () == writer.commit([]).outcomes


def test_a_unit_that_raises_is_undone_and_harms_no_other(writer: Writer, readers: Readers) -> None:
    def doomed(tx: Transaction) -> None:
        add_repository(tx, name="doomed")
        fail(tx)

    commit = writer.commit(
        [lambda tx: add_repository(tx, name="a"), doomed, lambda tx: add_repository(tx, name="b")]
    )
    assert ["a", "b"] == names(readers)
    assert isinstance(commit.outcomes[1], Failed)
    assert "the unit's own reason" == str(commit.outcomes[1].error)


def test_a_unit_sees_what_those_before_it_in_the_batch_did(writer: Writer) -> None:
    commit = writer.commit([add_repository, lambda tx: repositories.count(tx.db, {})])
    assert Done(1) == commit.outcomes[1]


def test_an_undone_unit_gives_its_event_ids_back(writer: Writer, readers: Readers) -> None:
    commit = writer.commit([tell, fail, tell, fail])
    assert [1, 2] == [event.id for event in commit.events]
    assert (3,) == tuple(event.id for event in writer.commit([fail, tell]).events)
    assert [1, 2, 3] == event_ids(readers)


def test_a_unit_undone_by_an_error_of_the_schema_is_undone_alone(
    writer: Writer, readers: Readers
) -> None:
    def twice(tx: Transaction) -> None:
        tell(tx)
        tx.db.execute("INSERT INTO events SELECT * FROM events WHERE id = 1")

    assert [None, sqlite3.IntegrityError, None] == errors(writer, tell, twice, tell)
    assert [1, 2] == event_ids(readers)


@pytest.mark.parametrize("statement", ["COMMIT", "ROLLBACK", "END"])
def test_a_unit_cannot_end_the_transaction_of_its_neighbours(
    writer: Writer, readers: Readers, statement: str
) -> None:
    def breaks_out(tx: Transaction) -> None:
        tell(tx)
        tx.db.execute(statement)

    for _ in range(2):
        assert [None, sqlite3.DatabaseError, None] == errors(writer, tell, breaks_out, tell)
    assert [1, 2, 3, 4] == event_ids(readers)


def test_a_unit_may_open_savepoints(writer: Writer, readers: Readers) -> None:
    def partly(tx: Transaction) -> None:
        add_repository(tx, name="kept")
        with suppress(LookupError), tx.db.atomic():
            add_repository(tx, name="undone")
            fail(tx)

    run(writer, partly)
    assert ["kept"] == names(readers)


def test_nothing_is_seen_by_readers_before_the_batch_is_committed(
    writer: Writer, readers: Readers
) -> None:
    seen: list[list[str]] = []
    writer.commit([add_repository, lambda _: seen.append(names(readers))])
    assert [[]] == seen
    assert ["a"] == names(readers)


def test_published_bytes_are_the_stored_bytes(writer: Writer, readers: Readers) -> None:
    commit = writer.commit([tell, tell])
    with readers.connection() as db:
        assert list(commit.events) == events.after(db, 0, limit=10)[0]


def test_an_interrupt_undoes_the_whole_batch_and_is_raised(
    writer: Writer, readers: Readers
) -> None:
    def interrupted(_: Transaction) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writer.commit([tell, interrupted, tell])
    assert [] == event_ids(readers)
    assert [None] == errors(writer, tell)
    assert [1] == event_ids(readers)


def test_a_database_held_by_another_process_is_unavailable_to_the_whole_batch(
    writer: Writer, readers: Readers, path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    commit = writer.commit([tell, fail])
    assert [StoreUnavailable] * 2 == [type(o.error) for o in commit.outcomes]  # type: ignore[union-attr]
    assert () == commit.events
    other.close()
    assert [1] == [event.id for event in writer.commit([tell]).events]
    assert [1] == event_ids(readers)


def test_a_full_disk_fails_the_whole_batch_and_the_writer_works_again_after_it(
    writer: Writer, readers: Readers
) -> None:
    assert writer._db is not None
    pages = writer._db.execute("PRAGMA page_count").fetchone()[0]
    writer._db.execute(f"PRAGMA max_page_count = {pages}").fetchall()

    def huge(tx: Transaction) -> None:
        add_repository(tx, name="x" * 1_000_000)

    commit = writer.commit([tell, huge, fail])
    assert [StoreUnavailable] * 3 == [type(o.error) for o in commit.outcomes]  # type: ignore[union-attr]
    assert isinstance(commit.outcomes[0], Failed)
    assert isinstance(commit.outcomes[0].error, StoreUnavailable)
    assert "SQLITE_FULL" == commit.outcomes[0].error.code
    assert () == commit.events
    assert [] == event_ids(readers)

    writer._db.execute("PRAGMA max_page_count = 1000000").fetchall()
    assert [None, None] == errors(writer, tell, huge)
    assert [1] == event_ids(readers)


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Let the operating system refuse to make any file of this process larger."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Windows has none

        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    else:
        yield


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_write_that_the_system_refuses_fails_the_batch_and_the_writer_works_again_after_it(
    writer: Writer, readers: Readers, path: Path
) -> None:
    run(writer, tell)
    log = path.with_name(path.name + "-wal")
    with no_file_larger_than(log.stat().st_size + 100):
        commit = writer.commit([tell, tell, fail])
    assert [StoreUnavailable] * 3 == [type(o.error) for o in commit.outcomes]  # type: ignore[union-attr]
    assert () == commit.events
    assert [1] == event_ids(readers)
    assert [2] == [event.id for event in writer.commit([tell]).events]
    assert [1, 2] == event_ids(readers)


def test_a_read_only_database_fails_the_whole_batch(writer: Writer, readers: Readers) -> None:
    assert writer._db is not None
    writer._db.execute("PRAGMA query_only = ON")
    assert [StoreUnavailable, StoreUnavailable] == errors(writer, tell, lambda _: 1)
    writer._db.execute("PRAGMA query_only = OFF")
    assert [None] == errors(writer, tell)
    assert [1] == event_ids(readers)


def test_a_refused_commit_fails_every_unit(writer: Writer, readers: Readers) -> None:
    def leaves_a_dangling_reference(tx: Transaction) -> None:
        tx.db.execute("PRAGMA defer_foreign_keys = ON")
        tx.db.execute(
            "INSERT INTO items (created_at, updated_at, session_id, turn_id, item_id, type,"
            " status, body) VALUES ('', '', 404, '', '', '', '', '{}')"
        )

    assert [StoreUnavailable] * 2 == errors(writer, tell, leaves_a_dangling_reference)
    assert [] == event_ids(readers)
    assert [None] == errors(writer, tell)


class BrokenConnection(sqlite3.Connection):
    """A connection that the disk was pulled out from under."""

    def execute(self, *_: object) -> sqlite3.Cursor:
        raise sqlite3.OperationalError("disk I/O error")

    def rollback(self) -> None:
        raise sqlite3.OperationalError("disk I/O error")


def test_a_connection_that_is_beyond_help_is_replaced(
    writer: Writer, readers: Readers, path: Path
) -> None:
    assert writer._db is not None
    writer._db.close()
    writer._db.conn = sqlite3.connect(path, factory=BrokenConnection)
    assert [StoreUnavailable] == errors(writer, tell)
    assert [None] == errors(writer, tell)
    assert [1] == event_ids(readers)


def test_a_closed_writer_refuses_to_write(writer: Writer) -> None:
    writer.close()
    writer.close()
    with pytest.raises(StoreClosed):
        writer.commit([tell])


def test_closing_folds_the_log_into_the_one_file(writer: Writer, path: Path) -> None:
    run(writer, tell)
    writer.close()
    assert [path.name] == [file.name for file in path.parent.iterdir()]
    again = Writer(path)
    assert 2 == run(again, tell)
    again.close()


def test_closing_leaves_no_counts_of_a_young_database_to_mislead_its_queries(
    writer: Writer, path: Path
) -> None:
    writer.commit([tell, add_repository])
    writer.close()
    with open_database(path) as db:
        assert not [name for name in db.table_names() if name.startswith("sqlite_stat")]


def test_a_writer_belongs_to_the_thread_that_made_it(writer: Writer) -> None:
    found: list[BaseException] = []

    def elsewhere() -> None:
        try:
            writer.commit([tell])
        except BaseException as error:  # noqa: BLE001 - the thread's edge
            found.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert [WrongThread] == [type(error) for error in found]
    assert 1 == run(writer, tell)


def test_this_installations_own_secrets_are_never_stored(path: Path) -> None:
    writer = Writer(path, secrets=["correct horse"])
    run(writer, lambda tx: tx.emit(made_up("a.b", {"said": "it is correct horse!"}), actor="t"))
    run(writer, lambda tx: add_repository(tx, facts={"x": ["correct horse"]}))
    writer.close()
    assert b"correct horse" not in path.read_bytes()
    assert b"it is [redacted]!" in path.read_bytes()


@pytest.fixture(scope="module")
def shared_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "command-center.db"


@given(batches=st.lists(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=6)))
def test_whatever_fails_ids_have_no_gaps_and_events_are_those_of_the_units_done(
    shared_path: Path, batches: list[list[tuple[int, bool]]]
) -> None:
    writer = Writer(shared_path)
    readers = Readers(shared_path)
    before = len(event_ids(readers))

    def unit(count: int, *, fails: bool) -> object:
        def work(tx: Transaction) -> list[int]:
            ids = [tell(tx) for _ in range(count)]
            if fails:
                raise LookupError
            return ids

        return work

    expected = before
    for batch in batches:
        commit = writer.commit([unit(n, fails=fails) for n, fails in batch])  # type: ignore[misc]
        done = [o.value for o in commit.outcomes if isinstance(o, Done)]
        assert [event.id for event in commit.events] == [id_ for ids in done for id_ in ids]
        assert [fails for _, fails in batch] == [isinstance(o, Failed) for o in commit.outcomes]
        expected += sum(n for n, fails in batch if not fails)
    assert list(range(1, expected + 1)) == event_ids(readers)
    readers.close()
    writer.close()
