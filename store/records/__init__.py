"""The records: what is stored, and, in camelCase, exactly what the API shows.

A record is a frozen snapshot of a row. Timestamps are RFC 3339 in UTC with milliseconds
(``2025-01-31T07:05:09.120Z``), ids are integers, and a nested value is plain JSON. A field with
a default may be left out when a record is made; ``id``, ``created_at`` and ``updated_at`` are
always the store's to set.

`record` is the type that all are, `words` are those that several share, and each other module has
the records of one noun: `repositories`, `tasks`, `sessions`, `approvals`, `transcripts`, `changes`,
`landing`, `automations`, `telegram`, `channels`, `devices`, `prompts`, `rules`, `hosts` and
`inbox`.
"""

from command_center.store.records.approvals import (
    Approval,
    ApprovalKind,
    ApprovalScope,
    ApprovalStatus,
    Risk,
    RiskKind,
)
from command_center.store.records.automations import (
    Automation,
    AutomationOutcome,
    AutomationRun,
    AutomationThread,
    AutomationTrigger,
)
from command_center.store.records.changes import (
    Comment,
    CommentSide,
    DiscardedWork,
    Snapshot,
    ViewedFile,
)
from command_center.store.records.channels import (
    ChannelMark,
    NotifyMessage,
    NotifyPreference,
    PushKind,
    PushMessage,
    PushSubscription,
    Webhook,
    WebhookDelivery,
)
from command_center.store.records.devices import (
    Device,
    Passkey,
    Scope,
)
from command_center.store.records.hosts import HostState, StoredHost
from command_center.store.records.inbox import InboxKind, InboxMark
from command_center.store.records.landing import (
    ChecksState,
    PullRequest,
    Push,
    ReviewState,
)
from command_center.store.records.prompts import SavedPrompt
from command_center.store.records.record import (
    Record,
)
from command_center.store.records.repositories import (
    Repository,
)
from command_center.store.records.rules import (
    Rule,
    RuleKind,
)
from command_center.store.records.sessions import (
    Session,
    SessionStatus,
)
from command_center.store.records.tasks import (
    Task,
    TaskStatus,
    TaskType,
)
from command_center.store.records.telegram import (
    TelegramButton,
    TelegramChat,
    TelegramMessage,
    TelegramUpdate,
)
from command_center.store.records.transcripts import (
    Agent,
    AgentStatus,
    Followup,
    Item,
    Upload,
)
from command_center.store.records.words import (
    LOCAL,
    CodexConfig,
    MergeWhen,
    NewsAnswer,
    Priority,
    Reviewer,
    Runner,
    Sandbox,
    WhenLimited,
    Workplace,
)

__all__ = [
    "LOCAL",
    "Agent",
    "AgentStatus",
    "Approval",
    "ApprovalKind",
    "ApprovalScope",
    "ApprovalStatus",
    "Automation",
    "AutomationOutcome",
    "AutomationRun",
    "AutomationThread",
    "AutomationTrigger",
    "ChannelMark",
    "ChecksState",
    "CodexConfig",
    "Comment",
    "CommentSide",
    "Device",
    "DiscardedWork",
    "Followup",
    "HostState",
    "InboxKind",
    "InboxMark",
    "Item",
    "MergeWhen",
    "NewsAnswer",
    "NotifyMessage",
    "NotifyPreference",
    "Passkey",
    "Priority",
    "PullRequest",
    "Push",
    "PushKind",
    "PushMessage",
    "PushSubscription",
    "Record",
    "Repository",
    "ReviewState",
    "Reviewer",
    "Risk",
    "RiskKind",
    "Rule",
    "RuleKind",
    "Runner",
    "Sandbox",
    "SavedPrompt",
    "Scope",
    "Session",
    "SessionStatus",
    "Snapshot",
    "StoredHost",
    "Task",
    "TaskStatus",
    "TaskType",
    "TelegramButton",
    "TelegramChat",
    "TelegramMessage",
    "TelegramUpdate",
    "Upload",
    "ViewedFile",
    "Webhook",
    "WebhookDelivery",
    "WhenLimited",
    "Workplace",
]
