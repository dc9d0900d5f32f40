"""Keep for how long the events and the transcripts of a repository are kept."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows


def migrate(db: Database) -> None:
    """Add the columns, and seal the rows that have them."""
    db.execute("ALTER TABLE repositories ADD COLUMN keep_events TEXT")
    db.execute("ALTER TABLE repositories ADD COLUMN keep_transcripts TEXT")
    seal_rows(db, "repositories")
