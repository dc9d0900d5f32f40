"""Connections for reading, beside the one that writes.

In WAL mode readers and the writer never wait for each other. A reader sees what was committed
when its snapshot began.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from command_center.store.database.opening import open_for_reading
from command_center.store.database.sqlite_errors import (
    FAULTS,
    code_name,
    is_of_the_machine_to_read,
    words_of,
)
from command_center.store.errors import StoreClosed, StoreUnavailable


class Readers:
    """A pool of read-only connections, usable from any thread.

    There are as many connections as reads at one time; at most ``keep`` stay open between reads.
    The database must have been opened by ``open_database`` before the first read.

    Args:
        path: the database file.
        keep: connections kept for later reads.
        settle: called after each read, before anything of it is told, an error of it, too. It
            returns once what was read may be told, or raises StoreUnavailable.
    """

    def __init__(
        self, path: Path, *, keep: int = 8, settle: Callable[[], None] | None = None
    ) -> None:
        self._path = path
        self._settle = settle
        self._keep = keep
        self._idle: list[Database] = []
        self._closed = False
        self._lock = threading.Lock()

    @contextmanager
    def connection(self, *, is_new: bool = False) -> Iterator[Database]:
        """Lend a connection; all that is read through it is one consistent snapshot.

        A new one reads from the file what others may have in memory.

        It must not be kept, nor anything lazy made from it (such as an unread query), after the
        block: a snapshot that stays open keeps the log from being folded into the database.

        Raises:
            StoreClosed: the pool was closed before.
            StoreUnavailable: the machine does not let the file be read now, or what was read may
                not be told.
        """
        try:
            yield from self._lend(is_new=is_new)
        finally:
            self.settle()

    def settle(self) -> None:
        """Return once what this thread has read of the file until now may be told.

        Raises:
            StoreUnavailable: it may not be.
        """
        if self._settle is not None:
            self._settle()

    def _lend(self, *, is_new: bool) -> Iterator[Database]:
        try:
            db = self._take(is_new=is_new)
            try:
                db.conn.execute("BEGIN")
                try:
                    yield db
                finally:
                    db.conn.rollback()
            except BaseException:
                # Perhaps the connection is what failed: it is not lent again.
                db.close()
                raise
            self._give_back(db)
        except FAULTS as error:
            if is_of_the_machine_to_read(error):
                raise StoreUnavailable(words_of(error), code_name(error), act="read") from error
            raise

    def close(self) -> None:
        """Close the idle connections now, and each lent one when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    def _take(self, *, is_new: bool) -> Database:
        with self._lock:
            if self._closed:
                raise StoreClosed
            if self._idle and not is_new:
                return self._idle.pop()
        return open_for_reading(self._path)

    def _give_back(self, db: Database) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < self._keep:
                self._idle.append(db)
                return
        db.close()
