"""The tables of the product: each record type, the name of its table, and what is redacted."""

from command_center.store.database.text_match import SEARCHED
from command_center.store.records import (
    Agent,
    Approval,
    Automation,
    AutomationRun,
    ChannelMark,
    Comment,
    Device,
    DiscardedWork,
    Followup,
    HostState,
    InboxMark,
    Item,
    NotifyMessage,
    NotifyPreference,
    Passkey,
    PullRequest,
    Push,
    PushMessage,
    PushSubscription,
    Repository,
    Rule,
    SavedPrompt,
    Session,
    Snapshot,
    StoredHost,
    Task,
    TelegramButton,
    TelegramChat,
    TelegramMessage,
    TelegramUpdate,
    Upload,
    ViewedFile,
    Webhook,
    WebhookDelivery,
)
from command_center.store.table import Table

repositories = Table(Repository, "repositories", redacted=["facts"])
tasks = Table(
    Task, "tasks", redacted=["title", "prompt", "requested_by"], searched=SEARCHED["tasks"]
)
sessions = Table(
    Session,
    "sessions",
    redacted=[
        *("title", "prompt", "requested_by", "exit_reason", "last_message", "plan", "diff"),
        *("stop_requested", "result", "goal", "attachments"),
    ],
    long=["exit_reason", "last_message", "plan", "diff", "result", "goal"],
    bulky=["prompt", "stop_requested"],
    searched=SEARCHED["sessions"],
)
approvals = Table(
    Approval,
    "approvals",
    redacted=[
        *("title", "details", "answers", "codex_request"),
        *("requested_by", "resolved_by", "resolution_note", "risks"),
    ],
    long=["title", "details", "codex_request"],
)
inbox_marks = Table(InboxMark, "inbox_marks", redacted=["requested_by"])
rules = Table(Rule, "rules", redacted=["words", "requested_by"])
agents = Table(
    Agent,
    "agents",
    redacted=["prompt", "last_message", "diff"],
    long=["prompt", "last_message", "diff"],
)
items = Table(Item, "items", redacted=["body"], long=["body"])
followups = Table(Followup, "followups", redacted=["message", "requested_by", "attachments"])
uploads = Table(Upload, "uploads", redacted=["name", "requested_by"])
discarded = Table(DiscardedWork, "discarded", redacted=["requested_by"])
snapshots = Table(Snapshot, "snapshots")
pushes = Table(Push, "pushes", redacted=["problem", "requested_by", "pull_request"])
pull_requests = Table(
    PullRequest,
    "pull_requests",
    redacted=["title", "body", "check_runs", "reviews", "problem", "requested_by"],
)
saved_prompts = Table(
    SavedPrompt, "saved_prompts", redacted=["description", "text", "requested_by"]
)
comments = Table(Comment, "comments", redacted=["text", "quote", "requested_by"])
viewed_files = Table(ViewedFile, "viewed_files")
automations = Table(
    Automation, "automations", redacted=["title", "payload", "requested_by", "paused_reason"]
)
automation_runs = Table(AutomationRun, "automation_runs", redacted=["reason"])
telegram_updates = Table(TelegramUpdate, "telegram_updates", redacted=["body"])
telegram_chats = Table(TelegramChat, "telegram_chats", redacted=["waits_for"])
telegram_messages = Table(TelegramMessage, "telegram_messages", redacted=["content", "error"])
telegram_buttons = Table(TelegramButton, "telegram_buttons", redacted=["action"])
channel_marks = Table(ChannelMark, "telegram_marks")
devices = Table(Device, "devices", redacted=["name"])
passkeys = Table(Passkey, "passkeys")
push_subscriptions = Table(PushSubscription, "push_subscriptions", redacted=["error"])
push_messages = Table(PushMessage, "push_messages", redacted=["content", "error"])
stored_hosts = Table(StoredHost, "hosts", redacted=["requested_by"])
host_states = Table(HostState, "host_states")
webhooks = Table(Webhook, "webhooks", redacted=["paused_reason", "error"])
webhook_deliveries = Table(WebhookDelivery, "webhook_deliveries", redacted=["error"])
notify_preferences = Table(NotifyPreference, "notify_preferences")
notify_messages = Table(NotifyMessage, "notify_messages", redacted=["content", "error"])
