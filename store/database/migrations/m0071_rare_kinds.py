"""Find the few of a kind among many, such as the reviews among a hundred thousand tasks.

Without these a list of a rare kind reads all rows of the table.
"""

from sqlite_utils import Database

_SQL = """
CREATE INDEX tasks_by_type ON tasks (type);
CREATE INDEX tasks_by_priority ON tasks (priority);
CREATE INDEX sessions_by_type ON sessions (type);
CREATE INDEX sessions_by_runner ON sessions (runner);
CREATE INDEX tasks_by_repository_and_type ON tasks (repository_id, type);
CREATE INDEX sessions_by_repository_and_type ON sessions (repository_id, type);
CREATE INDEX sessions_by_repository_and_runner ON sessions (repository_id, runner);
CREATE INDEX sessions_by_repository_and_status ON sessions (repository_id, status);
CREATE INDEX approvals_by_kind ON approvals (kind);
CREATE INDEX approvals_by_repository_and_status ON approvals (repository_id, status);
"""


def migrate(db: Database) -> None:
    """Make the indexes."""
    db.executescript(_SQL)
