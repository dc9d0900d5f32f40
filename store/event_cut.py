"""The cut of the log: the event up to which all were removed.

Above it ids have no gaps. The cut is moved first, in a transaction of its own; then the rows up to
it go a few at a time. Whatever reads pages of the log begins above it at once. It lies between two
full thousands of events, so that what is noted of each thousand stays true.

A cut that is not as it was written is not believed, as it would hide events that are there. Until
it is moved again, the log begins with the thousand of its first row.
"""

from sqlite_utils import Database

_CUT = "SELECT up_to FROM removed_events WHERE checksum IS row_checksum(id, up_to)"
_BEFORE_FIRST_ROW = "SELECT (ifnull(min(id), 1) + 998) / 1000 * 1000 FROM events"


def removed_up_to(db: Database) -> int:
    """Return the last event that was removed; 0 where all are there."""
    found = db.execute(_CUT).fetchone() or db.execute(_BEFORE_FIRST_ROW).fetchone()
    return int(found[0])


def is_sound(db: Database) -> bool:
    """Say whether the cut is as it was written. What goes for good is not to go by another."""
    return db.execute(_CUT).fetchone() is not None


def move(db: Database, up_to: int) -> None:
    """Remove all events up to this one. Their rows may go from now on.

    A cut that is damaged is written anew.
    """
    if up_to > removed_up_to(db):
        db.execute("INSERT OR REPLACE INTO removed_events (id, up_to) VALUES (1, ?)", [up_to])
