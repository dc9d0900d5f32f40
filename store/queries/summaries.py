"""Summaries of many rows: counts by status, deadlines, and the paths of worktrees."""

from collections import Counter
from typing import NamedTuple

from sqlite_utils import Database

from command_center.store import totals
from command_center.store.statuses import ACTIVE

_LIVING = """
    SELECT status, count(*) FROM sessions INDEXED BY sessions_that_use_tokens
    WHERE finished_at IS NULL GROUP BY status
"""


class Deadline(NamedTuple):
    """The deadline of a pending approval; `warned_at` is None until somebody was warned of it."""

    approval_id: int
    created_at: str
    expires_at: str
    warned_at: str | None


def sessions_by_status(db: Database) -> dict[str, int]:
    """Count the sessions by their status; a status that none has is left out."""
    living = dict(db.execute(_LIVING))
    return dict(Counter(totals.counts(db, "sessions")) + Counter(living))


def sessions_by_host(db: Database) -> dict[tuple[str, str], int]:
    """Count the sessions that are `active` or `queued`, by their host and that word."""
    statuses = ("queued", *sorted(ACTIVE))
    marks = ", ".join("?" * len(statuses))
    rows = db.execute(
        "SELECT host, CASE status WHEN 'queued' THEN 'queued' ELSE 'active' END AS state, "  # noqa: S608 - marks alone
        f"count(*) FROM sessions INDEXED BY sessions_by_status WHERE status IN ({marks}) "
        "GROUP BY host, state",
        [*statuses],
    )
    return {(host, state): count for host, state, count in rows}


def newest_sessions(db: Database) -> dict[int, int]:
    """Return the id of the newest session of each repository that has one, by repository."""
    return dict(db.execute("SELECT repository_id, max(id) FROM sessions GROUP BY repository_id"))


def approvals_by_status(db: Database) -> dict[str, int]:
    """Count the approvals by their status; a status that none has is left out."""
    return totals.counts(db, "approvals")


def pending_approvals_by_kind(db: Database) -> dict[str, int]:
    """Count the pending approvals by their kind; a kind that none has is left out."""
    return dict(
        db.execute("SELECT kind, count(*) FROM approvals WHERE status = 'pending' GROUP BY kind")
    )


def pending_deadlines(db: Database) -> list[Deadline]:
    """Return the deadlines of all pending approvals that have one."""
    sql = (
        "SELECT id, created_at, expires_at, warned_at FROM approvals "
        "WHERE status = 'pending' AND expires_at IS NOT NULL"
    )
    return [Deadline(*row) for row in db.execute(sql).fetchall()]


def finished_worktrees(db: Database, repository_id: int) -> dict[str, str | None]:
    """Return the worktrees made for runs whose tasks are all completed or cancelled.

    By their paths; with each is the correlation id of the run, while the log still has it.

    One is left out after a run that failed or was stopped: somebody may want to go on there. So is
    one that was made again for somebody else than a run.
    """
    made = db.execute(
        "SELECT path, session_id, correlation_id, max(id) FROM ("
        "SELECT json_extract(body, '$.data.path') AS path, session_id, correlation_id, id "
        "FROM events WHERE type = 'worktree.created' AND repository_id = ? UNION ALL "
        "SELECT path, session_id, NULL, 0 FROM worktrees_of_removed_events "
        "WHERE repository_id = ?"
        ") GROUP BY 1",
        [repository_id, repository_id],
    )
    needed = db.execute(
        "SELECT worktree_path FROM sessions JOIN tasks ON tasks.id = sessions.task_id "
        "WHERE sessions.repository_id = ? AND worktree_path IS NOT NULL "
        "AND (finished_at IS NULL OR tasks.status NOT IN ('completed', 'cancelled'))",
        [repository_id],
    )
    for_runs = {path: origin for path, session_id, origin, _ in made if session_id is not None}
    for (path,) in needed:
        for_runs.pop(path, None)
    return for_runs


def used_worktrees(db: Database, repository_id: int) -> dict[str, str | None]:
    """Return the worktrees that sessions of the repository have worked in, or are going to.

    By their paths, the branch that each was on last; None where no session knew.
    """
    used = db.execute(
        "SELECT worktree_path, branch_name FROM sessions WHERE repository_id = ? "
        "AND worktree_path IS NOT NULL ORDER BY id",
        [repository_id],
    )
    found: dict[str, str | None] = {}
    for path, branch in used:
        found[path] = branch or found.get(path)
    return found
