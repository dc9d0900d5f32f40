"""One row for each group: how many records there are by status, and the newest of each."""

from sqlite_utils import Database


def sessions_by_status(db: Database) -> dict[str, int]:
    """Count the sessions by their status; a status that none has is left out."""
    return dict(
        db.execute(
            "SELECT status, count(*) FROM sessions INDEXED BY sessions_by_status GROUP BY status"
        )
    )


def newest_sessions(db: Database) -> dict[int, int]:
    """Return the id of the newest session of each repository that has one, by repository."""
    return dict(db.execute("SELECT repository_id, max(id) FROM sessions GROUP BY repository_id"))


def approvals_by_status(db: Database) -> dict[str, int]:
    """Count the approvals by their status; a status that none has is left out."""
    return dict(db.execute("SELECT status, count(*) FROM approvals GROUP BY status"))


def pending_approvals_by_kind(db: Database) -> dict[str, int]:
    """Count the pending approvals by their kind; a kind that none has is left out."""
    return dict(
        db.execute("SELECT kind, count(*) FROM approvals WHERE status = 'pending' GROUP BY kind")
    )
