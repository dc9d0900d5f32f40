"""Shorten the events that are long, as later ones are, and keep the whole of them beside the log.

An event that the disk has changed stays as it is, so that it is told as damaged still.
"""

import json
from typing import Any

from sqlite_utils import Database

from command_center.store.database.checksums import row_checksum
from command_center.store.long_texts.shortening import LONGEST, shorten


def migrate(db: Database) -> None:
    """Shorten them one after the other, and seal what was written."""
    db.execute("DROP TRIGGER events_are_never_changed")
    for (id_,) in db.execute(_LONG, [LONGEST]).fetchall():
        *values, body, checksum = db.execute(_READ, [id_]).fetchone()
        if row_checksum(*values, body) == checksum:
            _shorten_event(db, values, json.loads(body))
    db.execute(_SEAL)
    db.execute(_TRIGGER)


_LONG = "SELECT id FROM events WHERE length(body) > ?"

_READ = """
SELECT id, type, ts, repository_id, task_id, session_id, approval_id, automation_id, correlation_id,
    CAST(body AS BLOB), checksum
FROM events WHERE id = ?
"""

_KEEP = """
INSERT INTO whole_values (record_table, record_id, field, part, bytes, text)
VALUES ('events', ?, 'data', ?, ?, ?)
"""

_SEAL = """
UPDATE whole_values
SET checksum = row_checksum(bytes, field, id, part, record_id, record_table, text)
WHERE record_table = 'events'
"""

_TRIGGER = """
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END
"""

_PART = 256 * 1024


def _shorten_event(db: Database, values: list[Any], event: dict[str, Any]) -> None:
    data = event["data"]
    shown = shorten(data)
    if shown is data:
        return
    whole = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    size = len(whole.encode())
    for part, begin in enumerate(range(0, len(whole), _PART)):
        db.execute(_KEEP, [values[0], part, size, whole[begin : begin + _PART].encode()])
    event |= {"data": shown, "shortened": True}
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    checksum = row_checksum(*values, body.encode())
    db.execute("UPDATE events SET body = ?, checksum = ? WHERE id = ?", [body, checksum, values[0]])
