"""Durable state in a SQLite file: records, the event log, and the one writer.

A change of state and the events that tell of it are one transaction; it is on the disk before
anybody is told. Everything here is synchronous and bound to threads: connections are driven from
worker threads by whoever uses this package, which itself knows neither trio nor the product's
rules.

Start with ``writer`` (how things are written; ``transaction`` is what a unit of work is given),
``tables`` (the rows of what ``records`` names; ``statuses`` are those of a session) and ``events``
(the log). ``database`` opens the file, by the steps of ``migrations``; ``lock`` and ``claim`` keep
a second process away from it, ``readers`` lends connections that only read, and ``log_identity``
tells the log from others. A list comes in ``pages`` with ``cursors``, its conditions put together
by ``where``. ``search`` and ``text_match`` find texts, ``telemetry`` and ``summaries`` count, and
``idempotency_keys``, ``released_threads``, ``orphaned_turns`` and ``trusted_configurations`` are
small tables with functions of their own. No SQL stands outside: what the tables cannot ask or
change is a function of ``causes``, ``removal``, ``summaries`` or ``telegram``. ``redaction`` takes
secrets out, by the ``secret_patterns``, and ``streamed_redaction`` out of what comes in pieces.
``timestamps``, ``sqlite_errors`` (its result codes) and ``errors`` serve them all.
"""

from command_center.store import (
    events,
    log_identity,
    orphaned_turns,
    released_threads,
    trusted_configurations,
)
from command_center.store.claim import RENEW_SECONDS, DatabaseClaim, take_claim
from command_center.store.database import open_database
from command_center.store.errors import (
    AcknowledgedLost,
    CannotOpenDatabase,
    ClaimLost,
    ConstraintViolated,
    CorruptDatabase,
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
from command_center.store.lock import DataFolderLock
from command_center.store.pages import MAX_LIMIT, Page
from command_center.store.readers import Readers
from command_center.store.records import (
    Agent,
    Approval,
    Automation,
    AutomationOutcome,
    AutomationRun,
    AutomationTrigger,
    Followup,
    Item,
    Record,
    Repository,
    Session,
    Task,
    TelegramButton,
    TelegramChat,
    TelegramMark,
    TelegramMessage,
    TelegramUpdate,
)
from command_center.store.redaction import redact
from command_center.store.search import Found, Piece, search_texts
from command_center.store.streamed_redaction import StreamedText
from command_center.store.tables import (
    Table,
    agents,
    approvals,
    automation_runs,
    automations,
    followups,
    items,
    repositories,
    sessions,
    tasks,
    telegram_buttons,
    telegram_chats,
    telegram_marks,
    telegram_messages,
    telegram_updates,
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
    "ClaimLost",
    "CommitResult",
    "ConstraintViolated",
    "CorruptDatabase",
    "DataFolderInUse",
    "DataFolderLock",
    "DataFolderUnusable",
    "DatabaseClaim",
    "DatabaseClaimed",
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
    "TelegramMark",
    "TelegramMessage",
    "TelegramUpdate",
    "Timestamp",
    "Transaction",
    "TransactionEnded",
    "Unit",
    "Writer",
    "WrongThread",
    "agents",
    "approvals",
    "automation_runs",
    "automations",
    "event_type",
    "events",
    "followups",
    "from_timestamp",
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
    "telegram_marks",
    "telegram_messages",
    "telegram_updates",
    "to_timestamp",
    "trusted_configurations",
]
