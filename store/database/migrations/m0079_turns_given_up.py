"""Keep which turns that outlived their sessions a person waits for no longer."""

from sqlite_utils import Database


def migrate(db: Database) -> None:
    """Add the moment at which somebody gave the turn up."""
    db.execute("ALTER TABLE stray_turns ADD COLUMN abandoned_at TEXT")
