"""The cut of the log: the event up to which all were removed.

Above it ids have no gaps. The cut is moved first, in a transaction of its own; then the rows up to
it go a few at a time. Whatever reads pages of the log begins above it at once. It lies between two
full thousands of events, so that what is noted of each thousand stays true.
"""

from sqlite_utils import Database

_CUT = "SELECT up_to FROM removed_events"


def removed_up_to(db: Database) -> int:
    """Return the last event that was removed; 0 where all are there."""
    found: int = db.execute(_CUT).fetchone()[0]
    return found


def is_sound(db: Database) -> bool:
    """Say whether the cut is as it was written. What goes for good is not to go by another."""
    sql = "SELECT checksum IS row_checksum(id, up_to) FROM removed_events"
    return bool(db.execute(sql).fetchone()[0])


def move(db: Database, up_to: int) -> None:
    """Remove all events up to this one. Their rows may go from now on."""
    db.execute("UPDATE removed_events SET up_to = ? WHERE up_to < ?", [up_to, up_to])
