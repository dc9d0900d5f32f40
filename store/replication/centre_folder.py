"""The files of a centre: which cluster it is of, its copy, and the database while it leads.

While a centre leads, the database stands where that of a server alone does. A centre that starts,
or comes back, never goes on with it: it may have commits that nobody else has and nobody was told
of. It is set aside, and the centre begins again with what the cluster has.
"""

import os
from contextlib import closing
from pathlib import Path
from typing import Final

import attrs
import msgspec

from command_center.store import log_identity
from command_center.store.database.opening import open_database, open_for_reading
from command_center.store.membership import MEMBERSHIP
from command_center.store.private_files import new_private_file, sync_folder
from command_center.store.replication.base import write_base
from command_center.store.replication.database_copy import remove_copy
from command_center.store.replication.errors import DamagedMembership, ReplacedDatabase

ASIDE: Final = "former-leader"
"""The folder of the last database with which this centre led."""

_BESIDE: Final = ("-wal", "-shm", "-mark")


class _Joined(msgspec.Struct, frozen=True):
    """The cluster that a folder is of; not certain while it is being begun.

    Attributes:
        cluster: the id of the cluster.
        is_certain: the cluster has been begun.
    """

    cluster: str
    is_certain: bool = True


@attrs.frozen
class CentreFolder:
    """A data folder of a centre, whose lock is held.

    Attributes:
        data_dir: the folder.
        database: where the database is while the centre leads.
    """

    data_dir: Path
    database: Path

    @property
    def copy(self) -> Path:
        """Return where the copy is while the centre follows."""
        return self.data_dir / "standby" / "copy.sqlite3"

    @property
    def _joined(self) -> Path:
        return self.data_dir / MEMBERSHIP

    @property
    def _aside(self) -> Path:
        return self.data_dir / ASIDE

    def cluster(self) -> str | None:
        """Return the id of the cluster that the folder is of; None if of none for certain."""
        joined = self._read()
        return joined.cluster if joined is not None and joined.is_certain else None

    def may_have_begun(self) -> str | None:
        """Return the id of a cluster that this centre was about to begin when it was cut short."""
        joined = self._read()
        return None if joined is None or joined.is_certain else joined.cluster

    def join(self, cluster: str, *, is_certain: bool = True) -> None:
        """Note durably which cluster the folder is of."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (
            self.copy.parent,
            self._aside,
        ):  # a run hides folders that are there before it
            folder.mkdir(mode=0o700, exist_ok=True)
        self._write(_Joined(cluster, is_certain))

    def leave(self) -> None:
        """Forget which cluster the folder is of."""
        self._joined.unlink(missing_ok=True)

    def set_aside(self) -> None:
        """Move the database with which this centre led out of the way; the one before is removed.

        Raises:
            ReplacedDatabase: it is not that one, but was put there.
        """
        if self.database.exists() and not log_identity.is_own(self.database):
            raise ReplacedDatabase(self.database)
        self.move_database()

    def move_database(self) -> None:
        """Move the database, whatever it is, to ``ASIDE``; what was there before is removed.

        A move that was cut short is done to its end. So nothing stands where the next database
        comes: SQLite would take the log of another one for its own.
        """
        aside = self._aside
        moved = aside / self.database.name
        is_its = log_identity.is_marked(self.database, moved)  # the mark goes last
        if self.database.exists():
            is_its = True
            aside.mkdir(mode=0o700, exist_ok=True)
            for file in aside.iterdir():
                file.unlink()
            self.database.replace(moved)
            sync_folder(self.data_dir)
        for ending in _BESIDE:
            file = self.database.with_name(f"{self.database.name}{ending}")
            if file.exists():
                aside.mkdir(mode=0o700, exist_ok=True)
                file.replace(aside / (file.name if is_its else f"unknown{ending}"))
        sync_folder(self.data_dir)

    def promote(self) -> None:
        """Put the copy, which is whole and closed, in the database's place."""
        log_identity.adopt(self.copy, self.database)
        self.copy.replace(self.database)
        sync_folder(self.data_dir)
        sync_folder(self.copy.parent)

    def begin_base(self) -> int:
        """Write the database with which a cluster begins to the copy's place.

        It is this folder's, migrated where it is of an older schema; else a new one. Return the
        bytes of its pages.

        Raises:
            Exception: what ``open_database`` and ``write_base`` raise.
        """
        source, fresh = self.database, self.copy.with_name("new.sqlite3")
        if not source.exists():
            remove_copy(fresh)
            source = fresh
        open_database(source).close()
        self.remove_copy()
        with closing(open_for_reading(source)) as db:
            page_size = write_base(db, self.copy)
        remove_copy(fresh)
        return page_size

    def remove_copy(self) -> None:
        """Remove the copy, if there is one, with all beside it."""
        if self.copy.parent.is_dir():
            remove_copy(self.copy)

    def has_database(self) -> bool:
        """Tell whether there is a database, where that of a leader is."""
        return self.database.exists()

    def _write(self, joined: _Joined) -> None:
        new = self._joined.with_suffix(".new")
        with new_private_file(new) as file:
            file.write(msgspec.json.encode(joined))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._joined)
        sync_folder(self.data_dir)

    def _read(self) -> _Joined | None:
        try:
            return msgspec.json.decode(self._joined.read_bytes(), type=_Joined)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise DamagedMembership(self._joined) from error
