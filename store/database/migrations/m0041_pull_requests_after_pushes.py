"""Keep which pull request is to follow a push."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
ALTER TABLE pushes ADD COLUMN pull_request TEXT;
"""


def migrate(db: Database) -> None:
    """Add the column, and seal the rows that have it."""
    db.executescript(_SQL)
    seal_rows(db, "pushes")
