"""The log's identity: the id by which a client knows that an event's id is of this log.

Every log counts its events from 1. Whoever resumes after a number must know that the same log goes
on. A copy that is put in the database's place has the id of the log that it was copied from, and
goes on otherwise. So a copy is found out, and its log gets an id of its own.

For that a small file lies beside the database, the *mark*. Each start begins a life, and puts its
random name into both. The mark also has the database's inode, and the last acknowledged event:

- A copy of an earlier life has another life's name than the mark.
- A copy of the same life has another inode; or it was written over the database.
- A folder that was copied whole has a mark that knows another inode.
- A database without its mark comes from elsewhere.

The same file of the same life that ends before the mark's last event is no copy. It lacks its log,
in which the newest events are, and is refused.

The mark also tells how the life before ended. A writer that has closed the file in order notes its
length and its time of change there: a file that is still so need not be read to its end before the
next life. After any other end the mark has the event after which the life began, so that what it
changed is known. Where a life has found the file to be damaged, that is appended to the mark at
once: it holds until a start has read the whole file.

The mark is flushed at a start. Its last event is not, so that a commit costs no second flush: after
a loss of power it may lie behind, and never ahead. What puts a whole file system back, inodes
included, such as a snapshot of a machine, is not found out, unless a client's last id is past the
end.
"""

import os
import secrets
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

import attrs
import msgspec
from sqlite_utils import Database

from command_center.store import events
from command_center.store.errors import AcknowledgedLost
from command_center.store.private_files import new_private_file, sync_folder

_DIGITS = 20
"""The width of the last event's id, so that it is written over in place."""

_DAMAGED = b"damaged\n"
"""The second line of a mark; any part of it says the same."""


class _Ended(msgspec.Struct, frozen=True, kw_only=True):
    """The database as a writer closed it."""

    size: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> Self:
        found = path.stat()
        return cls(size=found.st_size, changed_ns=found.st_mtime_ns)


class _Life(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of a mark that stays for a life; marks of older versions do not tell all of it."""

    life: str
    inode: int
    began_after: int | None = None
    ended: _Ended | None = None


@attrs.frozen
class FormerLife:
    """The life before, of a file that its mark knows.

    Attributes:
        is_closed: a writer closed the file in order, and it is still as it was then.
        began_after: the last event before that life; None where that is not known.
        is_damaged: that life has found the structure of the file to be damaged.
    """

    is_closed: bool
    began_after: int | None
    is_damaged: bool = False


@attrs.frozen
class _Mark:
    last_id: int
    life: _Life
    is_damaged: bool = False


class MarkWriter:
    """Keeps the mark up to what was acknowledged. It belongs to one thread.

    Where there is no mark, since no start has made one, it does nothing.
    """

    def __init__(self, database: Path) -> None:
        self._descriptor: int | None = None
        with suppress(OSError):
            self._descriptor = os.open(mark_of(database), os.O_WRONLY | _BINARY)

    def note(self, last_id: int) -> None:
        """Note the last event that is durable."""
        if self._descriptor is None:
            return
        # A mark that lies behind finds less, and harms nothing.
        with suppress(OSError):
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, b"%0*d" % (_DIGITS, last_id))

    def close(self) -> None:
        """Close the file. Closing twice does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def former_life(path: Path) -> FormerLife | None:
    """Return how the life before ended; None where the mark is not this file's, or cannot be read.

    To be asked before anything opens the database, as SQLite may change the file then.
    """
    try:
        mark, inode = _read(path), path.stat().st_ino
        if mark is None or mark.life.inode != inode:
            return None
        wal = path.resolve().with_name(f"{path.resolve().name}-wal")
        is_folded = not wal.exists() or not wal.stat().st_size
        is_closed = is_folded and mark.life.ended == _Ended.of(path)
        return FormerLife(is_closed, mark.life.began_after, mark.is_damaged)
    except OSError:
        return None


def note_end(path: Path, life: str) -> None:
    """Note that this life's writer has closed the file in order.

    Raises:
        OSError: the mark cannot be written.
    """
    mark = _read(path)
    if mark is not None and mark.life.life == life and not mark.is_damaged:
        ended = msgspec.structs.replace(mark.life, ended=_Ended.of(path))
        _write(path, attrs.evolve(mark, life=ended))


def note_damage(path: Path) -> None:
    """Note durably that the file is damaged. The mark stays the file that it is.

    Raises:
        OSError: the mark cannot be written.
    """
    with mark_of(path).open("r+b") as file:  # one that is not there is nobody's
        file.seek(0, os.SEEK_END)
        file.write(_DAMAGED)
        file.flush()
        os.fsync(file.fileno())


def begin_life(db: Database, path: Path) -> str:
    """Settle which log the database is, begin a life of it, and return the life's name.

    Raises:
        AcknowledgedLost: the database lacks events that were acknowledged.
        OSError: the mark cannot be read or written. The log is then what it was before.
    """
    known: str
    known, life, former = db.execute(
        "SELECT log_id, life, former_life FROM log_identity"
    ).fetchone()
    mark = _read(path)
    last_id = events.last_id(db)
    inode = path.stat().st_ino
    is_same = mark is not None and mark.life.life in {life, former} and mark.life.inode == inode
    if mark is not None and is_same and last_id < mark.last_id:
        raise AcknowledgedLost(path, mark_of(path), last_id, mark.last_id)
    if not is_same:
        known = secrets.token_hex(8)
    begun = _Life(life=secrets.token_hex(8), inode=inode, began_after=last_id)
    # Where a start is cut off between the two, the database knows the mark by its former life.
    former = mark.life.life if mark is not None and is_same else None
    db.execute(
        "UPDATE log_identity SET log_id = ?, life = ?, former_life = ?, starts = starts + 1",
        [known, begun.life, former],
    )
    _write(path, _Mark(last_id, begun))
    return begun.life


def is_own(database: Path) -> bool:
    """Tell whether a file is the one that its mark knows, with all that was acknowledged.

    One that cannot be read is taken for that by its inode alone. One that no life has begun with
    has no mark.

    Raises:
        OSError: the mark cannot be read.
    """
    mark, inode = _read(database), database.stat().st_ino
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as conn:
            life, former = conn.execute("SELECT life, former_life FROM log_identity").fetchone()
            last_id = events.last_id(Database(conn))
    except sqlite3.Error:
        return mark is not None and mark.life.inode == inode
    if mark is None:
        return life is None
    is_same = mark.life.life in {life, former} and mark.life.inode == inode
    return is_same and last_id >= mark.last_id


def is_marked(database: Path, file: Path) -> bool:
    """Tell whether the mark of a database is a file's that may have been moved elsewhere since.

    Raises:
        OSError: the mark cannot be read.
    """
    mark = _read(database)
    return mark is not None and file.exists() and mark.life.inode == file.stat().st_ino


def adopt(copy: Path, database: Path) -> None:
    """Take a file for the very log that it says to be: a copy that has followed it to its end.

    It gets its mark where it is about to be moved to. The next life of it then goes on with the
    log's id.

    Raises:
        sqlite3.Error: it cannot be read.
        OSError: the mark cannot be written.
    """
    with closing(
        sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    ) as conn:
        (life,) = conn.execute("SELECT life FROM log_identity").fetchone()
    if life is not None:  # one that has none yet is nobody's log
        _write(database, _Mark(0, _Life(life=life, inode=copy.stat().st_ino)))


def log_id(db: Database) -> str:
    """Return the log's id."""
    found: str = db.execute("SELECT log_id FROM log_identity").fetchone()[0]
    return found


def starts(db: Database) -> int:
    """Return how many lives this log has had, this one included; a copy goes on counting."""
    found: int = db.execute("SELECT starts FROM log_identity").fetchone()[0]
    return found


def prove_writing(db: Database) -> None:
    """Write something that means nothing, in a transaction: its commit shows that one can write."""
    db.execute("UPDATE log_identity SET proofs = proofs + 1")


def mark_of(database: Path) -> Path:
    """Return where the mark of a database is."""
    return database.with_name(f"{database.name}-mark")


def _read(database: Path) -> _Mark | None:
    try:
        line, _, damage = mark_of(database).read_bytes().partition(b"\n")
        last_id, _, life = line.partition(b" ")
        return _Mark(int(last_id), msgspec.json.decode(life, type=_Life), bool(damage))
    except (FileNotFoundError, ValueError, msgspec.MsgspecError):
        return None


def _write(database: Path, mark: _Mark) -> None:
    target = mark_of(database)
    partial = target.with_name(f"{target.name}.partial")
    text = b"%0*d %s\n" % (_DIGITS, mark.last_id, msgspec.json.encode(mark.life))
    with new_private_file(partial) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)
    sync_folder(target.parent)


_BINARY: int = getattr(os, "O_BINARY", 0)
"""Windows opens a file as text unless told otherwise."""
