"""The deadlines of pending approvals."""

from typing import NamedTuple

from sqlite_utils import Database


class Deadline(NamedTuple):
    """The deadline of a pending approval; `warned_at` is None until somebody was warned of it."""

    approval_id: int
    created_at: str
    expires_at: str
    warned_at: str | None


def pending_deadlines(db: Database) -> list[Deadline]:
    """Return the deadlines of all pending approvals that have one."""
    sql = (
        "SELECT id, created_at, expires_at, warned_at FROM approvals "
        "WHERE status = 'pending' AND expires_at IS NOT NULL"
    )
    return [Deadline(*row) for row in db.execute(sql).fetchall()]
