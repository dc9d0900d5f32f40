"""Durable state in a SQLite file: records, the event log, and the one writer.

A change of state and the events that tell of it are one transaction; it is on the disk before
anybody is told. Everything here is synchronous and bound to threads: connections are driven from
worker threads by whoever uses this package, which itself knows neither trio nor the product's
rules.

Start with ``writer`` (how things are written; ``transaction`` is what a unit of work is given),
``tables`` (the rows of what ``records`` names, each a ``table`` with its ``columns``; ``statuses``
are those of a session) and ``events`` (the log; ``log_identity`` tells it from others).
``device_tokens``, ``hook_answers``, ``idempotency_keys``, ``released_threads``, ``orphaned_turns``,
``unready_worktrees`` and ``trusted_configurations`` are small tables with functions of their own.
No SQL stands outside of the store: what the tables cannot ask or change is in ``queries``.

``database`` opens the file and lends connections that read, ``ownership`` keeps a second process
away from it, ``lists`` has pages and cursors, ``long_texts`` keeps what is too long for a row, and
``redaction`` takes secrets out. ``timestamps`` and ``errors`` serve them all.
"""

from command_center.store import (
    device_tokens,
    events,
    hook_answers,
    log_identity,
    orphaned_turns,
    released_threads,
    trusted_configurations,
    unready_worktrees,
)
from command_center.store.database.opening import open_database
from command_center.store.database.readers import Readers
from command_center.store.errors import (
    AcknowledgedLost,
    CannotOpenDatabase,
    ClaimLost,
    ConstraintViolated,
    CorruptDatabase,
    DamagedRecord,
    DatabaseClaimed,
    DataFolderInUse,
    DataFolderUnusable,
    ForeignDatabase,
    InvalidCursor,
    InvalidRecord,
    MigrationFailed,
    NewerSchema,
    RecordNotFound,
    SqliteTooOld,
    StoreClosed,
    StoreUnavailable,
    StoreUnconfirmed,
    TransactionEnded,
    WrongThread,
)
from command_center.store.events import (
    Event,
    EventData,
    EventFilter,
    StoredEvent,
    event_type,
    plain_data,
)
from command_center.store.lists.pages import MAX_LIMIT, Page
from command_center.store.ownership.claim import RENEW_SECONDS, DatabaseClaim, take_claim
from command_center.store.ownership.lock import DataFolderLock
from command_center.store.queries.search import Found, Piece, search_texts
from command_center.store.records import (
    Agent,
    Approval,
    Automation,
    AutomationOutcome,
    AutomationRun,
    AutomationTrigger,
    ChannelMark,
    Device,
    Followup,
    Item,
    Record,
    Repository,
    Scope,
    Session,
    Task,
    TelegramButton,
    TelegramChat,
    TelegramMessage,
    TelegramUpdate,
    ViewedFile,
)
from command_center.store.redaction.redact import redact
from command_center.store.redaction.streamed import StreamedText
from command_center.store.table import Table
from command_center.store.tables import (
    agents,
    approvals,
    automation_runs,
    automations,
    channel_marks,
    devices,
    followups,
    items,
    repositories,
    sessions,
    tasks,
    telegram_buttons,
    telegram_chats,
    telegram_messages,
    telegram_updates,
    viewed_files,
)
from command_center.store.timestamps import (
    Timestamp,
    from_timestamp,
    now_timestamp,
    to_timestamp,
)
from command_center.store.transaction import Transaction
from command_center.store.writer import CommitResult, Done, Failed, Outcome, Unit, Writer

__all__ = [
    "MAX_LIMIT",
    "RENEW_SECONDS",
    "AcknowledgedLost",
    "Agent",
    "Approval",
    "Automation",
    "AutomationOutcome",
    "AutomationRun",
    "AutomationTrigger",
    "CannotOpenDatabase",
    "ChannelMark",
    "ClaimLost",
    "CommitResult",
    "ConstraintViolated",
    "CorruptDatabase",
    "DamagedRecord",
    "DataFolderInUse",
    "DataFolderLock",
    "DataFolderUnusable",
    "DatabaseClaim",
    "DatabaseClaimed",
    "Device",
    "Done",
    "Event",
    "EventData",
    "EventFilter",
    "Failed",
    "Followup",
    "ForeignDatabase",
    "Found",
    "InvalidCursor",
    "InvalidRecord",
    "Item",
    "MigrationFailed",
    "NewerSchema",
    "Outcome",
    "Page",
    "Piece",
    "Readers",
    "Record",
    "RecordNotFound",
    "Repository",
    "Scope",
    "Session",
    "SqliteTooOld",
    "StoreClosed",
    "StoreUnavailable",
    "StoreUnconfirmed",
    "StoredEvent",
    "StreamedText",
    "Table",
    "Task",
    "TelegramButton",
    "TelegramChat",
    "TelegramMessage",
    "TelegramUpdate",
    "Timestamp",
    "Transaction",
    "TransactionEnded",
    "Unit",
    "ViewedFile",
    "Writer",
    "WrongThread",
    "agents",
    "approvals",
    "automation_runs",
    "automations",
    "channel_marks",
    "device_tokens",
    "devices",
    "event_type",
    "events",
    "followups",
    "from_timestamp",
    "hook_answers",
    "items",
    "log_identity",
    "now_timestamp",
    "open_database",
    "orphaned_turns",
    "plain_data",
    "redact",
    "released_threads",
    "repositories",
    "search_texts",
    "sessions",
    "take_claim",
    "tasks",
    "telegram_buttons",
    "telegram_chats",
    "telegram_messages",
    "telegram_updates",
    "to_timestamp",
    "trusted_configurations",
    "unready_worktrees",
    "viewed_files",
]
