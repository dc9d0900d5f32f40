"""Tables: a record type and the rows that hold its records.

The SQL of a table is put together from the names of the record's own fields, once; values are
always bound. A nested value is a column of JSON text, a truth value a column of 0 and 1.
"""

import sqlite3
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

import attrs
import msgspec
from sqlite_utils import Database

from command_center.store.database.checksums import COLUMN, DAMAGED, row_checksum
from command_center.store.errors import (
    ConstraintViolated,
    DamagedRecord,
    InvalidRecord,
    RecordNotFound,
)
from command_center.store.lists.cursors import decode_cursor, encode_cursor
from command_center.store.lists.pages import Page, check_limit
from command_center.store.lists.where import Conditions, Scalar
from command_center.store.records import (
    Agent,
    Approval,
    Automation,
    AutomationRun,
    ChannelMark,
    Followup,
    Item,
    Record,
    Repository,
    Session,
    Task,
    TelegramButton,
    TelegramChat,
    TelegramMessage,
    TelegramUpdate,
)
from command_center.store.transaction import Transaction

R = TypeVar("R", bound=Record)

Where = Mapping[str, Scalar | Sequence[Scalar]]
"""Field names to what they must equal: a value, None for no value, or any of a sequence."""

_PLAIN: frozenset[Any] = frozenset({str, int, bool, types.NoneType})
"""The classes of what goes into a row as it is."""

_SET_BY_THE_STORE = frozenset({"id", "created_at", "updated_at"})

_NUMBER = "'#' || id"
"""A record's number as people write it, in SQL."""


@attrs.frozen
class _Column:
    """The column of a field."""

    name: str
    wire_name: str
    type: Any
    is_json: bool
    is_truth: bool
    is_redacted: bool
    plain: frozenset[Any]
    """Values of exactly these classes need no check."""
    ready: frozenset[Any]
    """Of these, those that go into the row as they are."""
    choices: frozenset[Any]
    """The only texts that the field allows; empty if it allows any."""
    default: Callable[[], object] | None

    def to_row(self, tx: Transaction, value: Any) -> Scalar:
        """Give what goes into the row for a value that is not ready."""
        if type(value) not in _PLAIN:
            value = msgspec.to_builtins(value, str_keys=True)
        if self.is_redacted:
            value = tx.redact(value)
        kind = type(value)
        if kind not in self.plain and not (kind is str and value in self.choices):
            value = msgspec.convert(value, self.type)
        if value is None:
            return None
        if self.is_json:
            return msgspec.json.encode(value).decode()
        return typing.cast("Scalar", value)

    def from_row(self, value: Any) -> Any:
        if value is None:
            return None
        if self.is_json:
            return msgspec.json.decode(value)
        if self.is_truth:
            return bool(value)
        return value


class Table(Generic[R]):
    """The rows of one record type.

    What is read takes a connection and is as fresh as its snapshot; what writes takes the
    transaction of a unit, and is durable when the unit's batch is.

    Args:
        record: the record type.
        name: the table's.
        redacted: the fields in which people, repositories or Codex may have left secrets.
        searched: the fields of text in which words are looked for.
    """

    def __init__(
        self,
        record: type[R],
        name: str,
        *,
        redacted: Iterable[str] = (),
        searched: Iterable[str] = (),
    ) -> None:
        self.record = record
        self.name = name
        self.kind = record.__name__
        hidden = frozenset(redacted)
        self._columns = {
            field.name: _column(field, is_redacted=field.name in hidden)
            for field in sorted(msgspec.structs.fields(record), key=attrgetter("name"))
        }
        self._special = [c for c in self._columns.values() if c.is_json or c.is_truth]
        self._names = ", ".join(self._columns)
        self._position_of_id = [*self._columns].index("id")
        looked_through = tuple(searched)
        if unknown := {*hidden, *looked_through} - self._columns.keys():
            raise InvalidRecord(self.kind, f"has no {', '.join(sorted(unknown))}")
        # Only the table's name and the fields' go into these texts.
        self._select = f"SELECT {self._names}, {COLUMN} FROM {name}"  # noqa: S608
        self._exists = f"SELECT 1 FROM {name}"  # noqa: S608
        self._holds_words = f"holds_words({', '.join(('?', _NUMBER, *looked_through))})"
        self._given = tuple(column for column in self._columns if column != "id")
        self._insert = (
            f"INSERT INTO {name} ({', '.join(self._given)}) "  # noqa: S608
            f"VALUES ({', '.join('?' * len(self._given))})"
        )

    def __repr__(self) -> str:
        return f"<Table {self.name} of {self.kind}>"

    def get(self, db: Database, id: int) -> R:  # noqa: A002 - the record's own word for it
        """Give the record with this id.

        Raises:
            RecordNotFound: there is none.
            DamagedRecord: it is not as it was written.
        """
        found = self.find(db, {"id": id})
        if found is None:
            raise RecordNotFound(self.kind, id)
        return found

    def require(self, db: Database, id: int) -> None:  # noqa: A002 - see get
        """Do nothing if there is a record with this id; its columns are not read.

        Raises:
            RecordNotFound: there is none.
        """
        conditions = self._conditions({"id": id})
        if db.execute(f"{self._exists}{conditions.sql}", conditions.arguments).fetchone() is None:
            raise RecordNotFound(self.kind, id)

    def find(self, db: Database, where: Where, *, newest_first: bool = False) -> R | None:
        """Give the oldest, or newest, record that meets the conditions; None if none does."""
        found = self._query(db, self._conditions(where), newest_first=newest_first, limit=1)
        return found[0] if found else None

    def every(self, db: Database, where: Where) -> list[R]:
        """Give all records that meet the conditions, oldest first. For what is known to be few.

        Raises:
            DamagedRecord: one is not as it was written.
        """
        return self._query(db, self._conditions(where), newest_first=False, limit=-1)

    def sound(self, db: Database, where: Where) -> tuple[list[R], list[DamagedRecord]]:
        """Give all that meet the conditions, oldest first, and apart from them the damaged ones.

        For what goes on with the others, however one of them is.
        """
        found: list[R] = []
        damaged: list[DamagedRecord] = []
        for row in self._rows(db, self._conditions(where), newest_first=False, limit=-1):
            try:
                found.append(self._read(row))
            except DamagedRecord as error:
                damaged.append(error)
        return found, damaged

    def count(self, db: Database, where: Where) -> int:
        """Give how many records meet the conditions."""
        conditions = self._conditions(where)
        sql = f"SELECT count(*) FROM {self.name}{conditions.sql}"  # noqa: S608 - as above
        found: int = db.execute(sql, conditions.arguments).fetchone()[0]
        return found

    def page(
        self,
        db: Database,
        where: Where,
        *,
        limit: int,
        cursor: str | None = None,
        newest_first: bool = False,
        words: str | None = None,
    ) -> Page[R]:
        """Give a page of the records that meet the conditions, in the order of their ids.

        A record that is added while somebody turns the pages appears on a later one, or, with
        the newest first, not at all; none is shown twice.

        Args:
            db: a connection.
            where: the conditions.
            limit: the most to give, 1 to 500.
            cursor: of the page before.
            newest_first: the order.
            words: what the record's searched fields, or its number as in ``#12``, must hold, in
                letters of either case.

        Raises:
            InvalidCursor: the cursor is not one of this table in this order.
        """
        check_limit(limit)
        conditions = self._conditions(where)
        if words is not None:
            conditions.meets(self._holds_words, words)
        if cursor is not None:
            position = decode_cursor(cursor, self.name, newest_first=newest_first)
            (conditions.below if newest_first else conditions.above)("id", position)
        found = self._query(db, conditions, newest_first=newest_first, limit=limit + 1)
        items = found[:limit]
        if len(found) <= limit:
            return Page(items=items)
        following = encode_cursor(self.name, newest_first=newest_first, last_id=items[-1].id)
        return Page(items=items, next_cursor=following)

    def insert(self, tx: Transaction, **fields: Any) -> R:
        """Add a record; fields left out take their defaults, and the store sets its own.

        Returns:
            the record as it was stored, with what had to be redacted redacted.

        Raises:
            InvalidRecord: a field is unknown, missing, or of the wrong type.
            ConstraintViolated: a unique value is taken, or what it refers to is absent.
        """
        for name, column in self._columns.items():
            if name in fields or name in _SET_BY_THE_STORE:
                continue
            if column.default is None:
                raise InvalidRecord(self.kind, f"{column.wire_name} is missing")
            fields[name] = column.default()
        row = self._to_row(tx, fields)
        row["created_at"] = row["updated_at"] = tx.now
        # STRICT tables keep what they are given, so the row need not be read again.
        row["id"], _ = self._write(tx, self._insert, [row[name] for name in self._given])
        return self._from_columns(row)

    def update(self, tx: Transaction, id: int, **changes: Any) -> R:  # noqa: A002 - see get
        """Change fields of a record, and its ``updated_at``.

        Returns:
            the record as it is now stored.

        Raises:
            RecordNotFound: there is none with this id.
            DamagedRecord: it is not as it was written.
            InvalidRecord: a field is unknown or of the wrong type.
            ConstraintViolated: a unique value is taken, or what it refers to is absent.
        """
        changed = self.swap(tx, id, expected={}, **changes)
        if changed is None:
            raise RecordNotFound(self.kind, id)
        return changed

    def swap(
        self,
        tx: Transaction,
        id: int,  # noqa: A002 - see get
        *,
        expected: Where,
        **changes: Any,
    ) -> R | None:
        """Change fields of a record only if it is as expected (compare-and-swap).

        Of several who race, exactly one gets the record back.

        Returns:
            the record as it is now stored; None if it was not as expected, and is unchanged.

        Raises:
            RecordNotFound: there is none with this id.
            DamagedRecord: it is not as it was written.
            InvalidRecord: a field is unknown or of the wrong type.
            ConstraintViolated: a unique value is taken, or what it refers to is absent.
        """
        row = self._to_row(tx, changes)
        row["updated_at"] = tx.now
        conditions = self._conditions({**expected, "id": id})
        sql = (
            f"UPDATE {self.name} SET {', '.join(f'{name} = ?' for name in row)}"  # noqa: S608
            f"{conditions.sql} RETURNING {self._names}"
        )
        _, changed = self._write(tx, sql, [*row.values(), *conditions.arguments], changes_id=id)
        if changed:
            return self._from_row(changed[0])
        self.get(tx.db, id)
        return None

    def _to_row(self, tx: Transaction, fields: Mapping[str, Any]) -> dict[str, Scalar]:
        row: dict[str, Scalar] = {}
        for name, value in fields.items():
            column = self._columns.get(name)
            if column is None or name in _SET_BY_THE_STORE:
                raise InvalidRecord(self.kind, f"{name} cannot be set")
            if type(value) in column.ready:
                row[name] = value
                continue
            try:
                row[name] = column.to_row(tx, value)
            except (msgspec.ValidationError, TypeError, UnicodeEncodeError) as error:
                raise InvalidRecord(self.kind, f"{column.wire_name}: {error}") from error
        return row

    def _write(
        self, tx: Transaction, sql: str, arguments: list[Scalar], *, changes_id: int = 0
    ) -> tuple[int | None, list[Any]]:
        """Give the id of what was inserted, and the rows that are returned."""
        try:
            cursor = tx.db.execute(sql, arguments)
            return cursor.lastrowid, cursor.fetchall()
        except sqlite3.IntegrityError as error:
            if str(error) == DAMAGED:
                raise DamagedRecord(self.kind, changes_id) from error
            raise ConstraintViolated(self.kind, str(error)) from error
        except (OverflowError, UnicodeEncodeError) as error:
            raise InvalidRecord(self.kind, str(error)) from error

    def _query(
        self, db: Database, conditions: Conditions, *, newest_first: bool, limit: int
    ) -> list[R]:
        rows = self._rows(db, conditions, newest_first=newest_first, limit=limit)
        return [self._read(row) for row in rows]

    def _rows(
        self, db: Database, conditions: Conditions, *, newest_first: bool, limit: int
    ) -> list[Any]:
        """Give the rows; a text that is none comes with what it has in its place."""
        order = "DESC" if newest_first else "ASC"
        sql = f"{self._select}{conditions.sql} ORDER BY id {order} LIMIT {limit}"
        try:
            return db.execute(sql, conditions.arguments).fetchall()
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):
                raise
        before = db.conn.text_factory
        db.conn.text_factory = lambda data: data.decode(errors="surrogateescape")
        try:
            return db.execute(sql, conditions.arguments).fetchall()
        finally:
            db.conn.text_factory = before

    def _read(self, row: Sequence[Any]) -> R:
        """Make a stored row its record, if it is as it was written."""
        *values, checksum = row
        if row_checksum(*values) != checksum:
            raise DamagedRecord(self.kind, values[self._position_of_id])
        return self._from_row(values)

    def _from_row(self, row: Sequence[Any]) -> R:
        return self._from_columns(dict(zip(self._columns, row, strict=True)))

    def _from_columns(self, values: dict[str, Any]) -> R:
        for column in self._special:
            values[column.name] = column.from_row(values[column.name])
        return self.record(**values)

    def _conditions(self, where: Where) -> Conditions:
        conditions = Conditions()
        for name, value in where.items():
            column = self._columns.get(name)
            if column is None or column.is_json:
                raise InvalidRecord(self.kind, f"cannot be looked up by {name}")
            if isinstance(value, str) or not isinstance(value, Sequence):
                conditions.equal(name, value)
            else:
                conditions.among(name, value)
        return conditions


def _column(field: msgspec.structs.FieldInfo, *, is_redacted: bool) -> _Column:
    kinds = _alternatives(field.type)
    plain = _PLAIN.intersection(kinds)
    is_json = any(typing.get_origin(kind) in {dict, list} for kind in kinds)
    default: Callable[[], object] | None = None
    if field.default is not msgspec.NODEFAULT:
        value = field.default
        default = lambda: value  # noqa: E731 - two lines for it would say no more
    elif field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory
    return _Column(
        name=field.name,
        wire_name=field.encode_name,
        type=field.type,
        is_json=is_json,
        is_truth=bool in kinds,
        is_redacted=is_redacted,
        plain=plain,
        ready=plain & {types.NoneType} if is_json or is_redacted else plain,
        choices=frozenset(
            choice
            for kind in kinds
            if typing.get_origin(kind) is typing.Literal
            for choice in typing.get_args(kind)
        ),
        default=default,
    )


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return tuple(map(_plain, typing.get_args(annotation)))
    return (_plain(annotation),)


def _plain(annotation: Any) -> Any:
    """Return the type itself, without its annotations."""
    if typing.get_origin(annotation) is typing.Annotated:
        return typing.get_args(annotation)[0]
    return annotation


repositories = Table(Repository, "repositories", redacted=["facts"])
tasks = Table(
    Task, "tasks", redacted=["title", "prompt", "requested_by"], searched=["title", "prompt"]
)
sessions = Table(
    Session,
    "sessions",
    redacted=[
        *("prompt", "requested_by", "exit_reason", "last_message", "plan", "diff"),
        *("stop_requested", "result", "goal"),
    ],
)
approvals = Table(
    Approval,
    "approvals",
    redacted=[
        *("title", "details", "answers", "codex_request"),
        *("requested_by", "resolved_by", "resolution_note"),
    ],
)
agents = Table(Agent, "agents", redacted=["prompt", "last_message", "diff"])
items = Table(Item, "items", redacted=["body"])
followups = Table(Followup, "followups", redacted=["message", "requested_by"])
automations = Table(
    Automation, "automations", redacted=["title", "payload", "requested_by", "paused_reason"]
)
automation_runs = Table(AutomationRun, "automation_runs", redacted=["reason"])
telegram_updates = Table(TelegramUpdate, "telegram_updates", redacted=["body"])
telegram_chats = Table(TelegramChat, "telegram_chats", redacted=["waits_for"])
telegram_messages = Table(TelegramMessage, "telegram_messages", redacted=["content", "error"])
telegram_buttons = Table(TelegramButton, "telegram_buttons", redacted=["action"])
channel_marks = Table(ChannelMark, "telegram_marks")
