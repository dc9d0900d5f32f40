"""Keep in which permission profile of Codex's a session runs."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows


def migrate(db: Database) -> None:
    """Add the column, and seal the rows that have it."""
    db.execute("ALTER TABLE sessions ADD COLUMN permission_profile TEXT")
    seal_rows(db, "sessions")
