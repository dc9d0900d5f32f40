"""Keep with an answer the event that tells of what was done.

Of what older versions claimed nothing was noted, so that no event (NULL) says nothing.
"""

from sqlite_utils import Database

_SQL = """
ALTER TABLE kept_answers ADD COLUMN event_id INTEGER;
UPDATE kept_answers SET event_id = 0;
"""


def migrate(db: Database) -> None:
    """Add the column."""
    db.executescript(_SQL)
