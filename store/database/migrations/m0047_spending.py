"""Keep the caps of repositories, and the price table."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
CREATE TABLE spending (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    rules TEXT NOT NULL
) STRICT;
ALTER TABLE repositories ADD COLUMN caps TEXT NOT NULL DEFAULT '{}';
"""


def migrate(db: Database) -> None:
    """Add the table and the column, and seal the rows that have it."""
    db.executescript(_SQL)
    seal_rows(db, "repositories")
