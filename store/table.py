"""A table: a record type and the rows that hold its records.

The SQL of a table is put together from the names of the record's own fields, once; values are
always bound.
"""

import sqlite3
import typing
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET
from sqlite_utils import Database

from command_center.store.columns import column_of
from command_center.store.database.checksums import COLUMN, DAMAGED, read_rows, row_checksum
from command_center.store.database.text_match import (
    is_number,
    numbers_that_begin,
    quoted,
    trigrams_of,
    words_held,
)
from command_center.store.errors import (
    ConstraintViolated,
    DamagedRecord,
    InvalidCursor,
    InvalidRecord,
    RecordNotFound,
)
from command_center.store.lists.cursors import decode_cursor, encode_cursor
from command_center.store.lists.pages import Page, Row, check_limit, fill, size_of
from command_center.store.lists.where import Conditions, Scalar, is_holdable
from command_center.store.long_texts import whole_values
from command_center.store.long_texts.shortening import LONGEST
from command_center.store.long_texts.whole_values import TextPiece
from command_center.store.records import Record
from command_center.store.transaction import Transaction

R = TypeVar("R", bound=Record)

Where = Mapping[str, Scalar | Sequence[Scalar]]
"""Field names to what they must equal: a value, None for no value, or any of a sequence."""

_SET_BY_THE_STORE = frozenset({"id", "created_at", "updated_at", "shortened"})

_FEW = 2000
"""Records of which words are looked for one by one, whatever the words are."""

_LOOK_BYTES = 8192
"""Bytes for which the look at a record counts, beside its texts."""

_SHORT = 2
"""Letters of a word that has no trigram."""

_NUMBER = "'#' || id"
"""A record's number as people write it, in SQL."""


class _Order(NamedTuple):
    """The order of a page, and the id behind which it begins; None for the first page."""

    newest_first: bool
    position: int | None

    def by(self, column: str) -> str:
        return f"ORDER BY {column} {'DESC' if self.newest_first else 'ASC'}"

    def bound(self, conditions: Conditions, column: str) -> Conditions:
        """Have the conditions ask for what is behind the position, and return them."""
        if self.position is not None:
            (conditions.below if self.newest_first else conditions.above)(column, self.position)
        return conditions


class Table(Generic[R]):
    """The rows of one record type.

    What is read takes a connection and is as fresh as its snapshot; what writes takes the
    transaction of a unit, and is durable when the unit's batch is.

    Args:
        record: the record type.
        name: the table's.
        redacted: the fields in which people, repositories or Codex may have left secrets.
        long: the fields that agents fill, with as much as they like; shortened in rows. Such a
            record has a field ``shortened``.
        bulky: further fields that need not be read where many records are.
        searched: the fields of text in which words are looked for. Such a table has an index of
            their trigrams, of its name and ``_search``.
    """

    def __init__(
        self,
        record: type[R],
        name: str,
        *,
        redacted: Iterable[str] = (),
        long: Iterable[str] = (),
        bulky: Iterable[str] = (),
        searched: Iterable[str] = (),
    ) -> None:
        self.record = record
        self.name = name
        self.kind = record.__name__
        hidden = frozenset(redacted)
        self._columns = {
            field.name: column_of(field, is_redacted=field.name in hidden)
            for field in sorted(msgspec.structs.fields(record), key=attrgetter("name"))
        }
        self._all = tuple(self._columns.values())
        self._special = [c for c in self._columns.values() if c.is_json or c.is_truth]
        self._names = ", ".join(self._columns)
        self._position_of_id = [*self._columns].index("id")
        looked_through = tuple(searched)
        self._long = frozenset(long)
        left_out = self._long.union(bulky)
        if unknown := {*hidden, *looked_through, *left_out} - self._columns.keys():
            raise InvalidRecord(self.kind, f"has no {', '.join(sorted(unknown))}")
        # Only the table's name and the fields' go into these texts.
        self._select = f"SELECT {self._names}, {COLUMN} FROM {name}"  # noqa: S608
        outlined = (f"{c.empty} AS {c.name}" if c.name in left_out else c.name for c in self._all)
        self._outline = (
            f"SELECT {', '.join(outlined)}, {COLUMN} IS row_checksum({self._names}) FROM {name}"  # noqa: S608
        )
        self._exists = f"SELECT 1 FROM {name}"  # noqa: S608
        self._looked_through = looked_through
        self._search = f"{name}_search"
        self._scanned = " + ".join(
            (str(_LOOK_BYTES), *(f"length({column})" for column in looked_through))
        )
        self._leading: frozenset[str] | None = None
        self._given = tuple(column for column in self._columns if column != "id")
        self._insert = (
            f"INSERT INTO {name} ({', '.join(self._given)}) "  # noqa: S608
            f"VALUES ({', '.join('?' * len(self._given))})"
        )

    def __repr__(self) -> str:
        return f"<Table {self.name} of {self.kind}>"

    @property
    def json_columns(self) -> frozenset[str]:
        """Return the columns that hold JSON."""
        return frozenset(column.name for column in self._all if column.is_json)

    @property
    def truth_columns(self) -> frozenset[str]:
        """Return the columns that are true or false, which a row has as 1 or 0."""
        return frozenset(column.name for column in self._all if column.is_truth)

    @property
    def redacted_columns(self) -> frozenset[str]:
        """Return the columns from which secrets are taken out."""
        return frozenset(column.name for column in self._all if column.is_redacted)

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
        conditions = self._conditions(where)
        order = "DESC" if newest_first else "ASC"
        sql = f"{self._select}{conditions.sql} ORDER BY id {order} LIMIT 1"
        with closing(read_rows(db, sql, conditions.arguments)) as rows:
            return next(map(self._read, rows), None)

    def every(self, db: Database, where: Where, *, texts: bool = True) -> list[R]:
        """Give all records that meet the conditions, oldest first. For what is known to be few.

        Without `texts`, for what may be many, the long and the bulky fields are empty: no more than
        one record's are in memory at a time.

        Raises:
            DamagedRecord: one is not as it was written.
        """
        return [*self.each(db, where, texts=texts)]

    def each(self, db: Database, where: Where, *, texts: bool = True) -> Iterator[R]:
        """Yield what ``every`` gives, one after the other: for what many years have left.

        It has to be read within the snapshot.
        """
        read = self._read if texts else self._read_outline
        with closing(self._oldest_first(db, where, texts=texts)) as rows:
            yield from map(read, rows)

    def sound(
        self, db: Database, where: Where, *, texts: bool = True
    ) -> tuple[list[R], list[DamagedRecord]]:
        """Give all that meet the conditions, oldest first, and apart from them the damaged ones.

        For what goes on with the others, however one of them is. See ``every`` for `texts`.
        """
        found: list[R] = []
        damaged: list[DamagedRecord] = []
        read = self._read if texts else self._read_outline
        with closing(self._oldest_first(db, where, texts=texts)) as rows:
            for row in rows:
                try:
                    found.append(read(row))
                except DamagedRecord as error:
                    damaged.append(error)
        return found, damaged

    def whole(self, db: Database, record: R, field: str) -> Any:
        """Give the value of a field of a record that was read in this snapshot, not shortened.

        Raises:
            DamagedRecord: it is not as it was written.
        """
        if field not in self._shortened(db, record.id):
            return getattr(record, field)
        text = whole_values.text_of(db, self.name, record.id, field)
        return msgspec.json.decode(text) if self._columns[field].is_json else text

    def piece(self, db: Database, id: int, field: str, cursor: str | None = None) -> TextPiece:  # noqa: A002 - see get
        """Give the text of a long field, shortened or not, piece by piece; empty for no value.

        That of plain JSON is its JSON.

        Raises:
            RecordNotFound: there is none with this id.
            DamagedRecord: it is not as it was written.
            InvalidCursor: the cursor is not one of this value.
        """
        value = getattr(self.get(db, id), field)
        if field in self._shortened(db, id):
            return whole_values.piece(db, self.name, id, field, cursor)
        if cursor is not None:
            raise InvalidCursor(cursor)
        if self._columns[field].is_json and value is not None:
            value = msgspec.json.encode(value).decode()
        text = value or ""
        return TextPiece(text, size_of([text]), None)

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
        the newest first, not at all; none is shown twice. A page ends early where it would be
        long (``pages``). One that is not as it was written is left out, and its id told.

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
        position = None
        if cursor is not None:
            position = decode_cursor(cursor, self.name, newest_first=newest_first)
        order = _Order(newest_first, position)
        damaged: list[int] = []
        if words is None:
            conditions = order.bound(self._narrowed(db, where), "id")
            chosen = f"{order.by('id')} LIMIT {limit + 1}"
            rows = self._listed(db, conditions, chosen, order.by("id"), damaged)
        else:
            rows = self._rows_that_hold(db, words, where, order, damaged)
        with closing(rows):
            items, last = fill(rows, limit)
        if last is None and damaged and len(items) + len(damaged) > limit:  # there may be more
            ids = (*damaged, *(item.id for item in items))
            last = min(ids) if newest_first else max(ids)
        following = None
        if last is not None:
            following = encode_cursor(self.name, newest_first=newest_first, last_id=last)
            damaged = [id_ for id_ in damaged if (id_ >= last if newest_first else id_ <= last)]
        return Page(items=items, next_cursor=following, damaged=damaged or UNSET)

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
        wholes = self._shorten(row)
        if self._long:
            row["shortened"] = self._names_on_wire(wholes)
        # STRICT tables keep what they are given, so the row need not be read again.
        row["id"], _ = self._write(tx, self._insert, [row[name] for name in self._given])
        for field, text in wholes.items():
            whole_values.keep(tx.db, self.name, typing.cast("int", row["id"]), field, text)
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
        wholes, outdated = self._shorten(row), frozenset[str]()
        if not self._long.isdisjoint(row):
            before = self._shortened(tx.db, id)
            outdated = (before & row.keys()) - wholes.keys()
            row["shortened"] = self._names_on_wire({*wholes, *(before - row.keys())})
        conditions = self._conditions({**expected, "id": id})
        sql = (
            f"UPDATE {self.name} SET {', '.join(f'{name} = ?' for name in row)}"  # noqa: S608
            f"{conditions.sql} RETURNING {self._names}"
        )
        _, changed = self._write(tx, sql, [*row.values(), *conditions.arguments], changes_id=id)
        if changed:
            for field, text in wholes.items():
                whole_values.keep(tx.db, self.name, id, field, text)
            for field in outdated:
                whole_values.drop(tx.db, self.name, id, field)
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

    def _shorten(self, row: dict[str, Scalar]) -> dict[str, str]:
        """Shorten what is too long in a row; return what it was, by the fields."""
        wholes: dict[str, str] = {}
        for name in self._long & row.keys():
            text = row[name]
            if isinstance(text, str) and len(text) > LONGEST:
                wholes[name] = text
                row[name] = self._columns[name].shortened(text)
        return wholes

    def _shortened(self, db: Database, id: int) -> frozenset[str]:  # noqa: A002 - see get
        """Return the fields of a record that are shortened in its row."""
        sql = f"SELECT shortened FROM {self.name} WHERE id = ?"  # noqa: S608 - as above
        found = db.execute(sql, [id]).fetchone()
        names = frozenset(msgspec.json.decode(found[0])) if found else frozenset()
        return frozenset(name for name, c in self._columns.items() if c.wire_name in names)

    def _names_on_wire(self, fields: Iterable[str]) -> str:
        return msgspec.json.encode(sorted(self._columns[f].wire_name for f in fields)).decode()

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

    def _oldest_first(
        self, db: Database, where: Where, *, texts: bool
    ) -> Generator[Sequence[Any], None, None]:
        conditions = self._conditions(where)
        select = self._select if texts else self._outline
        return read_rows(db, f"{select}{conditions.sql} ORDER BY id", conditions.arguments)

    def _read(self, row: Sequence[Any]) -> R:
        """Make a stored row its record, if it is as it was written."""
        *values, checksum = row
        if row_checksum(*values) != checksum:
            raise DamagedRecord(self.kind, values[self._position_of_id])
        return self._from_row(values)

    def _read_outline(self, row: Sequence[Any]) -> R:
        """Make a row without its texts a record, if the row is as it was written."""
        *values, is_sound = row
        if not is_sound:
            raise DamagedRecord(self.kind, values[self._position_of_id])
        return self._from_row(values)

    def _listed(
        self,
        db: Database,
        conditions: Conditions,
        chosen: str,
        order: str,
        damaged: list[int],
    ) -> Generator[Row[R], None, None]:
        """Read records one by one; where ids have to be sorted, only they are.

        One that is not as it was written is passed over; `damaged` gets its id.
        """
        sql = (
            f"{self._select} WHERE id IN "  # noqa: S608 - as above
            f"(SELECT id FROM {self.name}{conditions.sql} {chosen}) {order}"
        )
        with closing(read_rows(db, sql, conditions.arguments)) as rows:
            for row in rows:
                try:
                    record = self._read(row)
                except DamagedRecord as error:
                    damaged.append(error.id)
                    yield Row(error.id, 0, None, scanned=size_of(row))
                else:
                    yield Row(record.id, size_of(row), record)

    def _rows_that_hold(
        self, db: Database, words: str, where: Where, order: _Order, damaged: list[int]
    ) -> Generator[Row[R], None, None]:
        """Look through records, and read those that hold the words."""
        if not is_holdable(words):
            return
        held, values = words_held(words, _NUMBER, self._looked_through)
        sql, arguments = self._looked_at(db, words, where, order)
        with closing(db.execute(sql.format(held=held), (*values, *arguments))) as found:
            for id_, size, holds in found:
                if holds:
                    yield from self._listed(db, self._conditions({"id": id_}), "", "", damaged)
                else:
                    yield Row(id_, 0, None, scanned=size)

    def _looked_at(
        self, db: Database, words: str, where: Where, order: _Order
    ) -> tuple[str, Sequence[Scalar]]:
        """Return the query for the records that may hold the words, and its arguments.

        It has a place for whether they do. Where only few meet the conditions, these are looked at;
        else those that have all trigrams of the words, and after them the conditions.
        """
        filters = self._conditions(where)
        trigrams = trigrams_of(words)
        looked = f"SELECT id, {self._scanned}, "
        if trigrams and not (filters.sql and self._are_few(db, filters)):
            chosen = Conditions()
            chosen.meets(f"{self._search} MATCH ?", trigrams)
            order.bound(chosen, f"{self._search}.rowid")
            return (
                f"{looked}({{held}}) AND {filters.term} "
                f"FROM {self._search} JOIN {self.name} ON id = {self._search}.rowid"
                f"{chosen.sql} {order.by(f'{self._search}.rowid')}"
            ), (*filters.arguments, *chosen.arguments)
        number = next((word for word in words.lower().split() if is_number(word)), "")
        if len(number) > _SHORT and not trigrams:
            filters.any_of(self._numbered(number))
        order.bound(filters, "id")
        # Only ids are sorted.
        source = f" WHERE id IN (SELECT id FROM {self.name}{filters.sql})" if filters.sql else ""  # noqa: S608 - as above
        return f"{looked}{{held}} FROM {self.name}{source} {order.by('id')}", filters.arguments

    def _numbered(self, number: str) -> tuple[str, list[Scalar]]:
        """Return the term for records whose number begins so, or which may have it in a text."""
        ranges = numbers_that_begin(number)
        terms = " OR ".join(["id BETWEEN ? AND ?"] * len(ranges)) or "FALSE"
        sql = (
            f"id IN (SELECT rowid FROM {self._search} WHERE {self._search} MATCH ? "  # noqa: S608 - as above
            f"UNION SELECT id FROM {self.name} WHERE {terms})"
        )
        grams = " ".join(quoted(number[at : at + 3]) for at in range(len(number) - 2))
        return sql, [grams, *(end for ends in ranges for end in ends)]

    def _are_few(self, db: Database, conditions: Conditions) -> bool:
        sql = f"SELECT count(*) FROM ({self._exists}{conditions.sql} LIMIT {_FEW + 1})"  # noqa: S608 - as above
        return bool(db.execute(sql, conditions.arguments).fetchone()[0] <= _FEW)

    def _from_row(self, row: Sequence[Any]) -> R:
        return self._from_columns(dict(zip(self._columns, row, strict=True)))

    def _from_columns(self, values: dict[str, Any]) -> R:
        for column in self._special:
            values[column.name] = column.from_row(values[column.name])
        return self.record(**values)

    def _narrowed(self, db: Database, where: Where) -> Conditions:
        """Return the conditions so that SQLite goes through few records, where one leaves few.

        It has no statistics, and may take the index of a condition that nearly all meet. The plus
        keeps it from that.
        """
        if len(where) > 1:
            for name in where.keys() & self._indexed(db):
                if self._are_few(db, self._conditions({name: where[name]})):
                    return self._conditions(where, compared=where.keys() - {name})
        return self._conditions(where)

    def _indexed(self, db: Database) -> frozenset[str]:
        """Return the columns with which an index of all rows begins."""
        if self._leading is None:
            sql = (
                "SELECT columns.name FROM pragma_index_list(?) AS indexes, "
                "pragma_index_info(indexes.name) AS columns "
                "WHERE columns.seqno = 0 AND NOT indexes.partial"
            )
            self._leading = frozenset(name for (name,) in db.execute(sql, [self.name]))
        return self._leading

    def _conditions(self, where: Where, compared: Collection[str] = ()) -> Conditions:
        conditions = Conditions()
        for name, value in where.items():
            column = self._columns.get(name)
            if column is None or column.is_json:
                raise InvalidRecord(self.kind, f"cannot be looked up by {name}")
            term = f"+{name}" if name in compared else name
            if column.is_truth and isinstance(value, bool):
                conditions.true(f"{term} = {int(value)}")  # which an index of some rows may match
            elif isinstance(value, str) or not isinstance(value, Sequence):
                conditions.equal(term, value)
            else:
                conditions.among(term, value)
        return conditions
