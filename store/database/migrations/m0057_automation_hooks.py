"""Keep the hooks by which others start automations, and which of their deliveries were claimed."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
CREATE TABLE automation_hooks (
    automation_id INTEGER PRIMARY KEY REFERENCES automations (id) ON DELETE CASCADE,
    secret TEXT NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE hook_deliveries (
    automation_id INTEGER NOT NULL REFERENCES automations (id) ON DELETE CASCADE,
    delivery TEXT NOT NULL,
    run_id INTEGER NOT NULL REFERENCES automation_runs (id) ON DELETE CASCADE,
    PRIMARY KEY (automation_id, delivery)
) STRICT;
CREATE INDEX hook_deliveries_by_run ON hook_deliveries (run_id);
"""


def migrate(db: Database) -> None:
    """Make the two tables, and add the column that says who has a hook."""
    db.executescript(_SQL)
    db.execute("ALTER TABLE automations ADD COLUMN has_hook INTEGER NOT NULL DEFAULT 0")
    seal_rows(db, "automations")
