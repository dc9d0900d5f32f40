"""Declarations of what an export has of each table, and what it leaves out and why.

A table is in exactly one of the two declarations here, or a test fails. Columns and references are
read from the schema, so that a new column of an exported table is in the next export.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgspec
from sqlite_utils import Database

from command_center.store import tables
from command_center.store.database.checksums import COLUMN
from command_center.store.table import Table

FORMAT: Final = "command-center.export"
VERSION: Final = 1
"""The version of the form; a file of a later one is refused."""

EVENTS: Final = "events"

EXPORTED: Final[Mapping[str, Table[Any] | None]] = {
    "repositories": tables.repositories,
    "automations": tables.automations,
    "tasks": tables.tasks,
    "sessions": tables.sessions,
    "agents": tables.agents,
    "approvals": tables.approvals,
    "rules": tables.rules,
    "items": tables.items,
    "followups": tables.followups,
    "automation_runs": tables.automation_runs,
    "comments": tables.comments,
    "viewed_files": tables.viewed_files,
    "saved_prompts": tables.saved_prompts,
    "issue_tasks": None,
}
"""The tables of an export in their order, each with its declaration where it has one.

The events come after them, and long texts with what they are of.
"""

MADE_ANEW = "It is made anew of the others."
SIGN_IN = "It signs somebody in, or names who is let in here."
TO_PEOPLE = "It goes to people and services that this server tells."
OF_MACHINE = "It is of this machine, its Codex or its git."
OF_SERVER = "It is about requests to this server."

LEFT_OUT: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            *("_sqlite_migrations", "log_identity", "claim", "event_segments", "texts"),
            *("thousands_of_events", "times_of_events", "totals"),
        ),
        MADE_ANEW,
    ),
    **dict.fromkeys(("devices", "device_tokens", "passkeys", "automation_hooks"), SIGN_IN),
    **dict.fromkeys(
        (
            *("push_subscriptions", "push_messages", "webhooks", "webhook_deliveries"),
            *("telegram_updates", "telegram_chats", "telegram_messages", "telegram_buttons"),
            *("telegram_marks", "notify_messages", "notify_preferences"),
        ),
        TO_PEOPLE,
    ),
    **dict.fromkeys(
        (
            *("discarded", "snapshots", "uploads", "pushes", "pull_requests", "spending"),
            *("released_threads", "stored_threads", "thread_texts", "forgotten_turns"),
            *("trusted_configurations", "unready_worktrees", "usage_limits", "stray_turns"),
            *("pool_clones", "leases"),
        ),
        OF_MACHINE,
    ),
    **dict.fromkeys(
        ("kept_answers", "forge_deliveries", "hook_answers", "hook_deliveries"), OF_SERVER
    ),
    **dict.fromkeys(("turns_of_removed_events", "worktrees_of_removed_events"), OF_MACHINE),
    "removed_events": "The first line says where the log begins.",
    "removed_histories": "The removed events of a deleted repository stand nowhere.",
    "hosts": "Another server has to be let in at a machine, and to know its key.",
    "host_keys": "A machine that dials out has to be enrolled by each server.",
    "inbox_marks": "They say what people have seen on this server.",
    "host_states": "They are of hosts that are not exported.",
    "whole_values": "Its texts stand as lines of their own.",
}
"""The tables that an export does not have, each with the reason."""

COLUMNS_LEFT_OUT: Final[Mapping[tuple[str, str], str]] = {
    ("sessions", "attachments"): "Uploads are not in an export; a backup has them.",
    ("followups", "attachments"): "Uploads are not in an export; a backup has them.",
    ("automations", "has_hook"): "The secret of its address is not in an export.",
}

REFERENCES: Final[Mapping[str, str]] = {
    "repository_id": "repositories",
    "task_id": "tasks",
    "session_id": "sessions",
    "approval_id": "approvals",
    "automation_id": "automations",
    "agent_id": "agents",
    "causation_id": EVENTS,
    "event_id": EVENTS,
    "last_event_id": EVENTS,
    "steer_event_id": EVENTS,
    "waits_for": "sessions",
    "previous_session_id": "sessions",
    "sent_session_id": "sessions",
    "review_session_id": "sessions",
    "followup_id": "followups",
}
"""Columns that name a row without a foreign key, by their names; members of JSON, too."""


_TRUTHS: Final = (0, 1)


@attrs.frozen
class TableContent:
    """The part of a table that an export has.

    Attributes:
        columns: in the order of the schema.
        references: the table that a column names a row of.
        json: the columns that hold JSON.
        redacted: the columns that may hold secrets.
        truths: the columns that are true or false, and stand as 1 or 0.
        is_sealed: its rows have a checksum.
        record: what a row is, where that is declared.
    """

    name: str
    columns: tuple[str, ...]
    references: Mapping[str, str]
    json: frozenset[str]
    redacted: frozenset[str]
    truths: frozenset[str]
    is_sealed: bool
    record: type[Any] | None

    def check(self, row: Mapping[str, Any]) -> None:
        """Do nothing if the row could be one of this table.

        Raises:
            msgspec.ValidationError: a value is not of its type.
        """
        if self.record is None:
            return
        told = {
            on_wire(column): bool(value) if column in self.truths and value in _TRUTHS else value
            for column, value in row.items()
        }
        msgspec.convert(told, self.record)


def content_of(db: Database, name: str) -> TableContent:
    """Read from the schema what an export has of a table."""
    found = [(row[1], row[2]) for row in db.execute(f"PRAGMA table_info({name})")]
    keys = {row[3]: row[2] for row in db.execute(f"PRAGMA foreign_key_list({name})")}
    columns = tuple(
        column for column, _ in found if column != COLUMN and (name, column) not in COLUMNS_LEFT_OUT
    )
    soft = {
        column: REFERENCES[column]
        for column, kind in found
        if kind == "INTEGER" and column in REFERENCES
    }
    references = {c: t for c, t in {**soft, **keys}.items() if c in columns}
    table = EXPORTED[name]
    return TableContent(
        name,
        columns,
        references,
        frozenset() if table is None else table.json_columns,
        frozenset() if table is None else table.redacted_columns,
        frozenset() if table is None else table.truth_columns,
        any(column == COLUMN for column, _ in found),
        None if table is None else table.record,
    )


def on_wire(name: str) -> str:
    """Return a column's name as JSON of the API has it."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


MEMBERS: Final = {on_wire(column): table for column, table in REFERENCES.items()}
"""Members of JSON that name a row, if they are numbers."""


class ExportHead(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The first line of an export.

    Attributes:
        program: the version of Command Center that made it.
        migrations: the steps of its database's schema.
        removed_up_to: the last event that was removed; 0 where all are there.
        newest: the highest id that was ever given in each table.
    """

    format: str
    version: int
    program: str
    migrations: list[str]
    made_at: str
    removed_up_to: int
    newest: dict[str, int]


class ExportedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a table, by its columns; of an event, as the API shows it."""

    table: str
    row: dict[str, Any]


class ExportedText(msgspec.Struct, frozen=True, kw_only=True):
    """All of a text that a row has shortened."""

    table: str
    id: int
    field: str
    text: str


class ExportEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The last line: the lines before it, their SHA-256, and what was damaged and is left out."""

    lines: int
    sha256: str
    damaged: list[str]
