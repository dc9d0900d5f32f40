"""Keep in which repositories people may have a terminal."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows


def migrate(db: Database) -> None:
    """Add the column, and seal the rows that have it."""
    db.execute("ALTER TABLE repositories ADD COLUMN allow_terminal INTEGER NOT NULL DEFAULT 0")
    seal_rows(db, "repositories")
