"""Writing an export, also beside a server that runs: what it has is of one moment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import msgspec
from sqlite_utils import Database

from command_center.store import event_cut, events
from command_center.store.database.checksums import COLUMN, read_rows, row_checksum
from command_center.store.database.migrations import MIGRATIONS
from command_center.store.database.opening import open_for_reading
from command_center.store.errors import DamagedRecord
from command_center.store.long_texts import whole_values
from command_center.store.portable.contents import (
    EVENTS,
    EXPORTED,
    FORMAT,
    VERSION,
    ExportedRow,
    ExportedText,
    ExportEnd,
    ExportHead,
    TableContent,
    content_of,
)
from command_center.store.portable.errors import BadExport
from command_center.store.redaction.redact import redact
from command_center.store.timestamps import now_timestamp


def export_database(database: Path, file: IO[bytes], secrets: Sequence[str] = ()) -> ExportEnd:
    """Write the history of an installation to a file, line by line; return its last line.

    Args:
        database: of a server that may run.
        file: what is written to.
        secrets: texts that are not to be in it, beside what shows itself.

    Raises:
        BadExport: the database is one of an older version.
    """
    digest, lines = hashlib.sha256(), 0
    with closing(open_for_reading(database)) as db:
        if MIGRATIONS.pending(db):
            raise BadExport(
                "The database is one of an older version. Start the server once, then export it."
            )
        db.execute("BEGIN")
        exporting = _Exporting(db, secrets)
        for line in exporting.lines():
            text = msgspec.json.encode(line) + b"\n"
            digest.update(text)
            lines += 1
            file.write(text)
    end = ExportEnd(lines=lines, sha256=digest.hexdigest(), damaged=exporting.damaged)
    file.write(msgspec.json.encode(end) + b"\n")
    return end


class _Exporting:
    def __init__(self, db: Database, secrets: Sequence[str]) -> None:
        self._db = db
        self._secrets = secrets
        self.damaged: list[str] = []

    def lines(self) -> Iterator[msgspec.Struct]:
        """Yield all lines but the last one."""
        yield self._head()
        for name in EXPORTED:
            yield from self._rows(content_of(self._db, name))
        yield from self._events()

    def _head(self) -> ExportHead:
        sequences = dict(self._db.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        newest = {name: sequences[name] for name in EXPORTED if name in sequences}
        return ExportHead(
            format=FORMAT,
            version=VERSION,
            program=version("command-center"),
            migrations=[migration.name for migration in MIGRATIONS.applied(self._db)],
            made_at=now_timestamp(),
            removed_up_to=event_cut.removed_up_to(self._db),
            newest={**newest, EVENTS: events.last_id(self._db)},
        )

    def _rows(self, content: TableContent) -> Iterator[msgspec.Struct]:
        named = self._db.execute(f"PRAGMA table_info({content.name})").fetchall()
        key = ", ".join(row[1] for row in named if row[5])
        hashed = sorted(row[1] for row in named if row[1] != COLUMN)
        columns = [*content.columns, *hashed, *([COLUMN] if content.is_sealed else [])]
        sql = f"SELECT {', '.join(columns)} FROM {content.name} ORDER BY {key}"  # noqa: S608 - names of the schema
        width = len(content.columns)
        for values in read_rows(self._db, sql):
            checked = values[width:]
            # SQL's own checksum fails at a text that is none, and would end all of it there.
            sound = not content.is_sealed or row_checksum(*checked[:-1]) == checked[-1]
            row = dict(zip(content.columns, values[:width], strict=True))
            if not sound:
                self.damaged.append(f"{content.name} {row.get('id')}")
                continue
            yield ExportedRow(
                table=content.name, row={c: self._told(content, c, row[c]) for c in row}
            )
            if row.get("shortened", "[]") != "[]":
                yield from self._long(content.name, row["id"])

    def _told(self, content: TableContent, column: str, value: Any) -> Any:
        if value is not None and column in content.json:
            value = msgspec.json.decode(value)
        return redact(value, self._secrets) if column in content.redacted else value

    def _long(self, table: str, record_id: int) -> Iterator[msgspec.Struct]:
        for field in whole_values.fields_of(self._db, table, record_id):
            try:
                text = whole_values.text_of(self._db, table, record_id, field)
            except DamagedRecord:
                self.damaged.append(f"{table} {record_id}, {field}")
                continue
            if table == EVENTS or field in content_json(self._db, table):
                told = redact(msgspec.json.decode(text), self._secrets)
                text = msgspec.json.encode(told).decode()
            else:
                text = redact(text, self._secrets)
            yield ExportedText(table=table, id=record_id, field=field, text=text)

    def _events(self) -> Iterator[msgspec.Struct]:
        last: int | None = 0
        while last is not None:
            found, last = events.after(self._db, last)
            for event in found:
                told = msgspec.json.decode(event.body)
                told["data"] = redact(told["data"], self._secrets)
                yield ExportedRow(table=EVENTS, row=told)
                if event.type == events.event_type(events.EventDamaged):
                    self.damaged.append(f"{EVENTS} {event.id}")
                if told.get("shortened"):
                    yield from self._long(EVENTS, event.id)


def content_json(db: Database, table: str) -> frozenset[str]:
    """Return the columns of a table that hold JSON."""
    return content_of(db, table).json
