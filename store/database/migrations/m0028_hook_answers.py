"""Keep what hooks answered until it is seen what came of it."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE hook_answers (
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    item_id TEXT NOT NULL,
    agent_id INTEGER,
    hook TEXT NOT NULL,
    rationale TEXT,
    PRIMARY KEY (session_id, item_id)
) STRICT;
"""


def migrate(db: Database) -> None:
    """Add the table."""
    db.executescript(_SQL)
