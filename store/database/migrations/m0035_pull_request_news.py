"""Keep what is to be done about news of pull requests, and what was; and which are merged when."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
ALTER TABLE repositories ADD COLUMN on_checks_failed TEXT NOT NULL DEFAULT 'tell';
ALTER TABLE repositories ADD COLUMN on_review TEXT NOT NULL DEFAULT 'tell';
ALTER TABLE repositories ADD COLUMN forge_followups INTEGER NOT NULL DEFAULT 3;
ALTER TABLE pull_requests ADD COLUMN followups INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pull_requests ADD COLUMN answered TEXT NOT NULL DEFAULT '[]';
ALTER TABLE pull_requests ADD COLUMN merge_when TEXT;
ALTER TABLE pull_requests ADD COLUMN merge_method TEXT;
ALTER TABLE pull_requests ADD COLUMN merge_sha TEXT;
ALTER TABLE pull_requests ADD COLUMN merge_approval_id INTEGER;
CREATE INDEX pull_requests_by_merge_approval ON pull_requests (merge_approval_id);
"""


def migrate(db: Database) -> None:
    """Add the columns, and seal the rows that have them."""
    db.executescript(_SQL)
    for table in ("repositories", "pull_requests"):
        seal_rows(db, table)
