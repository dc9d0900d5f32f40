"""Keep which task was made of which issue, and what repositories want of their issues."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
ALTER TABLE repositories ADD COLUMN issue_label TEXT;
ALTER TABLE repositories ADD COLUMN issue_approval INTEGER NOT NULL DEFAULT 1;
CREATE TABLE issue_tasks (
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    project TEXT NOT NULL,
    number INTEGER NOT NULL,
    task_id INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    PRIMARY KEY (repository_id, project, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX issue_tasks_by_task ON issue_tasks (task_id);
"""


def migrate(db: Database) -> None:
    """Add the columns and the table, and seal the rows that have the columns."""
    db.executescript(_SQL)
    seal_rows(db, "repositories")
