"""The removal of a repository, with everything that refers to it, and of what is of it alone."""

import attrs

from command_center.store import host_keys
from command_center.store.transaction import Transaction

_ITEMS = """DELETE FROM items WHERE session_id IN
    (SELECT id FROM sessions WHERE repository_id = ?)"""
_APPROVALS = """DELETE FROM approvals WHERE repository_id = ?1
    OR task_id IN (SELECT id FROM tasks WHERE repository_id = ?1)
    OR session_id IN (SELECT id FROM sessions WHERE repository_id = ?1)"""
_AUTOMATION_RUNS = """DELETE FROM automation_runs WHERE automation_id IN
    (SELECT id FROM automations WHERE repository_id = ?)"""
_FOLLOWUPS = """DELETE FROM followups WHERE task_id IN
    (SELECT id FROM tasks WHERE repository_id = ?1)
    OR session_id IN (SELECT id FROM sessions WHERE repository_id = ?1)"""
_COMMENTS = """DELETE FROM comments WHERE task_id IN
    (SELECT id FROM tasks WHERE repository_id = ?1)
    OR session_id IN (SELECT id FROM sessions WHERE repository_id = ?1)"""
_VIEWED_FILES = """DELETE FROM viewed_files WHERE task_id IN
    (SELECT id FROM tasks WHERE repository_id = ?)"""
_SNAPSHOTS = "DELETE FROM snapshots WHERE repository_id = ?"
_DISCARDED = "DELETE FROM discarded WHERE repository_id = ?"
_RULES = "DELETE FROM rules WHERE repository_id = ?"
_PUSHES = "DELETE FROM pushes WHERE repository_id = ?"
_PULL_REQUESTS = "DELETE FROM pull_requests WHERE repository_id = ?"
_SAVED_PROMPTS = "DELETE FROM saved_prompts WHERE repository_id = ?"
_ELSEWHERE = """UPDATE tasks SET repository_id =
    (SELECT s.repository_id FROM sessions s
        WHERE s.task_id = tasks.id AND s.repository_id <> ?1 ORDER BY s.id DESC LIMIT 1)
    WHERE repository_id = ?1 AND EXISTS
    (SELECT 1 FROM sessions s WHERE s.task_id = tasks.id AND s.repository_id <> ?1)"""
"""Gives the tasks that have also run in another copy of the repository to that one."""
_UNLINKS = tuple(
    f"UPDATE {table} SET {column} = NULL "  # noqa: S608 - constants
    f"WHERE {column} IN (SELECT id FROM {of} WHERE repository_id = ?)"
    for table, column, of in (
        ("automations", "last_session_id", "sessions"),
        ("automation_runs", "session_id", "sessions"),
        ("automation_runs", "task_id", "tasks"),
        ("comments", "sent_session_id", "sessions"),
        ("comments", "review_session_id", "sessions"),
        ("followups", "sent_session_id", "sessions"),
        ("sessions", "previous_session_id", "sessions"),
        ("tasks", "automation_id", "automations"),
    )
)
"""Has nothing that stays refer to what goes."""
_SESSIONS = "DELETE FROM sessions WHERE repository_id = ?"
_TASKS = "DELETE FROM tasks WHERE repository_id = ?"
_AUTOMATIONS = "DELETE FROM automations WHERE repository_id = ?"
_REPOSITORY = "DELETE FROM repositories WHERE id = ?"


@attrs.frozen
class Removed:
    """The numbers of records that were removed with a repository."""

    tasks: int
    sessions: int
    approvals: int
    automations: int


def remove_repository(tx: Transaction, repository_id: int) -> Removed:
    """Remove a repository with its tasks, sessions, transcripts, approvals and automations.

    Its events stay in the log.
    """

    def run(sql: str) -> int:
        done: int = tx.db.execute(sql, [repository_id]).rowcount
        return done

    # In the order that the references between the tables allow.
    run(_ELSEWHERE)
    run(_ITEMS)
    approvals = run(_APPROVALS)
    run(_AUTOMATION_RUNS)
    run(_COMMENTS)
    run(_FOLLOWUPS)
    run(_VIEWED_FILES)
    run(_DISCARDED)
    run(_SNAPSHOTS)
    run(_RULES)
    run(_PUSHES)
    run(_PULL_REQUESTS)
    run(_SAVED_PROMPTS)
    for unlink in _UNLINKS:
        run(unlink)
    sessions = run(_SESSIONS)
    tasks = run(_TASKS)
    automations = run(_AUTOMATIONS)
    run(_REPOSITORY)
    return Removed(tasks=tasks, sessions=sessions, approvals=approvals, automations=automations)


def remove_saved_prompt(tx: Transaction, prompt_id: int) -> None:
    """Remove the row of a saved prompt."""
    tx.db.execute("DELETE FROM saved_prompts WHERE id = ?", [prompt_id])


def remove_host(tx: Transaction, host_id: int) -> None:
    """Remove the rows of a host, what it signs in by, and the limits of its account.

    Another machine of that name finds nothing of it.
    """
    host_keys.remove(tx, host_id)
    for table, column in (("host_states", "name"), ("usage_limits", "host")):
        tx.db.execute(
            f"DELETE FROM {table} WHERE {column} = (SELECT name FROM hosts WHERE id = ?)",  # noqa: S608 - constants
            [host_id],
        )
    tx.db.execute("DELETE FROM hosts WHERE id = ?", [host_id])


def remove_snapshot(tx: Transaction, snapshot_id: int) -> None:
    """Remove the row of a snapshot."""
    tx.db.execute("DELETE FROM snapshots WHERE id = ?", [snapshot_id])


def remove_snapshots(tx: Transaction, repository_id: int, path: str) -> None:
    """Remove the rows of the snapshots of a worktree."""
    tx.db.execute(
        "DELETE FROM snapshots WHERE repository_id = ? AND path = ?", [repository_id, path]
    )
