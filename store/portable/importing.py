"""Taking an export into the data folder of a server that does not run.

The file is read to its end and checked before anything is written. Then all of it is written in one
transaction. Ids are moved behind those that are there, each table by one distance, so that what
named each other does so still. A repository whose path is registered already is that one.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec
from sqlite_utils import Database

from command_center.store import events
from command_center.store.database.migrations import MIGRATIONS
from command_center.store.database.opening import open_database
from command_center.store.database.sqlite_errors import FAULTS, words_of
from command_center.store.errors import DatabaseClaimed
from command_center.store.events import Event
from command_center.store.long_texts import whole_values
from command_center.store.ownership.claim import is_open_elsewhere
from command_center.store.ownership.lock import DataFolderLock, refuse_centre
from command_center.store.portable.contents import (
    EVENTS,
    EXPORTED,
    FORMAT,
    MEMBERS,
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
from command_center.store.statuses import FINAL
from command_center.store.timestamps import from_timestamp, now_timestamp

LONGEST_LINE: Final = 512 << 20
"""Bytes of a line that is read."""

CUT_OFF: Final = "It was under way on the server that it was exported from."
TURNED_OFF: Final = "It was imported. Turn it on when it is to run here."

GREATEST: Final = 2**53
"""The greatest id that is taken; JSON has none above it."""

_WRONG: Final = (OverflowError, RecursionError, TypeError, ValueError)
"""Errors of values that no export has."""

UNLESS_THERE: Final = frozenset({"saved_prompts", "issue_tasks"})
"""Tables of which a row that is there already is left as it is."""


@attrs.frozen
class Imported:
    """The rows that were taken in, by table, and repositories that were there already."""

    rows: Mapping[str, int]
    matched: Mapping[str, str]


def import_file(
    file: Path,
    folder: Path,
    database: Path,
    *,
    paths: Mapping[str, str] | None = None,
    secrets: Sequence[str] = (),
    pass_over: Callable[[Database, int], Sequence[str]] = lambda _db, _after: (),
    dry: bool = False,
) -> Imported:
    """Take an export into a data folder: all of it, or nothing.

    Sessions that were under way have ended as interrupted, questions are withdrawn, and automations
    are turned off.

    Args:
        file: the export.
        folder: the data folder, of a server that does not run.
        database: its database; made if it is absent.
        paths: where repositories are here, by where they were.
        secrets: texts that are not to be stored.
        pass_over: has those who follow the log not act on what comes after an event, and names who
            is still to act on one before.
        dry: do all of it, and keep nothing.

    Raises:
        BadExport: the file is no export, is not whole, is newer, or does not fit.
        DataFolderInUse, DatabaseClaimed: a server runs there.
        DataFolderUnusable: the folder cannot be made or locked, or is of a cluster.
        CannotOpenDatabase, CorruptDatabase, NewerSchema: the database cannot be used.
    """
    head, end = _checked(file)
    with DataFolderLock(folder):
        refuse_centre(folder)
        if database.exists() and is_open_elsewhere(database.resolve()):
            raise DatabaseClaimed(database, None)
        with closing(open_database(database)) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                # Rows name each other in a circle.
                db.execute("PRAGMA defer_foreign_keys = ON")
                last = events.last_id(db)
                importing = _Importing(db, head, dict(paths or {}), secrets)
                done = importing.take(_lines(file), is_damaged=bool(end.damaged))
                if late := pass_over(db, last):
                    raise BadExport(
                        f"Events wait for {', '.join(late)}. Start the server and let them be "
                        "acted on, or delete or turn off who does not act, then import."
                    )
                db.execute("ROLLBACK" if dry else "COMMIT")
            except (*FAULTS, msgspec.MsgspecError, LookupError, *_WRONG) as error:
                raise BadExport(f"{file} does not fit together: {words_of(error)}.") from error
            finally:
                if db.conn.in_transaction:
                    db.execute("ROLLBACK")
    return done


def _checked(file: Path) -> tuple[ExportHead, ExportEnd]:
    """Read the file to its end, and return its first line and its last.

    Raises:
        BadExport: it is none, is not whole, or is of a newer version.
    """
    digest, lines, head, end = hashlib.sha256(), 0, None, None
    for text in _texts(file):
        if end is not None:
            raise BadExport(f"{file} goes on after its end.")
        if head is None:
            head = _head(file, text)
        else:
            line = _read(file, lines + 1, text)
            end = line if isinstance(line, ExportEnd) else None
        if end is None:
            digest.update(text)
            lines += 1
    if head is None:
        raise BadExport(f"{file} is empty.")
    if end is None or end.lines != lines or end.sha256 != digest.hexdigest():
        raise BadExport(f"{file} is not whole, or was changed. Export it again.")
    return head, end


def _texts(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while text := opened.readline(LONGEST_LINE):
            yield text


def _lines(file: Path) -> Iterator[ExportedRow | ExportedText]:
    for number, text in enumerate(_texts(file), start=1):
        line = None if number == 1 else _read(file, number, text)
        if isinstance(line, ExportedRow | ExportedText):
            yield line


def _head(file: Path, text: bytes) -> ExportHead:
    try:
        head = msgspec.json.decode(text, type=ExportHead)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise BadExport(f"{file} is no export of Command Center.") from error
    if head.format != FORMAT:
        raise BadExport(f"{file} is no export of Command Center.")
    with Database(memory=True) as empty:
        known = {migration.name for migration in MIGRATIONS.pending(empty)}
    if head.version > VERSION or not known.issuperset(head.migrations):
        raise BadExport(
            f"{file} was made by a newer version ({head.program}). Update Command Center, then "
            "import it."
        )
    return head


_DECODERS: Final = (
    msgspec.json.Decoder(ExportedRow),
    msgspec.json.Decoder(ExportedText),
    msgspec.json.Decoder(ExportEnd),
)


def _read(file: Path, number: int, text: bytes) -> ExportedRow | ExportedText | ExportEnd:
    for decoder in _DECODERS:
        try:
            line: ExportedRow | ExportedText | ExportEnd = decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
        if (
            isinstance(line, ExportedRow | ExportedText)
            and line.table not in EXPORTED
            and line.table != EVENTS
        ):
            break
        return line
    raise BadExport(f"{file}, line {number}: this is not of an export.")


class _Importing:
    def __init__(
        self, db: Database, head: ExportHead, paths: dict[str, str], secrets: Sequence[str]
    ) -> None:
        self._db = db
        self._secrets = secrets
        self._paths = paths
        self._contents = {name: content_of(db, name) for name in EXPORTED}
        self._repositories: dict[int, int] = {}
        self._rows: dict[str, int] = {}
        self._matched: dict[str, str] = {}
        self._now = now_timestamp()
        sequences = dict(db.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        self._are_untitled = False
        self._distance: dict[str, int] = {name: sequences.get(name, 0) for name in EXPORTED}
        self._newest = head.newest
        self._removed = head.removed_up_to
        is_possible = 0 <= self._removed <= head.newest.get(EVENTS, 0)
        if not is_possible or not all(0 <= id_ <= GREATEST for id_ in head.newest.values()):
            raise BadExport("Its first line has ids that cannot be: the file was not made by us.")
        self._distance[EVENTS] = events.last_id(db) - self._removed
        for name, newest in head.newest.items():
            if name in EXPORTED and newest:
                self._never_again(name, newest + self._distance.get(name, 0))

    def take(
        self, lines: Iterator[ExportedRow | ExportedText], *, is_damaged: bool = False
    ) -> Imported:
        """Write all lines; where some were damaged, what names them names nothing, or goes."""
        for line in lines:
            match line:
                case ExportedText(table=table, id=id_, field=field, text=text):
                    self._keep_long(table, id_, field, text)
                case ExportedRow(table=table, row=row) if table == EVENTS:
                    self._append(row)
                case ExportedRow(table=table, row=row):
                    self._insert(self._contents[table], row)
        while is_damaged and self._let_go():
            pass
        if self._are_untitled:
            self._name_sessions()
        if found := self._db.execute("PRAGMA foreign_key_check").fetchone():
            raise sqlite3.IntegrityError(f"{found[0]} names {found[2]} that are not there")
        return Imported(self._rows, self._matched)

    def _name_sessions(self) -> None:
        """Name sessions after their tasks; those of an older version have no titles."""
        self._db.execute(
            "UPDATE sessions SET title = "
            "coalesce((SELECT title FROM tasks WHERE tasks.id = sessions.task_id), '') "
            "WHERE id > ?",
            [self._distance["sessions"]],
        )

    def _let_go(self) -> bool:
        """Have rows that came name nothing instead of what is not there; those that must, go."""
        has_more = False
        for table, row_id, _, place in self._db.execute("PRAGMA foreign_key_check").fetchall():
            if row_id is None or row_id <= self._distance.get(table, row_id):
                continue  # it was here before
            keys = self._db.execute(f"PRAGMA foreign_key_list({table})").fetchall()
            column = next(key[3] for key in keys if key[0] == place)
            found = self._db.execute(f"PRAGMA table_info({table})").fetchall()
            if any(one[1] == column and one[3] for one in found):
                gone = self._db.execute(f"DELETE FROM {table} WHERE rowid = ?", [row_id]).rowcount  # noqa: S608 - names of the schema
                self._rows[table] = self._rows.get(table, 0) - gone
            else:
                self._db.execute(f"UPDATE {table} SET {column} = NULL WHERE rowid = ?", [row_id])  # noqa: S608 - the same
            has_more = True
        return has_more

    def _never_again(self, table: str, newest: int) -> None:
        """Have the table give no id any more that the export's events may name."""
        sql = "UPDATE sqlite_sequence SET seq = ? WHERE name = ?"
        if not self._db.execute(sql, [newest, table]).rowcount:
            self._db.execute(
                "INSERT INTO sqlite_sequence (seq, name) VALUES (?, ?)", [newest, table]
            )

    def _moved(self, table: str, id_: int) -> int | None:
        """Return the id that a row has here; None for an event that was removed there."""
        if not 1 <= id_ <= self._newest.get(table, 0):
            raise BadExport(f"{table} have no {id_}: the file was not made by us.")
        if table == EVENTS and id_ <= self._removed:
            return None
        if table == "repositories" and id_ in self._repositories:
            return self._repositories[id_]
        return id_ + self._distance[table]

    def _members(self, value: Any) -> Any:
        """Return JSON whose members name the rows as they are here."""
        if not isinstance(value, dict):
            return value
        return {name: self._member(name, inner) for name, inner in value.items()}

    def _member(self, name: str, value: Any) -> Any:
        """Return a member of JSON; one that names nothing that was ever there is left as none."""
        if name not in MEMBERS or type(value) is not int:
            return value
        table = MEMBERS[name]
        return self._moved(table, value) if 1 <= value <= self._newest.get(table, 0) else None

    def _insert(self, content: TableContent, given: Mapping[str, Any]) -> None:
        if unknown := given.keys() - set(content.columns):
            raise BadExport(f"{content.name} has no {min(unknown)}: the file was not made by us.")
        content.check(given)
        row = {column: self._here(content, column, value) for column, value in given.items()}
        if content.name == "repositories" and self._is_here(given["id"], row):
            return
        if content.name == "rules" and given["repository_id"] in self._repositories:
            return  # what that is allowed is for whoever has it here to say
        self._are_untitled |= content.name == "sessions" and "title" not in given
        _SETTLED.get(content.name, lambda _row, _now: None)(row, self._now)
        how = "INSERT OR IGNORE" if content.name in UNLESS_THERE else "INSERT"
        if "id" in row:
            row["id"] = self._moved(content.name, given["id"])
        sql = f"{how} INTO {content.name} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        done = self._db.execute(sql, [*row.values()]).rowcount
        self._rows[content.name] = self._rows.get(content.name, 0) + max(done, 0)

    def _here(self, content: TableContent, column: str, value: Any) -> Any:
        if column in content.redacted:
            value = redact(value, self._secrets)
        if value is None:
            return None
        if column in content.references:
            if type(value) is not int:
                raise BadExport(f"{content.name} has a {column} that is no id: {value!r}.")
            return self._moved(content.references[column], value)
        if column in content.json:
            return msgspec.json.encode(self._members(value)).decode()
        return value

    def _is_here(self, former: int, row: dict[str, Any]) -> bool:
        """Note which repository it is here, if it is one; else give it its path here."""
        before = row["local_path"]
        row["local_path"] = self._paths.get(before, before)
        sql = "SELECT id, local_path FROM repositories WHERE local_path = ? AND host = ?"
        found = self._db.execute(sql, [row["local_path"], row["host"]]).fetchone()
        if found is None:
            return False
        self._repositories[former] = found[0]
        self._matched[before] = found[1]
        return True

    def _append(self, row: dict[str, Any]) -> None:
        row = self._members(row)
        row["id"] = self._moved(EVENTS, row["id"])
        row["data"] = redact(self._members(row.get("data")), self._secrets)
        event = msgspec.convert(row, Event)
        from_timestamp(event.ts)
        if event.id != events.last_id(self._db) + 1:
            raise BadExport(f"Event {event.id - self._distance[EVENTS]} is not in its place.")
        events.append(self._db, event)
        self._rows[EVENTS] = self._rows.get(EVENTS, 0) + 1

    def _keep_long(self, table: str, id_: int, field: str, text: str) -> None:
        if table == "repositories" and id_ in self._repositories:
            return
        if table == EVENTS or field in self._contents[table].json:
            told = self._members(redact(msgspec.json.decode(text), self._secrets))
            text = msgspec.json.encode(told).decode()
        else:
            text = redact(text, self._secrets)
        here = self._moved(table, id_)
        if here is not None:
            whole_values.keep(self._db, table, here, field, text)


def _settle_session(row: dict[str, Any], now: str) -> None:
    if row["status"] not in FINAL:
        row |= {"status": "interrupted", "exit_reason": CUT_OFF, "wait_reason": None}
    row["finished_at"] = row["finished_at"] or now


def _settle_task(row: dict[str, Any], _now: str) -> None:
    if row["status"] not in {*FINAL, "open", "cancelled"}:
        row["status"] = "interrupted"


def _settle_approval(row: dict[str, Any], now: str) -> None:
    if row["status"] == "pending":
        row |= {"status": "cancelled", "resolved_at": now, "resolution_note": CUT_OFF}


def _settle_followup(row: dict[str, Any], _now: str) -> None:
    if row["status"] == "pending":
        row["status"] = "cancelled"


def _settle_automation(row: dict[str, Any], _now: str) -> None:
    if row["enabled"]:
        row |= {"enabled": 0, "paused_reason": TURNED_OFF, "next_run_at": None}


def _settle_agent(row: dict[str, Any], now: str) -> None:
    if row["status"] == "running":
        row |= {"status": "interrupted", "finished_at": row["finished_at"] or now}


_SETTLED: Final = {
    "sessions": _settle_session,
    "tasks": _settle_task,
    "approvals": _settle_approval,
    "followups": _settle_followup,
    "automations": _settle_automation,
    "agents": _settle_agent,
}
"""Functions that end what was under way, by table."""
