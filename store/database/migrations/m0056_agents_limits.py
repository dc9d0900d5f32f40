"""Keep how far an agent's token reaches."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows


def migrate(db: Database) -> None:
    """Add the column, and seal the rows that have it."""
    db.execute("ALTER TABLE devices ADD COLUMN limits TEXT")
    seal_rows(db, "devices")
