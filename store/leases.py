"""Leases of runs in clones of a pool: which host may work on a run, by a number that only grows.

A lease is `held` until its session has ended (`over`), or its host was not heard of for too long
(`lost`). One that is lost is `reassigned` once another session has its run, or `given_up` where
none may. It is settled when its host is known to have nothing more of it that nobody was told of.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from sqlite_utils import Database

from command_center.store.records import Session
from command_center.store.tables import sessions
from command_center.store.transaction import Transaction

LeaseStatus = Literal["held", "over", "lost", "reassigned", "given_up"]


_TAKE: Final = """
INSERT INTO leases (number, session_id, host, created_at) VALUES (
    max(
        coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'leases'), 0) + 1,
        CAST(strftime('%s', ?) AS INTEGER)
    ), ?, ?, ?
)
"""


class RunLease(NamedTuple):
    """A lease, and the session that has it."""

    number: int
    session: Session
    host: str
    status: LeaseStatus


def note_clone(tx: Transaction, repository_id: int, remote: str) -> None:
    """Note that a repository is a clone of a pool, and no checkout of a person's."""
    tx.db.execute(
        "INSERT OR REPLACE INTO pool_clones (repository_id, remote) VALUES (?, ?)",
        [repository_id, remote],
    )


def is_clone(db: Database, repository_id: int) -> bool:
    """Say whether a repository is a clone of a pool."""
    sql = "SELECT 1 FROM pool_clones WHERE repository_id = ?"
    return db.execute(sql, [repository_id]).fetchone() is not None


def remote_of(db: Database, repository_id: int) -> str | None:
    """Return the remote of which a repository is a pool's clone; None for one that is none."""
    sql = "SELECT remote FROM pool_clones WHERE repository_id = ?"
    row = db.execute(sql, [repository_id]).fetchone()
    return None if row is None else str(row[0])


def take(tx: Transaction, session: Session) -> int:
    """Give a session a lease in the place of the one that it has; return the number.

    It is no lower than the seconds since 1970. So a database that was restored from a backup gives
    no number again that a host has ended since: the host would never hold it.
    """
    tx.db.execute("DELETE FROM leases WHERE session_id = ? AND status = 'held'", [session.id])
    done = tx.db.execute(_TAKE, [tx.now, session.id, session.host, tx.now])
    return int(done.lastrowid or 0)


def of_session(db: Database, session_id: int) -> RunLease | None:
    """Return the lease of a session; None for one that needs none."""
    return next(iter(_found(db, "session_id = ?", session_id)), None)


def is_lost(db: Database, session_id: int) -> bool:
    """Say whether the lease of a session was lost, so that what follows it is decided by that."""
    lease = of_session(db, session_id)
    return lease is not None and lease.status == "lost"


def of_host(db: Database, host: str) -> list[RunLease]:
    """Return the leases of a host that something is to be done about, the oldest first."""
    return _found(db, "host = ? AND (status IN ('held', 'lost') OR is_settled = 0)", host)


def of_repository(db: Database, repository_id: int) -> list[RunLease]:
    """Return the leases of a repository's runs that something is to be done about."""
    sql = (
        "session_id IN (SELECT id FROM sessions WHERE repository_id = ?) "
        "AND (status = 'lost' OR (status <> 'held' AND is_settled = 0))"
    )
    return _found(db, sql, repository_id)


def set_status(tx: Transaction, number: int, status: LeaseStatus) -> None:
    """Keep what has become of a lease; one that is over by itself is settled."""
    tx.db.execute(
        "UPDATE leases SET status = ?, is_settled = max(is_settled, ? = 'over') WHERE number = ?",
        [status, status, number],
    )


def settle(tx: Transaction, number: int) -> None:
    """Note that nobody needs to ask its host for it any more."""
    tx.db.execute("UPDATE leases SET is_settled = 1 WHERE number = ?", [number])


def _found(db: Database, condition: str, value: int | str) -> list[RunLease]:
    sql = f"SELECT number, session_id, host, status FROM leases WHERE {condition} ORDER BY number"  # noqa: S608 - constants
    rows = db.execute(sql, [value]).fetchall()
    known = {one.id: one for one in sessions.every(db, {"id": [row[1] for row in rows]})}
    return [
        RunLease(number, known[session_id], host, status)
        for number, session_id, host, status in rows
        if session_id in known
    ]
