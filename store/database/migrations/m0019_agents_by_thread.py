"""Find a sub-agent by its thread.

Whose thread it is, is asked whenever Codex tells that a turn runs in one.
"""

from sqlite_utils import Database

_SQL = """
CREATE INDEX agents_by_thread ON agents (thread_id);
"""


def migrate(db: Database) -> None:
    """Create the index."""
    db.executescript(_SQL)
