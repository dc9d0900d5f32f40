"""Notes of each full thousand of events: when they were, and how many a repository has.

They are written by the transaction that fills the thousand, and never change: so a span of time is
found, and a repository's events are counted, without reading the log.
"""

from sqlite_utils import Database

from command_center.store.database.checksums import read_rows
from command_center.store.timestamps import Timestamp

_NOTE_THOUSAND = """
    INSERT INTO thousands_of_events
    SELECT repository_id, :last / 1000 - 1, count(*) FROM events NOT INDEXED
    WHERE id > :last - 1000 AND id <= :last AND repository_id IS NOT NULL GROUP BY repository_id
"""
_NOTE_THOUSAND_OF = _NOTE_THOUSAND.replace("GROUP BY", "AND repository_id = :repository GROUP BY")
_NOTE_TIMES = """
    INSERT INTO times_of_events
    SELECT :last / 1000 - 1, min(ts), max(ts) FROM events NOT INDEXED
    WHERE id > :last - 1000 AND id <= :last
"""
_IN_FULL_THOUSANDS = "(SELECT (ifnull(max(thousand), -1) + 1) * 1000 FROM times_of_events)"
BEFORE_SPAN = f"""ifnull(
    (SELECT thousand * 1000 FROM times_of_events WHERE latest >= ? ORDER BY thousand LIMIT 1),
    {_IN_FULL_THOUSANDS}
)"""  # noqa: S608 - constants
"""The id behind which events since a moment begin, in SQL."""

_NOTES = {
    "times_of_events": (
        "SELECT earliest, latest FROM times_of_events WHERE thousand = ?",
        "SELECT min(ts), max(ts) FROM events NOT INDEXED WHERE id > ? AND id <= ?",
    ),
    "thousands_of_events": (
        "SELECT repository_id, count FROM thousands_of_events WHERE thousand = ? ORDER BY 1",
        """
        SELECT repository_id, count(*) FROM events NOT INDEXED
        WHERE id > ? AND id <= ? AND repository_id IS NOT NULL GROUP BY repository_id ORDER BY 1
        """,
    ),
}
LAST_OF_SPAN = f"""(SELECT coalesce(
    (SELECT max(id) FROM events WHERE id > {_IN_FULL_THOUSANDS} AND +ts < edge),
    (
        SELECT (thousand + 1) * 1000 FROM times_of_events
        WHERE earliest < edge ORDER BY thousand DESC LIMIT 1
    ),
    0
) FROM (SELECT ? AS edge))"""  # noqa: S608 - constants
"""The id behind which there are no events until a moment, in SQL."""

_COUNT_OF_REPOSITORY = """
    SELECT (
        SELECT ifnull(sum(count), 0) FROM thousands_of_events
        WHERE repository_id = :repository AND thousand < :up_to / 1000
    ) + (
        SELECT count(*) FROM events
        WHERE repository_id = :repository AND id > :up_to - :up_to % 1000 AND id <= :up_to
    )
"""


def note_thousand(db: Database, last: int) -> None:
    """Note when the thousand events that end with ``last`` were, and how many a repository has."""
    db.execute(_NOTE_THOUSAND, {"last": last})
    db.execute(_NOTE_TIMES, {"last": last})


def count_anew(db: Database, thousand: int, repository_id: int) -> None:
    """Note anew how many events of a full thousand a repository has."""
    last = (thousand + 1) * 1000
    noted = db.execute("SELECT 1 FROM times_of_events WHERE thousand = ?", [thousand]).fetchone()
    if noted is None:
        return
    at = [repository_id, thousand]
    db.execute("DELETE FROM thousands_of_events WHERE repository_id = ? AND thousand = ?", at)
    db.execute(_NOTE_THOUSAND_OF, {"last": last, "repository": repository_id})


def count_of_repository(db: Database, repository_id: int, up_to: int) -> int:
    """Count a repository's events with ids up to this one: thousands by what was noted of them."""
    bound = {"repository": repository_id, "up_to": up_to}
    counted: int = db.execute(_COUNT_OF_REPOSITORY, bound).fetchone()[0]
    return counted


def wrong_notes(db: Database, thousand: int) -> tuple[list[str], int | None]:
    """Compare what was noted of a thousand events with the log.

    Returns:
        the tables and the thousand whose notes are wrong, and the next thousand; None after what
        is noted beyond the last full one was looked for.
    """
    bounds = [thousand * 1000, (thousand + 1) * 1000]
    if bounds[1] > _last_id(db):
        beyond = (
            f"SELECT DISTINCT '{table} ' || thousand FROM {table} "  # noqa: S608 - constants
            "WHERE (thousand + 1) * 1000 > (SELECT ifnull(max(id), 0) FROM events)"
            for table in ("times_of_events", "thousands_of_events")
        )
        return [wrong for sql in beyond for (wrong,) in db.execute(sql)], None
    wrong = []
    for table, (noted, found) in _NOTES.items():
        told = [*read_rows(db, noted, [thousand])]
        if told != [*read_rows(db, found, bounds)]:
            wrong.append(f"{table} {thousand}")
    return wrong, thousand + 1


def last_before(db: Database, moment: Timestamp) -> int:
    """Give the id of the last event before a moment; 0 where there is none."""
    top = db.execute(f"SELECT {LAST_OF_SPAN}", [moment]).fetchone()[0]
    sql = "SELECT ifnull(max(id), 0) FROM events WHERE id > ? AND id <= ? AND +ts < ?"
    found: int = db.execute(sql, [top - 1000, top, moment]).fetchone()[0]
    return found


def _last_id(db: Database) -> int:
    found: int = db.execute("SELECT ifnull(max(id), 0) FROM events").fetchone()[0]
    return found
