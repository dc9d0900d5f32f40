"""Errors of the store: a leaf class for each fault, its facts as attributes."""

from pathlib import Path


class RecordNotFound(LookupError):
    """No record of this kind has this id."""

    def __init__(self, kind: str, id: int) -> None:  # noqa: A002 - the record's own word for it
        super().__init__(f"{kind} {id} not found.")
        self.kind = kind
        self.id = id


class DamagedRecord(Exception):
    """A stored record is not as it was written: the disk has changed it, or another program has."""

    def __init__(self, kind: str, id: int) -> None:  # noqa: A002 - the record's own word for it
        super().__init__(
            f"{kind} {id} is damaged: what the database has is not what was written. "
            "Put a copy of the database back."
        )
        self.kind = kind
        self.id = id


class InvalidCursor(ValueError):
    """The cursor was not made by this list, or was changed on its way."""

    def __init__(self, cursor: str) -> None:
        super().__init__("The cursor is not one that this list gave out.")
        self.cursor = cursor


class InvalidRecord(ValueError):
    """The fields given do not make a record of this kind."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason


class ConstraintViolated(Exception):
    """The database refused the row: a unique value is taken, or what it refers to is absent."""

    def __init__(self, kind: str, constraint: str) -> None:
        super().__init__(f"{kind}: {constraint}")
        self.kind = kind
        self.constraint = constraint


class TransactionEnded(Exception):
    """A transaction was used after its unit had returned."""

    def __init__(self) -> None:
        super().__init__("The transaction has ended: a unit may not keep it.")


class StoreUnavailable(Exception):
    """The machine did not let the database be written or read (disk full, locked, I/O error).

    Nothing of a write was kept and none of its events exist, unless it is a StoreUnconfirmed. The
    same may be tried again.

    Attributes:
        reason: SQLite's words.
        code: SQLite's name of the fault, such as ``SQLITE_FULL``; None where it gave none.
    """

    def __init__(self, reason: str, code: str | None = None, *, act: str = "write") -> None:
        super().__init__(self.told(act, reason))
        self.reason = reason
        self.code = code

    def told(self, act: str, reason: str) -> str:
        """Return the sentence that tells of it."""
        return f"The store cannot {act} now: {reason}."


class StoreUnconfirmed(StoreUnavailable):
    """The machine failed in the middle of a commit: whether it was kept is not known now.

    It is settled before anything else is acknowledged.
    """

    def told(self, act: str, reason: str) -> str:
        """Return the sentence that tells of it."""
        return (
            f"The store failed in the middle of a {act}: {reason}. It is not known whether it was "
            "kept: look before you send it again."
        )


class StoreClosed(Exception):
    """The writer or the readers were used after they had been closed."""

    def __init__(self) -> None:
        super().__init__("The store is closed.")


class WrongThread(Exception):
    """The writer was used on another thread than the one that made it."""

    def __init__(self) -> None:
        super().__init__("The writer belongs to the thread that made it.")


class CannotOpenDatabase(Exception):
    """The database file cannot be opened: rights are missing, or it is no file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"The database {path} cannot be opened: {reason}.")
        self.path = path
        self.reason = reason


class CorruptDatabase(Exception):
    """The file is damaged, or is no SQLite database. It was left as it is."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The database {path} is damaged or is no SQLite file ({reason}). It was not changed. "
            "Move it away to start afresh, or put a copy from the backups folder in its place."
        )
        self.path = path
        self.reason = reason


class AcknowledgedLost(Exception):
    """The database ends before events that were acknowledged: a file of it is missing.

    Attributes:
        last_id: the last event that is there.
        acknowledged: the last event that was acknowledged.
    """

    def __init__(self, path: Path, mark: Path, last_id: int, acknowledged: int) -> None:
        super().__init__(
            f"The database {path} ends at event {last_id}, though event {acknowledged} was "
            f"acknowledged: the file {path.name}-wal is missing, or is an older one. Put it back. "
            f"To go on without those events, remove {mark}."
        )
        self.path = path
        self.last_id = last_id
        self.acknowledged = acknowledged


class ForeignDatabase(Exception):
    """The file is a SQLite database of another program. It was left as it is."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The database {path} holds another program's tables. It was not changed. "
            "Choose another data folder."
        )
        self.path = path


class NewerSchema(Exception):
    """A newer version of the program has written this database. It was left as it is."""

    def __init__(self, path: Path, unknown: tuple[str, ...]) -> None:
        super().__init__(
            f"The database {path} was written by a newer Command Center (it has "
            f"{', '.join(unknown)}, which this version does not know). It was not touched: "
            "install the newer version, or put the copy that it made from the backups folder "
            "in its place."
        )
        self.path = path
        self.unknown = unknown


class MigrationFailed(Exception):
    """A migration raised; it was rolled back, and the copy made before the batch is named.

    Attributes:
        migration: the name of the one that failed. Those before it in the batch stay applied.
        backup: the copy from before the batch; None where the database was new.
    """

    def __init__(self, path: Path, migration: str, backup: Path | None, reason: str) -> None:
        kept = f" A copy from before is {backup}." if backup else ""
        super().__init__(
            f"The database {path} could not be migrated ({migration}: {reason}).{kept}"
        )
        self.path = path
        self.migration = migration
        self.backup = backup
        self.reason = reason


class SqliteTooOld(Exception):
    """This Python carries a SQLite that lacks what the schema needs."""

    def __init__(self, found: str, needed: str) -> None:
        super().__init__(f"SQLite {needed} or newer is needed; this Python carries {found}.")
        self.found = found
        self.needed = needed


class DataFolderInUse(Exception):
    """Another process is the authority over this data folder.

    Attributes:
        pid: the process id that the holder wrote down; None where it could not be read.
    """

    def __init__(self, folder: Path, pid: int | None) -> None:
        who = f"process {pid}" if pid is not None else "another process"
        super().__init__(
            f"The data folder {folder} is in use by {who}. "
            "Stop that Command Center, or choose another data folder."
        )
        self.folder = folder
        self.pid = pid


class DatabaseClaimed(Exception):
    """Another process has the database, under whatever name.

    Attributes:
        holder: the process that has claimed it, in words; None where the file does not say.
    """

    def __init__(self, path: Path, holder: str | None) -> None:
        super().__init__(
            f"The database {path} is in use by {holder or 'another program'}: one Command Center "
            "at a time. Stop that one, or choose another data folder."
        )
        self.path = path
        self.holder = holder


class NoRoomToCompact(Exception):
    """The disk has no room for the copy that a shorter database is made of.

    Attributes:
        folder: where the room is needed.
        needed: bytes.
        free: bytes.
    """

    def __init__(self, folder: Path, needed: int, free: int) -> None:
        super().__init__(
            f"{folder} needs {needed / 1e9:.1f} GB of room for a while, and has {free / 1e9:.1f}. "
            "Make room, then do it again. Nothing was changed."
        )
        self.folder = folder
        self.needed = needed
        self.free = free


class ClaimLost(Exception):
    """This process is no longer the one whose database it is, or nobody would find what it writes.

    Nothing is acknowledged any more.

    Attributes:
        reason: what was found, as a sentence without its stop.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"This server no longer has its database {path}: {reason}. It has stopped at once; "
            "what it could not keep, it has acknowledged to nobody. Put the files back, or see "
            "that only one Command Center uses them, and start it again."
        )
        self.path = path
        self.reason = reason


class DataFolderUnusable(Exception):
    """The data folder cannot be made, written or locked."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"The data folder {folder} cannot be used: {reason}.")
        self.folder = folder
        self.reason = reason


class NotReplicated(Exception):
    """A commit is on this disk and not elsewhere, or nobody knows. It may not be acknowledged.

    This process may commit nothing more, as another one may have taken over. It has to end, and to
    begin again with what the others have.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"A commit could not be replicated: {reason}.")
        self.reason = reason
