"""Search messages that a crash has cut.

A message that was cut is searched as one that is complete; one that is being written is not: its
text changes each second.
"""

from sqlite_utils import Database

from command_center.store.database.migrations.m0005_search import TEXT_OF_ITEM

_SQL = f"""
CREATE TRIGGER items_that_are_cut_are_texts AFTER UPDATE OF status ON items
WHEN new.status = 'cut' BEGIN
    DELETE FROM texts WHERE item = new.id;
    INSERT INTO texts (session_id, item, kind, at, text)
    SELECT new.session_id, new.id, new.type, new.updated_at, said
    FROM (SELECT {TEXT_OF_ITEM} AS said) WHERE said IS NOT NULL;
END;
"""  # noqa: S608 - put together from a constant


def migrate(db: Database) -> None:
    """Create the trigger."""
    db.executescript(_SQL)
