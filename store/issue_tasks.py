"""The tasks that were made of issues of a forge: of each issue, one."""

from collections.abc import Sequence

import attrs
from sqlite_utils import Database

from command_center.store.transaction import Transaction


@attrs.frozen
class IssueOf:
    """The issue that a task was made of."""

    project: str
    number: int


def claim(tx: Transaction, repository_id: int, issue: IssueOf, task_id: int) -> None:
    """Note that the task is the issue's; it is in the transaction that makes the task."""
    tx.db.execute(
        "INSERT INTO issue_tasks (repository_id, project, number, task_id) VALUES (?, ?, ?, ?)",
        [repository_id, issue.project, issue.number, task_id],
    )


def tasks_of(
    db: Database, repository_id: int, project: str, numbers: Sequence[int]
) -> dict[int, int]:
    """Return the tasks of issues that have one, by the issues' numbers."""
    marks = ", ".join("?" * len(numbers))
    sql = (
        "SELECT number, task_id FROM issue_tasks "  # noqa: S608 - marks are question marks
        f"WHERE repository_id = ? AND project = ? AND number IN ({marks})"
    )
    return dict(db.execute(sql, [repository_id, project, *numbers]))


def issue_of(db: Database, task_id: int) -> IssueOf | None:
    """Return the issue that a task was made of."""
    row = db.execute(
        "SELECT project, number FROM issue_tasks WHERE task_id = ?", [task_id]
    ).fetchone()
    return None if row is None else IssueOf(*row)
