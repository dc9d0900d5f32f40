"""Tell when the transcript of a session was removed, and find those that are old."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows


def migrate(db: Database) -> None:
    """Add the column, seal the rows that have it, and add the index."""
    db.execute("ALTER TABLE sessions ADD COLUMN transcript_removed_at TEXT")
    seal_rows(db, "sessions")
    db.execute(
        "CREATE INDEX sessions_with_transcripts ON sessions (finished_at) "
        "WHERE transcript_removed_at IS NULL AND finished_at IS NOT NULL"
    )
