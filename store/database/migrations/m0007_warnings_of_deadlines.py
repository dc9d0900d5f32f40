"""Keep when a person was warned of an approval's deadline."""

from sqlite_utils import Database


def migrate(db: Database) -> None:
    """Add the column."""
    db.executescript("ALTER TABLE approvals ADD COLUMN warned_at TEXT;")
