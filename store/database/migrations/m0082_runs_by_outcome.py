"""List the runs of an automation by their outcome, their trigger, or both, in their order.

And the sub-agents of a session in theirs.

Without these a page of a rare outcome reads all runs that the automation ever had, and so does the
count of those that events began within an hour. A page of sub-agents sorts all that a session has.
"""

from sqlite_utils import Database

_SQL = """
CREATE INDEX automation_runs_by_outcome ON automation_runs (automation_id, outcome);
CREATE INDEX automation_runs_by_trigger ON automation_runs (automation_id, trigger);
CREATE INDEX automation_runs_by_outcome_and_trigger
    ON automation_runs (automation_id, outcome, trigger);
CREATE INDEX automation_runs_that_began ON automation_runs (automation_id, trigger, fired_at)
    WHERE task_id IS NOT NULL;
CREATE INDEX agents_in_order ON agents (session_id);
"""


def migrate(db: Database) -> None:
    """Make the indexes."""
    db.executescript(_SQL)
