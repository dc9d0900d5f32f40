"""The event log: what happened, in the order in which it became durable.

Ids start at 1, or above the cut (``event_cut``), and have no gaps. An event is encoded once, when
it is emitted; what is stored, sent to subscribers and shown in lists is that one text.
"""

from collections.abc import Sequence
from contextlib import closing
from operator import attrgetter
from typing import Any, NamedTuple

import attrs
import msgspec
from msgspec import UNSET, UnsetType
from sqlite_utils import Database

from command_center.store import event_cut, event_notes, event_segments
from command_center.store.database.checksums import read_rows, row_checksum
from command_center.store.errors import DamagedRecord, InvalidCursor, RecordNotFound
from command_center.store.event_segments import Segments
from command_center.store.lists import pages
from command_center.store.lists.cursors import decode_cursor, encode_cursor
from command_center.store.lists.pages import MAX_LIMIT, Page, check_limit
from command_center.store.lists.where import Conditions, Scalar
from command_center.store.long_texts import whole_values
from command_center.store.long_texts.whole_values import TextPiece
from command_center.store.timestamps import Timestamp

TABLE = "events"
DATA = "data"
"""The field of an event that may be shortened."""
_LISTING = "events"


TYPE_FIELD = "event"
"""The name under which an encoded `EventData` has its type."""


class EventData(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field=TYPE_FIELD):
    """The data of one type of event, which a subclass has as its tag.

        class RepositoryScanned(EventData, frozen=True, kw_only=True, tag="repo.scanned"):
            head_sha: str | None

    A field that is UNSET is left out of what is stored and shown.
    """


def event_type(kind: type[EventData]) -> str:
    """Return the event type that this class is the data of."""
    return str(kind.__struct_config__.tag)


def plain_data(event: EventData) -> dict[str, Any]:
    """Return the event's data as plain JSON, without its type."""
    data: dict[str, Any] = msgspec.to_builtins(event, str_keys=True)
    del data[TYPE_FIELD]
    return data


class EventDamaged(EventData, frozen=True, kw_only=True, tag="event.damaged"):
    """An event of the log is not as it was written. It is shown in its place, and is not stored."""


class EventRemoved(EventData, frozen=True, kw_only=True, tag="event.removed"):
    """An event was removed with the history of its repository; this stands in its place."""


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An event as it is shown: the ids of things that it is not about are left out.

    Attributes:
        type: ``thing.happened``.
        actor: who did it, such as ``api``, ``telegram`` or ``/sessions/12``.
        device: the device that did it, such as ``device:7 "Phone"``; what it called itself is
            ``actor``. Left out for everybody else.
        correlation_id: shared by all that has one origin; None where there is none.
        causation_id: the id of the event that led to this one; None where there is none.
        data: plain JSON, free of secrets.
        shortened: true where the texts of its data are longer than they are shown; else left out.
    """

    id: int
    type: str
    ts: Timestamp
    repository_id: int | UnsetType = UNSET
    task_id: int | UnsetType = UNSET
    session_id: int | UnsetType = UNSET
    approval_id: int | UnsetType = UNSET
    automation_id: int | UnsetType = UNSET
    actor: str
    device: str | UnsetType = UNSET
    correlation_id: str | None
    causation_id: int | None
    data: Any
    shortened: bool | UnsetType = UNSET


class StoredEvent(msgspec.Struct, frozen=True, gc=False):
    """A durable event: its text, and before it what it can be filtered by, as a row has them."""

    id: int
    type: str
    ts: Timestamp
    repository_id: int | None = None
    task_id: int | None = None
    session_id: int | None = None
    approval_id: int | None = None
    automation_id: int | None = None
    correlation_id: str | None = None
    body: bytes = b""

    def __repr__(self) -> str:
        return f"StoredEvent(id={self.id}, type={self.type!r})"


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A filter of events; one passes if it agrees in every field that is set.

    Attributes:
        types: any of these; empty for all.
        since: at or after this timestamp.
        until: before this timestamp.
    """

    types: tuple[str, ...] = ()
    repository_id: int | None = None
    task_id: int | None = None
    session_id: int | None = None
    approval_id: int | None = None
    automation_id: int | None = None
    correlation_id: str | None = None
    since: str | None = None
    until: str | None = None

    def matches(self, event: StoredEvent) -> bool:
        """Tell whether the event is wanted; a query by this filter gives the same answer."""
        if self.types and event.type not in self.types:
            return False
        if self.since is not None and event.ts < self.since:
            return False
        if self.until is not None and event.ts >= self.until:
            return False
        for name in _SUBJECTS:
            wanted = getattr(self, name)
            if wanted is not None and wanted != getattr(event, name):
                return False
        return True


_SUBJECTS = (
    "repository_id",
    "task_id",
    "session_id",
    "approval_id",
    "automation_id",
    "correlation_id",
)
_NARROWEST_FIRST = (
    "approval_id",
    "session_id",
    "task_id",
    "correlation_id",
    "automation_id",
    "repository_id",
)
"""The subjects, those first of which there are the fewest events."""

_COLUMNS = ("id", "type", "ts", *_SUBJECTS)
_columns_of = attrgetter(*_COLUMNS)
_STORED = f"{', '.join(_COLUMNS)}, CAST(body AS BLOB), checksum"
# Nothing but the names above goes into this text.
_INSERT = (
    f"INSERT INTO events ({', '.join(_COLUMNS)}, body, checksum) "  # noqa: S608
    f"VALUES (?, ?{', ?' * len(_COLUMNS)})"
)
COMPRESSED = "session.item"
"""The type of the events whose texts are moved: most are of it, and no query looks into them."""

IS_DAMAGED = f"""CASE WHEN body = ''
    THEN type IS NOT '{COMPRESSED}'
    OR id > (SELECT ifnull(max(last_event), 0) FROM event_segments)
    ELSE checksum IS NOT row_checksum({", ".join(_COLUMNS)}, CAST(body AS BLOB))
END"""  # noqa: S608 - constants
"""The condition that an event meets which is not as it was written, in SQL.

Of one whose text is in a segment, ``lost_texts`` tells.
"""

_MOST_BRANCHES = 50
_UNKNOWN: Timestamp = "1970-01-01T00:00:00.000Z"

EVERYTHING = EventFilter()
"""The filter that lets all events through."""


def append(db: Database, event: Event) -> StoredEvent:
    """Write the event; the transaction that calls this has chosen its id."""
    stored = _write(db, event)
    if event.id % 1000 == 0:
        event_notes.note_thousand(db, event.id)
    return stored


def _write(db: Database, event: Event) -> StoredEvent:
    stored = StoredEvent(
        id=event.id,
        type=event.type,
        ts=event.ts,
        repository_id=_or_none(event.repository_id),
        task_id=_or_none(event.task_id),
        session_id=_or_none(event.session_id),
        approval_id=_or_none(event.approval_id),
        automation_id=_or_none(event.automation_id),
        correlation_id=event.correlation_id,
        body=msgspec.json.encode(event),
    )
    values = _columns_of(stored)
    checksum = row_checksum(*values, stored.body)
    db.execute(_INSERT, [*values, stored.body.decode(), checksum])
    return stored


def remove_from_within(db: Database, ids: Sequence[int]) -> None:
    """Put an event that says nothing in the place of each of these; its moment stays.

    They are of one repository whose history is being removed; the log refuses others.
    """
    given = [msgspec.json.encode(ids).decode()]
    rows = db.execute(
        "SELECT id, ts, repository_id FROM events WHERE id IN (SELECT value FROM json_each(?))",
        given,
    ).fetchall()
    for sql in (
        f"DELETE FROM whole_values WHERE record_table = '{TABLE}' AND record_id IN ",  # noqa: S608 - constants
        "DELETE FROM events WHERE id IN ",
    ):
        db.execute(f"{sql} (SELECT value FROM json_each(?))", given)  # noqa: S608 - constants
    event_segments.drop(db, ids)
    for id_, ts, _ in rows:
        removed = Event(
            id=id_,
            type=event_type(EventRemoved),
            ts=ts,
            actor="store",
            correlation_id=None,
            causation_id=None,
            data={},
        )
        _write(db, removed)
    for thousand, repository_id in {((id_ - 1) // 1000, of) for id_, _, of in rows}:
        event_notes.count_anew(db, thousand, repository_id)


def last_id_of_repository(db: Database, repository_id: int) -> int:
    """Give the id of a repository's newest durable event; 0 before the first."""
    sql = "SELECT id FROM events WHERE repository_id = ? ORDER BY id DESC LIMIT 1"
    found = db.execute(sql, [repository_id]).fetchone()
    return found[0] if found else 0


@attrs.frozen
class PackedEvents:
    """The texts of events that follow each other, as their segment will have them.

    Attributes:
        first: the first of the events.
        last: the last of them.
        rows: the rows whose texts these are.
        texts: the texts, compressed.
    """

    first: int
    last: int
    rows: list[tuple[Any, ...]] = attrs.field(repr=False)
    texts: bytes = attrs.field(repr=False)


def pack(db: Database, before: Timestamp) -> PackedEvents | None:
    """Compress the texts of the next events, if they are older than this; for `keep_packed`.

    An event is older, too, if a later one is: a clock that was ahead holds nothing up. Only texts
    of items (``COMPRESSED``) are taken. One that is not as it was written stays as it is.

    Returns:
        the texts; None where there are not yet enough for a segment.
    """
    first = event_segments.next_event(db)
    last, latest, left, size = 0, "", event_segments.SIZE, 0
    rows: list[tuple[Any, ...]] = []
    sql = f"SELECT {_STORED} FROM events WHERE id >= ? ORDER BY id LIMIT ?"  # noqa: S608 - constants
    with closing(read_rows(db, sql, [first, left])) as found:
        for row in found:
            *values, body, checksum = row
            if values[1] == COMPRESSED and body and row_checksum(*values, body) == checksum:
                size += len(body)
                if rows and size > event_segments.BYTES:
                    left = 0
                    break
                rows.append(tuple(row))
            last, latest, left = values[0], values[2], left - 1
    if left or (latest >= before and last > event_notes.last_before(db, before)):
        return None
    return PackedEvents(first, last, rows, event_segments.pack({row[0]: row[-2] for row in rows}))


def keep_packed(db: Database, packed: PackedEvents) -> bool:
    """Move texts into their segment, if they are in the log as they were when they were packed."""
    if packed.first != event_segments.next_event(db):
        return False
    sql = f"SELECT {_STORED} FROM events WHERE id >= ? AND id <= ? AND +type = ?"  # noqa: S608 - constants
    rows = read_rows(db, sql, [packed.first, packed.last, COMPRESSED])
    there = {row[0]: tuple(row) for row in rows}
    if any(there.get(row[0]) != row for row in packed.rows):
        return False
    event_segments.keep(db, packed.last, packed.texts)
    # A row that is updated leaves its page as empty as it has become. When rows go, SQLite puts
    # those that stay together, and has the pages for what comes later.
    db.conn.executemany("DELETE FROM events WHERE id = ?", [row[:1] for row in packed.rows])
    db.conn.executemany(_INSERT, [(*row[:-2], "", row[-1]) for row in packed.rows])
    return True


def lost_texts(db: Database, after: int, last: int) -> list[int]:
    """Give the compressed events, of those after one up to another, that no segment has whole."""
    sql = f"SELECT {_STORED} FROM events WHERE id > ? AND id <= ? AND body = '' ORDER BY id"  # noqa: S608 - constants
    segments = Segments(db)
    with closing(read_rows(db, sql, [after, last])) as rows:
        return [
            values[0]
            for *values, _, checksum in rows
            if row_checksum(*values, segments.text(values[0])) != checksum
        ]


def _or_none(subject: int | UnsetType) -> int | None:
    return None if isinstance(subject, UnsetType) else subject


def last_id(db: Database) -> int:
    """Give the id of the newest durable event; 0 before the first."""
    found = db.execute("SELECT max(id) FROM events").fetchone()[0]
    return found or 0


def after(
    db: Database,
    last_seen: int,
    *,
    limit: int = MAX_LIMIT,
    wanted: EventFilter = EVERYTHING,
) -> tuple[list[StoredEvent], int | None]:
    """Give the first wanted events after ``last_seen``, oldest first, as many as a page holds.

    Returns:
        the events, and the id to go on from; None where there were no more when the snapshot
        began.
    """
    begin = max(last_seen, event_cut.removed_up_to(db))
    sql, arguments = _query(_STORED, wanted, _Ids(above=begin), "ASC", limit + 1)
    return _take(db, sql, arguments, limit)


def page(
    db: Database,
    *,
    limit: int,
    wanted: EventFilter = EVERYTHING,
    last_seen: int | None = None,
    cursor: str | None = None,
    newest_first: bool = False,
) -> Page[msgspec.Raw]:
    """Give a page of wanted events as the texts that were stored.

    Args:
        db: a connection.
        limit: the most to give, 1 to 500.
        wanted: which ones.
        last_seen: only those with a greater id.
        cursor: of the page before.
        newest_first: the order.

    Raises:
        InvalidCursor: the cursor is not one of this list in this order.
    """
    check_limit(limit)
    ids = _Ids(above=max(last_seen or 0, event_cut.removed_up_to(db)))
    if cursor is not None:
        position = decode_cursor(cursor, _LISTING, newest_first=newest_first)
        above = ids.above if newest_first else max(ids.above, position)
        ids = _Ids(above, below=position if newest_first else None)
    sql, arguments = _query(_STORED, wanted, ids, "DESC" if newest_first else "ASC", limit + 1)
    found, last = _take(db, sql, arguments, limit)
    items = [msgspec.Raw(event.body) for event in found]
    if last is None:
        return Page(items=items)
    following = encode_cursor(_LISTING, newest_first=newest_first, last_id=last)
    return Page(items=items, next_cursor=following)


def _take(
    db: Database, sql: str, arguments: Sequence[Scalar], limit: int
) -> tuple[list[StoredEvent], int | None]:
    """Take the events of a page, by the rule of `pages.fill`, with no step between for each.

    What is unpacked for an event is looked through.
    """
    segments = Segments(db)
    found: list[StoredEvent] = []
    left, room = limit, pages.PAGE_BYTES
    with closing(read_rows(db, sql, arguments)) as rows:
        for row in rows:
            if left <= 0 or room <= 0 or segments.unpacked >= pages.SCANNED_BYTES:
                return found, found[-1].id
            event = _stored(row, segments)
            found.append(event)
            left -= 1
            room -= len(event.body)
    return found, None


def _stored(row: Sequence[Any], segments: Segments) -> StoredEvent:
    """Make a row the event that was written; one that is not as it was is told as damaged."""
    told, checksum = row[:-1], row[-1]
    if not told[-1]:
        told = (*told[:-1], segments.text(told[0]))
    if row_checksum(*told) == checksum:
        return StoredEvent(*told)
    event = Event(
        id=told[0],
        type=event_type(EventDamaged),
        ts=_UNKNOWN,
        actor="store",
        correlation_id=None,
        causation_id=None,
        data={},
    )
    return StoredEvent(id=event.id, type=event.type, ts=event.ts, body=msgspec.json.encode(event))


def piece(db: Database, event_id: int, cursor: str | None = None) -> TextPiece:
    """Give the JSON of an event's data, shortened or not, piece by piece.

    Raises:
        RecordNotFound: there is no event with this id.
        DamagedRecord: it is not as it was written.
        InvalidCursor: the cursor is not one of this event's data.
    """
    found, _ = after(db, event_id - 1, limit=1)
    if not found or found[0].id != event_id:
        raise RecordNotFound("Event", event_id)
    if found[0].type == event_type(EventDamaged):
        raise DamagedRecord("Event", event_id)
    event = msgspec.json.decode(found[0].body, type=Event)
    if event.shortened is True:
        return whole_values.piece(db, TABLE, event_id, DATA, cursor)
    if cursor is not None:
        raise InvalidCursor(cursor)
    text = msgspec.json.encode(event.data)
    return TextPiece(text.decode(), len(text), None)


class _Ids(NamedTuple):
    """The ids of the events that are looked for: above one, and below another."""

    above: int
    below: int | None = None


def _query(
    columns: str, wanted: EventFilter, ids: _Ids, order: str, limit: int
) -> tuple[str, Sequence[Scalar]]:
    """Give the query for the first ``limit`` wanted events among these, and its arguments.

    Every index on events ends with the id, so one that has a single value to look for gives the
    rows in their order and can stop at the limit. Several types are therefore a branch each,
    merged. Only the narrowest subject is looked up, and a type beside one narrower than a
    repository is not: these are compared (the plus keeps SQLite from choosing their index). Only
    the names and terms of this module go into the text.
    """
    subjects = [name for name in _SUBJECTS if getattr(wanted, name) is not None]
    types = sorted(set(wanted.types))
    ordered = f"ORDER BY id {order} LIMIT {int(limit)}"
    is_by_type = subjects in ([], ["repository_id"]) and len(types) <= _MOST_BRANCHES
    if is_by_type and len(types) > 1:
        branches: list[str] = []
        arguments: list[Scalar] = []
        for type_ in types:
            branch = _conditions(wanted, ids)
            branch.equal("type", type_)
            branches.append(f"SELECT * FROM (SELECT id FROM events{branch.sql} {ordered})")  # noqa: S608
            arguments += branch.arguments
        merged = " UNION ALL ".join(branches)
        return f"SELECT {columns} FROM events WHERE id IN ({merged}) {ordered}", arguments  # noqa: S608
    conditions = _conditions(wanted, ids)
    if types:
        conditions.among("type" if is_by_type else "+type", types)
    return f"SELECT {columns} FROM events{conditions.sql} {ordered}", conditions.arguments  # noqa: S608


def _conditions(wanted: EventFilter, ids: _Ids) -> Conditions:
    """Give all that is asked for but the types.

    The clock may have been set back, so the ids of a span of time are not one range. But no
    event in it lies before the first or behind the last thousand in which one may be. There is
    one bound at either end: of two, SQLite begins at any, and goes through all that the other
    leaves out.
    """
    conditions = Conditions()
    since, until, below = wanted.since, wanted.until, ids.below
    if since is not None:
        conditions.meets(f"id > max(?, {event_notes.BEFORE_SPAN})", ids.above, since)
        conditions.meets("+ts >= ?", since)
    elif ids.above:
        conditions.above("id", ids.above)
    if until is not None:
        last = event_notes.LAST_OF_SPAN
        if below is None:
            conditions.meets(f"id <= {last}", until)
        else:
            conditions.meets(f"id <= min(?, {last})", below - 1, until)
        conditions.meets("+ts < ?", until)
    elif below is not None:
        conditions.below("id", below)
    named = [name for name in _NARROWEST_FIRST if getattr(wanted, name) is not None]
    for name in named:
        conditions.equal(name if name == named[0] else f"+{name}", getattr(wanted, name))
    return conditions
