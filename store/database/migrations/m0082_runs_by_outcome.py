"""List the runs of an automation by their outcome, their trigger, or both, in their order.

Without these a page of a rare outcome reads all runs that the automation ever had, and so does the
count of those that events began within an hour.
"""

from sqlite_utils import Database

_SQL = """
CREATE INDEX automation_runs_by_outcome ON automation_runs (automation_id, outcome);
CREATE INDEX automation_runs_by_trigger ON automation_runs (automation_id, trigger);
CREATE INDEX automation_runs_by_outcome_and_trigger
    ON automation_runs (automation_id, outcome, trigger);
CREATE INDEX automation_runs_that_began ON automation_runs (automation_id, trigger, fired_at)
    WHERE task_id IS NOT NULL;
"""


def migrate(db: Database) -> None:
    """Make the indexes."""
    db.executescript(_SQL)
