"""Keep by which event each run began, and how far an automation has followed the log."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows


def migrate(db: Database) -> None:
    """Add the columns, and have an event begin no second run of an automation."""
    db.execute("ALTER TABLE automations ADD COLUMN thread TEXT NOT NULL DEFAULT 'new'")
    db.execute("ALTER TABLE automations ADD COLUMN last_event_id INTEGER")
    seal_rows(db, "automations")
    db.execute("ALTER TABLE automation_runs ADD COLUMN event_id INTEGER")
    seal_rows(db, "automation_runs")
    db.execute(
        "CREATE UNIQUE INDEX automation_runs_by_event ON automation_runs (automation_id, event_id) "
        "WHERE event_id IS NOT NULL"
    )
