"""Keep what a session reviews, and which comments are findings of which review."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows


def migrate(db: Database) -> None:
    """Add the columns, and seal the rows that have them."""
    db.execute("ALTER TABLE sessions ADD COLUMN review TEXT")
    db.execute("ALTER TABLE comments ADD COLUMN review_session_id INTEGER REFERENCES sessions (id)")
    db.execute("CREATE INDEX comments_by_review ON comments (review_session_id)")
    seal_rows(db, "sessions")
    seal_rows(db, "comments")
