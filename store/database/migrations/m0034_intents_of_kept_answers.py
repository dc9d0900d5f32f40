"""Keys of requests: what one is about to do outside of the database, before it does it."""

from sqlite_utils import Database


def migrate(db: Database) -> None:
    """Add the column."""
    db.execute("ALTER TABLE kept_answers ADD COLUMN intent BLOB")
