"""Segments of the log: the texts of old events, a hundred in a row, compressed.

An event's row stays in the log with all that it can be filtered by, its checksum included; only its
text is moved, and comes back to the byte. So ids have no gaps, each filter finds what it found, and
who resumes from anywhere is sent what happened. A segment is a row with a checksum of its own, and
is written in the transaction that takes the texts out of the log.
"""

import zlib
from collections.abc import Mapping
from typing import Final

import msgspec
from sqlite_utils import Database

SIZE: Final = 100
"""Events of a segment; the log has many, of which a page may want one each."""

_TEXTS: Final = msgspec.msgpack.Decoder(dict[int, bytes])


class Segments:
    """The segments that a page takes texts from; each is read once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._read: dict[int, dict[int, bytes]] = {}

    def text(self, event_id: int) -> bytes:
        """Return the text of an event; empty where no segment has it, or not as it was written."""
        segment = segment_of(event_id)
        if segment not in self._read:
            self._read = {segment: self._texts(segment)}  # a page goes on, and does not come back
        return self._read[segment].get(event_id, b"")

    def _texts(self, segment: int) -> dict[int, bytes]:
        sql = "SELECT texts FROM event_segments WHERE segment = ?"
        found = self._db.execute(sql, [segment]).fetchone()
        try:
            return {} if found is None else _TEXTS.decode(zlib.decompress(found[0]))
        except (zlib.error, msgspec.MsgspecError, TypeError):
            return {}


def segment_of(event_id: int) -> int:
    """Return the number of the segment in which an event's text is, or will be."""
    return (event_id - 1) // SIZE


def next_segment(db: Database) -> int:
    """Return the number of the first segment that was not made."""
    found: int = db.execute("SELECT ifnull(max(segment) + 1, 0) FROM event_segments").fetchone()[0]
    return found


def keep(db: Database, segment: int, texts: Mapping[int, bytes]) -> None:
    """Make a segment of these texts."""
    packed = zlib.compress(msgspec.msgpack.encode(texts))
    db.execute("INSERT INTO event_segments (segment, texts) VALUES (?, ?)", [segment, packed])
