"""The one writer: units of work, committed together.

Each commit costs a flush to the disk, and the flush is what writing waits for. So units that
arrive while one flush is under way are committed by the next one, together (group commit). A
unit must not suffer from its company: each runs in a savepoint of its own, and one that raises
is undone alone.

What follows from that, and is relied on elsewhere:

- A unit's outcome is known only when the batch is durable. Before that nobody is answered, and
  no event is published.
- A commit whose flush fails may have been written all the same: SQLite undoes it in memory, and the
  log on the disk still has it, for whoever opens the file after a crash. And the system may take
  what it could not flush for flushed, so that the next flush succeeds without it. So nothing is
  acknowledged before the log was folded into the database, begun anew, and written and flushed once
  more (``_settle``). Where that succeeds at once, the batch is known not to be kept; else its
  outcome is not known, and that is what is told.
- Units see the effects of those before them in the batch. If the commit fails they all fail, the
  ones that had raised by themselves too: what they had seen never came to be.
- A write that an index of words refuses, as it is damaged or what it was made of was, fails once:
  the next batch makes the indexes anew before it begins.
- Event ids are counted in the transaction, so an undone unit gives its ids back and the ids of
  durable events have no gaps.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import attrs
from sqlite_utils import Database

from command_center.store import events, log_identity
from command_center.store.database.opening import open_database, reopen_database
from command_center.store.database.sqlite_errors import (
    FAULTS,
    code_name,
    is_of_the_machine,
    may_have_been_kept,
    words_of,
)
from command_center.store.database.word_indexes import (
    WORD_INDEXES,
    is_of_an_index,
    make_index_anew,
)
from command_center.store.errors import (
    StoreClosed,
    StoreUnavailable,
    StoreUnconfirmed,
    WrongThread,
)
from command_center.store.events import StoredEvent
from command_center.store.log_identity import MarkWriter
from command_center.store.ownership.claim import DatabaseClaim
from command_center.store.replica import Replica
from command_center.store.transaction import Transaction

T_co = TypeVar("T_co", covariant=True)


Unit: TypeAlias = Callable[[Transaction], T_co]
"""A piece of work that is done whole or not at all. It must not wait for anything."""


@attrs.frozen
class Done(Generic[T_co]):
    """The unit's effects and events are durable; ``value`` is what it returned."""

    value: T_co


@attrs.frozen
class Failed:
    """Nothing of the unit was kept.

    ``error`` is what the unit raised; or, for every unit of a batch that the machine could not
    write, a StoreUnavailable; or a StoreUnconfirmed, and then something of it may have been kept.
    """

    error: Exception


Outcome: TypeAlias = Done[T_co] | Failed


@attrs.frozen
class CommitResult:
    """The result of a batch: an outcome for each unit, in their order, and the new events."""

    outcomes: tuple[Outcome[Any], ...]
    events: tuple[StoredEvent, ...] = ()


class Writer:
    """The only connection that writes. It belongs to the thread that made it, ``close`` too.

    Args:
        path: the database file; opened, checked and migrated by ``open_database``, which see
            for what can be raised; and NotReplicated, for what migrations changed.
        is_checked: this process has opened the file with ``open_database`` before, so that it
            need not be checked again.
        claim: this process's authority, checked with each commit and renewed; None for a program
            that writes to a database of its own.
        replica: whoever must have each commit, too, before it is acknowledged.
        secrets: texts that must never be stored, such as this installation's own tokens.
        busy_timeout: seconds to wait for another process that holds the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        is_checked: bool = False,
        claim: DatabaseClaim | None = None,
        replica: Replica | None = None,
        secrets: Iterable[str] = (),
        busy_timeout: float = 5.0,
    ) -> None:
        self._path = path
        self._claim = claim
        self._replica = replica
        self._secrets = tuple(secrets)
        self._busy_timeout = busy_timeout
        self._thread = threading.get_ident()
        self._closed = False
        self._in_unit = False
        self._is_in_doubt = False
        self._is_index_damaged = False
        self._db: Database | None = None
        if is_checked:
            self._adopt(self._reopened())
        else:
            opened: Callable[[Database], object] = bool if replica is None else replica.opened
            self._adopt(open_database(path, busy_timeout=busy_timeout, before_migrations=opened))
        if replica is not None:
            self._replicate_migrations(replica)
        self._mark = MarkWriter(path)

    def commit(self, units: Sequence[Unit[Any]]) -> CommitResult:
        """Run the units in their order and make them durable together.

        On return, what the outcomes call done has been flushed to the disk, and survives a
        crash of the process and of the machine. If the machine cannot write, every outcome is a
        StoreUnavailable, there are no events, and the writer can be used again. Nothing of the
        batch is kept then, unless the outcomes are StoreUnconfirmed.

        An exception that is no ``Exception``, such as KeyboardInterrupt, undoes the whole batch
        and is raised.

        Raises:
            StoreClosed: the writer was closed before.
            WrongThread: another thread made the writer.
            ClaimLost: the database is no longer this process's, or its files are no longer in
                their places. Nothing of the batch may be acknowledged.
            NotReplicated: the replica may not have the batch. Nothing may be acknowledged
                any more.
        """
        self._check_usable()
        if not units:
            return CommitResult(())
        try:
            return self._commit(units)
        except _BatchLost as lost:
            error = self._refusal_of(lost)
            return CommitResult(tuple(Failed(error) for _ in units))
        except BaseException:
            self._abandon()
            raise

    def renew(self) -> None:
        """Renew the claim, and find out whether it still holds, though nothing is to be written.

        Raises:
            as ``commit``.
        """
        self._check_usable()
        if self._claim is None:
            return
        try:
            self._commit(())
        except _BatchLost as lost:
            self._refusal_of(lost)
        except BaseException:
            self._abandon()
            raise

    def close(self) -> None:
        """Fold the log into the database file and close it. Closing twice does nothing.

        Raises:
            WrongThread: another thread made the writer.
        """
        if threading.get_ident() != self._thread:
            raise WrongThread
        if self._closed:
            return
        self._closed = True
        self._mark.close()
        db, self._db = self._db, None
        if db is None:
            return
        is_folded = False
        try:
            # No ANALYZE here: what is counted in a young database misleads its queries later.
            (is_busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            is_folded = not is_busy and self._claim is not None and self._claim.is_whole(db)
        except FAULTS:
            # All is durable in the log; the next start folds it in.
            pass
        finally:
            db.close()
            if self._claim is not None:
                self._claim.closed()
        if self._claim is not None and is_folded and not self._is_in_doubt:
            self._claim.note_end()

    def _check_usable(self) -> None:
        if threading.get_ident() != self._thread:
            raise WrongThread
        if self._closed:
            raise StoreClosed

    def _commit(self, units: Sequence[Unit[Any]]) -> CommitResult:
        outcomes: list[Outcome[Any]] = []
        new: list[StoredEvent] = []
        with _losing_the_batch:
            db = self._begin()
            if self._claim is not None:
                self._claim.check_holder(db)
                if self._claim.is_due:
                    self._claim.renew(db)
            last_event_id = events.last_id(db)
        for unit in units:
            outcome, emitted = self._run(db, unit, last_event_id)
            outcomes.append(outcome)
            new.extend(emitted)
            if emitted:
                last_event_id = emitted[-1].id
        self._make_durable(db)
        if new:
            self._mark.note(last_event_id)
        return CommitResult(tuple(outcomes), tuple(new))

    def _make_durable(self, db: Database) -> None:
        """Commit, and return once the replica has it, too."""
        if self._replica is not None:
            self._replica.committing()
        try:
            db.conn.commit()
        except FAULTS as error:
            if self._replica is not None:
                self._replica.withdrawn()
            raise _BatchLost(error, is_in_doubt=may_have_been_kept(error)) from error
        if self._claim is not None:
            self._claim.check_files()
        if self._replica is not None:
            self._replica.committed()

    def _begin(self) -> Database:
        db = self._db
        if db is None:
            db = self._adopt(self._reopened())
        if self._is_in_doubt:
            self._settle(db)
        db.conn.execute("BEGIN IMMEDIATE")
        if self._is_index_damaged:
            self._make_indexes_anew(db)
        return db

    def _make_indexes_anew(self, db: Database) -> None:
        """Make the indexes of words anew, since a write found one damaged; nothing else is lost."""
        for name in WORD_INDEXES:
            make_index_anew(db, name)
        db.conn.commit()
        self._is_index_damaged = False
        db.conn.execute("BEGIN IMMEDIATE")

    def _settle(self, db: Database) -> None:
        """Begin the log anew, and flush a write to it: no later commit rests on what was there."""
        (is_busy, *_) = db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:
            raise sqlite3.OperationalError("a reader holds the log that is to be begun anew")
        db.conn.execute("BEGIN IMMEDIATE")
        log_identity.prove_writing(db)
        db.conn.commit()
        self._is_in_doubt = False

    def _refusal_of(self, lost: "_BatchLost") -> StoreUnavailable:
        """Undo the batch, and return what its units are told of it."""
        self._abandon()
        self._is_index_damaged |= is_of_an_index(lost.cause)
        if not lost.is_in_doubt:
            return lost.as_error(StoreUnavailable)
        self._is_in_doubt = True
        if self._db is None:  # who opens the file again may find the batch there
            return lost.as_error(StoreUnconfirmed)
        try:
            self._settle(self._db)
        except FAULTS:
            self._abandon()
            return lost.as_error(StoreUnconfirmed)
        return lost.as_error(StoreUnavailable)

    def _run(
        self, db: Database, unit: Unit[Any], last_event_id: int
    ) -> tuple[Outcome[Any], list[StoredEvent]]:
        tx = Transaction(db, last_event_id, self._secrets)
        with _losing_the_batch:
            db.conn.execute("SAVEPOINT unit")
        self._in_unit = True
        try:
            value = unit(tx)
        except Exception as error:  # whatever it is, it is the unit's outcome
            tx.end()
            if not db.conn.in_transaction or is_of_the_machine(error):
                # SQLite has undone the whole transaction by itself, or might as well have.
                raise _BatchLost(error) from error
            with _losing_the_batch:
                db.conn.execute("ROLLBACK TO unit")
                db.conn.execute("RELEASE unit")
            return Failed(error), []
        finally:
            self._in_unit = False
        emitted = tx.end()
        with _losing_the_batch:
            db.conn.execute("RELEASE unit")
        return Done(value), emitted

    def _adopt(self, db: Database) -> Database:
        db.conn.set_authorizer(self._authorize)
        self._db = db
        if self._claim is not None:
            self._claim.opened()
        return db

    def _reopened(self) -> Database:
        db = reopen_database(self._path, busy_timeout=self._busy_timeout)
        if self._replica is not None:
            try:
                self._replica.opened(db)
            except BaseException:
                db.close()
                raise
        return db

    def _replicate_migrations(self, replica: Replica) -> None:
        try:
            replica.committed()
        except BaseException:
            if self._db is not None:
                self._db.close()
            raise

    def _authorize(self, action: int, *_: str | None) -> int:
        """Keep a unit from ending the transaction, which is its neighbours' as well.

        SQLite asks when it compiles a statement. The writer's own COMMIT and ROLLBACK are
        compiled anew each time, outside of units, and so never lie ready in the cache.
        """
        if action == sqlite3.SQLITE_TRANSACTION and self._in_unit:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    def _abandon(self) -> None:
        """Undo the batch; if even that fails, start the next one on a new connection."""
        db = self._db
        if db is None:
            return
        try:
            db.conn.rollback()
        except FAULTS:
            self._db = None
            db.close()


class _BatchLost(Exception):
    """The machine could not write; every unit of the batch is to hear of it."""

    def __init__(self, cause: BaseException, *, is_in_doubt: bool = False) -> None:
        super().__init__(words_of(cause))
        self.cause = cause
        self.is_in_doubt = is_in_doubt

    def as_error(self, kind: type[StoreUnavailable]) -> StoreUnavailable:
        error = kind(str(self), code_name(self.cause))
        error.__cause__ = self.cause
        return error


class _LosingTheBatch:
    """End the batch with whatever SQLite raises within.

    A class, for it is entered twice for each unit, and a generator costs three times as much.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        if isinstance(error, FAULTS):
            raise _BatchLost(error) from error


_losing_the_batch = _LosingTheBatch()
