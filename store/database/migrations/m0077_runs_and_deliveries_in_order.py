"""List the runs of an automation and the deliveries of a webhook in their order.

Without these a page of the newest sorts all that there are.
"""

from sqlite_utils import Database

_SQL = """
CREATE INDEX automation_runs_by_automation ON automation_runs (automation_id);
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (webhook_id);
"""


def migrate(db: Database) -> None:
    """Make the indexes."""
    db.executescript(_SQL)
