"""Segments of the log: the texts of old events that follow each other, compressed.

An event's row stays in the log with all that it can be filtered by, its checksum included; only its
text is moved, and comes back to the byte. So ids have no gaps, each filter finds what it found, and
who resumes from anywhere is sent what happened. A segment is a row with a checksum of its own, and
is written in the transaction that takes the texts out of the log.

Segments follow each other without a gap, each named by its last event. They are bounded by events
and by bytes, as a page may want one event of each.
"""

import zlib
from collections.abc import Collection, Mapping
from typing import Final

import msgspec
from sqlite_utils import Database

SIZE: Final = 100
"""Most events of a segment."""

BYTES: Final = 256 * 1024
"""Most bytes of a segment's texts, unless one text alone is longer."""

_TEXTS: Final = msgspec.msgpack.Decoder(dict[int, bytes])


class Segments:
    """The segments that a page takes texts from; each is read once.

    Attributes:
        unpacked: the bytes that were unpacked so far.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._first = self._last = 0
        self._texts: dict[int, bytes] = {}
        self.unpacked = 0

    def text(self, event_id: int) -> bytes:
        """Return the text of an event; empty where no segment has it, or not as it was written."""
        if not self._first <= event_id <= self._last:
            self._read(event_id)  # a page goes on, and does not come back
        return self._texts.get(event_id, b"")

    def _read(self, event_id: int) -> None:
        sql = (
            "SELECT last_event, texts FROM event_segments WHERE last_event >= ? "
            "ORDER BY last_event LIMIT 1"
        )
        found = self._db.execute(sql, [event_id]).fetchone()
        self._first, self._last, self._texts = event_id, event_id, {}
        if found is None:
            return
        self._last = found[0]
        try:
            unpacked = zlib.decompress(found[1])
            self._texts = _TEXTS.decode(unpacked)
        except (zlib.error, msgspec.MsgspecError, TypeError):
            return
        self.unpacked += len(unpacked)
        self._first = min(self._texts, default=event_id)


def drop(db: Database, ids: Collection[int]) -> None:
    """Take the texts of events out of their segments."""
    left = set(ids)
    while left:
        sql = (
            "SELECT last_event, texts FROM event_segments WHERE last_event >= ? "
            "ORDER BY last_event LIMIT 1"
        )
        found = db.execute(sql, [min(left)]).fetchone()
        if found is None:
            return
        last, packed = found
        try:
            texts = _TEXTS.decode(zlib.decompress(packed))
        except (zlib.error, msgspec.MsgspecError, TypeError):
            texts = {}  # nobody can read it any more
        kept = {id_: text for id_, text in texts.items() if id_ not in left}
        if len(kept) < len(texts) or not texts:
            # A row that the disk has changed refuses to be updated, and is replaced all the same.
            sql = "INSERT OR REPLACE INTO event_segments (last_event, texts) VALUES (?, ?)"
            db.execute(sql, [last, pack(kept)])
        left = {id_ for id_ in left if id_ > last}


def last_of_segment(db: Database, event_id: int) -> int | None:
    """Return the last event of the segment that an event is in; None where it is in none."""
    sql = "SELECT min(last_event) FROM event_segments WHERE last_event >= ?"
    found: int | None = db.execute(sql, [event_id]).fetchone()[0]
    return found


def next_event(db: Database) -> int:
    """Return the number of the first event that is in no segment."""
    sql = "SELECT ifnull(max(last_event), 0) + 1 FROM event_segments"
    found: int = db.execute(sql).fetchone()[0]
    return found


def pack(texts: Mapping[int, bytes]) -> bytes:
    """Compress the texts of a segment."""
    return zlib.compress(msgspec.msgpack.encode(texts))


def keep(db: Database, last_event: int, packed: bytes) -> None:
    """Make a segment of these texts."""
    db.execute("INSERT INTO event_segments (last_event, texts) VALUES (?, ?)", [last_event, packed])
