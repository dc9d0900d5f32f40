"""The worktrees that the log and the sessions tell of."""

from sqlite_utils import Database


def finished_worktrees(db: Database, repository_id: int) -> set[str]:
    """Return the paths of worktrees made for runs whose tasks are all completed or cancelled.

    One is left out after a run that failed or was stopped: somebody may want to go on there.
    """
    made = db.execute(
        "SELECT json_extract(body, '$.data.path') FROM events "
        "WHERE type = 'worktree.created' AND repository_id = ? AND session_id IS NOT NULL",
        [repository_id],
    )
    needed = db.execute(
        "SELECT worktree_path FROM sessions JOIN tasks ON tasks.id = sessions.task_id "
        "WHERE sessions.repository_id = ? AND worktree_path IS NOT NULL "
        "AND (finished_at IS NULL OR tasks.status NOT IN ('completed', 'cancelled'))",
        [repository_id],
    )
    return {path for (path,) in made} - {path for (path,) in needed}


def used_worktrees(db: Database, repository_id: int) -> list[str]:
    """Return the paths of the worktrees that sessions of the repository have worked in."""
    used = db.execute(
        "SELECT DISTINCT worktree_path FROM sessions WHERE repository_id = ? "
        "AND worktree_path IS NOT NULL",
        [repository_id],
    )
    return [path for (path,) in used]
