"""The writer acknowledges nothing that its replica has not."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from sqlite_utils import Database

from command_center.store import (
    DataFolderLock,
    Done,
    Failed,
    Transaction,
    Writer,
    log_identity,
    take_claim,
)
from command_center.store.database import opening
from command_center.store.database.copies import create_private_file
from command_center.store.database.migrations import MIGRATIONS
from command_center.store.database.opening import _connect_for_writing, open_database
from command_center.store.errors import NotReplicated
from command_center.store.replication import page_sender
from command_center.store.replication.base import write_base
from command_center.store.replication.database_copy import CopyPlace, DatabaseCopy, begin_copy
from command_center.store.replication.encryption import PieceCipher
from command_center.store.replication.page_sender import FOLD_BYTES, PageSender
from command_center.store.replication.read_lease import ReadLease
from tests.store.replication.ends import content, open_wal, vacuumed
from tests.store.units import add_session, add_task, run, tell

CIPHER = PieceCipher(bytes(32), "test")


@attrs.define
class Elsewhere:
    """The other end: a copy, which can refuse."""

    folder: Path
    refuses: bool = False
    sequence: int = 0
    copy: DatabaseCopy = attrs.field(init=False)

    @property
    def path(self) -> Path:
        return self.folder / "db"

    def send(self, piece: bytes) -> None:
        if self.refuses:
            raise NotReplicated("another one leads")
        self.sequence += 1
        self.copy.take(self.sequence, CIPHER.unseal(piece))

    def writer(self, fold_bytes: int = FOLD_BYTES, lease: ReadLease | None = None) -> Writer:
        db = open_database(self.path)
        sender = self.sender(db, fold_bytes=fold_bytes, lease=lease)
        return Writer(self.path, is_checked=True, replica=sender)

    def sender(
        self, db: Database, fold_bytes: int = FOLD_BYTES, lease: ReadLease | None = None
    ) -> PageSender:
        """Make the copy of what is there now, and what sends all later changes to it."""
        write_base(db, self.folder / "copy")
        db.close()
        begin_copy(self.folder / "copy", CopyPlace(0, 0, 4096))
        self.copy = DatabaseCopy(self.folder / "copy")
        return PageSender(
            self.path,
            self.send,
            commit=0,
            limit=100_000,
            close=CIPHER.seal,
            lease=lease,
            fold_bytes=fold_bytes,
        )


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    made = Elsewhere(tmp_path)
    yield made
    made.copy.close()


def same(elsewhere: Elsewhere) -> None:
    """Hold that the copy is the database, table by table."""
    elsewhere.copy.finish()
    db = opening.open_for_reading(elsewhere.path)
    db.execute("PRAGMA query_only = OFF")
    expected = content(vacuumed(db, elsewhere.folder / "vacuumed"))
    db.close()
    assert expected == content(elsewhere.folder / "copy")


def test_what_is_acknowledged_the_copy_has(elsewhere: Elsewhere) -> None:
    writer = elsewhere.writer(fold_bytes=50_000)
    for _ in range(20):
        outcomes = writer.commit([add_task, tell, add_session]).outcomes
        assert all(isinstance(outcome, Done) for outcome in outcomes)
    run(writer, lambda tx: tx.db.execute("DELETE FROM texts WHERE rowid % 2"))
    writer.close()
    same(elsewhere)


def test_what_migrations_change_the_copy_has(elsewhere: Elsewhere) -> None:
    create_private_file(elsewhere.path)
    db = _connect_for_writing(elsewhere.path, 1.0)
    db.execute("PRAGMA journal_mode = WAL")
    *_, last = MIGRATIONS.pending(db)
    MIGRATIONS.apply(db, stop_before=last.name)
    assert 1 == len(MIGRATIONS.pending(db))
    sender = elsewhere.sender(db)
    writer = Writer(elsewhere.path, replica=sender)
    assert 1 == sender.commit
    run(writer, add_task)
    writer.close()
    same(elsewhere)


def test_a_start_whose_migrations_the_replica_has_not_is_refused(elsewhere: Elsewhere) -> None:
    sender = elsewhere.sender(open_wal(elsewhere.path))
    elsewhere.refuses = True
    with pytest.raises(NotReplicated):
        Writer(elsewhere.path, replica=sender)


def test_a_commit_that_the_replica_has_not_is_not_acknowledged_nor_any_later_one(
    elsewhere: Elsewhere,
) -> None:
    writer = elsewhere.writer()
    run(writer, add_task)
    elsewhere.refuses = True
    with pytest.raises(NotReplicated, match="another one leads"):
        run(writer, add_task)
    elsewhere.refuses = False
    with pytest.raises(NotReplicated, match="another one leads"):
        run(writer, add_task)
    writer.close()
    elsewhere.copy.finish()
    assert 1 == len(content(elsewhere.folder / "copy")["tasks"])


def test_the_log_is_flushed_while_the_commit_is_on_its_way(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = elsewhere.writer()
    run(writer, add_task)
    is_sent, is_flushed = threading.Event(), threading.Event()
    send, flush = elsewhere.send, page_sender.flush_log

    def slow_flush(log: Path) -> None:
        assert is_sent.wait(30)
        flush(log)
        is_flushed.set()

    def noted_send(piece: bytes) -> None:
        send(piece)
        assert not is_flushed.is_set()
        is_sent.set()

    monkeypatch.setattr(page_sender, "flush_log", slow_flush)
    monkeypatch.setattr(writer._replica, "_send", noted_send)
    run(writer, add_task)
    assert is_flushed.is_set()
    assert [(1,)] == writer._db.execute("PRAGMA synchronous").fetchall()  # type: ignore[union-attr]
    writer.close()


def test_a_commit_that_the_own_disk_does_not_flush_is_not_acknowledged_nor_any_later_one(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    writer = elsewhere.writer()
    run(writer, add_task)
    monkeypatch.setattr(page_sender, "flush_log", fail)
    with pytest.raises(NotReplicated, match="Input/output"):
        run(writer, add_task)
    monkeypatch.undo()
    with pytest.raises(NotReplicated, match="Input/output"):
        run(writer, add_task)
    writer.close()


def test_the_mark_is_never_ahead_of_the_life_that_it_tells_of(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = elsewhere.sender(open_database(elsewhere.path))
    found: list[int] = []
    begin = log_identity.begin_life

    def noted(db: Database, path: Path) -> str:
        found.extend(db.execute("PRAGMA synchronous").fetchone())
        return begin(db, path)

    monkeypatch.setattr(log_identity, "begin_life", noted)
    with DataFolderLock(elsewhere.folder) as lock:
        take_claim(elsewhere.path, lock, replica=sender)
    assert [2] == found  # SQLite flushes the life at once, as the mark is


def test_an_old_leader_tells_no_conflict_that_it_met_in_what_was_before(
    elsewhere: Elsewhere,
) -> None:
    clock = [0.0]
    lease = ReadLease(2.0, patience=0.0, clock=lambda: clock[0])
    lease.renew(0.0)
    writer = elsewhere.writer(lease=lease)
    assert isinstance(writer.commit([conflict]).outcomes[0], Failed)
    clock[0] = 2.0
    with pytest.raises(NotReplicated, match="may lead by now"):
        writer.commit([conflict])
    writer.close()


def conflict(_: Transaction) -> None:
    raise ValueError


def test_a_database_that_was_opened_again_is_replicated_no_more(elsewhere: Elsewhere) -> None:
    writer = elsewhere.writer()
    run(writer, add_task)
    assert writer._db is not None
    writer._db.close()
    writer._db = None
    with pytest.raises(NotReplicated, match="opened again"):
        run(writer, add_task)
    with pytest.raises(NotReplicated, match="opened again"):
        run(writer, add_task)
