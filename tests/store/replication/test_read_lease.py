"""Reads wait until what they saw was sent, and are refused where another centre may lead."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from command_center.store import Readers, StoreUnavailable, Transaction, Writer, tasks
from command_center.store.database.opening import open_database
from command_center.store.replication.page_sender import PageSender
from command_center.store.replication.read_lease import ReadLease
from tests.store.units import add_task


@attrs.define
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lease(clock: Clock) -> ReadLease:
    """One that lasts three seconds, and is patient for a moment alone."""
    made = ReadLease(3.0, patience=0.01, clock=clock)
    made.renew(clock.now)
    return made


def test_a_read_waits_for_the_commit_that_it_may_have_seen(lease: ReadLease) -> None:
    lease.committing()
    with pytest.raises(StoreUnavailable):
        lease.settle()
    lease.committed()
    lease.settle()


def test_a_read_is_refused_when_nothing_was_stored_for_so_long(
    lease: ReadLease, clock: Clock
) -> None:
    clock.now += 2.9
    lease.settle()
    clock.now += 0.2  # as a machine that was frozen
    with pytest.raises(StoreUnavailable, match="one of them may lead by now"):
        lease.settle()
    lease.renew(clock.now - 1)
    lease.settle()


def test_a_lease_that_has_ended_is_not_renewed(lease: ReadLease, clock: Clock) -> None:
    lease.end()
    lease.renew(clock.now)
    with pytest.raises(StoreUnavailable):
        lease.settle()


@attrs.define
class Gate:
    """The others, who take a commit once they are let."""

    arrived: threading.Event = attrs.field(factory=threading.Event)
    let: threading.Event = attrs.field(factory=threading.Event)

    def send(self, _piece: bytes) -> None:
        self.arrived.set()
        assert self.let.wait(30)


def counted(readers: Readers) -> int:
    with readers.connection() as db:
        return tasks.count(db, {})


@pytest.fixture
def writing() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_what_was_read_is_told_once_the_others_have_it(
    tmp_path: Path, clock: Clock, writing: ThreadPoolExecutor
) -> None:
    path, gate = tmp_path / "db", Gate()
    open_database(path).close()
    lease = ReadLease(3.0, patience=30, clock=clock)
    lease.renew(clock.now)
    sender = PageSender(path, gate.send, commit=0, limit=100_000, lease=lease)
    writer = writing.submit(lambda: Writer(path, is_checked=True, replica=sender)).result(30)
    readers = Readers(path, settle=lease.settle)
    assert 0 == counted(readers)
    kept = writing.submit(writer.commit, [add_task])
    assert gate.arrived.wait(30)  # it can be read by now
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(counted, readers)
        with pytest.raises(TimeoutError):
            reading.result(0.2)
        gate.let.set()
        assert 1 == reading.result(30)
    kept.result(30)
    writing.submit(writer.close).result(30)
    readers.close()


def test_a_commit_that_came_to_nothing_holds_nobody_back(tmp_path: Path, lease: ReadLease) -> None:
    path = tmp_path / "db"
    open_database(path).close()
    readers = Readers(path, settle=lease.settle)
    sender = PageSender(path, lambda _: None, commit=0, limit=100_000, lease=lease)
    writer = Writer(path, is_checked=True, replica=sender)

    def forget(tx: Transaction) -> None:
        # A reference that is checked with the commit, and fails it.
        tx.db.execute("PRAGMA defer_foreign_keys = ON")
        tx.db.execute("UPDATE tasks SET repository_id = 99")

    writer.commit([add_task])
    (outcome,) = writer.commit([forget]).outcomes
    assert "FOREIGN KEY" in repr(outcome)
    assert 1 == counted(readers)
    writer.close()
    readers.close()
