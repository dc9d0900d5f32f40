"""Leadership: the database of a leader, and the way by which each commit is replicated."""

from contextlib import closing
from pathlib import Path

import attrs
import trio
from sqlite_utils import Database

from command_center.actors.cluster.stream_log import StreamLog, from_thread
from command_center.store import NotReplicated, Replica
from command_center.store.replication.base import write_base
from command_center.store.replication.encryption import OVERHEAD, PieceCipher
from command_center.store.replication.page_sender import PageSender

_HEADERS = 1024
"""Bytes that a message needs beside the piece."""

_LIVES = 2
"""Connections that write, one after the other: the one of the start, and the writer's."""


@attrs.frozen
class BasePlace:
    """The place of a base: the sequence and the commit that it has, and the bytes of its pages."""

    sequence: int
    commit: int
    page_size: int


class Leadership:
    """The database of a leader, and the replica of its writer.

    Args:
        database: where it is; nobody has opened it yet.
        log: publishes what the writer commits.
        cipher: closes it.
        commit: the last commit that the others have.
        max_payload: bytes of the longest message.
        epoch: the number of this leadership.
    """

    def __init__(
        self,
        database: Path,
        log: StreamLog,
        cipher: PieceCipher,
        *,
        commit: int,
        max_payload: int,
        epoch: int,
    ) -> None:
        self.database = database
        self.log = log
        self.epoch = epoch
        self._limit = max_payload - OVERHEAD - _HEADERS
        self._cipher = cipher
        self._token = trio.lowlevel.current_trio_token()
        self._commit = commit
        self._senders: list[PageSender] = []

    @property
    def commit(self) -> int:
        """Return the last commit that the others have."""
        return self._senders[-1].commit if self._senders else self._commit

    async def write_base(self, target: Path) -> BasePlace:
        """Write the database as it is after a commit to a new file; tell which commit that was.

        It waits for the next commit, which comes with the renewal of the claim at the latest.

        Raises:
            as ``write_base`` of the store.
        """
        found: list[tuple[int, int, Database]] = []
        is_there = trio.Event()

        def take(commit: int, db: Database) -> None:
            # Pieces are sent by this thread alone: none is after what the log has now.
            found.append((commit, self.log.last, db))
            self._token.run_sync_soon(is_there.set)

        self._senders[-1].base_wanted(take)
        await is_there.wait()
        ((commit, sequence, db),) = found
        page_size = await trio.to_thread.run_sync(_write_base, db, target)
        return BasePlace(sequence, commit, page_size)

    @property
    def is_writing(self) -> bool:
        """Tell whether the writer is there."""
        return len(self._senders) == _LIVES

    def replica(self) -> Replica:
        """Return the replica of the next connection that writes.

        Raises:
            NotReplicated: the writer was there before. Whatever ended it, nobody knows if all that
                is in the database was sent: the centre has to begin again with what others have.
        """
        if len(self._senders) >= _LIVES:
            raise NotReplicated("the writer was started again")
        sender = PageSender(
            self.database,
            from_thread(self.log, self._token),
            commit=self.commit,
            limit=self._limit,
            close=self._cipher.seal,
            lease=self.log.lease,
        )
        self._senders.append(sender)
        return sender


def _write_base(db: Database, target: Path) -> int:
    with closing(db):
        return write_base(db, target)
