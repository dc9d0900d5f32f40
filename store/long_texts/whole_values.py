"""Whole values: what was too long for its row, kept beside it in parts, and read part by part.

A row has the shortened value (``shortening``), and names the field in ``shortened``. What is kept
here is the text of the whole: that of a text as it is, and of plain JSON its JSON. It goes when its
row goes, and when its field takes another value. Each part has its checksum.
"""

from typing import NamedTuple

from sqlite_utils import Database

from command_center.store.errors import DamagedRecord, InvalidCursor
from command_center.store.lists.cursors import decode_cursor, encode_cursor

PART = 256 * 1024
"""Characters of a part: of a megabyte at most."""

_OF_FIELD = "record_table = ? AND record_id = ? AND field = ?"
_IS_SOUND = (
    "checksum IS row_checksum(bytes, field, id, part, record_id, record_table, text) AS is_sound"
)


class TextPiece(NamedTuple):
    """A piece of a long text, the bytes of all of it, and the cursor that gives the next piece."""

    text: str
    size: int
    next_cursor: str | None


def keep(db: Database, table: str, record_id: int, field: str, text: str) -> None:
    """Keep the whole of a field in place of what was kept of it before."""
    drop(db, table, record_id, field)
    size = len(text) if text.isascii() else len(text.encode())
    for part, begin in enumerate(range(0, len(text), PART)):
        db.execute(
            "INSERT INTO whole_values (record_table, record_id, field, part, bytes, text) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [table, record_id, field, part, size, text[begin : begin + PART].encode()],
        )


def drop(db: Database, table: str, record_id: int, field: str) -> None:
    """Forget the whole of a field."""
    sql = f"DELETE FROM whole_values WHERE {_OF_FIELD}"  # noqa: S608 - a constant
    db.execute(sql, [table, record_id, field])


def fields_of(db: Database, table: str, record_id: int) -> list[str]:
    """Give the fields of a record of which the whole is kept."""
    sql = (
        "SELECT DISTINCT field FROM whole_values WHERE record_table = ? AND record_id = ? "
        "ORDER BY field"
    )
    return [field for (field,) in db.execute(sql, [table, record_id])]


def text_of(db: Database, table: str, record_id: int, field: str) -> str:
    """Give the whole of a shortened field at once, however long.

    Raises:
        DamagedRecord: it is not as it was written.
    """
    sql = f"SELECT text, {_IS_SOUND} FROM whole_values WHERE {_OF_FIELD} ORDER BY part"  # noqa: S608 - constants
    parts: list[str] = []
    for text, is_sound in db.execute(sql, [table, record_id, field]):
        if not is_sound:
            raise DamagedRecord("Long text", record_id)
        parts.append(text.decode())
    return "".join(parts)


def piece(
    db: Database, table: str, record_id: int, field: str, cursor: str | None = None
) -> TextPiece:
    """Give the next piece of the whole of a shortened field; no more of it is read.

    Raises:
        InvalidCursor: the cursor is not one of this value; the field may have another one now.
        DamagedRecord: it is not as it was written.
    """
    of_field = [table, record_id, field]
    sql = f"SELECT min(id), max(part) FROM whole_values WHERE {_OF_FIELD}"  # noqa: S608 - a constant
    first_id, last = db.execute(sql, of_field).fetchone()
    # Ids are never given twice, so the first part's tells one value from the next.
    listing = f"whole {first_id}"
    part = 0 if cursor is None else decode_cursor(cursor, listing, newest_first=False)
    sql = f"SELECT bytes, text, {_IS_SOUND} FROM whole_values WHERE {_OF_FIELD} AND part = ?"  # noqa: S608 - constants
    found = db.execute(sql, [*of_field, part]).fetchone()
    if found is None:
        raise InvalidCursor(cursor or "")
    size, text, is_sound = found
    if not is_sound:
        raise DamagedRecord("Long text", record_id)
    following = None
    if part < last:
        following = encode_cursor(listing, newest_first=False, last_id=part + 1)
    return TextPiece(text.decode(), size, following)
