"""Shapes of all that the API takes, answers and tells as events.

They are made from its OpenAPI document by `uv run python -m tests.http.python_client`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar

T = TypeVar("T")


class ListPage(TypedDict, Generic[T]):
    """A page of a list; `nextCursor` is None on the last."""

    items: list[T]
    nextCursor: str | None


class AnyEvent(TypedDict):
    """An event as the streams tell it; one that is only live has no id."""

    id: int | None
    type: str
    ts: str
    actor: str
    correlationId: str | None
    causationId: int | None
    data: Any
    repositoryId: NotRequired[int]
    taskId: NotRequired[int]
    sessionId: NotRequired[int]
    approvalId: NotRequired[int]
    automationId: NotRequired[int]
    device: NotRequired[str]
    shortened: NotRequired[bool]


# Wait no longer for a turn that may still run, though its session has ended.
AbandonTurn = TypedDict(
    "AbandonTurn",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# An order about the account of a host's agent.
AccountOrder = TypedDict(
    "AccountOrder",
    {
        "host": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str | None]',
    },
)

AccountStatus = Literal["not_needed", "signed_in", "signed_out"]

# An actor or a supervisor at one moment. Ages and delays are in seconds.
ActorShown = TypedDict(
    "ActorShown",
    {
        "path": 'str',
        "kind": 'str',
        "status": 'Status',
        "restart": 'str',
        "isDynamic": 'bool',
        "faultDomain": 'str',
        "contract": 'str',
        "startedAt": 'str | None',
        "current": 'str | None',
        "currentAge": 'float | None',
        "depth": 'int',
        "capacity": 'int',
        "inLine": 'int',
        "highWater": 'int',
        "oldestAge": 'float | None',
        "sent": 'int',
        "handled": 'int',
        "refused": 'int',
        "lost": 'int',
        "dead": 'int',
        "failed": 'int',
        "backgroundTasks": 'int',
        "stalls": 'int',
        "restarts": 'int',
        "restartsInWindow": 'int',
        "nextStartIn": 'float | None',
        "lastError": 'str | None',
        "description": 'Mapping[str, Any]',
        "stack": 'NotRequired[list[str]]',
    },
)

# A machine that was added.
AddedHost = TypedDict(
    "AddedHost",
    {
        "name": 'str',
        "kind": 'Literal["dial", "local", "ssh"]',
        "address": 'str | None',
        "link": 'Literal["away", "connected", "refused"] | None',
        "nextTryAt": 'str | None',
        "lastSeenAt": 'str | None',
        "draining": 'bool',
        "labels": 'list[str]',
        "maxSessions": 'int | None',
        "load": 'ShownLoad | None',
        "pool": 'ShownPool | None',
        "account": 'AgentAccount | None',
        "status": 'Literal["connected", "disabled", "unavailable"]',
        "message": 'str',
        "agentVersion": 'str | None',
        "warning": 'str | None',
        "appServer": 'AppServer | None',
        "repositories": 'int',
        "active": 'int',
        "queued": 'int',
        "slots": 'int',
        "orphanedTurns": 'list[int]',
        "enrolment": 'HostEnrolment | None',
    },
)

# A sub-agent that works for a session, in a thread of its own.
Agent = TypedDict(
    "Agent",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "sessionId": 'int',
        "threadId": 'str',
        "parentId": 'int | None',
        "parentThreadId": 'str',
        "path": 'str | None',
        "name": 'str | None',
        "model": 'str | None',
        "prompt": 'str | None',
        "status": 'Literal["completed", "failed", "interrupted", "running"]',
        "lastMessage": 'str | None',
        "tokenUsage": 'Mapping[str, Any] | None',
        "diff": 'str | None',
        "finishedAt": 'str | None',
        "shortened": 'list[str]',
    },
)

# The account of a host's agent.
AgentAccount = TypedDict(
    "AgentAccount",
    {
        "host": 'str',
        "status": 'AccountStatus',
        "kind": 'str | None',
        "email": 'str | None',
        "plan": 'str | None',
        "workspace": 'str | None',
        "signIn": 'SignIn | None',
    },
)

# Limits of an agent; its token is good for the tools at `/mcp` alone. Null sets none.
AgentLimits = TypedDict(
    "AgentLimits",
    {
        "repositories": 'NotRequired[list[int] | None]',
        "depth": 'NotRequired[int | None]',
        "runsPerHour": 'NotRequired[int | None]',
    },
)

AppServer = Literal["detached", "joined", "spawned"]

# A question to the operator, settled exactly once.
Approval = TypedDict(
    "Approval",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "kind": 'Literal["command", "elicitation", "file_change", "manual", "merge", "permissions", "push", "run", "setup", "trust", "user_input"]',
        "status": 'Literal["answered_elsewhere", "approved", "cancelled", "expired", "pending", "rejected"]',
        "title": 'str',
        "details": 'Mapping[str, Any]',
        "repositoryId": 'int | None',
        "taskId": 'int | None',
        "sessionId": 'int | None',
        "codexThreadId": 'str | None',
        "codexTurnId": 'str | None',
        "codexItemId": 'str | None',
        "codexRequestId": 'str | None',
        "codexRequest": 'Mapping[str, Any] | None',
        "requestedBy": 'str',
        "scope": 'Literal["once", "session"] | None',
        "answers": 'Mapping[str, Any] | None',
        "expiresAt": 'str | None',
        "resolvedAt": 'str | None',
        "resolvedBy": 'str | None',
        "resolutionNote": 'str | None',
        "deliveredAt": 'str | None',
        "correlationId": 'str | None',
        "warnedAt": 'str | None',
        "shortened": 'list[str]',
        "risks": 'list[Risk]',
    },
)

# The number of approvals: by their status, and those that are pending by their kind.
ApprovalCounts = TypedDict(
    "ApprovalCounts",
    {
        "byStatus": 'Mapping[str, int]',
        "pendingByKind": 'Mapping[str, int]',
    },
)

# Approvals: those that wait now, and those settled in the span by how.
ApprovalNumbers = TypedDict(
    "ApprovalNumbers",
    {
        "pending": 'int',
        "oldestPendingAt": 'str | None',
        "settled": 'Mapping[str, int]',
    },
)

# Name and address of who wrote what is committed.
Author = TypedDict(
    "Author",
    {
        "name": 'str',
        "email": 'str',
    },
)

# A schedule that makes and runs tasks.
Automation = TypedDict(
    "Automation",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "repositoryId": 'int',
        "title": 'str',
        "scheduleExpr": 'str',
        "timezone": 'str | None',
        "enabled": 'bool',
        "missedRuns": 'Literal["run_once", "skip"]',
        "payload": 'AutomationPayload',
        "nextRunAt": 'str | None',
        "lastRunAt": 'str | None',
        "lastOutcome": 'str | None',
        "lastSessionId": 'int | None',
        "consecutiveFailures": 'int',
        "pausedReason": 'str | None',
        "requestedBy": 'str',
        "deletedAt": 'str | None',
        "whenLimited": 'Literal["skip", "wait"]',
        "hasHook": 'bool',
        "thread": 'Literal["new", "same"]',
        "lastEventId": 'int | None',
    },
)

# Changes to an automation; what is left out stays. `enabled: true` also ends a pause.
AutomationChanges = TypedDict(
    "AutomationChanges",
    {
        "title": 'NotRequired[str]',
        "scheduleExpr": 'NotRequired[str]',
        "timezone": 'NotRequired[str | None]',
        "enabled": 'NotRequired[bool]',
        "missedRuns": 'NotRequired[Literal["run_once", "skip"]]',
        "whenLimited": 'NotRequired[Literal["skip", "wait"]]',
        "thread": 'NotRequired[Literal["new", "same"]]',
        "payload": 'NotRequired[AutomationPayload]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Enabled automations, and those that run next.
AutomationNumbers = TypedDict(
    "AutomationNumbers",
    {
        "enabled": 'int',
        "paused": 'int',
        "next": 'list[NextAutomation]',
    },
)

# The task that each run makes, and how. Without a title it takes the automation's.
AutomationPayload = TypedDict(
    "AutomationPayload",
    {
        "prompt": 'str',
        "taskType": 'NotRequired[Literal["investigate_failure", "prompt_task", "repo_health_check", "review_task"]]',
        "taskTitle": 'NotRequired[str | None]',
        "priority": 'NotRequired[Literal["high", "low", "normal"]]',
        "approvalRequired": 'NotRequired[bool]',
        "onInterrupt": 'NotRequired[Literal["continue", "stop"]]',
        "maxAttempts": 'NotRequired[int]',
        "turnLimit": 'NotRequired[int | None]',
        "tokenBudget": 'NotRequired[int | None]',
        "runInput": 'NotRequired[RunInput]',
    },
)

# The outcome of a due time, or of a run by hand. A due time has at most one.
AutomationRun = TypedDict(
    "AutomationRun",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "automationId": 'int',
        "trigger": 'Literal["catch_up", "event", "hook", "manual", "schedule"]',
        "dueAt": 'str | None',
        "firedAt": 'str',
        "missed": 'int',
        "outcome": 'Literal["completed", "denied", "failed", "interrupted", "invalid", "missed", "refused", "skipped", "started", "stopped"]',
        "reason": 'str | None',
        "taskId": 'int | None',
        "sessionId": 'int | None',
        "finishedAt": 'str | None',
        "eventId": 'int | None',
    },
)

# The backups in the data folder.
BackupsShown = TypedDict(
    "BackupsShown",
    {
        "items": 'list[KeptBackup]',
        "schedule": 'str | None',
        "nextAt": 'str | None',
        "lastFailure": 'str | None',
    },
)

# The bridge's health; `message` says what to do where something is to be done.
BridgeHealth = TypedDict(
    "BridgeHealth",
    {
        "status": 'BridgeStatus',
        "command": 'str',
        "transport": 'str',
        "message": 'str',
        "supported": 'str',
        "version": 'str | None',
        "warning": 'str | None',
        "appServer": 'AppServer | None',
    },
)

BridgeStatus = Literal["connected", "disabled", "unavailable"]

# The things that a runner can do.
Capabilities = TypedDict(
    "Capabilities",
    {
        "isReal": 'bool',
        "canSteer": 'bool',
        "asksApproval": 'bool',
        "hasThreads": 'bool',
        "plans": 'bool',
        "pursuesGoals": 'bool',
        "survivesRestart": 'bool',
        "showsReview": 'bool',
        "takesImages": 'bool',
    },
)

# The most that runs may use. What is left out has no cap.
Caps = TypedDict(
    "Caps",
    {
        "dailyTokens": 'NotRequired[int | None]',
        "dailyCost": 'NotRequired[float | None]',
        "windowPercent": 'NotRequired[int | None]',
        "over": 'NotRequired[Literal["interrupt", "warn"]]',
    },
)

# A file that has changed.
ChangedFile = TypedDict(
    "ChangedFile",
    {
        "path": 'str',
        "previousPath": 'str | None',
        "status": 'Literal["added", "conflicted", "deleted", "modified", "renamed", "type_changed"]',
        "additions": 'int | None',
        "deletions": 'int | None',
        "isBinary": 'bool',
        "isNew": 'bool',
        "isCommitted": 'bool',
        "isViewed": 'bool',
    },
)

# The changes of a session, file by file; a page of them.
Changes = TypedDict(
    "Changes",
    {
        "source": 'Literal["agent", "git"]',
        "problem": 'str | None',
        "path": 'str',
        "branchName": 'str | None',
        "headSha": 'str | None',
        "baseRef": 'str | None',
        "baseSha": 'str | None',
        "against": 'Literal["base", "commit", "viewed"]',
        "commits": 'int | None',
        "total": 'int',
        "uncommitted": 'int',
        "additions": 'int',
        "deletions": 'int',
        "isCut": 'bool',
        "items": 'list[ChangedFile]',
        "nextCursor": 'str | None',
    },
)

# The choices about a run's model.
Choices = TypedDict(
    "Choices",
    {
        "model": 'NotRequired[str | None]',
        "effort": 'NotRequired[str | None]',
        "serviceTier": 'NotRequired[str | None]',
        "collaborationMode": 'NotRequired[Literal["default", "plan"] | None]',
        "personality": 'NotRequired[Literal["friendly", "none", "pragmatic"] | None]',
        "permissionProfile": 'NotRequired[str | None]',
    },
)

# Have a pool host clone a remote, and register that. What is left out is not allowed.
CloneRepository = TypedDict(
    "CloneRepository",
    {
        "remote": 'str',
        "host": 'str',
        "depth": 'NotRequired[int | None]',
        "name": 'NotRequired[str | None]',
        "allowWrite": 'NotRequired[bool]',
        "allowNetwork": 'NotRequired[bool]',
        "allowCommit": 'NotRequired[bool]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A remark on lines that a session has changed: of a person, or found by a review.
Comment = TypedDict(
    "Comment",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "taskId": 'int',
        "sessionId": 'int',
        "path": 'str',
        "side": 'Literal["after", "before"]',
        "line": 'int',
        "endLine": 'int',
        "text": 'str',
        "quote": 'str',
        "status": 'Literal["cancelled", "open", "sent"]',
        "requestedBy": 'str',
        "followupId": 'int | None',
        "sentSessionId": 'int | None',
        "steerEventId": 'int | None',
        "reviewSessionId": 'int | None',
    },
)

# The text of a comment.
CommentText = TypedDict(
    "CommentText",
    {
        "text": 'str',
        "requestedBy": 'NotRequired[str]',
    },
)

# The part of a session's work that is committed, and how.
CommitRequest = TypedDict(
    "CommitRequest",
    {
        "message": 'NotRequired[str | None]',
        "paths": 'NotRequired[list[str]]',
        "author": 'NotRequired[Author | None]',
        "headSha": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A commit that was made.
Committed = TypedDict(
    "Committed",
    {
        "branchName": 'str',
        "beforeSha": 'str | None',
        "sha": 'str',
        "message": 'str',
        "files": 'int',
        "isSigned": 'bool',
        "hooksSkipped": 'list[str]',
    },
)

# The place of the session in which a thread's history is made shorter.
Compaction = TypedDict(
    "Compaction",
    {
        "repositoryId": 'int',
        "cwd": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The branch whose merge conflicts: that of the main checkout, unless named.
ConflictsRequest = TypedDict(
    "ConflictsRequest",
    {
        "base": 'NotRequired[str | None]',
        "headSha": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Ask a person something that no session asks by itself.
CreateApproval = TypedDict(
    "CreateApproval",
    {
        "title": 'str',
        "kind": 'NotRequired[Literal["manual"]]',
        "details": 'NotRequired[Mapping[str, Any]]',
        "taskId": 'NotRequired[int | None]',
        "sessionId": 'NotRequired[int | None]',
        "expiresAt": 'NotRequired[str | None]',
        "ttlSeconds": 'NotRequired[int | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Keep an automation. With a `template`, title, schedule and payload may be left to it.
CreateAutomation = TypedDict(
    "CreateAutomation",
    {
        "repositoryId": 'int',
        "template": 'NotRequired[str | None]',
        "title": 'NotRequired[str]',
        "scheduleExpr": 'NotRequired[str]',
        "payload": 'NotRequired[AutomationPayload]',
        "timezone": 'NotRequired[str | None]',
        "enabled": 'NotRequired[bool]',
        "missedRuns": 'NotRequired[Literal["run_once", "skip"]]',
        "whenLimited": 'NotRequired[Literal["skip", "wait"]]',
        "thread": 'NotRequired[Literal["new", "same"]]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Register a git repository. What is left out is not allowed; the name is the folder's.
CreateRepository = TypedDict(
    "CreateRepository",
    {
        "localPath": 'str',
        "host": 'NotRequired[str]',
        "name": 'NotRequired[str | None]',
        "allowWrite": 'NotRequired[bool]',
        "allowNetwork": 'NotRequired[bool]',
        "allowCommit": 'NotRequired[bool]',
        "requireWorktree": 'NotRequired[bool]',
        "workplace": 'NotRequired[Literal["main_checkout", "worktree"]]',
        "codexConfig": 'NotRequired[Literal["ask", "ignore"]]',
        "reviewer": 'NotRequired[Literal["auto", "user"]]',
        "allowPush": 'NotRequired[bool]',
        "signCommits": 'NotRequired[bool]',
        "onChecksFailed": 'NotRequired[Literal["follow_up", "tell"]]',
        "onReview": 'NotRequired[Literal["follow_up", "tell"]]',
        "forgeFollowups": 'NotRequired[int]',
        "mergeWhen": 'NotRequired[Literal["asked", "checks_pass"]]',
        "issueLabel": 'NotRequired[str | None]',
        "issueApproval": 'NotRequired[bool]',
        "mcpServersOff": 'NotRequired[list[str]]',
        "allowTerminal": 'NotRequired[bool]',
        "keepEvents": 'NotRequired[str | None]',
        "keepTranscripts": 'NotRequired[str | None]',
        "project": 'NotRequired[str | None]',
        "runDefaults": 'NotRequired[Choices]',
        "caps": 'NotRequired[Caps]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Keep something to be done in a repository; nothing runs yet.
CreateTask = TypedDict(
    "CreateTask",
    {
        "repositoryId": 'int',
        "title": 'str',
        "prompt": 'str',
        "type": 'NotRequired[Literal["investigate_failure", "prompt_task", "repo_health_check", "review_task"]]',
        "priority": 'NotRequired[Literal["high", "low", "normal"]]',
        "approvalRequired": 'NotRequired[bool]',
        "onInterrupt": 'NotRequired[Literal["continue", "stop"]]',
        "maxAttempts": 'NotRequired[int]',
        "turnLimit": 'NotRequired[int | None]',
        "tokenBudget": 'NotRequired[int | None]',
        "onChecksFailed": 'NotRequired[Literal["follow_up", "tell"] | None]',
        "onReview": 'NotRequired[Literal["follow_up", "tell"] | None]',
        "forgeFollowups": 'NotRequired[int | None]',
        "mergeWhen": 'NotRequired[Literal["asked", "checks_pass"] | None]',
        "runDefaults": 'NotRequired[Choices]',
        "placement": 'NotRequired[Literal["any", "pool"] | HostWish | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Tokens of a day in UTC.
DayTokens = TypedDict(
    "DayTokens",
    {
        "day": 'str',
        "tokens": 'int',
    },
)

# A message that nobody handled, by its kind.
DeadLetterShown = TypedDict(
    "DeadLetterShown",
    {
        "number": 'int',
        "path": 'str',
        "message": 'str',
        "reason": 'str',
        "age": 'float',
    },
)

# The number of dead letters, and the newest of them.
DeadLettersShown = TypedDict(
    "DeadLettersShown",
    {
        "total": 'int',
        "byReason": 'Mapping[str, int]',
        "items": 'list[DeadLetterShown]',
    },
)

# A device, or a script, that has a token or a cookie of its own. `device_tokens` has hashes.
Device = TypedDict(
    "Device",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "name": 'str',
        "scopes": 'list[Literal["admin", "approve", "land", "operate", "read", "work"]]',
        "expiresAt": 'str | None',
        "isPaired": 'bool',
        "lastSeenAt": 'str | None',
        "lastSeenFrom": 'str | None',
        "limits": 'Mapping[str, Any] | None',
    },
)

# Changes to a device; what is left out stays. `expiresAt` null is never.
DeviceChanges = TypedDict(
    "DeviceChanges",
    {
        "name": 'NotRequired[str]',
        "scopes": 'NotRequired[list[Literal["admin", "approve", "land", "operate", "read", "work"]]]',
        "expiresAt": 'NotRequired[str | None]',
        "limits": 'NotRequired[AgentLimits | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A device that was made, with its token, which is shown this once.
DeviceToken = TypedDict(
    "DeviceToken",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "name": 'str',
        "scopes": 'list[Literal["admin", "approve", "land", "operate", "read", "work"]]',
        "expiresAt": 'str | None',
        "isPaired": 'bool',
        "lastSeenAt": 'str | None',
        "lastSeenFrom": 'str | None',
        "limits": 'Mapping[str, Any] | None',
        "token": 'str',
    },
)

# All findings of one examination.
Diagnosis = TypedDict(
    "Diagnosis",
    {
        "status": 'Literal["error", "ok", "warning"]',
        "examinedBy": 'Literal["command", "server"]',
        "examinedAt": 'str',
        "version": 'str',
        "findings": 'list[Finding]',
    },
)

# The changes since the work tree's branch left `baseRef`, committed or not.
Diff = TypedDict(
    "Diff",
    {
        "baseRef": 'str',
        "baseSha": 'str',
        "headSha": 'str',
        "files": 'list[ChangedFile]',
        "patch": 'str',
        "isCut": 'bool',
    },
)

# The work of a session that is discarded: all that is not committed.
DiscardRequest = TypedDict(
    "DiscardRequest",
    {
        "headSha": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Work that a person discarded, kept as a commit for some time.
DiscardedWork = TypedDict(
    "DiscardedWork",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "repositoryId": 'int',
        "sessionId": 'int',
        "branchName": 'str | None',
        "headSha": 'str',
        "sha": 'str',
        "files": 'int',
        "status": 'Literal["discarded", "expired", "kept"]',
        "requestedBy": 'str',
        "expiresAt": 'str',
    },
)

# A due time, in UTC and by the wall clock.
DueTime = TypedDict(
    "DueTime",
    {
        "at": 'str',
        "local": 'str',
    },
)

# The time that finished sessions ran, in seconds; null where none did.
Durations = TypedDict(
    "Durations",
    {
        "p50": 'float | None',
        "p95": 'float | None',
    },
)

# Give the machine that brings a code a key of its own.
EnrolHost = TypedDict(
    "EnrolHost",
    {
        "code": 'str',
    },
)

# A host, with its key, which is shown this once.
EnrolledHost = TypedDict(
    "EnrolledHost",
    {
        "name": 'str',
        "key": 'str',
    },
)

# Every failure.
Error = TypedDict(
    "Error",
    {
        "error": 'ErrorFacts',
    },
)

# A field at fault, by its path on the wire.
ErrorDetail = TypedDict(
    "ErrorDetail",
    {
        "path": 'str',
        "message": 'str',
    },
)

# The failure, for a program and for a person.
ErrorFacts = TypedDict(
    "ErrorFacts",
    {
        "statusCode": 'int',
        "message": 'str',
        "details": 'NotRequired[list[ErrorDetail]]',
        "facts": 'NotRequired[Mapping[str, Any]]',
        "policy": 'NotRequired[PolicyResult]',
        "errorId": 'NotRequired[str]',
    },
)

# An event as it is shown: the ids of things that it is not about are left out.
Event = TypedDict(
    "Event",
    {
        "id": 'int',
        "type": 'str',
        "ts": 'str',
        "repositoryId": 'NotRequired[int]',
        "taskId": 'NotRequired[int]',
        "sessionId": 'NotRequired[int]',
        "approvalId": 'NotRequired[int]',
        "automationId": 'NotRequired[int]',
        "actor": 'str',
        "device": 'NotRequired[str]',
        "correlationId": 'str | None',
        "causationId": 'int | None',
        "data": 'Any',
        "shortened": 'NotRequired[bool]',
    },
)

# The log: its last id, and how many events the span added.
EventNumbers = TypedDict(
    "EventNumbers",
    {
        "lastId": 'int',
        "count": 'int',
        "perMinute": 'float',
    },
)

# A page of the log.
EventPage_Event_ = TypedDict(
    "EventPage_Event_",
    {
        "items": 'list[Event]',
        "nextCursor": 'str | None',
        "damaged": 'NotRequired[list[int]]',
        "oldestId": 'int',
    },
)

# Until when an approval shall wait: `ttlSeconds` from now, or `expiresAt`.
Extension = TypedDict(
    "Extension",
    {
        "ttlSeconds": 'NotRequired[int | None]',
        "expiresAt": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The skills, plugins, hooks and permission profiles of a host's agent.
Extensions = TypedDict(
    "Extensions",
    {
        "host": 'str',
        "skills": 'list[Skill]',
        "plugins": 'list[Plugin]',
        "hooks": 'list[Hook]',
        "profiles": 'list[PermissionProfile]',
        "problems": 'list[str]',
    },
)

# A part of the tree that fails as one, and what that may disturb.
FaultDomain = TypedDict(
    "FaultDomain",
    {
        "path": 'str',
        "contract": 'str',
    },
)

# A file, or another thing in a folder.
FileEntry = TypedDict(
    "FileEntry",
    {
        "path": 'str',
        "kind": 'Literal["file", "folder", "link", "other", "repository"]',
        "size": 'int | None',
        "target": 'str | None',
    },
)

# A folder with what is in it, or a page of a file.
FileView = TypedDict(
    "FileView",
    {
        "path": 'str',
        "kind": 'Literal["file", "folder"]',
        "items": 'list[FileEntry]',
        "text": 'str | None',
        "size": 'int | None',
        "isBinary": 'bool',
        "isCut": 'bool',
        "nextCursor": 'str | None',
    },
)

# A finding of the doctor.
Finding = TypedDict(
    "Finding",
    {
        "check": 'str',
        "level": 'Literal["error", "ok", "warning"]',
        "message": 'str',
        "why": 'str | None',
        "mend": 'str | None',
        "host": 'str | None',
    },
)

# A message for a task's thread, to be sent when its turn has ended.
Followup = TypedDict(
    "Followup",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "taskId": 'int',
        "sessionId": 'int',
        "status": 'Literal["cancelled", "pending", "sent"]',
        "message": 'str',
        "requestedBy": 'str',
        "sentSessionId": 'int | None',
        "attachments": 'list[Mapping[str, Any]]',
    },
)

# The text of a follow-up.
FollowupText = TypedDict(
    "FollowupText",
    {
        "message": 'str',
        "requestedBy": 'NotRequired[str]',
    },
)

# A text that has all of the words.
Found = TypedDict(
    "Found",
    {
        "id": 'int',
        "sessionId": 'int',
        "taskId": 'int',
        "repositoryId": 'int',
        "kind": 'str',
        "turnId": 'str | None',
        "itemId": 'str | None',
        "at": 'str',
        "snippet": 'list[Piece]',
    },
)

# A file that was found; `line` is where in it, and `text` that line, of a text.
FoundFile = TypedDict(
    "FoundFile",
    {
        "path": 'str',
        "line": 'int | None',
        "text": 'str | None',
    },
)

# The files that were found; of names, the best come first. `isCut`: there are more.
FoundFiles = TypedDict(
    "FoundFiles",
    {
        "items": 'list[FoundFile]',
        "isCut": 'bool',
    },
)

# The repositories that one look has found.
FoundRepositories = TypedDict(
    "FoundRepositories",
    {
        "items": 'list[FoundRepository]',
        "folders": 'int',
        "passedOver": 'list[str]',
        "nextAfter": 'str | None',
    },
)

# A repository that was found on this machine.
FoundRepository = TypedDict(
    "FoundRepository",
    {
        "name": 'str',
        "localPath": 'str',
        "isRegistered": 'bool',
    },
)

# A text of a stored thread that has all of the words.
FoundThread = TypedDict(
    "FoundThread",
    {
        "id": 'int',
        "host": 'str',
        "threadId": 'str',
        "title": 'str',
        "cwd": 'str',
        "isArchived": 'bool',
        "turnId": 'str',
        "kind": 'str',
        "at": 'int | None',
        "snippet": 'list[Piece]',
    },
)

# Change a session's goal. A field that is left out stays as it is.
GoalChanges = TypedDict(
    "GoalChanges",
    {
        "objective": 'NotRequired[str | None]',
        "tokenBudget": 'NotRequired[int | None]',
        "status": 'NotRequired[Literal["active", "paused"] | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A goal that Codex is to pursue turn after turn, until it says that it is reached.
GoalInput = TypedDict(
    "GoalInput",
    {
        "objective": 'NotRequired[str | None]',
        "tokenBudget": 'NotRequired[int | None]',
    },
)

# A run of an automation that was asked for by hand.
HandRun = TypedDict(
    "HandRun",
    {
        "task": 'Task',
        "session": 'Session',
        "policy": 'PolicyResult',
        "blocked": 'NotRequired[bool]',
        "approvals": 'NotRequired[list[Approval]]',
        "automation": 'Automation',
    },
)

# The state of the server, and of the parts that it needs.
Health = TypedDict(
    "Health",
    {
        "status": 'Literal["degraded", "ok"]',
        "version": 'str',
        "newVersion": 'str | None',
        "logId": 'str',
        "oldestEventId": 'int | None',
        "runnerMode": 'str',
        "runners": 'Mapping[str, Capabilities]',
        "codexVersion": 'str | None',
        "appServer": 'AppServer | None',
        "uptimeSeconds": 'float',
        "checks": 'Mapping[str, str]',
        "role": 'NotRequired[Literal["joining", "leader", "standby"]]',
        "leader": 'NotRequired[str | None]',
        "epoch": 'NotRequired[int]',
    },
)

# Something that the agent runs by itself at an event of its own, outside of any sandbox.
Hook = TypedDict(
    "Hook",
    {
        "event": 'str',
        "type": 'str',
        "runs": 'str | None',
        "matcher": 'str | None',
        "source": 'str',
        "path": 'str',
        "isEnabled": 'bool',
        "isManaged": 'bool',
        "trust": 'str',
        "plugin": 'str | None',
    },
)

# The outcome of a delivery to a hook.
HookReceipt = TypedDict(
    "HookReceipt",
    {
        "runId": 'int',
        "outcome": 'Literal["completed", "denied", "failed", "interrupted", "invalid", "missed", "refused", "skipped", "started", "stopped"]',
        "reason": 'str | None',
        "taskId": 'int | None',
        "sessionId": 'int | None',
        "isRepeated": 'bool',
    },
)

# The hook of an automation, with its secret, which is shown this once.
HookSecret = TypedDict(
    "HookSecret",
    {
        "automation": 'Automation',
        "hookPath": 'str',
        "secret": 'str',
    },
)

# Changes to a host; what is left out stays.
HostChanges = TypedDict(
    "HostChanges",
    {
        "labels": 'NotRequired[list[str]]',
        "maxSessions": 'NotRequired[int | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A code by which a machine becomes a host, once, and the command to run on it.
HostEnrolment = TypedDict(
    "HostEnrolment",
    {
        "code": 'str',
        "expiresAt": 'str',
        "command": 'str',
    },
)

# An order about a machine.
HostOrder = TypedDict(
    "HostOrder",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# The actors of the program that a host runs.
HostTree = TypedDict(
    "HostTree",
    {
        "host": 'str',
        "actors": 'list[ActorShown]',
        "faultDomains": 'list[FaultDomain]',
    },
)

# A host that is named, or labels that it must have; one of the two.
HostWish = TypedDict(
    "HostWish",
    {
        "host": 'NotRequired[str | None]',
        "labels": 'NotRequired[list[str]]',
    },
)

# The caller, and what they may do; `device` is null for who needs to be none.
Identity = TypedDict(
    "Identity",
    {
        "device": 'Device | None',
        "scopes": 'list[Literal["admin", "approve", "land", "operate", "read", "work"]]',
    },
)

# A thing that stands in nobody's inbox until a moment; null for good.
InboxMark = TypedDict(
    "InboxMark",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "kind": 'Literal["approval", "automation", "session"]',
        "recordId": 'int',
        "until": 'str | None',
        "requestedBy": 'str',
    },
)

# The marks that hold now.
InboxMarks = TypedDict(
    "InboxMarks",
    {
        "items": 'list[InboxMark]',
    },
)

# Look at a folder; a folder that is not a git repository is an answer, not an error.
InspectRepository = TypedDict(
    "InspectRepository",
    {
        "localPath": 'str',
        "host": 'NotRequired[str]',
    },
)

# A folder, as git sees it. Nothing is saved.
Inspection = TypedDict(
    "Inspection",
    {
        "isGitRepository": 'bool',
        "name": 'str',
        "host": 'str',
        "localPath": 'str',
        "defaultBranch": 'str | None',
        "currentBranch": 'str | None',
        "headSha": 'str | None',
        "isDirty": 'bool | None',
        "ahead": 'int | None',
        "behind": 'int | None',
        "remotes": 'list[Remote]',
        "worktrees": 'list[WorktreeEntry]',
        "warnings": 'list[str]',
    },
)

# An open issue, as its forge has it. What it says, a stranger may have written.
Issue = TypedDict(
    "Issue",
    {
        "number": 'int',
        "title": 'str',
        "body": 'str',
        "author": 'str',
        "labels": 'list[str]',
        "url": 'str',
        "taskId": 'int | None',
    },
)

# A task that is made of an issue.
IssueRequest = TypedDict(
    "IssueRequest",
    {
        "approval": 'NotRequired[Literal["not_required", "required"] | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# One entry of a session's transcript, such as a message or a command.
Item = TypedDict(
    "Item",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "sessionId": 'int',
        "turnId": 'str',
        "itemId": 'str',
        "type": 'str',
        "status": 'str',
        "body": 'Mapping[str, Any]',
        "agentId": 'int | None',
        "shortened": 'list[str]',
    },
)

# A backup in the folder of backups.
KeptBackup = TypedDict(
    "KeptBackup",
    {
        "name": 'str',
        "size": 'int',
        "madeAt": 'str',
        "isScheduled": 'bool',
        "isEncrypted": 'bool',
    },
)

# A span of time within which only so much may be used.
LimitWindow = TypedDict(
    "LimitWindow",
    {
        "usedPercent": 'float',
        "minutes": 'int | None',
        "resetsAt": 'str | None',
    },
)

# An event that is said only live: it has no id, is not stored, and cannot be resumed.
LiveEvent = TypedDict(
    "LiveEvent",
    {
        "id": 'None',
        "type": 'str',
        "ts": 'str',
        "repositoryId": 'NotRequired[int]',
        "taskId": 'NotRequired[int]',
        "sessionId": 'NotRequired[int]',
        "approvalId": 'NotRequired[int]',
        "automationId": 'NotRequired[int]',
        "actor": 'str',
        "correlationId": 'str | None',
        "causationId": 'int | None',
        "data": 'Mapping[str, Any]',
        "shortened": 'NotRequired[bool]',
    },
)

# A piece of a field's text; of a field that is an object, of its JSON.
LongText = TypedDict(
    "LongText",
    {
        "field": 'str',
        "text": 'str',
        "bytes": 'int',
        "nextCursor": 'str | None',
    },
)

# A webhook that was made, with its secret, which is shown this once.
MadeWebhook = TypedDict(
    "MadeWebhook",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "url": 'str',
        "types": 'list[str]',
        "secret": 'str',
        "status": 'Literal["active", "paused"]',
        "pausedReason": 'str | None',
        "position": 'int',
        "failingSince": 'str | None',
        "lastDeliveredAt": 'str | None',
        "error": 'str | None',
    },
)

# The merge of a base into a branch, with the files in which the conflicts are marked.
MarkedConflicts = TypedDict(
    "MarkedConflicts",
    {
        "branchName": 'str',
        "baseRef": 'str',
        "sha": 'str',
        "conflicts": 'list[str]',
    },
)

# The answer to a request: its `result`, or its `error`.
McpAnswer = TypedDict(
    "McpAnswer",
    {
        "jsonrpc": 'Literal["2.0"]',
        "id": 'int | str',
        "result": 'NotRequired[Any]',
        "error": 'NotRequired[McpError]',
    },
)

# The failure of a request.
McpError = TypedDict(
    "McpError",
    {
        "code": 'int',
        "message": 'str',
        "data": 'NotRequired[Mapping[str, Any]]',
    },
)

# One message of JSON-RPC 2.0: a request, a notification (without `id`), or an answer.
McpMessage = TypedDict(
    "McpMessage",
    {
        "jsonrpc": 'Literal["2.0"]',
        "id": 'NotRequired[int | str]',
        "method": 'NotRequired[str]',
        "params": 'NotRequired[Mapping[str, Any]]',
        "result": 'NotRequired[Mapping[str, Any]]',
        "error": 'NotRequired[Mapping[str, Any]]',
    },
)

# An MCP server that the agent's user has set up, or that a plugin brings.
McpServer = TypedDict(
    "McpServer",
    {
        "name": 'str',
        "signIn": 'str',
        "tools": 'list[ServerTool]',
        "error": 'str | None',
        "origin": 'str | None',
        "plugin": 'str | None',
        "leadsHere": 'bool',
    },
)

# The way in which a branch of a worktree comes back.
MergeOptions = TypedDict(
    "MergeOptions",
    {
        "into": 'NotRequired[str | None]',
        "headSha": 'NotRequired[str | None]',
        "strategy": 'NotRequired[Literal["auto", "fast-forward", "merge-commit"]]',
        "message": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A merge of a pull request as it is now, once its checks pass; a person is asked first.
MergeOrder = TypedDict(
    "MergeOrder",
    {
        "mergeWhen": 'NotRequired[Literal["checks_pass"]]',
        "method": 'NotRequired[Literal["merge", "rebase", "squash"]]',
        "headSha": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The worktree whose branch comes back, and the way.
MergeRequest = TypedDict(
    "MergeRequest",
    {
        "into": 'NotRequired[str | None]',
        "headSha": 'NotRequired[str | None]',
        "strategy": 'NotRequired[Literal["auto", "fast-forward", "merge-commit"]]',
        "message": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
        "path": 'str',
    },
)

# Commit of the target branch after a merge, and the way it came there.
MergeResult = TypedDict(
    "MergeResult",
    {
        "targetBranch": 'str',
        "branchName": 'str',
        "how": 'Literal["fast-forward", "merge-commit", "up-to-date"]',
        "beforeSha": 'str',
        "headSha": 'str',
    },
)

# The files that a message is about: all that are not committed, if left out.
MessageRequest = TypedDict(
    "MessageRequest",
    {
        "paths": 'NotRequired[list[str]]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A backup that somebody wants now.
NewBackup = TypedDict(
    "NewBackup",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# A remark on lines of a file that a session has changed.
NewComment = TypedDict(
    "NewComment",
    {
        "path": 'str',
        "side": 'NotRequired[Literal["after", "before"]]',
        "line": 'int',
        "endLine": 'NotRequired[int | None]',
        "text": 'str',
        "requestedBy": 'NotRequired[str]',
    },
)

# A device, or a script, that is to have a token of its own.
NewDevice = TypedDict(
    "NewDevice",
    {
        "name": 'str',
        "scopes": 'list[Literal["admin", "approve", "land", "operate", "read", "work"]]',
        "expiresAt": 'NotRequired[str | None]',
        "limits": 'NotRequired[AgentLimits | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A code that is to be made for a host.
NewEnrolment = TypedDict(
    "NewEnrolment",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# A follow-up that is asked for.
NewFollowup = TypedDict(
    "NewFollowup",
    {
        "message": 'str',
        "requestedBy": 'NotRequired[str]',
        "attachments": 'NotRequired[list[int]]',
    },
)

# The place at which a thread is forked.
NewFork = TypedDict(
    "NewFork",
    {
        "host": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str]',
        "lastTurnId": 'NotRequired[str | None]',
    },
)

# A machine that is to be added.
NewHost = TypedDict(
    "NewHost",
    {
        "name": 'str',
        "kind": 'NotRequired[Literal["dial", "ssh"]]',
        "address": 'NotRequired[str | None]',
        "hostKey": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Things of one kind that are dismissed, or put off.
NewMarks = TypedDict(
    "NewMarks",
    {
        "kind": 'Literal["approval", "automation", "session"]',
        "ids": 'list[int]',
        "until": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Something that a person says to a session.
NewMessage = TypedDict(
    "NewMessage",
    {
        "message": 'str',
        "attachments": 'NotRequired[list[int]]',
        "how": 'NotRequired[Literal["auto", "followup", "steer"]]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A device that is to be let in by a code.
NewPairing = TypedDict(
    "NewPairing",
    {
        "name": 'NotRequired[str | None]',
        "scopes": 'NotRequired[list[Literal["admin", "approve", "land", "operate", "read", "work"]] | None]',
        "expiresAt": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A passkey that a browser has made.
NewPasskey = TypedDict(
    "NewPasskey",
    {
        "clientData": 'str',
        "attestation": 'str',
        "name": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A prompt that is saved.
NewPrompt = TypedDict(
    "NewPrompt",
    {
        "text": 'str',
        "description": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A browser's subscription with its push service.
NewPushSubscription = TypedDict(
    "NewPushSubscription",
    {
        "endpoint": 'str',
        "keys": 'PushKeys',
        "kinds": 'NotRequired[list[Literal["approvals", "automations", "interrupted", "limits", "questions", "sessions", "system", "warnings"]]]',
        "quietHours": 'NotRequired[str | None]',
        "timeZone": 'NotRequired[str | None]',
        "replaces": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Something that shall need no approval any more, out of what an approval offers.
NewRule = TypedDict(
    "NewRule",
    {
        "words": 'NotRequired[list[str]]',
        "isExact": 'NotRequired[bool]',
        "host": 'NotRequired[str | None]',
    },
)

# An order to sign in.
NewSignIn = TypedDict(
    "NewSignIn",
    {
        "host": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str | None]',
        "type": 'Literal["api_key", "device_code"]',
        "apiKey": 'NotRequired[str | None]',
    },
)

# An address that events are to be sent to.
NewWebhook = TypedDict(
    "NewWebhook",
    {
        "url": 'str',
        "types": 'list[str]',
        "secret": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# An automation that will run.
NextAutomation = TypedDict(
    "NextAutomation",
    {
        "id": 'int',
        "repositoryId": 'int',
        "title": 'str',
        "nextRunAt": 'str',
    },
)

# A place that people are told at; its URL is shown without what is secret in it.
NotifyTarget = TypedDict(
    "NotifyTarget",
    {
        "id": 'int',
        "service": 'str',
        "url": 'str',
        "kinds": 'list[Literal["approvals", "automations", "interrupted", "limits", "questions", "sessions", "system", "warnings"]]',
        "lastSentAt": 'str | None',
        "error": 'str | None',
    },
)

# Another choice of what a place is told; `kinds` are all that it is told.
NotifyTargetChanges = TypedDict(
    "NotifyTargetChanges",
    {
        "kinds": 'list[Literal["approvals", "automations", "interrupted", "limits", "questions", "sessions", "system", "warnings"]]',
        "requestedBy": 'NotRequired[str]',
    },
)

# All places of the settings.
NotifyTargets = TypedDict(
    "NotifyTargets",
    {
        "items": 'list[NotifyTarget]',
    },
)

# A terminal that somebody has where a session works.
OpenTerminal = TypedDict(
    "OpenTerminal",
    {
        "id": 'str',
        "sessionId": 'int',
        "deviceId": 'int | None',
        "requestedBy": 'str',
        "openedAt": 'str',
        "isSeen": 'bool',
    },
)

# The terminals of a host that are open.
OpenTerminals = TypedDict(
    "OpenTerminals",
    {
        "host": 'str',
        "items": 'list[OpenTerminal]',
    },
)

# An operator's reason to act, and the word that it is meant where a life would end.
Order = TypedDict(
    "Order",
    {
        "reason": 'str',
        "confirm": 'NotRequired[bool]',
        "requestedBy": 'NotRequired[str]',
    },
)

# An address under which the page can be opened.
PageAddress = TypedDict(
    "PageAddress",
    {
        "url": 'str',
        "isEncrypted": 'bool',
        "isLoopback": 'bool',
    },
)

# Each address under which the page can be opened, the most useful to others first.
PageAddresses = TypedDict(
    "PageAddresses",
    {
        "items": 'list[PageAddress]',
    },
)

# A code, and each address that it can be used at.
PairingOffer = TypedDict(
    "PairingOffer",
    {
        "code": 'str',
        "expiresAt": 'str',
        "places": 'list[PairingPlace]',
    },
)

# An address that lets the device in which opens it.
PairingPlace = TypedDict(
    "PairingPlace",
    {
        "url": 'str',
        "qr": 'list[str]',
    },
)

# A text that an authenticator signs, once, until it expires.
PasskeyChallenge = TypedDict(
    "PasskeyChallenge",
    {
        "challenge": 'str',
        "expiresAt": 'str',
        "isKnown": 'bool',
    },
)

# A proof by a passkey, as a browser has it.
PasskeyProof = TypedDict(
    "PasskeyProof",
    {
        "id": 'str',
        "clientData": 'str',
        "authenticatorData": 'str',
        "signature": 'str',
    },
)

# A page of the changes of one file, as a unified diff.
Patch = TypedDict(
    "Patch",
    {
        "path": 'str',
        "previousPath": 'str | None',
        "against": 'Literal["base", "commit", "viewed"]',
        "patch": 'str',
        "isBinary": 'bool',
        "isCut": 'bool',
        "nextCursor": 'str | None',
    },
)

# A set of permissions that the agent's terminal can be started with, by its name there.
PermissionProfile = TypedDict(
    "PermissionProfile",
    {
        "id": 'str',
        "isAllowed": 'bool',
        "description": 'str | None',
    },
)

# A picture; `data` is its content in Base64, and `size` its bytes.
Picture = TypedDict(
    "Picture",
    {
        "path": 'str',
        "side": 'Literal["after", "before"]',
        "mediaType": 'Literal["image/gif", "image/jpeg", "image/png", "image/webp"]',
        "size": 'int',
        "data": 'str',
    },
)

# A piece of a text; `isMatch` where it is what was searched for.
Piece = TypedDict(
    "Piece",
    {
        "text": 'str',
        "isMatch": 'bool',
    },
)

# A comment, and the place of its lines in the file now.
PlacedComment = TypedDict(
    "PlacedComment",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "taskId": 'int',
        "sessionId": 'int',
        "path": 'str',
        "side": 'Literal["after", "before"]',
        "line": 'int',
        "endLine": 'int',
        "text": 'str',
        "quote": 'str',
        "status": 'Literal["cancelled", "open", "sent"]',
        "requestedBy": 'str',
        "followupId": 'int | None',
        "sentSessionId": 'int | None',
        "steerEventId": 'int | None',
        "reviewSessionId": 'int | None',
        "isOutdated": 'bool | None',
        "currentLine": 'int | None',
    },
)

# A plugin, which may bring skills, hooks and MCP servers.
Plugin = TypedDict(
    "Plugin",
    {
        "id": 'str',
        "name": 'str',
        "marketplace": 'str',
        "isInstalled": 'bool',
        "isEnabled": 'bool',
        "description": 'str | None',
        "version": 'str | None',
    },
)

# The decision, every reason for it, and what the run gets (`run`, null on a denial).
PolicyResult = TypedDict(
    "PolicyResult",
    {
        "decision": 'Literal["allow", "deny", "needs_approval"]',
        "reasons": 'list[Reason]',
        "run": 'RunSettings | None',
    },
)

# The next due times of a schedule.
Preview = TypedDict(
    "Preview",
    {
        "scheduleExpr": 'str',
        "timezone": 'str',
        "items": 'list[DueTime]',
    },
)

# The price of a model's tokens, each of a million.
Price = TypedDict(
    "Price",
    {
        "model": 'str',
        "input": 'NotRequired[float]',
        "cachedInput": 'NotRequired[float]',
        "output": 'NotRequired[float]',
    },
)

# A message for a commit: from the turn as it is known, or written by Codex when asked.
ProposedMessage = TypedDict(
    "ProposedMessage",
    {
        "message": 'str',
        "by": 'Literal["codex", "turn"]',
    },
)

# A pull request of a session's branch, as its forge told of it last.
PullRequest = TypedDict(
    "PullRequest",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "repositoryId": 'int',
        "taskId": 'int',
        "sessionId": 'int',
        "host": 'str',
        "project": 'str',
        "branchName": 'str',
        "base": 'str',
        "title": 'str',
        "body": 'str',
        "isDraft": 'bool',
        "status": 'Literal["closed", "elsewhere", "failed", "merged", "open", "opening"]',
        "number": 'int | None',
        "url": 'str | None',
        "headSha": 'str',
        "checks": 'Literal["failing", "none", "passing", "pending"]',
        "checkRuns": 'list[Mapping[str, Any]]',
        "review": 'Literal["approved", "changes_requested", "none"]',
        "reviews": 'list[Mapping[str, Any]]',
        "mergeState": 'str | None',
        "problem": 'str | None',
        "requestedBy": 'str',
        "readAt": 'str | None',
        "followups": 'int',
        "answered": 'list[str]',
        "mergeWhen": 'Literal["checks_pass"] | None',
        "mergeMethod": 'Literal["merge", "rebase", "squash"] | None',
        "mergeSha": 'str | None',
        "mergeApprovalId": 'int | None',
    },
)

# A pull request of what was pushed of a session.
PullRequestRequest = TypedDict(
    "PullRequestRequest",
    {
        "title": 'NotRequired[str | None]',
        "body": 'NotRequired[str]',
        "draft": 'NotRequired[bool]',
        "base": 'NotRequired[str | None]',
        "headSha": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# One commit on its way to a branch of a remote.
Push = TypedDict(
    "Push",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "repositoryId": 'int',
        "sessionId": 'int',
        "remote": 'str',
        "address": 'str',
        "branchName": 'str',
        "sha": 'str',
        "remoteSha": 'str | None',
        "lease": 'str | None',
        "commits": 'int',
        "status": 'Literal["failed", "pushed", "pushing", "waiting_approval"]',
        "approvalId": 'int | None',
        "problem": 'str | None',
        "requestedBy": 'str',
        "finishedAt": 'str | None',
        "pullRequest": 'Mapping[str, Any] | None',
    },
)

# A decision that was made on a notification, by the capability that came with it.
PushDecision = TypedDict(
    "PushDecision",
    {
        "capability": 'str',
        "status": 'Literal["approved", "rejected"]',
        "resolvedBy": 'NotRequired[str]',
    },
)

# The public key that a browser subscribes with, in base64url.
PushKey = TypedDict(
    "PushKey",
    {
        "key": 'str',
    },
)

# The keys of a browser's subscription, in base64url, as the browser gives them.
PushKeys = TypedDict(
    "PushKeys",
    {
        "p256dh": 'str',
        "auth": 'str',
    },
)

# The branch of a session that is pushed, and where to.
PushRequest = TypedDict(
    "PushRequest",
    {
        "remote": 'NotRequired[str | None]',
        "branch": 'NotRequired[str | None]',
        "force": 'NotRequired[Literal["with-lease"] | None]',
        "headSha": 'NotRequired[str | None]',
        "pullRequest": 'NotRequired[PullRequestRequest | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Changes to what a browser is told; what is left out stays.
PushSubscriptionChanges = TypedDict(
    "PushSubscriptionChanges",
    {
        "kinds": 'NotRequired[list[Literal["approvals", "automations", "interrupted", "limits", "questions", "sessions", "system", "warnings"]]]',
        "quietHours": 'NotRequired[str | None]',
        "timeZone": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A prompt that can be said in a repository.
ReadyPrompt = TypedDict(
    "ReadyPrompt",
    {
        "name": 'str',
        "description": 'str',
        "text": 'str',
        "source": 'Literal["repository", "saved"]',
        "path": 'str | None',
    },
)

# The prompts of a repository: those that were saved, by name, and then those of its files.
ReadyPrompts = TypedDict(
    "ReadyPrompts",
    {
        "items": 'list[ReadyPrompt]',
    },
)

# One rule that spoke: a code to act on and a sentence to read.
Reason = TypedDict(
    "Reason",
    {
        "code": 'str',
        "message": 'str',
    },
)

# Let a device in by its code; what is between letters and digits does not matter.
RedeemCode = TypedDict(
    "RedeemCode",
    {
        "code": 'str',
        "name": 'NotRequired[str | None]',
    },
)

# Another copy of the repository; its address without any name or password in it.
Remote = TypedDict(
    "Remote",
    {
        "name": 'str',
        "url": 'str',
    },
)

# Send the events after this one, again if they were sent before.
ReplayFrom = TypedDict(
    "ReplayFrom",
    {
        "after": 'int',
        "requestedBy": 'NotRequired[str]',
    },
)

# A git repository on a host, and what a session in it may do.
Repository = TypedDict(
    "Repository",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "name": 'str',
        "host": 'str',
        "localPath": 'str',
        "allowWrite": 'bool',
        "allowNetwork": 'bool',
        "allowCommit": 'bool',
        "requireWorktree": 'bool',
        "defaultBranch": 'str | None',
        "currentBranch": 'str | None',
        "headSha": 'str | None',
        "isDirty": 'bool | None',
        "ahead": 'int | None',
        "behind": 'int | None',
        "facts": 'Mapping[str, Any]',
        "scannedAt": 'str | None',
        "codexConfig": 'Literal["ask", "ignore"]',
        "reviewer": 'Literal["auto", "user"]',
        "workplace": 'Literal["main_checkout", "worktree"]',
        "allowPush": 'bool',
        "pushAddresses": 'list[str]',
        "onChecksFailed": 'Literal["follow_up", "tell"]',
        "onReview": 'Literal["follow_up", "tell"]',
        "forgeFollowups": 'int',
        "issueLabel": 'str | None',
        "issueApproval": 'bool',
        "mergeWhen": 'Literal["asked", "checks_pass"]',
        "signCommits": 'bool',
        "runDefaults": 'Mapping[str, Any]',
        "caps": 'Mapping[str, Any]',
        "mcpServersOff": 'list[str]',
        "allowTerminal": 'bool',
        "keepEvents": 'str | None',
        "keepTranscripts": 'str | None',
        "project": 'str | None',
        "identity": 'str | None',
    },
)

# Changes to a repository; what is left out stays.
RepositoryChanges = TypedDict(
    "RepositoryChanges",
    {
        "name": 'NotRequired[str]',
        "localPath": 'NotRequired[str]',
        "allowWrite": 'NotRequired[bool]',
        "allowNetwork": 'NotRequired[bool]',
        "allowCommit": 'NotRequired[bool]',
        "requireWorktree": 'NotRequired[bool]',
        "workplace": 'NotRequired[Literal["main_checkout", "worktree"]]',
        "codexConfig": 'NotRequired[Literal["ask", "ignore"]]',
        "reviewer": 'NotRequired[Literal["auto", "user"]]',
        "allowPush": 'NotRequired[bool]',
        "signCommits": 'NotRequired[bool]',
        "onChecksFailed": 'NotRequired[Literal["follow_up", "tell"]]',
        "onReview": 'NotRequired[Literal["follow_up", "tell"]]',
        "forgeFollowups": 'NotRequired[int]',
        "mergeWhen": 'NotRequired[Literal["asked", "checks_pass"]]',
        "issueLabel": 'NotRequired[str | None]',
        "issueApproval": 'NotRequired[bool]',
        "mcpServersOff": 'NotRequired[list[str]]',
        "allowTerminal": 'NotRequired[bool]',
        "keepEvents": 'NotRequired[str | None]',
        "keepTranscripts": 'NotRequired[str | None]',
        "project": 'NotRequired[str | None]',
        "runDefaults": 'NotRequired[Choices]',
        "caps": 'NotRequired[Caps]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The things forgotten with a repository, counted. Nothing on the disk is touched.
RepositoryDeleted = TypedDict(
    "RepositoryDeleted",
    {
        "id": 'int',
        "tasks": 'int',
        "sessions": 'int',
        "approvals": 'int',
        "automations": 'int',
    },
)

# Tokens of a repository's sessions.
RepositoryTokens = TypedDict(
    "RepositoryTokens",
    {
        "repositoryId": 'int',
        "name": 'str',
        "tokens": 'int',
    },
)

# The body of an act that needs nothing but who wants it.
Requester = TypedDict(
    "Requester",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# A person's decision. `scope` and `answers` matter to what Codex asked.
Resolution = TypedDict(
    "Resolution",
    {
        "status": 'Literal["approved", "rejected"]',
        "resolvedBy": 'NotRequired[str]',
        "resolutionNote": 'NotRequired[str | None]',
        "scope": 'NotRequired[Literal["once", "session"]]',
        "answers": 'NotRequired[Mapping[str, Any] | None]',
        "rule": 'NotRequired[NewRule | None]',
        "proof": 'NotRequired[PasskeyProof | None]',
    },
)

# Conflicts that Codex is asked to resolve, and the session that does, or will after a turn.
Resolving = TypedDict(
    "Resolving",
    {
        "merge": 'MarkedConflicts',
        "followup": 'Followup | None',
        "session": 'Session',
    },
)

# The branch that discarded work comes back on: `cc/restored-<id>`, unless named.
RestoreRequest = TypedDict(
    "RestoreRequest",
    {
        "branchName": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A branch that has the work again, after the commit that it came after.
Restored = TypedDict(
    "Restored",
    {
        "branchName": 'str',
        "sha": 'str',
    },
)

# The place to which a thread is taken back.
Reversion = TypedDict(
    "Reversion",
    {
        "host": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str]',
        "beforeTurnId": 'str',
    },
)

# A review of a session's work; of what is not committed, unless it says of what.
ReviewRequest = TypedDict(
    "ReviewRequest",
    {
        "base": 'NotRequired[str | None]',
        "commit": 'NotRequired[str | None]',
        "instructions": 'NotRequired[str | None]',
        "model": 'NotRequired[str | None]',
        "effort": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The state that the files of a worktree are put back to.
RewindRequest = TypedDict(
    "RewindRequest",
    {
        "turnId": 'NotRequired[str | None]',
        "snapshotId": 'NotRequired[int | None]',
        "headSha": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Files that were put back.
Rewound = TypedDict(
    "Rewound",
    {
        "snapshot": 'Snapshot',
        "before": 'Snapshot',
    },
)

# A reason to look twice at what an approval asks for.
Risk = TypedDict(
    "Risk",
    {
        "kind": 'Literal["deletes", "network", "outside_folder", "pipes_into_shell", "secrets", "unreadable"]',
        "words": 'str',
    },
)

# A thing that a person always allows in a repository.
Rule = TypedDict(
    "Rule",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "repositoryId": 'int',
        "kind": 'Literal["command", "network"]',
        "words": 'list[str]',
        "isExact": 'bool',
        "folder": 'str',
        "host": 'str | None',
        "protocol": 'str | None',
        "sandbox": 'Literal["danger-full-access", "read-only", "workspace-write"]',
        "allowNetwork": 'bool',
        "allowCommit": 'bool',
        "approvalId": 'int | None',
        "requestedBy": 'str',
        "uses": 'int',
        "lastUsedAt": 'str | None',
    },
)

# A rule that allows nothing any more.
RuleRemoval = TypedDict(
    "RuleRemoval",
    {
        "ruleId": 'int',
        "rule": 'Rule | None',
    },
)

# The body of a run by hand, and of a hook that is asked for.
RunByHand = TypedDict(
    "RunByHand",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# A run as it is asked for; what is left out is as the task and the repository have it.
RunInput = TypedDict(
    "RunInput",
    {
        "model": 'NotRequired[str | None]',
        "effort": 'NotRequired[str | None]',
        "serviceTier": 'NotRequired[str | None]',
        "collaborationMode": 'NotRequired[Literal["default", "plan"] | None]',
        "personality": 'NotRequired[Literal["friendly", "none", "pragmatic"] | None]',
        "permissionProfile": 'NotRequired[str | None]',
        "sandbox": 'NotRequired[Literal["danger-full-access", "read-only", "workspace-write"] | None]',
        "worktreePath": 'NotRequired[str | None]',
        "branchName": 'NotRequired[str | None]',
        "workplace": 'NotRequired[Literal["main_checkout", "worktree"] | None]',
        "allowNetwork": 'NotRequired[bool | None]',
        "allowCommit": 'NotRequired[bool | None]',
        "tokenBudget": 'NotRequired[int | None]',
        "goal": 'NotRequired[GoalInput | None]',
        "placement": 'NotRequired[Literal["any", "pool"] | HostWish | None]',
        "requestedBy": 'NotRequired[str | None]',
    },
)

# A run that was asked for: it is queued, or `blocked` by the `approvals`.
RunOutcome = TypedDict(
    "RunOutcome",
    {
        "task": 'Task',
        "session": 'Session',
        "policy": 'PolicyResult',
        "blocked": 'NotRequired[bool]',
        "approvals": 'NotRequired[list[Approval]]',
    },
)

# A run that is asked for now, with what is shown to Codex beside the prompt.
RunRequest = TypedDict(
    "RunRequest",
    {
        "model": 'NotRequired[str | None]',
        "effort": 'NotRequired[str | None]',
        "serviceTier": 'NotRequired[str | None]',
        "collaborationMode": 'NotRequired[Literal["default", "plan"] | None]',
        "personality": 'NotRequired[Literal["friendly", "none", "pragmatic"] | None]',
        "permissionProfile": 'NotRequired[str | None]',
        "sandbox": 'NotRequired[Literal["danger-full-access", "read-only", "workspace-write"] | None]',
        "worktreePath": 'NotRequired[str | None]',
        "branchName": 'NotRequired[str | None]',
        "workplace": 'NotRequired[Literal["main_checkout", "worktree"] | None]',
        "allowNetwork": 'NotRequired[bool | None]',
        "allowCommit": 'NotRequired[bool | None]',
        "tokenBudget": 'NotRequired[int | None]',
        "goal": 'NotRequired[GoalInput | None]',
        "placement": 'NotRequired[Literal["any", "pool"] | HostWish | None]',
        "requestedBy": 'NotRequired[str | None]',
        "attachments": 'NotRequired[list[int]]',
    },
)

# A run as it is let in, once its approvals are given.
RunSettings = TypedDict(
    "RunSettings",
    {
        "model": 'str | None',
        "effort": 'str | None',
        "serviceTier": 'str | None',
        "collaborationMode": 'Literal["default", "plan"] | None',
        "personality": 'Literal["friendly", "none", "pragmatic"] | None',
        "permissionProfile": 'str | None',
        "sandbox": 'Literal["danger-full-access", "read-only", "workspace-write"]',
        "allowNetwork": 'bool',
        "allowCommit": 'bool',
        "worktree": 'Literal["automatic", "given", "none"]',
        "worktreePath": 'str | None',
        "branchName": 'str | None',
    },
)

# The state of the actors now.
RuntimeNumbers = TypedDict(
    "RuntimeNumbers",
    {
        "status": 'str',
        "actors": 'int',
        "quarantined": 'list[str]',
        "restarts": 'int',
        "deadLetters": 'int',
        "mailboxDepth": 'int',
        "oldestMessageSeconds": 'float',
        "subscribers": 'int',
    },
)

# A message that was taken, and the way in which it is said.
Said = TypedDict(
    "Said",
    {
        "how": 'Literal["continue", "followup", "steer"]',
        "session": 'Session',
        "turnId": 'str | None',
        "followup": 'Followup | None',
    },
)

# A prompt that somebody has saved for a repository, under a name of its own there.
SavedPrompt = TypedDict(
    "SavedPrompt",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "repositoryId": 'int',
        "name": 'str',
        "description": 'str',
        "text": 'str',
        "requestedBy": 'str',
    },
)

# The way in which comments are sent: to the running turn, or once it has ended.
SendRequest = TypedDict(
    "SendRequest",
    {
        "how": 'NotRequired[Literal["followup", "steer"]]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The comments that were sent, and what they became.
SentComments = TypedDict(
    "SentComments",
    {
        "followup": 'Followup | None',
        "session": 'Session',
        "comments": 'list[Comment]',
    },
)

# An order about an MCP server of a host's agent.
ServerOrder = TypedDict(
    "ServerOrder",
    {
        "host": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The page on which a person signs an MCP server in.
ServerSignIn = TypedDict(
    "ServerSignIn",
    {
        "host": 'str',
        "server": 'str',
        "authorizationUrl": 'str',
    },
)

# A tool of an MCP server; what the server does not say of it is null.
ServerTool = TypedDict(
    "ServerTool",
    {
        "name": 'str',
        "title": 'str | None',
        "description": 'str | None',
        "isReadOnly": 'bool | None',
        "isDestructive": 'bool | None',
    },
)

# One run of a task.
Session = TypedDict(
    "Session",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "taskId": 'int',
        "repositoryId": 'int',
        "status": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "runner": 'Literal["app-server", "cli", "stub"]',
        "codexRef": 'str | None',
        "codexThreadId": 'str | None',
        "codexTurnId": 'str | None',
        "model": 'str | None',
        "sandbox": 'Literal["danger-full-access", "read-only", "workspace-write"]',
        "allowNetwork": 'bool',
        "allowCommit": 'bool',
        "cwd": 'str',
        "worktreePath": 'str | None',
        "branchName": 'str | None',
        "prompt": 'str',
        "priority": 'Literal["high", "low", "normal"]',
        "requestedBy": 'str',
        "origin": 'Literal["codex", "compact", "continue", "followup", "limit", "prompt", "retry", "run"]',
        "previousSessionId": 'int | None',
        "attempt": 'int',
        "beginAfter": 'str | None',
        "tokenBudget": 'int | None',
        "tokenBaseline": 'int',
        "waitReason": 'str | None',
        "stopRequested": 'Mapping[str, Any] | None',
        "startedAt": 'str | None',
        "finishedAt": 'str | None',
        "exitReason": 'str | None',
        "tokenUsage": 'Mapping[str, Any] | None',
        "lastMessage": 'str | None',
        "plan": 'Mapping[str, Any] | None',
        "diff": 'str | None',
        "runnerInstance": 'str | None',
        "correlationId": 'str',
        "causationId": 'int | None',
        "type": 'Literal["investigate_failure", "prompt_task", "repo_health_check", "review_task"]',
        "result": 'Mapping[str, Any] | None',
        "goal": 'Mapping[str, Any] | None',
        "turns": 'int',
        "host": 'str',
        "shortened": 'list[str]',
        "workplace": 'Literal["main_checkout", "worktree"]',
        "worktreeReserved": 'bool',
        "waitsFor": 'int | None',
        "effort": 'str | None',
        "pastLimit": 'bool',
        "serviceTier": 'str | None',
        "collaborationMode": 'str | None',
        "personality": 'str | None',
        "review": 'Mapping[str, Any] | None',
        "attachments": 'list[Mapping[str, Any]]',
        "permissionProfile": 'str | None',
        "transcriptRemovedAt": 'str | None',
        "placement": 'Mapping[str, Any] | str | None',
        "placementReason": 'str | None',
        "title": 'str',
        "archived": 'bool',
    },
)

# Move the session: `running` starts it through policy, `stopped` stops it.
SessionChanges = TypedDict(
    "SessionChanges",
    {
        "status": 'Literal["queued", "running", "stopped"]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The changes of a session's turn so far, or a piece of them.
SessionDiff = TypedDict(
    "SessionDiff",
    {
        "sessionId": 'int',
        "diff": 'str | None',
        "nextCursor": 'str | None',
    },
)

# The goal that a session pursues turn after turn, as Codex told last; null without one.
SessionGoal = TypedDict(
    "SessionGoal",
    {
        "sessionId": 'int',
        "goal": 'Mapping[str, Any] | None',
    },
)

# Name a session, archive it once it has ended, or bring it back; what is left out stays.
SessionLabel = TypedDict(
    "SessionLabel",
    {
        "title": 'NotRequired[str]',
        "archived": 'NotRequired[bool]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Sessions of the span.
SessionNumbers = TypedDict(
    "SessionNumbers",
    {
        "byStatus": 'Mapping[str, int]',
        "outcomes": 'Mapping[str, int]',
        "active": 'int',
        "waiting": 'int',
        "successRate": 'float | None',
        "durationSeconds": 'Durations',
    },
)

# A session's plan as it is now.
SessionPlan = TypedDict(
    "SessionPlan",
    {
        "sessionId": 'int',
        "plan": 'Mapping[str, Any] | None',
    },
)

# The session as it ended.
SessionStopped = TypedDict(
    "SessionStopped",
    {
        "session": 'Session',
    },
)

# The line that gives a setting a value from the next start on.
SettingLine = TypedDict(
    "SettingLine",
    {
        "line": 'str',
        "environment": 'str',
        "overriddenBy": 'Literal["default", "environment", "file", "flag"] | None',
        "needs": 'list[str]',
    },
)

# A machine that repositories lie on.
ShownHost = TypedDict(
    "ShownHost",
    {
        "name": 'str',
        "kind": 'Literal["dial", "local", "ssh"]',
        "address": 'str | None',
        "link": 'Literal["away", "connected", "refused"] | None',
        "nextTryAt": 'str | None',
        "lastSeenAt": 'str | None',
        "draining": 'bool',
        "labels": 'list[str]',
        "maxSessions": 'int | None',
        "load": 'ShownLoad | None',
        "pool": 'ShownPool | None',
        "account": 'AgentAccount | None',
        "status": 'Literal["connected", "disabled", "unavailable"]',
        "message": 'str',
        "agentVersion": 'str | None',
        "warning": 'str | None',
        "appServer": 'AppServer | None',
        "repositories": 'int',
        "active": 'int',
        "queued": 'int',
        "slots": 'int',
        "orphanedTurns": 'list[int]',
    },
)

# The load of a machine, and the room on its disk.
ShownLoad = TypedDict(
    "ShownLoad",
    {
        "load": 'float',
        "processors": 'int',
        "diskFree": 'int',
        "diskSize": 'int',
    },
)

# A passkey of a device.
ShownPasskey = TypedDict(
    "ShownPasskey",
    {
        "id": 'int',
        "createdAt": 'str',
        "deviceId": 'int',
        "host": 'str',
        "lastUsedAt": 'str | None',
    },
)

# The pool of a machine that clones what runs need.
ShownPool = TypedDict(
    "ShownPool",
    {
        "remotes": 'list[str]',
        "size": 'int',
        "limit": 'int',
    },
)

# One setting, as the server has it since its start.
ShownSetting = TypedDict(
    "ShownSetting",
    {
        "name": 'str',
        "variable": 'str',
        "flag": 'str',
        "form": 'str',
        "help": 'str',
        "value": 'Any',
        "text": 'str',
        "source": 'Literal["default", "environment", "file", "flag"]',
        "isSecret": 'bool',
    },
)

# All settings, in the order of the documentation.
ShownSettings = TypedDict(
    "ShownSettings",
    {
        "items": 'list[ShownSetting]',
        "configFile": 'str',
        "hasConfigFile": 'bool',
    },
)

# A thread, as the agent of a host shows it.
ShownThread = TypedDict(
    "ShownThread",
    {
        "host": 'str',
        "thread": 'Mapping[str, Any]',
    },
)

# An address that events are sent to, without its secret.
ShownWebhook = TypedDict(
    "ShownWebhook",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "url": 'str',
        "types": 'list[str]',
        "status": 'Literal["active", "paused"]',
        "pausedReason": 'str | None',
        "position": 'int',
        "failingSince": 'str | None',
        "lastDeliveredAt": 'str | None',
        "error": 'str | None',
    },
)

# An attempt to sign in.
SignIn = TypedDict(
    "SignIn",
    {
        "id": 'str',
        "type": 'Literal["api_key", "device_code"]',
        "status": 'SignInStatus',
        "begunAt": 'str',
        "verificationUrl": 'str | None',
        "userCode": 'str | None',
        "error": 'str | None',
    },
)

SignInStatus = Literal["cancelled", "completed", "failed", "waiting"]

# A skill: instructions, and programs beside them, that the agent may choose to follow.
Skill = TypedDict(
    "Skill",
    {
        "name": 'str',
        "description": 'str',
        "path": 'str',
        "scope": 'str',
        "isEnabled": 'bool',
        "plugin": 'str | None',
    },
)

# A skill as it is switched now.
SkillState = TypedDict(
    "SkillState",
    {
        "path": 'str',
        "isEnabled": 'bool',
    },
)

# A skill that is to be followed from now on, or no more, in all that the agent does.
SkillSwitch = TypedDict(
    "SkillSwitch",
    {
        "path": 'str',
        "isEnabled": 'bool',
        "host": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The state of the files in a worktree, kept as a commit that is on no branch.
Snapshot = TypedDict(
    "Snapshot",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "repositoryId": 'int',
        "sessionId": 'int',
        "path": 'str',
        "turnId": 'str | None',
        "moment": 'Literal["left", "rewind", "start", "turn"]',
        "branchName": 'str | None',
        "headSha": 'str',
        "sha": 'str',
        "files": 'int',
    },
)

# The rules of spending, and what is used today.
Spending = TypedDict(
    "Spending",
    {
        "caps": 'Caps',
        "prices": 'list[Price]',
        "currency": 'str',
        "since": 'str',
        "today": 'Spent',
        "repositories": 'list[SpentByRepository]',
    },
)

# Changes to the rules of spending; what is left out stays.
SpendingChanges = TypedDict(
    "SpendingChanges",
    {
        "caps": 'NotRequired[Caps]',
        "prices": 'NotRequired[list[Price]]',
        "currency": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The things used in a day. `unpriced` are models that the price table does not have.
Spent = TypedDict(
    "Spent",
    {
        "tokens": 'int',
        "cost": 'float',
        "unpriced": 'list[str]',
    },
)

# The things that one repository's runs used today.
SpentByRepository = TypedDict(
    "SpentByRepository",
    {
        "tokens": 'int',
        "cost": 'float',
        "unpriced": 'list[str]',
        "repositoryId": 'int',
    },
)

Status = Literal["backoff", "busy", "idle", "quarantined", "starting", "stopped", "stopping", "suspended"]

# Codex took the message into the turn that is running.
SteerReceipt = TypedDict(
    "SteerReceipt",
    {
        "session": 'Session',
        "turnId": 'str',
        "status": 'Literal["acknowledged"]',
    },
)

# Say something to the turn that is running, without ending it.
SteerSession = TypedDict(
    "SteerSession",
    {
        "message": 'str',
        "attachments": 'NotRequired[list[int]]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The leader is about to end.
SteppingDown = TypedDict(
    "SteppingDown",
    {
        "steppingDown": 'bool',
    },
)

# End the session; the answer is the session as it ended. Asking again changes nothing.
StopSession = TypedDict(
    "StopSession",
    {
        "reason": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A browser that is told by its push service; its endpoint and keys are shown to nobody.
SubscribedBrowser = TypedDict(
    "SubscribedBrowser",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "deviceId": 'int | None',
        "service": 'str',
        "kinds": 'list[Literal["approvals", "automations", "interrupted", "limits", "questions", "sessions", "system", "warnings"]]',
        "quietHours": 'str | None',
        "timeZone": 'str | None',
        "lastSentAt": 'str | None',
        "error": 'str | None',
    },
)

# The numbers of a span of time, and of now; of one repository where one was named.
Summary = TypedDict(
    "Summary",
    {
        "tasks": 'Mapping[str, int]',
        "sessions": 'SessionNumbers',
        "approvals": 'ApprovalNumbers',
        "tokens": 'TokenNumbers',
        "automations": 'AutomationNumbers',
        "events": 'EventNumbers',
        "window": 'str',
        "repositoryId": 'int | None',
        "since": 'str',
        "until": 'str',
        "runtime": 'RuntimeNumbers',
    },
)

# A task: work that somebody wants done in a repository. Each run of it is a session.
Task = TypedDict(
    "Task",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "repositoryId": 'int',
        "type": 'Literal["investigate_failure", "prompt_task", "repo_health_check", "review_task"]',
        "title": 'str',
        "prompt": 'str',
        "priority": 'Literal["high", "low", "normal"]',
        "approvalRequired": 'bool',
        "requestedBy": 'str',
        "status": 'Literal["blocked", "cancelled", "completed", "failed", "interrupted", "open", "queued", "running", "stopped", "waiting_approval", "waiting_limit"]',
        "onInterrupt": 'Literal["continue", "stop"]',
        "maxAttempts": 'int',
        "turnLimit": 'int | None',
        "tokenBudget": 'int | None',
        "codexThreadId": 'str | None',
        "automationId": 'int | None',
        "correlationId": 'str',
        "causationId": 'int | None',
        "onChecksFailed": 'Literal["follow_up", "tell"] | None',
        "onReview": 'Literal["follow_up", "tell"] | None',
        "forgeFollowups": 'int | None',
        "mergeWhen": 'Literal["asked", "checks_pass"] | None',
        "runDefaults": 'Mapping[str, Any]',
        "placement": 'Mapping[str, Any] | str | None',
    },
)

# Changes to a task; what is left out stays. `cancelled` stops what runs of it.
TaskChanges = TypedDict(
    "TaskChanges",
    {
        "title": 'NotRequired[str]',
        "prompt": 'NotRequired[str]',
        "type": 'NotRequired[Literal["investigate_failure", "prompt_task", "repo_health_check", "review_task"]]',
        "priority": 'NotRequired[Literal["high", "low", "normal"]]',
        "approvalRequired": 'NotRequired[bool]',
        "onInterrupt": 'NotRequired[Literal["continue", "stop"]]',
        "maxAttempts": 'NotRequired[int]',
        "turnLimit": 'NotRequired[int | None]',
        "tokenBudget": 'NotRequired[int | None]',
        "onChecksFailed": 'NotRequired[Literal["follow_up", "tell"] | None]',
        "onReview": 'NotRequired[Literal["follow_up", "tell"] | None]',
        "forgeFollowups": 'NotRequired[int | None]',
        "mergeWhen": 'NotRequired[Literal["asked", "checks_pass"] | None]',
        "runDefaults": 'NotRequired[Choices]',
        "placement": 'NotRequired[Literal["any", "pool"] | HostWish | None]',
        "status": 'NotRequired[Literal["cancelled", "open"]]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Values that `POST /api/automations` fills in where it is given this `id` as `template`.
Template = TypedDict(
    "Template",
    {
        "id": 'str',
        "title": 'str',
        "description": 'str',
        "scheduleExpr": 'str',
        "payload": 'AutomationPayload',
    },
)

# A command that a thread's turns have left running.
Terminal = TypedDict(
    "Terminal",
    {
        "processId": 'str',
        "itemId": 'str',
        "command": 'str',
        "cwd": 'str',
        "cpuPercent": 'float | None',
        "memoryBytes": 'int | None',
    },
)

# The commands that a thread's turns have left running.
Terminals = TypedDict(
    "Terminals",
    {
        "host": 'str',
        "items": 'list[Terminal]',
    },
)

# Changes to a thread; what is left out stays.
ThreadChanges = TypedDict(
    "ThreadChanges",
    {
        "host": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str]',
        "name": 'NotRequired[str]',
        "archived": 'NotRequired[bool]',
    },
)

# The thread that is no more.
ThreadDeleted = TypedDict(
    "ThreadDeleted",
    {
        "host": 'str',
        "threadId": 'str',
    },
)

# An order about a thread of a host's agent.
ThreadOrder = TypedDict(
    "ThreadOrder",
    {
        "host": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The body of `POST /api/codex/threads/:threadId/prompt`.
ThreadPrompt = TypedDict(
    "ThreadPrompt",
    {
        "model": 'NotRequired[str | None]',
        "effort": 'NotRequired[str | None]',
        "serviceTier": 'NotRequired[str | None]',
        "collaborationMode": 'NotRequired[Literal["default", "plan"] | None]',
        "personality": 'NotRequired[Literal["friendly", "none", "pragmatic"] | None]',
        "permissionProfile": 'NotRequired[str | None]',
        "repositoryId": 'int',
        "prompt": 'str',
        "cwd": 'NotRequired[str | None]',
        "resume": 'NotRequired[bool]',
        "sandbox": 'NotRequired[Literal["danger-full-access", "read-only", "workspace-write"] | None]',
        "allowNetwork": 'NotRequired[bool | None]',
        "allowCommit": 'NotRequired[bool | None]',
        "goal": 'NotRequired[GoalInput | None]',
        "attachments": 'NotRequired[list[int]]',
        "requestedBy": 'NotRequired[str]',
    },
)

# The outcome of a look at the stored threads.
ThreadsImported = TypedDict(
    "ThreadsImported",
    {
        "host": 'str',
        "threads": 'int',
        "texts": 'int',
        "removed": 'int',
        "isWhole": 'bool',
    },
)

# Tokens that sessions used which ended in the span, on the day of their end, or run now.
TokenNumbers = TypedDict(
    "TokenNumbers",
    {
        "total": 'int',
        "byDay": 'list[DayTokens]',
        "byRepository": 'list[RepositoryTokens]',
    },
)

# Every message that was ever sent, and what became of it.
TotalsShown = TypedDict(
    "TotalsShown",
    {
        "sent": 'int',
        "handled": 'int',
        "refused": 'int',
        "lost": 'int',
        "dead": 'int',
        "waiting": 'int',
        "inHand": 'int',
    },
)

# The whole tree of actors.
Tree = TypedDict(
    "Tree",
    {
        "actors": 'list[ActorShown]',
        "totals": 'TotalsShown',
        "deadLetters": 'DeadLettersShown',
        "faultDomains": 'list[FaultDomain]',
        "abandoned": 'list[str]',
    },
)

# A picture or a text that somebody sent for Codex.
Upload = TypedDict(
    "Upload",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "name": 'str',
        "file": 'str',
        "mediaType": 'Literal["image/gif", "image/jpeg", "image/png", "image/webp", "text/plain"]',
        "sha256": 'str',
        "size": 'int',
        "width": 'int | None',
        "height": 'int | None',
        "requestedBy": 'str',
    },
)

# An upload; `data` is its content in Base64.
UploadContent = TypedDict(
    "UploadContent",
    {
        "id": 'int',
        "mediaType": 'str',
        "data": 'str',
    },
)

# The windows of one limit, the shorter one first.
UsageLimit = TypedDict(
    "UsageLimit",
    {
        "id": 'str',
        "name": 'str | None',
        "plan": 'str | None',
        "windows": 'list[LimitWindow]',
        "reached": 'str | None',
        "creditsLeft": 'str | None',
    },
)

# Each limit of a host's account, as its provider tells it now, or told it last.
UsageLimits = TypedDict(
    "UsageLimits",
    {
        "host": 'str',
        "limits": 'list[UsageLimit]',
        "heldSince": 'str | None',
        "heldUntil": 'str | None',
    },
)

# Files that somebody has looked at, or not as `isViewed` says.
ViewedFiles = TypedDict(
    "ViewedFiles",
    {
        "paths": 'list[str]',
        "isViewed": 'NotRequired[bool]',
        "requestedBy": 'NotRequired[str]',
    },
)

# Changes to a webhook; what is left out stays.
WebhookChanges = TypedDict(
    "WebhookChanges",
    {
        "url": 'NotRequired[str]',
        "types": 'NotRequired[list[str]]',
        "secret": 'NotRequired[str]',
        "status": 'NotRequired[Literal["active", "paused"]]',
        "requestedBy": 'NotRequired[str]',
    },
)

# An event on its way to a webhook, from the first attempt on.
WebhookDelivery = TypedDict(
    "WebhookDelivery",
    {
        "id": 'int',
        "createdAt": 'str',
        "updatedAt": 'str',
        "webhookId": 'int',
        "eventId": 'int',
        "type": 'str',
        "isByHand": 'bool',
        "status": 'Literal["delivered", "failed", "passed_over", "waiting"]',
        "attempts": 'int',
        "notBefore": 'str | None',
        "responseStatus": 'int | None',
        "milliseconds": 'int | None',
        "error": 'str | None',
    },
)

# A worktree that is ready to be worked in.
WorktreeCreated = TypedDict(
    "WorktreeCreated",
    {
        "path": 'str',
        "branchName": 'str',
        "headSha": 'str',
        "included": 'list[str]',
        "includedCount": 'int',
    },
)

# A work tree of the repository as git lists it.
WorktreeEntry = TypedDict(
    "WorktreeEntry",
    {
        "path": 'str',
        "branchName": 'str | None',
        "headSha": 'str | None',
        "isMain": 'bool',
        "lockedReason": 'str | None',
        "prunableReason": 'str | None',
    },
)

# The body of `POST /api/repos/:id/worktrees`.
WorktreeRequest = TypedDict(
    "WorktreeRequest",
    {
        "branchName": 'str',
        "baseRef": 'NotRequired[str | None]',
        "path": 'NotRequired[str | None]',
        "requestedBy": 'NotRequired[str]',
    },
)

# A worktree as it is on disk now.
WorktreeState = TypedDict(
    "WorktreeState",
    {
        "host": 'str',
        "path": 'str',
        "branchName": 'str | None',
        "headSha": 'str | None',
        "isMain": 'bool',
        "isDirty": 'bool | None',
        "sizeBytes": 'int | None',
        "sessionIds": 'list[int]',
        "lockedReason": 'str | None',
        "prunableReason": 'str | None',
        "problem": 'str | None',
    },
)

# It did not end in its time, and nothing waits for it any more.
ActorAbandoned = TypedDict(
    "ActorAbandoned",
    {
        "path": 'str',
        "waitedSeconds": 'float',
    },
)

# Somebody let it finish its messages and stop. `status` is what it was before.
ActorDrained = TypedDict(
    "ActorDrained",
    {
        "path": 'str',
        "reason": 'str',
        "status": 'str',
    },
)

# An actor failed; the data has its path and the error.
ActorFailed = TypedDict(
    "ActorFailed",
    {
        "path": 'str',
        "error": 'str | None',
        "startFailed": 'bool',
    },
)

# Somebody stopped it. `status` is what it was before.
ActorHalted = TypedDict(
    "ActorHalted",
    {
        "path": 'str',
        "reason": 'str',
        "status": 'str',
    },
)

# It failed too often and was given up until it is restarted by hand.
ActorQuarantined = TypedDict(
    "ActorQuarantined",
    {
        "path": 'str',
        "error": 'str | None',
    },
)

# Somebody let it go on. `status` is what it was before.
ActorResumed = TypedDict(
    "ActorResumed",
    {
        "path": 'str',
        "reason": 'str',
        "status": 'str',
    },
)

# It kept everything else waiting, by computing or blocking. `where` is innermost first.
ActorStalled = TypedDict(
    "ActorStalled",
    {
        "path": 'str',
        "seconds": 'float',
        "where": 'list[str]',
    },
)

# It was started again, by its supervisor or by hand.
ActorStartedAgain = TypedDict(
    "ActorStartedAgain",
    {
        "path": 'str',
        "reason": 'str | None',
        "restarts": 'NotRequired[int]',
        "delaySeconds": 'NotRequired[float]',
        "status": 'NotRequired[str]',
    },
)

# Somebody suspended it. `status` is what it was before.
ActorSuspended = TypedDict(
    "ActorSuspended",
    {
        "path": 'str',
        "reason": 'str',
        "status": 'str',
    },
)

# A sub-agent has done what it was told, or was interrupted, or failed.
AgentEnded = TypedDict(
    "AgentEnded",
    {
        "agentId": 'int',
        "parentId": 'int | None',
        "threadId": 'str',
        "path": 'str | None',
        "name": 'str | None',
        "model": 'str | None',
        "status": 'Literal["completed", "failed", "interrupted", "running"]',
        "lastMessage": 'str | None',
    },
)

# A sub-agent began to work for the session, or was given more to do.
AgentStarted = TypedDict(
    "AgentStarted",
    {
        "agentId": 'int',
        "parentId": 'int | None',
        "threadId": 'str',
        "path": 'str | None',
        "name": 'str | None',
        "model": 'str | None',
        "prompt": 'str | None',
    },
)

# Codex asked what a rule of its repository always allows; the rule answered, and no person.
ApprovalAllowed = TypedDict(
    "ApprovalAllowed",
    {
        "kind": 'Literal["command", "elicitation", "file_change", "manual", "merge", "permissions", "push", "run", "setup", "trust", "user_input"]',
        "title": 'str',
        "ruleId": 'int',
        "rule": 'str',
        "details": 'Mapping[str, Any]',
    },
)

# Nobody settled it in time.
ApprovalExpired = TypedDict(
    "ApprovalExpired",
    {
        "status": 'Literal["answered_elsewhere", "approved", "cancelled", "expired", "pending", "rejected"]',
        "kind": 'Literal["command", "elicitation", "file_change", "manual", "merge", "permissions", "push", "run", "setup", "trust", "user_input"]',
        "note": 'str | None',
        "scope": 'str | None',
    },
)

# Its deadline is near: a fifth of its time, and 10 minutes at most, are left.
ApprovalExpiring = TypedDict(
    "ApprovalExpiring",
    {
        "kind": 'Literal["command", "elicitation", "file_change", "manual", "merge", "permissions", "push", "run", "setup", "trust", "user_input"]',
        "title": 'str',
        "expiresAt": 'str',
    },
)

# Its deadline was put off; the data has both moments.
ApprovalExtended = TypedDict(
    "ApprovalExtended",
    {
        "from": 'str | None',
        "expiresAt": 'str',
    },
)

# Something waits on a person. `details` are those of a question that a session asks.
ApprovalRequested = TypedDict(
    "ApprovalRequested",
    {
        "kind": 'Literal["command", "elicitation", "file_change", "manual", "merge", "permissions", "push", "run", "setup", "trust", "user_input"]',
        "title": 'str',
        "expiresAt": 'str | None',
        "details": 'NotRequired[Mapping[str, Any]]',
    },
)

# It was approved (`passkeyId` proves by whom), rejected, answered elsewhere or cancelled.
ApprovalResolved = TypedDict(
    "ApprovalResolved",
    {
        "status": 'Literal["answered_elsewhere", "approved", "cancelled", "expired", "pending", "rejected"]',
        "note": 'str | None',
        "kind": 'NotRequired[Literal["command", "elicitation", "file_change", "manual", "merge", "permissions", "push", "run", "setup", "trust", "user_input"]]',
        "scope": 'NotRequired[str | None]',
        "passkeyId": 'NotRequired[int]',
    },
)

# A model of Codex decided what Codex would otherwise have asked a person, and says why.
AutoReviewed = TypedDict(
    "AutoReviewed",
    {
        "itemId": 'str | None',
        "decision": 'str',
        "rationale": 'str | None',
        "risk": 'str | None',
        "authorization": 'str | None',
        "action": 'Mapping[str, Any]',
        "hook": 'NotRequired[str]',
        "agentId": 'NotRequired[int]',
    },
)

# An automation was made.
AutomationCreated = TypedDict(
    "AutomationCreated",
    {
        "title": 'str',
        "scheduleExpr": 'str',
        "enabled": 'bool',
        "nextRunAt": 'str | None',
        "template": 'str | None',
    },
)

# It was taken away.
AutomationDeleted = TypedDict(
    "AutomationDeleted",
    {
        "title": 'str',
    },
)

# A due time came, or somebody ran it: its task is made and run.
AutomationFired = TypedDict(
    "AutomationFired",
    {
        "title": 'str',
        "trigger": 'str',
        "dueAt": 'str | None',
        "missed": 'int',
    },
)

# It failed too often in a row, and waits to be enabled again.
AutomationPaused = TypedDict(
    "AutomationPaused",
    {
        "title": 'str',
        "failures": 'int',
        "lastOutcome": 'str | None',
        "reason": 'str | None',
        "resume": 'str',
    },
)

# A due time passed without a run; `reason` says why.
AutomationSkipped = TypedDict(
    "AutomationSkipped",
    {
        "title": 'str',
        "outcome": 'str',
        "reason": 'str',
        "dueAt": 'str | None',
        "missed": 'int',
        "nextRunAt": 'str | None',
    },
)

# It was changed, or its pause ended; `changed` names the fields.
AutomationUpdated = TypedDict(
    "AutomationUpdated",
    {
        "changed": 'list[str]',
        "enabled": 'bool',
        "nextRunAt": 'str | None',
    },
)

# A backup was made, of `size` bytes; `damaged` names records that the disk has changed.
BackupMade = TypedDict(
    "BackupMade",
    {
        "name": 'str',
        "size": 'int',
        "isScheduled": 'bool',
        "isEncrypted": 'bool',
        "damaged": 'list[str]',
    },
)

# A backup was due or asked for, and could not be made.
BackupNotMade = TypedDict(
    "BackupNotMade",
    {
        "reason": 'str',
        "isScheduled": 'bool',
    },
)

# The connection to Codex began; `appServer` is `joined`, `detached` or `spawned`.
BridgeFound = TypedDict(
    "BridgeFound",
    {
        "transport": 'str',
        "serverVersion": 'str | None',
        "processId": 'int | None',
        "appServer": 'NotRequired[AppServer]',
    },
)

# It was lost, or left for a better app-server; `reason` says why.
BridgeGone = TypedDict(
    "BridgeGone",
    {
        "transport": 'str',
        "reason": 'str',
    },
)

# There was none yet when the first attempt failed; `reason` says why.
BridgeMissing = TypedDict(
    "BridgeMissing",
    {
        "transport": 'str',
        "reason": 'str',
    },
)

# Codex told or asked something that is not known here.
BridgeUnknownMet = TypedDict(
    "BridgeUnknownMet",
    {
        "kind": 'str',
        "name": 'str',
        "body": 'Mapping[str, Any]',
    },
)

# Codex warns of something that concerns no one session, such as its configuration; once.
BridgeWarning = TypedDict(
    "BridgeWarning",
    {
        "transport": 'str',
        "kind": 'str',
        "message": 'str',
        "details": 'str | None',
    },
)

# A cap of a repository's runs, or of all, is reached; `over` is what becomes of what works.
CapReached = TypedDict(
    "CapReached",
    {
        "reason": 'str',
        "over": 'str',
    },
)

# A group became another chat of Telegram's.
ChatMigrated = TypedDict(
    "ChatMigrated",
    {
        "chatId": 'int',
        "migratedTo": 'int',
    },
)

# Telegram says that the chat can no longer be written to.
ChatUnreachable = TypedDict(
    "ChatUnreachable",
    {
        "chatId": 'int',
        "why": 'str',
    },
)

# The machine slept, or its clock was set.
ClockMoved = TypedDict(
    "ClockMoved",
    {
        "seconds": 'float',
    },
)

# A command begins in a folder, `cwd`, outside of the session's.
CommandBegunOutside = TypedDict(
    "CommandBegunOutside",
    {
        "itemId": 'str',
        "command": 'str',
        "cwd": 'str',
        "agentId": 'NotRequired[int]',
    },
)

# Somebody runs a command by hand in another client of Codex, in the session's thread.
CommandRunElsewhere = TypedDict(
    "CommandRunElsewhere",
    {
        "itemId": 'str',
        "command": 'str',
        "agentId": 'NotRequired[int]',
    },
)

# A command may run outside of the sandbox, and nobody is asked: its user's `rules` allow it.
CommandUnasked = TypedDict(
    "CommandUnasked",
    {
        "itemId": 'str',
        "command": 'str',
        "rules": 'list[str]',
        "agentId": 'NotRequired[int]',
    },
)

# The turn completed while `commands` of it go on in the background.
CommandsLeft = TypedDict(
    "CommandsLeft",
    {
        "commands": 'list[LeftCommand]',
    },
)

# Somebody, or the review `reviewSessionId`, commented on lines of the session's work.
CommentAdded = TypedDict(
    "CommentAdded",
    {
        "commentId": 'int',
        "path": 'str',
        "side": 'Literal["after", "before"]',
        "line": 'int',
        "endLine": 'int',
        "text": 'str',
        "reviewSessionId": 'int | None',
    },
)

# The comment was taken back.
CommentCancelled = TypedDict(
    "CommentCancelled",
    {
        "commentId": 'int',
        "text": 'str',
    },
)

# The comment says something else.
CommentChanged = TypedDict(
    "CommentChanged",
    {
        "commentId": 'int',
        "text": 'str',
    },
)

# The turn did not hear comments that were sent to it; they are open again.
CommentsReopened = TypedDict(
    "CommentsReopened",
    {
        "commentIds": 'list[int]',
    },
)

# Comments were sent, all as one message.
CommentsSent = TypedDict(
    "CommentsSent",
    {
        "commentIds": 'list[int]',
        "how": 'Literal["followup", "steer"]',
    },
)

# Codex was asked for the message of a commit, and wrote one; `tokens` are what that took.
CommitMessageAsked = TypedDict(
    "CommitMessageAsked",
    {
        "message": 'str',
        "tokens": 'int | None',
    },
)

# A person trusted the repository's own configuration of Codex, with the content it has.
ConfigurationTrusted = TypedDict(
    "ConfigurationTrusted",
    {
        "digest": 'str',
        "files": 'list[str]',
    },
)

# It was found whether its run obeys the repository's own configuration of Codex.
ConfigurationWeighed = TypedDict(
    "ConfigurationWeighed",
    {
        "obeyed": 'bool',
        "digest": 'str | None',
        "reason": 'str',
    },
)

# A base was merged into the branch of a session; its conflicts are marked in the files.
ConflictsMarked = TypedDict(
    "ConflictsMarked",
    {
        "merge": 'MarkedConflicts',
    },
)

# A piece of a message or of a command's output; only live.
DeltaShown = TypedDict(
    "DeltaShown",
    {
        "itemId": 'str',
        "delta": 'str',
        "stream": 'str',
        "agentId": 'NotRequired[int]',
    },
)

# A device was given access; `paired` says that a code let it in.
DeviceCreated = TypedDict(
    "DeviceCreated",
    {
        "id": 'int',
        "name": 'str',
        "scopes": 'list[Literal["admin", "approve", "land", "operate", "read", "work"]]',
        "expiresAt": 'str | None',
        "paired": 'bool',
    },
)

# A device's access was taken away.
DeviceRevoked = TypedDict(
    "DeviceRevoked",
    {
        "id": 'int',
        "name": 'str',
    },
)

# Its name, scopes or expiry were changed; `changes` has both states of each field.
DeviceUpdated = TypedDict(
    "DeviceUpdated",
    {
        "id": 'int',
        "name": 'str',
        "changes": 'Mapping[str, Mapping[str, Any]]',
    },
)

# The turn's diff grew to so many bytes; only live.
DiffShown = TypedDict(
    "DiffShown",
    {
        "bytes": 'int',
        "agentId": 'NotRequired[int]',
    },
)

# The terminal is to end with all that runs in it, which a client sends in a text frame.
End = TypedDict(
    "End",
    {
        "type": 'NotRequired[Literal["end"]]',
    },
)

# An event of the log is not as it was written. It is shown in its place, and is not stored.
EventDamaged = TypedDict(
    "EventDamaged",
    {
    },
)

# An event was removed with the history of its repository; this stands in its place.
EventRemoved = TypedDict(
    "EventRemoved",
    {
    },
)

# The events from `first` to `last` were removed, as they are older, or more, than is kept.
EventsRemoved = TypedDict(
    "EventsRemoved",
    {
        "first": 'int',
        "last": 'int',
        "days": 'int | None',
        "bytes": 'int | None',
    },
)

# Somebody looked at changed files, or says with `isViewed` that nobody has.
FilesViewed = TypedDict(
    "FilesViewed",
    {
        "paths": 'list[str]',
        "isViewed": 'bool',
    },
)

# It was taken back.
FollowupCancelled = TypedDict(
    "FollowupCancelled",
    {
        "followupId": 'int',
        "message": 'str',
    },
)

# Something else is to be said.
FollowupChanged = TypedDict(
    "FollowupChanged",
    {
        "followupId": 'int',
        "message": 'str',
    },
)

# Something is to be said when the turn has ended.
FollowupQueued = TypedDict(
    "FollowupQueued",
    {
        "followupId": 'int',
        "message": 'str',
        "attachments": 'NotRequired[list[Mapping[str, Any]]]',
    },
)

# The session has no goal any more.
GoalCleared = TypedDict(
    "GoalCleared",
    {
    },
)

# Somebody wants to change the session's goal; what is null stays. `cleared` takes it away.
GoalRequested = TypedDict(
    "GoalRequested",
    {
        "objective": 'str | None',
        "tokenBudget": 'int | None',
        "status": 'str | None',
        "cleared": 'bool',
    },
)

# Codex told of another goal, or of another status of it.
GoalUpdated = TypedDict(
    "GoalUpdated",
    {
        "objective": 'str',
        "status": 'str',
        "tokenBudget": 'int | None',
        "tokensUsed": 'int',
    },
)

# A machine was added, on which repositories can lie from now on.
HostAdded = TypedDict(
    "HostAdded",
    {
        "name": 'str',
        "kind": 'str',
        "address": 'str',
    },
)

# A machine cannot be reached any more, or could not be yet; told once until it can be.
HostAway = TypedDict(
    "HostAway",
    {
        "name": 'str',
        "reason": 'str',
    },
)

# A machine has other labels, or another number of sessions at once.
HostChanged = TypedDict(
    "HostChanged",
    {
        "name": 'str',
        "labels": 'list[str]',
        "maxSessions": 'int | None',
    },
)

# A machine can be reached.
HostConnected = TypedDict(
    "HostConnected",
    {
        "name": 'str',
    },
)

# A machine begins no more runs; those that work there go on to their end.
HostDraining = TypedDict(
    "HostDraining",
    {
        "name": 'str',
    },
)

# A machine has used its code, and signs in with a key of its own from now on.
HostEnrolled = TypedDict(
    "HostEnrolled",
    {
        "name": 'str',
    },
)

# A machine refuses or is refused until a person acts, or its answer makes no sense.
HostRefused = TypedDict(
    "HostRefused",
    {
        "name": 'str',
        "reason": 'str',
    },
)

# A machine was removed; what lies on it stays there.
HostRemoved = TypedDict(
    "HostRemoved",
    {
        "name": 'str',
        "address": 'str',
    },
)

# A machine that was draining begins runs again.
HostResumed = TypedDict(
    "HostResumed",
    {
        "name": 'str',
    },
)

# Things of one kind were dismissed from the inbox, or put off until a moment (`until`).
InboxMarked = TypedDict(
    "InboxMarked",
    {
        "kind": 'Literal["approval", "automation", "session"]',
        "ids": 'list[int]',
        "until": 'str | None',
    },
)

# Nobody heard how an item of the transcript ended, nor will: `item` is what is known of it.
ItemCutOff = TypedDict(
    "ItemCutOff",
    {
        "turnId": 'str',
        "itemId": 'str',
        "type": 'str',
        "item": 'Mapping[str, Any]',
        "agentId": 'NotRequired[int]',
    },
)

# An item of the transcript began; only live.
ItemShown = TypedDict(
    "ItemShown",
    {
        "item": 'Mapping[str, Any]',
        "turnId": 'str',
        "agentId": 'NotRequired[int]',
    },
)

# The run of a lease that was lost goes on nowhere.
LeaseGivenUp = TypedDict(
    "LeaseGivenUp",
    {
        "lease": 'int',
        "host": 'str',
        "reason": 'str',
    },
)

# A pool host was not heard of for so long that it has ended the run; another may have it.
LeaseLost = TypedDict(
    "LeaseLost",
    {
        "host": 'str',
        "lease": 'int',
        "folder": 'str',
        "branchName": 'str | None',
        "reason": 'str',
    },
)

# The run of a lease that was lost goes on in another session, on another host if it can.
LeaseReassigned = TypedDict(
    "LeaseReassigned",
    {
        "lease": 'int',
        "host": 'str',
        "toSessionId": 'int',
        "toHost": 'str',
    },
)

# A pool host was heard of, and may go on with the runs of these leases.
LeaseRenewed = TypedDict(
    "LeaseRenewed",
    {
        "host": 'str',
        "leases": 'list[int]',
    },
)

# A command that goes on; its item is told of when it has ended.
LeftCommand = TypedDict(
    "LeftCommand",
    {
        "itemId": 'str',
        "command": 'str',
    },
)

# The host of a lease that was lost is back: this is in the folder of its run, and stays.
LeftWorkFound = TypedDict(
    "LeftWorkFound",
    {
        "lease": 'int',
        "host": 'str',
        "folder": 'str',
        "branchName": 'str | None',
        "commits": 'int | None',
        "isDirty": 'bool | None',
        "problem": 'str | None',
    },
)

# A window of a limit is almost used up; told once for each window, until it resets.
LimitNears = TypedDict(
    "LimitNears",
    {
        "host": 'str',
        "limit": 'str',
        "minutes": 'int | None',
        "usedPercent": 'float',
        "resetsAt": 'str | None',
    },
)

# A run met a limit. Runs of the host wait until it resets; `until` is null if nobody knows.
LimitReached = TypedDict(
    "LimitReached",
    {
        "host": 'str',
        "until": 'str | None',
    },
)

# The limit is over. The `sessions` that waited for it go on, the earlier ones first.
LimitReset = TypedDict(
    "LimitReset",
    {
        "host": 'str',
        "sessions": 'list[int]',
    },
)

# More of a limit of an agent's account is used, or less: `limits` has each, as it is now.
LimitsChanged = TypedDict(
    "LimitsChanged",
    {
        "host": 'str',
        "limits": 'list[Mapping[str, Any]]',
    },
)

# Somebody wants it merged once its checks pass; `approvalId` says who is asked.
MergeRequested = TypedDict(
    "MergeRequested",
    {
        "pullRequestId": 'int',
        "mergeWhen": 'Literal["checks_pass"]',
        "sha": 'str',
        "approvalId": 'int',
    },
)

# It is merged once its checks pass, or it is not, and `problem` says why.
MergeSettled = TypedDict(
    "MergeSettled",
    {
        "pullRequestId": 'int',
        "mergeWhen": 'Literal["checks_pass"] | None',
        "problem": 'str | None',
    },
)

# A place of Apprise's is told other things; `changes` has both states of each field.
NotifyTargetUpdated = TypedDict(
    "NotifyTargetUpdated",
    {
        "id": 'int',
        "service": 'str',
        "changes": 'Mapping[str, Mapping[str, Any]]',
    },
)

Outcome = Literal["handled", "lost", "refused"]

# A device can sign in by a passkey, at the name `host` of this server.
PasskeyAdded = TypedDict(
    "PasskeyAdded",
    {
        "id": 'int',
        "name": 'str',
        "passkeyId": 'int',
        "host": 'str',
    },
)

# A passkey of a device signs in no more.
PasskeyRemoved = TypedDict(
    "PasskeyRemoved",
    {
        "id": 'int',
        "name": 'str',
        "passkeyId": 'int',
        "host": 'str',
    },
)

# Codex changed its plan; only live.
PlanShown = TypedDict(
    "PlanShown",
    {
        "explanation": 'str | None',
        "steps": 'list[Mapping[str, Any]]',
    },
)

# A prompt of a repository was deleted.
PromptDeleted = TypedDict(
    "PromptDeleted",
    {
        "name": 'str',
    },
)

# A prompt was saved for a repository, in the place of the one that had its name.
PromptSaved = TypedDict(
    "PromptSaved",
    {
        "name": 'str',
        "description": 'str',
        "text": 'str',
    },
)

# The forge tells something new of it; `changes` has both states of each field.
PullRequestChanged = TypedDict(
    "PullRequestChanged",
    {
        "pullRequestId": 'int',
        "changes": 'Mapping[str, Mapping[str, Any]]',
    },
)

# It was not opened; `problem` says why, and what to do.
PullRequestFailed = TypedDict(
    "PullRequestFailed",
    {
        "pullRequestId": 'int',
        "problem": 'str',
    },
)

# Checks fail, or reviewers want changes; `answer` says what was done, `reason` why no more.
PullRequestNews = TypedDict(
    "PullRequestNews",
    {
        "pullRequestId": 'int',
        "url": 'str',
        "checks": 'list[str]',
        "reviews": 'int',
        "answer": 'Literal["follow_up", "tell"]',
        "followupSessionId": 'int | None',
        "reason": 'str | None',
    },
)

# The forge has it; without a `number` it is opened by a person, at `url`.
PullRequestOpened = TypedDict(
    "PullRequestOpened",
    {
        "pullRequestId": 'int',
        "number": 'int | None',
        "url": 'str',
    },
)

# Somebody wants a pull request of what was pushed.
PullRequestRequested = TypedDict(
    "PullRequestRequested",
    {
        "pullRequestId": 'int',
        "project": 'str',
        "branchName": 'str',
        "base": 'str',
        "title": 'str',
    },
)

# Commits were not pushed; `problem` says why, and what to do.
PushFailed = TypedDict(
    "PushFailed",
    {
        "pushId": 'int',
        "remote": 'str',
        "branchName": 'str',
        "sha": 'str',
        "problem": 'str',
    },
)

# Somebody wants commits pushed; `approvalId` says which approval that waits for.
PushRequested = TypedDict(
    "PushRequested",
    {
        "pushId": 'int',
        "remote": 'str',
        "address": 'str',
        "branchName": 'str',
        "sha": 'str',
        "remoteSha": 'str | None',
        "lease": 'str | None',
        "commits": 'int',
        "approvalId": 'int | None',
    },
)

# A browser is told by its push service, at `service`; `deviceId` is the device's.
PushSubscribed = TypedDict(
    "PushSubscribed",
    {
        "id": 'int',
        "deviceId": 'int | None',
        "service": 'str',
        "kinds": 'list[Literal["approvals", "automations", "interrupted", "limits", "questions", "sessions", "system", "warnings"]]',
    },
)

# A browser is told no more.
PushSubscriptionEnded = TypedDict(
    "PushSubscriptionEnded",
    {
        "id": 'int',
        "deviceId": 'int | None',
        "service": 'str',
        "why": 'Literal["gone", "refused", "revoked", "unsubscribed"]',
    },
)

# Other things are told, or at other hours; `changes` has both states of each field.
PushSubscriptionUpdated = TypedDict(
    "PushSubscriptionUpdated",
    {
        "id": 'int',
        "deviceId": 'int | None',
        "changes": 'Mapping[str, Mapping[str, Any]]',
    },
)

# Its events up to `last` are removed, as they are older, or there are more, than it keeps.
RepositoryEventsRemoved = TypedDict(
    "RepositoryEventsRemoved",
    {
        "last": 'int',
        "days": 'int | None',
        "bytes": 'NotRequired[int | None]',
    },
)

# It was forgotten, with its tasks and sessions; the folder stays as it is.
RepositoryForgotten = TypedDict(
    "RepositoryForgotten",
    {
        "name": 'str',
        "localPath": 'str',
        "with": 'RepositoryDeleted',
        "historyRemoved": 'NotRequired[bool]',
    },
)

# A repository was registered.
RepositoryRegistered = TypedDict(
    "RepositoryRegistered",
    {
        "name": 'str',
        "host": 'NotRequired[str]',
        "localPath": 'str',
        "allowWrite": 'bool',
        "allowNetwork": 'bool',
        "allowCommit": 'bool',
        "requireWorktree": 'bool',
        "workplace": 'NotRequired[Literal["main_checkout", "worktree"]]',
        "codexConfig": 'NotRequired[Literal["ask", "ignore"]]',
        "reviewer": 'NotRequired[Literal["auto", "user"]]',
        "allowPush": 'NotRequired[bool]',
        "signCommits": 'NotRequired[bool]',
        "pushAddresses": 'NotRequired[list[str]]',
        "onChecksFailed": 'NotRequired[Literal["follow_up", "tell"]]',
        "onReview": 'NotRequired[Literal["follow_up", "tell"]]',
        "forgeFollowups": 'NotRequired[int]',
        "mergeWhen": 'NotRequired[Literal["asked", "checks_pass"]]',
        "issueLabel": 'NotRequired[str | None]',
        "issueApproval": 'NotRequired[bool]',
        "mcpServersOff": 'NotRequired[list[str]]',
        "allowTerminal": 'NotRequired[bool]',
        "keepEvents": 'NotRequired[str | None]',
        "keepTranscripts": 'NotRequired[str | None]',
        "project": 'NotRequired[str | None]',
        "identity": 'NotRequired[str | None]',
    },
)

# Git was asked again for its state.
RepositoryScanned = TypedDict(
    "RepositoryScanned",
    {
        "currentBranch": 'str | None',
        "headSha": 'str | None',
        "isDirty": 'bool | None',
        "ahead": 'int | None',
        "behind": 'int | None',
    },
)

# Its name, place or permissions were changed; `changes` has both states of each field.
RepositoryUpdated = TypedDict(
    "RepositoryUpdated",
    {
        "changes": 'Mapping[str, Mapping[str, Any]]',
    },
)

# Codex asked for something that is not understood here.
RequestRefused = TypedDict(
    "RequestRefused",
    {
        "method": 'str',
    },
)

# The terminal has another size, which a client sends in a text frame.
Resize = TypedDict(
    "Resize",
    {
        "type": 'NotRequired[Literal["resize"]]',
        "columns": 'int',
        "rows": 'int',
    },
)

# A person had something allowed from then on, as they approved it.
RuleAdded = TypedDict(
    "RuleAdded",
    {
        "rule": 'Rule',
    },
)

# Something is asked about again: a person took the rule back, or the repository was moved.
RuleRemoved = TypedDict(
    "RuleRemoved",
    {
        "ruleId": 'int',
        "rule": 'Rule | None',
    },
)

# A retry or follow-up may not run; `reason` says why.
SequelRefused = TypedDict(
    "SequelRefused",
    {
        "origin": 'str',
        "reason": 'str',
    },
)

# Somebody began to sign an MCP server of a host's agent in.
ServerSignInBegun = TypedDict(
    "ServerSignInBegun",
    {
        "host": 'str',
        "server": 'str',
    },
)

# Nobody was signed in to an MCP server by that; `reason` says why.
ServerSignInFailed = TypedDict(
    "ServerSignInFailed",
    {
        "host": 'str',
        "server": 'str',
        "reason": 'str',
    },
)

# An MCP server is signed in; by us or by another client of the agent.
ServerSignedIn = TypedDict(
    "ServerSignedIn",
    {
        "host": 'str',
        "server": 'str',
    },
)

# Somebody put it out of the way; all of it is kept.
SessionArchived = TypedDict(
    "SessionArchived",
    {
    },
)

# It waits for an approval that policy demands: `reasons` are the policy's codes.
SessionBlocked = TypedDict(
    "SessionBlocked",
    {
        "from": 'NotRequired[Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]]',
        "to": 'NotRequired[Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]]',
        "reasons": 'NotRequired[list[str]]',
        "exitReason": 'NotRequired[str]',
        "final": 'NotRequired[bool]',
    },
)

# The turn ended by itself.
SessionCompleted = TypedDict(
    "SessionCompleted",
    {
        "from": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "to": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "exitReason": 'str | None',
        "tokenUsage": 'Mapping[str, Any] | None',
    },
)

# A session was made; it waits to be told to run.
SessionCreated = TypedDict(
    "SessionCreated",
    {
        "type": 'str',
        "runner": 'str',
        "sandbox": 'str',
        "host": 'NotRequired[str]',
        "cwd": 'str',
        "origin": 'str',
        "previousSessionId": 'int | None',
        "attempt": 'int',
        "beginAfter": 'str | None',
    },
)

# It could not be done; `exitReason` says why.
SessionFailed = TypedDict(
    "SessionFailed",
    {
        "from": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "to": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "exitReason": 'str | None',
        "tokenUsage": 'Mapping[str, Any] | None',
    },
)

# It was stopped.
SessionHalted = TypedDict(
    "SessionHalted",
    {
        "from": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "to": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "exitReason": 'str | None',
        "tokenUsage": 'Mapping[str, Any] | None',
    },
)

# The server or Codex went away under it.
SessionInterrupted = TypedDict(
    "SessionInterrupted",
    {
        "from": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "to": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "exitReason": 'str | None',
        "tokenUsage": 'Mapping[str, Any] | None',
    },
)

# An item of the transcript is finished; of `agentId`, where it is a sub-agent's.
SessionItem = TypedDict(
    "SessionItem",
    {
        "turnId": 'str',
        "itemId": 'str',
        "type": 'str',
        "item": 'Mapping[str, Any]',
        "agentId": 'NotRequired[int]',
    },
)

# Its host was chosen: the one that has its repository and fits what its run asks for.
SessionPlaced = TypedDict(
    "SessionPlaced",
    {
        "host": 'str',
        "placement": 'Mapping[str, Any] | str',
        "reason": 'str',
    },
)

# It waits for its turn.
SessionQueued = TypedDict(
    "SessionQueued",
    {
        "from": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "to": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "writingSessionId": 'NotRequired[int]',
    },
)

# Somebody named it.
SessionRenamed = TypedDict(
    "SessionRenamed",
    {
        "title": 'str',
    },
)

# Its review or report is there.
SessionResult = TypedDict(
    "SessionResult",
    {
        "result": 'Any',
    },
)

# It goes on after an answer.
SessionResumed = TypedDict(
    "SessionResumed",
    {
        "from": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "to": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "approvalId": 'int',
        "decision": 'str',
    },
)

# Nothing was heard of the turn for `CC_STALL_SECONDS`; Codex is asked for it.
SessionStalled = TypedDict(
    "SessionStalled",
    {
        "silentSeconds": 'float',
    },
)

# Its turn has begun.
SessionStarted = TypedDict(
    "SessionStarted",
    {
        "from": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "to": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "codexRef": 'str',
        "runner": 'str',
        "model": 'str | None',
    },
)

# Its runner prepares it.
SessionStarting = TypedDict(
    "SessionStarting",
    {
        "from": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "to": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
    },
)

# Somebody brought it back among the others.
SessionUnarchived = TypedDict(
    "SessionUnarchived",
    {
    },
)

# Codex waits for a person's answer.
SessionWaiting = TypedDict(
    "SessionWaiting",
    {
        "from": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "to": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "approvalId": 'int',
    },
)

# It waits until a limit of the agent's account resets; `until` is null while nobody knows.
SessionWaitingLimit = TypedDict(
    "SessionWaitingLimit",
    {
        "from": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "to": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
        "until": 'str | None',
    },
)

# Codex warns of something that the turn survives; `kind` is its notification's name.
SessionWarning = TypedDict(
    "SessionWarning",
    {
        "message": 'str',
        "kind": 'NotRequired[str]',
        "willRetry": 'NotRequired[bool | None]',
        "info": 'NotRequired[Any]',
        "details": 'NotRequired[str | None]',
        "agentId": 'NotRequired[int]',
    },
)

# A person agreed to the set-up of worktrees, with the content that it has.
SetupTrusted = TypedDict(
    "SetupTrusted",
    {
        "digest": 'str',
        "files": 'list[str]',
    },
)

# A terminal of the session has ended; `exitCode` is null where it was cut off.
ShellClosed = TypedDict(
    "ShellClosed",
    {
        "shellId": 'str',
        "exitCode": 'int | None',
        "reason": 'str',
    },
)

# The end of a terminal, in a text frame; `exitCode` is null where it was cut off.
ShellExit = TypedDict(
    "ShellExit",
    {
        "exitCode": 'int | None',
        "reason": 'str',
    },
)

# Somebody opened a terminal where the session works. What is typed there is not kept.
ShellOpened = TypedDict(
    "ShellOpened",
    {
        "shellId": 'str',
        "sandbox": 'str',
    },
)

# Somebody began to sign a host's agent in; `type` is `device_code` or `api_key`.
SignInBegun = TypedDict(
    "SignInBegun",
    {
        "host": 'str',
        "type": 'str',
    },
)

# Nobody was signed in by that; `reason` says why.
SignInFailed = TypedDict(
    "SignInFailed",
    {
        "host": 'str',
        "reason": 'str',
    },
)

# An agent has an account now, or another one; by us or by another of its clients.
SignedIn = TypedDict(
    "SignedIn",
    {
        "host": 'str',
        "kind": 'str',
        "plan": 'str | None',
    },
)

# An agent has no account any more.
SignedOut = TypedDict(
    "SignedOut",
    {
        "host": 'str',
    },
)

# Somebody had a skill followed from then on, or no more, in all that the agent does.
SkillSwitched = TypedDict(
    "SkillSwitched",
    {
        "host": 'str',
        "path": 'str',
        "isEnabled": 'bool',
    },
)

# The files of a session's worktree were not kept; `problem` says why, and what to do.
SnapshotFailed = TypedDict(
    "SnapshotFailed",
    {
        "turnId": 'str | None',
        "path": 'str',
        "problem": 'str',
    },
)

# Somebody changed the caps of all repositories, or the price table; `changed` names which.
SpendingChanged = TypedDict(
    "SpendingChanged",
    {
        "changed": 'list[str]',
    },
)

# Its turn has not begun yet, and `reason`, its `waitReason`, says why; only live.
StartDelayed = TypedDict(
    "StartDelayed",
    {
        "reason": 'str',
    },
)

# Codex has taken it.
SteerAcknowledged = TypedDict(
    "SteerAcknowledged",
    {
        "turnId": 'str',
    },
)

# Codex has not; `reason` says why.
SteerRejected = TypedDict(
    "SteerRejected",
    {
        "reason": 'str',
    },
)

# Somebody wants to tell the running turn something.
SteerRequested = TypedDict(
    "SteerRequested",
    {
        "message": 'str',
        "turnId": 'str | None',
        "attachments": 'NotRequired[list[Mapping[str, Any]]]',
    },
)

# Somebody wants the session to end.
StopRequested = TypedDict(
    "StopRequested",
    {
        "reason": 'str | None',
        "outcome": 'Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]',
    },
)

# A check of the database found damage. `structure` has SQLite's words, `damaged` the rows.
StoreDamaged = TypedDict(
    "StoreDamaged",
    {
        "structure": 'list[str]',
        "damaged": 'list[str]',
    },
)

# The database has more than `CC_ALARM_SIZE`. Told once, and again when it has doubled.
StoreLarge = TypedDict(
    "StoreLarge",
    {
        "bytes": 'int',
        "alarmBytes": 'int',
    },
)

# A stream begins with what happens now; only live.
StreamOpened = TypedDict(
    "StreamOpened",
    {
        "logId": 'str',
        "after": 'int',
    },
)

# A stream goes on after the event `after` of the log `logId`, as was asked; only live.
StreamResumed = TypedDict(
    "StreamResumed",
    {
        "logId": 'str',
        "after": 'int',
    },
)

# A task was cancelled; its sessions are stopped.
TaskCancelled = TypedDict(
    "TaskCancelled",
    {
        "changed": 'list[str]',
    },
)

# A task was made.
TaskCreated = TypedDict(
    "TaskCreated",
    {
        "title": 'str',
        "type": 'Literal["investigate_failure", "prompt_task", "repo_health_check", "review_task"]',
        "priority": 'Literal["high", "low", "normal"]',
    },
)

# A task was changed; `changed` names the fields.
TaskUpdated = TypedDict(
    "TaskUpdated",
    {
        "changed": 'list[str]',
    },
)

# Somebody ended a command that the turns of a thread had left running.
TerminalEnded = TypedDict(
    "TerminalEnded",
    {
        "host": 'str',
        "threadId": 'str',
        "processId": 'str',
        "command": 'str',
    },
)

# A thread was put away; it takes no turn until it is brought back.
ThreadArchived = TypedDict(
    "ThreadArchived",
    {
        "host": 'str',
        "threadId": 'str',
    },
)

# The thread `forkId` was made of another's past, up to `lastTurnId`; all of it, if null.
ThreadForked = TypedDict(
    "ThreadForked",
    {
        "host": 'str',
        "threadId": 'str',
        "forkId": 'str',
        "lastTurnId": 'str | None',
    },
)

# Somebody gave a thread of a host's agent a name.
ThreadRenamed = TypedDict(
    "ThreadRenamed",
    {
        "host": 'str',
        "threadId": 'str',
        "name": 'str',
    },
)

# A thread forgot the turn `beforeTurnId` and all that followed it. Files stayed.
ThreadReverted = TypedDict(
    "ThreadReverted",
    {
        "host": 'str',
        "threadId": 'str',
        "beforeTurnId": 'str',
    },
)

# An archived thread was brought back.
ThreadUnarchived = TypedDict(
    "ThreadUnarchived",
    {
        "host": 'str',
        "threadId": 'str',
    },
)

# A thread was deleted for good. What its sessions said and did is kept here.
ThreadWasDeleted = TypedDict(
    "ThreadWasDeleted",
    {
        "host": 'str',
        "threadId": 'str',
    },
)

# A tool of an MCP server is called, and nobody is asked: `setting` of Codex's user says so.
ToolUnasked = TypedDict(
    "ToolUnasked",
    {
        "itemId": 'str',
        "server": 'str',
        "tool": 'str',
        "setting": 'str',
        "agentId": 'NotRequired[int]',
    },
)

# A message that an actor took in hand. Times are in seconds, to the millisecond.
TraceRecordShown = TypedDict(
    "TraceRecordShown",
    {
        "message": 'str',
        "asked": 'bool',
        "takenAt": 'float',
        "waited": 'float',
        "took": 'float',
        "outcome": 'Outcome',
    },
)

# Its transcript was removed, as it is older, or there is more, than is kept.
TranscriptRemoved = TypedDict(
    "TranscriptRemoved",
    {
        "days": 'int | None',
        "bytes": 'NotRequired[int | None]',
    },
)

# A person waits no longer for a turn that may still run on a host that does not come back.
TurnAbandoned = TypedDict(
    "TurnAbandoned",
    {
        "host": 'str',
    },
)

# A turn that Codex began past Command Center is the session's from now on.
TurnAdopted = TypedDict(
    "TurnAdopted",
    {
        "threadId": 'str',
        "turnId": 'str',
        "cause": 'Literal["command", "goal", "message", "unknown"]',
    },
)

# Codex went on by itself for the session's goal; this is its turn of that `number`.
TurnBegan = TypedDict(
    "TurnBegan",
    {
        "turnId": 'str',
        "number": 'int',
    },
)

# A turn had begun and ended past Command Center before it could be let in or refused.
TurnFound = TypedDict(
    "TurnFound",
    {
        "threadId": 'str',
        "turnId": 'str',
        "cause": 'Literal["command", "goal", "message", "unknown"]',
        "outcome": 'str',
        "agentId": 'NotRequired[int]',
    },
)

# A turn that no session began is interrupted; `reason` says why.
TurnRefused = TypedDict(
    "TurnRefused",
    {
        "threadId": 'str',
        "turnId": 'str',
        "reason": 'str',
    },
)

# A turn that was given up when its session ended no longer runs.
TurnSettled = TypedDict(
    "TurnSettled",
    {
        "interrupted": 'bool',
    },
)

# A picture or a text for Codex was sent, and is kept.
UploadCreated = TypedDict(
    "UploadCreated",
    {
        "uploadId": 'int',
        "name": 'str',
        "mediaType": 'str',
        "size": 'int',
    },
)

# It is kept no more: somebody deleted it, or nothing needed it for a day (`unused`).
UploadDeleted = TypedDict(
    "UploadDeleted",
    {
        "uploadId": 'int',
        "name": 'str',
        "reason": 'Literal["deleted", "unused"]',
    },
)

# Tokens used by the whole thread so far, as totals, not to be summed; only live.
UsageShown = TypedDict(
    "UsageShown",
    {
        "total": 'NotRequired[Mapping[str, Any]]',
        "last": 'NotRequired[Mapping[str, Any]]',
        "modelContextWindow": 'NotRequired[int | None]',
        "agents": 'NotRequired[Mapping[str, Any]]',
        "tokenBaseline": 'int',
    },
)

# Events of these types are sent to `origin` from now on.
WebhookCreated = TypedDict(
    "WebhookCreated",
    {
        "id": 'int',
        "origin": 'str',
        "types": 'list[str]',
    },
)

# Nothing is sent there any more.
WebhookDeleted = TypedDict(
    "WebhookDeleted",
    {
        "id": 'int',
        "origin": 'str',
    },
)

# It failed for a day, or said that it is gone; it waits to be resumed. `reason` says why.
WebhookPaused = TypedDict(
    "WebhookPaused",
    {
        "id": 'int',
        "origin": 'str',
        "reason": 'str',
        "failingSince": 'str',
    },
)

# The next event that is sent is the first of its types after the event `after`.
WebhookReplayed = TypedDict(
    "WebhookReplayed",
    {
        "id": 'int',
        "after": 'int',
    },
)

# Somebody had a test sent, which is this event.
WebhookTested = TypedDict(
    "WebhookTested",
    {
        "id": 'int',
    },
)

# It was changed, paused or resumed; `changed` names the fields.
WebhookUpdated = TypedDict(
    "WebhookUpdated",
    {
        "id": 'int',
        "origin": 'str',
        "changed": 'list[str]',
    },
)

# Work that a session left was committed; `commit` says where and how much.
WorkCommitted = TypedDict(
    "WorkCommitted",
    {
        "commit": 'Committed',
    },
)

# Work that was not committed was taken away; it is kept as the commit `sha`.
WorkDiscarded = TypedDict(
    "WorkDiscarded",
    {
        "discardedId": 'int',
        "branchName": 'str | None',
        "headSha": 'str',
        "sha": 'str',
        "files": 'int',
    },
)

# Commits are on a branch of a remote.
WorkPushed = TypedDict(
    "WorkPushed",
    {
        "pushId": 'int',
        "remote": 'str',
        "address": 'str',
        "branchName": 'str',
        "sha": 'str',
        "commits": 'int',
    },
)

# Work that was discarded is on a branch again.
WorkRestored = TypedDict(
    "WorkRestored",
    {
        "discardedId": 'int',
        "branchName": 'str',
        "sha": 'str',
    },
)

# The files of a session's worktree were put back; `beforeId` is the snapshot that undoes it.
WorkRewound = TypedDict(
    "WorkRewound",
    {
        "snapshotId": 'int',
        "beforeId": 'int',
        "turnId": 'str | None',
        "path": 'str',
        "branchName": 'str | None',
        "headSha": 'str',
        "sha": 'str',
        "files": 'int',
    },
)

# A worktree was made, by a person or for a run, or again where another client needs it.
WorktreeAdded = TypedDict(
    "WorktreeAdded",
    {
        "path": 'str',
        "branchName": 'str | None',
        "headSha": 'str | None',
        "included": 'NotRequired[list[str]]',
        "includedCount": 'NotRequired[int]',
        "force": 'NotRequired[bool]',
    },
)

# A worktree's branch was merged.
WorktreeMerged = TypedDict(
    "WorktreeMerged",
    {
        "path": 'str',
        "merge": 'MergeResult',
    },
)

# Git forgot a worktree whose folder is gone.
WorktreePruned = TypedDict(
    "WorktreePruned",
    {
        "path": 'str',
        "branchName": 'str | None',
        "headSha": 'str | None',
        "force": 'bool',
    },
)

# A worktree was removed; `force` says that it was removed with its changes.
WorktreeRemoved = TypedDict(
    "WorktreeRemoved",
    {
        "path": 'str',
        "branchName": 'str | None',
        "headSha": 'str | None',
        "force": 'bool',
    },
)

# List the machines that repositories lie on, by name.
ListHostsQuery = TypedDict(
    "ListHostsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# Have a machine as a host no longer; what lies on it stays there.
RemoveHostQuery = TypedDict(
    "RemoveHostQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# List the repositories.
ListRepositoriesQuery = TypedDict(
    "ListRepositoriesQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# Look for repositories in the home folder of the server's user, for a second.
FindRepositoriesQuery = TypedDict(
    "FindRepositoriesQuery",
    {
        "after": 'NotRequired[str]',
    },
)

# Forget a repository and what was done in it, its events, too, if `history` is asked for.
DeleteRepositoryQuery = TypedDict(
    "DeleteRepositoryQuery",
    {
        "requestedBy": 'NotRequired[str]',
        "history": 'NotRequired[bool]',
    },
)

# List a repository's worktrees.
ListWorktreesQuery = TypedDict(
    "ListWorktreesQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# Remove a worktree.
RemoveWorktreeQuery = TypedDict(
    "RemoveWorktreeQuery",
    {
        "requestedBy": 'NotRequired[str]',
        "path": 'str',
        "force": 'NotRequired[bool]',
    },
)

# Show what a worktree changed.
DiffWorktreeQuery = TypedDict(
    "DiffWorktreeQuery",
    {
        "path": 'NotRequired[str]',
        "base": 'NotRequired[str]',
        "limit": 'NotRequired[int]',
    },
)

# List the tasks, the newest first.
ListTasksQuery = TypedDict(
    "ListTasksQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "query": 'NotRequired[str]',
        "repositoryId": 'NotRequired[int]',
        "status": 'NotRequired[list[Literal["blocked", "cancelled", "completed", "failed", "interrupted", "open", "queued", "running", "stopped", "waiting_approval", "waiting_limit"]]]',
        "type": 'NotRequired[Literal["investigate_failure", "prompt_task", "repo_health_check", "review_task"]]',
        "priority": 'NotRequired[Literal["high", "low", "normal"]]',
        "automationId": 'NotRequired[int]',
    },
)

# List a task's sessions, the newest first.
ListTaskSessionsQuery = TypedDict(
    "ListTaskSessionsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# List a task's events.
ListTaskEventsQuery = TypedDict(
    "ListTaskEventsQuery",
    {
        "after": 'NotRequired[int]',
        "logId": 'NotRequired[str]',
        "type": 'NotRequired[list[str]]',
        "repositoryId": 'NotRequired[int]',
        "taskId": 'NotRequired[int]',
        "sessionId": 'NotRequired[int]',
        "approvalId": 'NotRequired[int]',
        "automationId": 'NotRequired[int]',
        "correlationId": 'NotRequired[str]',
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "since": 'NotRequired[str]',
        "until": 'NotRequired[str]',
        "newestFirst": 'NotRequired[bool]',
    },
)

# List the sessions, the newest first.
ListSessionsQuery = TypedDict(
    "ListSessionsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "query": 'NotRequired[str]',
        "repositoryId": 'NotRequired[int]',
        "taskId": 'NotRequired[int]',
        "type": 'NotRequired[Literal["investigate_failure", "prompt_task", "repo_health_check", "review_task"]]',
        "status": 'NotRequired[list[Literal["blocked", "completed", "created", "failed", "interrupted", "queued", "running", "starting", "stopped", "waiting_approval", "waiting_limit"]]]',
        "runner": 'NotRequired[Literal["app-server", "cli", "stub"]]',
        "archived": 'NotRequired[bool]',
        "diff": 'NotRequired[bool]',
    },
)

# List a session's events.
ListSessionEventsQuery = TypedDict(
    "ListSessionEventsQuery",
    {
        "after": 'NotRequired[int]',
        "logId": 'NotRequired[str]',
        "type": 'NotRequired[list[str]]',
        "repositoryId": 'NotRequired[int]',
        "taskId": 'NotRequired[int]',
        "sessionId": 'NotRequired[int]',
        "approvalId": 'NotRequired[int]',
        "automationId": 'NotRequired[int]',
        "correlationId": 'NotRequired[str]',
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "since": 'NotRequired[str]',
        "until": 'NotRequired[str]',
        "newestFirst": 'NotRequired[bool]',
    },
)

# List a session's transcript, or that of a sub-agent of it.
ListItemsQuery = TypedDict(
    "ListItemsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "newestFirst": 'NotRequired[bool]',
        "agentId": 'NotRequired[int]',
    },
)

# List the sub-agents that work for a session, each after the one that started it.
ListAgentsQuery = TypedDict(
    "ListAgentsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "diff": 'NotRequired[bool]',
    },
)

# Show a session's diff, a long one piece by piece.
GetDiffQuery = TypedDict(
    "GetDiffQuery",
    {
        "cursor": 'NotRequired[str]',
    },
)

# List the open issues of a repository at GitHub, the newest first.
ListIssuesQuery = TypedDict(
    "ListIssuesQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "label": 'NotRequired[str]',
    },
)

# List the files that a session has changed.
ListChangesQuery = TypedDict(
    "ListChangesQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "against": 'NotRequired[Literal["base", "commit", "viewed"]]',
    },
)

# Show what a session has changed in a file, page by page.
ShowPatchQuery = TypedDict(
    "ShowPatchQuery",
    {
        "path": 'str',
        "previousPath": 'NotRequired[str]',
        "against": 'NotRequired[Literal["base", "commit", "viewed"]]',
        "context": 'NotRequired[int]',
        "ignoreSpace": 'NotRequired[bool]',
        "cursor": 'NotRequired[str]',
    },
)

# Show a picture that a session has changed, as it was or as it is.
ShowPictureQuery = TypedDict(
    "ShowPictureQuery",
    {
        "path": 'str',
        "side": 'NotRequired[Literal["after", "before"]]',
    },
)

# List what was discarded of the work in a repository, the newest first.
ListDiscardedQuery = TypedDict(
    "ListDiscardedQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# List what the files of a session's worktree were, the newest first.
ListSnapshotsQuery = TypedDict(
    "ListSnapshotsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# Show a folder or a file of a repository's main checkout, page by page.
ListRepositoryFilesQuery = TypedDict(
    "ListRepositoryFilesQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "path": 'NotRequired[str]',
    },
)

# Find files of a repository's main checkout by name, or by a text in them.
SearchRepositoryFilesQuery = TypedDict(
    "SearchRepositoryFilesQuery",
    {
        "query": 'NotRequired[str]',
        "searched": 'NotRequired[Literal["names", "text"]]',
        "limit": 'NotRequired[int]',
    },
)

# Show a folder or a file where a session works, page by page.
ListSessionFilesQuery = TypedDict(
    "ListSessionFilesQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "path": 'NotRequired[str]',
    },
)

# Find files by name, or by a text in them, where a session works.
SearchSessionFilesQuery = TypedDict(
    "SearchSessionFilesQuery",
    {
        "query": 'NotRequired[str]',
        "searched": 'NotRequired[Literal["names", "text"]]',
        "limit": 'NotRequired[int]',
    },
)

# Delete a prompt that was saved for a repository.
DeletePromptQuery = TypedDict(
    "DeletePromptQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# List the terminals that people have where sessions work.
ListOpenTerminalsQuery = TypedDict(
    "ListOpenTerminalsQuery",
    {
        "host": 'NotRequired[str]',
    },
)

# End a terminal, whoever has it; the others are answered.
CloseTerminalQuery = TypedDict(
    "CloseTerminalQuery",
    {
        "host": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str]',
    },
)

# List the pushes of a session, the newest first.
ListPushesQuery = TypedDict(
    "ListPushesQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# List the pull requests of a session's task, the newest first.
ListPullRequestsQuery = TypedDict(
    "ListPullRequestsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# Merge a pull request no more by itself, though that was asked or agreed to.
CallOffMergeQuery = TypedDict(
    "CallOffMergeQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# List the comments on the work of a session's task, with their places in the files now.
ListCommentsQuery = TypedDict(
    "ListCommentsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "status": 'NotRequired[Literal["cancelled", "open", "sent"]]',
    },
)

# Take a comment back.
CancelCommentQuery = TypedDict(
    "CancelCommentQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# List the follow-ups of a session's task.
ListFollowupsQuery = TypedDict(
    "ListFollowupsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "status": 'NotRequired[Literal["cancelled", "pending", "sent"]]',
    },
)

# Take a follow-up back.
CancelFollowupQuery = TypedDict(
    "CancelFollowupQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# Send a picture or a text for Codex.
CreateUploadQuery = TypedDict(
    "CreateUploadQuery",
    {
        "name": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str]',
    },
)

# List what was sent, the newest first.
ListUploadsQuery = TypedDict(
    "ListUploadsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# Delete an upload that nothing needs any more.
DeleteUploadQuery = TypedDict(
    "DeleteUploadQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# Show the whole of a session's field, piece by piece.
GetSessionTextQuery = TypedDict(
    "GetSessionTextQuery",
    {
        "cursor": 'NotRequired[str]',
        "field": 'Literal["diff", "exitReason", "goal", "lastMessage", "plan", "result"]',
    },
)

# Show the whole of an item of a transcript as JSON, piece by piece.
GetItemTextQuery = TypedDict(
    "GetItemTextQuery",
    {
        "cursor": 'NotRequired[str]',
        "itemId": 'str',
        "field": 'NotRequired[Literal["body"]]',
    },
)

# Show the whole of a sub-agent's field, piece by piece.
GetAgentTextQuery = TypedDict(
    "GetAgentTextQuery",
    {
        "cursor": 'NotRequired[str]',
        "field": 'Literal["diff", "lastMessage", "prompt"]',
    },
)

# Show the whole of an approval's field, piece by piece.
GetApprovalTextQuery = TypedDict(
    "GetApprovalTextQuery",
    {
        "cursor": 'NotRequired[str]',
        "field": 'Literal["codexRequest", "details", "title"]',
    },
)

# Show the whole of an event's data as JSON, piece by piece.
GetEventTextQuery = TypedDict(
    "GetEventTextQuery",
    {
        "cursor": 'NotRequired[str]',
        "field": 'NotRequired[Literal["data"]]',
    },
)

# List the approvals, the newest first.
ListApprovalsQuery = TypedDict(
    "ListApprovalsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "status": 'NotRequired[Literal["answered_elsewhere", "approved", "cancelled", "expired", "pending", "rejected"]]',
        "kind": 'NotRequired[Literal["command", "elicitation", "file_change", "manual", "merge", "permissions", "push", "run", "setup", "trust", "user_input"]]',
        "repositoryId": 'NotRequired[int]',
        "taskId": 'NotRequired[int]',
        "sessionId": 'NotRequired[int]',
    },
)

# List what is always allowed in a repository, the newest first.
ListRulesQuery = TypedDict(
    "ListRulesQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# Have what a rule allowed asked about again.
DeleteRuleQuery = TypedDict(
    "DeleteRuleQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# List the automations, the newest first.
ListAutomationsQuery = TypedDict(
    "ListAutomationsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "repositoryId": 'NotRequired[int]',
        "enabled": 'NotRequired[bool]',
    },
)

# Take an automation away.
DeleteAutomationQuery = TypedDict(
    "DeleteAutomationQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# List what became of an automation's due times, the newest first.
ListAutomationRunsQuery = TypedDict(
    "ListAutomationRunsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "outcome": 'NotRequired[Literal["completed", "denied", "failed", "interrupted", "invalid", "missed", "refused", "skipped", "started", "stopped"]]',
        "trigger": 'NotRequired[Literal["catch_up", "event", "hook", "manual", "schedule"]]',
    },
)

# List automations to begin from.
ListTemplatesQuery = TypedDict(
    "ListTemplatesQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# Show the next due times of a schedule.
PreviewScheduleQuery = TypedDict(
    "PreviewScheduleQuery",
    {
        "scheduleExpr": 'str',
        "timezone": 'NotRequired[str]',
        "count": 'NotRequired[int]',
    },
)

# Take an automation's hook away.
RemoveHookQuery = TypedDict(
    "RemoveHookQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# Tell how the bridge to the Codex of a host is.
BridgeHealthQuery = TypedDict(
    "BridgeHealthQuery",
    {
        "host": 'NotRequired[str]',
    },
)

# List the threads that the app-server has in memory.
ListLoadedThreadsQuery = TypedDict(
    "ListLoadedThreadsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "host": 'NotRequired[str]',
    },
)

# Find what was said in stored threads that nobody began here, by its words.
SearchThreadsQuery = TypedDict(
    "SearchThreadsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "q": 'str',
        "host": 'NotRequired[str]',
    },
)

# List the threads that Codex has stored.
ListThreadsQuery = TypedDict(
    "ListThreadsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "host": 'NotRequired[str]',
        "query": 'NotRequired[str]',
        "archived": 'NotRequired[bool]',
    },
)

# Show a thread.
GetThreadQuery = TypedDict(
    "GetThreadQuery",
    {
        "host": 'NotRequired[str]',
    },
)

# Delete a thread for good.
DeleteThreadQuery = TypedDict(
    "DeleteThreadQuery",
    {
        "host": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str]',
    },
)

# List the turns of a thread, the newest first; nothing is loaded or prompted.
ListThreadTurnsQuery = TypedDict(
    "ListThreadTurnsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "host": 'NotRequired[str]',
        "items": 'NotRequired[bool]',
    },
)

# List the commands that a thread's turns have left running.
ListTerminalsQuery = TypedDict(
    "ListTerminalsQuery",
    {
        "host": 'NotRequired[str]',
    },
)

# End a command that a thread's turns have left running.
EndTerminalQuery = TypedDict(
    "EndTerminalQuery",
    {
        "host": 'NotRequired[str]',
        "requestedBy": 'NotRequired[str]',
    },
)

# List the models that Codex offers.
ListModelsQuery = TypedDict(
    "ListModelsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "host": 'NotRequired[str]',
    },
)

# Tell who is signed in to the Codex of a host.
ReadAccountQuery = TypedDict(
    "ReadAccountQuery",
    {
        "host": 'NotRequired[str]',
    },
)

# Tell how much of the account's plan is used, and when it resets.
ReadLimitsQuery = TypedDict(
    "ReadLimitsQuery",
    {
        "host": 'NotRequired[str]',
    },
)

# List the MCP servers of Codex's user, with their tools; Codex starts them for that.
ListMcpServersQuery = TypedDict(
    "ListMcpServersQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "host": 'NotRequired[str]',
    },
)

# List the skills, plugins, hooks and permission profiles of Codex, with what they run.
ListExtensionsQuery = TypedDict(
    "ListExtensionsQuery",
    {
        "host": 'NotRequired[str]',
        "repositoryId": 'NotRequired[int]',
    },
)

# List the durable log.
ListEventsQuery = TypedDict(
    "ListEventsQuery",
    {
        "after": 'NotRequired[int]',
        "logId": 'NotRequired[str]',
        "type": 'NotRequired[list[str]]',
        "repositoryId": 'NotRequired[int]',
        "taskId": 'NotRequired[int]',
        "sessionId": 'NotRequired[int]',
        "approvalId": 'NotRequired[int]',
        "automationId": 'NotRequired[int]',
        "correlationId": 'NotRequired[str]',
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "since": 'NotRequired[str]',
        "until": 'NotRequired[str]',
        "newestFirst": 'NotRequired[bool]',
    },
)

# Find what was said and done in sessions, by its words.
SearchQuery = TypedDict(
    "SearchQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
        "q": 'str',
        "sessionId": 'NotRequired[int]',
        "repositoryId": 'NotRequired[int]',
    },
)

# Sum up the last hours or days in numbers.
SummaryQuery = TypedDict(
    "SummaryQuery",
    {
        "window": 'NotRequired[str]',
        "repositoryId": 'NotRequired[int]',
    },
)

# Show an actor.
GetActorQuery = TypedDict(
    "GetActorQuery",
    {
        "stack": 'NotRequired[bool]',
    },
)

# Show the line that gives a setting a value, once that value is right; nothing is changed.
ShowSettingLineQuery = TypedDict(
    "ShowSettingLineQuery",
    {
        "name": 'str',
        "value": 'NotRequired[str]',
    },
)

# List the devices.
ListDevicesQuery = TypedDict(
    "ListDevicesQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# Revoke a device: it is let in no more, and its open streams end.
RevokeDeviceQuery = TypedDict(
    "RevokeDeviceQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# List the passkeys of the device; all of them for who has `admin`.
ListPasskeysQuery = TypedDict(
    "ListPasskeysQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# Let a passkey sign in no more.
RemovePasskeyQuery = TypedDict(
    "RemovePasskeyQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# List the browsers of the device that are told; all of them for who needs to be none.
ListPushSubscriptionsQuery = TypedDict(
    "ListPushSubscriptionsQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# Tell a browser no more.
DeletePushSubscriptionQuery = TypedDict(
    "DeletePushSubscriptionQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# List the webhooks.
ListWebhooksQuery = TypedDict(
    "ListWebhooksQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

# Send nothing there any more.
DeleteWebhookQuery = TypedDict(
    "DeleteWebhookQuery",
    {
        "requestedBy": 'NotRequired[str]',
    },
)

# List what was sent to a webhook, the newest first.
ListWebhookDeliveriesQuery = TypedDict(
    "ListWebhookDeliveriesQuery",
    {
        "limit": 'NotRequired[int]',
        "cursor": 'NotRequired[str]',
    },
)

EVENT_DATA = {
    "repo.created": "RepositoryRegistered",
    "repo.updated": "RepositoryUpdated",
    "repo.scanned": "RepositoryScanned",
    "repo.deleted": "RepositoryForgotten",
    "repo.setup.trusted": "SetupTrusted",
    "repo.codex_config.trusted": "ConfigurationTrusted",
    "worktree.created": "WorktreeAdded",
    "worktree.removed": "WorktreeRemoved",
    "worktree.pruned": "WorktreePruned",
    "session.changes.viewed": "FilesViewed",
    "session.committed": "WorkCommitted",
    "session.message.asked": "CommitMessageAsked",
    "session.conflicts.marked": "ConflictsMarked",
    "session.discarded": "WorkDiscarded",
    "session.restored": "WorkRestored",
    "session.snapshot.failed": "SnapshotFailed",
    "session.rewound": "WorkRewound",
    "session.push.requested": "PushRequested",
    "session.pushed": "WorkPushed",
    "session.push.failed": "PushFailed",
    "worktree.merged": "WorktreeMerged",
    "prompt.saved": "PromptSaved",
    "prompt.deleted": "PromptDeleted",
    "session.pull_request.requested": "PullRequestRequested",
    "session.pull_request.opened": "PullRequestOpened",
    "session.pull_request.failed": "PullRequestFailed",
    "session.pull_request.updated": "PullRequestChanged",
    "session.pull_request.news": "PullRequestNews",
    "session.pull_request.merge.requested": "MergeRequested",
    "session.pull_request.merge.settled": "MergeSettled",
    "task.created": "TaskCreated",
    "task.updated": "TaskUpdated",
    "task.cancelled": "TaskCancelled",
    "session.created": "SessionCreated",
    "session.placed": "SessionPlaced",
    "session.queued": "SessionQueued",
    "session.waiting_limit": "SessionWaitingLimit",
    "session.starting": "SessionStarting",
    "session.started": "SessionStarted",
    "session.waiting_approval": "SessionWaiting",
    "session.resumed": "SessionResumed",
    "session.completed": "SessionCompleted",
    "session.failed": "SessionFailed",
    "session.stopped": "SessionHalted",
    "session.interrupted": "SessionInterrupted",
    "session.blocked": "SessionBlocked",
    "session.codex_config": "ConfigurationWeighed",
    "session.item": "SessionItem",
    "session.item.cut_off": "ItemCutOff",
    "session.agent.started": "AgentStarted",
    "session.agent.ended": "AgentEnded",
    "session.commands.left": "CommandsLeft",
    "session.result": "SessionResult",
    "session.warning": "SessionWarning",
    "session.auto_review": "AutoReviewed",
    "session.command.unasked": "CommandUnasked",
    "session.tool.unasked": "ToolUnasked",
    "session.command.elsewhere": "CommandRunElsewhere",
    "session.command.outside": "CommandBegunOutside",
    "session.stalled": "SessionStalled",
    "session.request.refused": "RequestRefused",
    "session.comment.added": "CommentAdded",
    "session.comment.changed": "CommentChanged",
    "session.comment.cancelled": "CommentCancelled",
    "session.comments.sent": "CommentsSent",
    "session.comments.reopened": "CommentsReopened",
    "session.followup.queued": "FollowupQueued",
    "session.followup.changed": "FollowupChanged",
    "session.followup.cancelled": "FollowupCancelled",
    "session.sequel.refused": "SequelRefused",
    "session.steer.requested": "SteerRequested",
    "session.steer.acknowledged": "SteerAcknowledged",
    "session.steer.rejected": "SteerRejected",
    "session.stop.requested": "StopRequested",
    "session.turn.settled": "TurnSettled",
    "session.turn.abandoned": "TurnAbandoned",
    "session.renamed": "SessionRenamed",
    "session.archived": "SessionArchived",
    "session.unarchived": "SessionUnarchived",
    "session.turn.started": "TurnBegan",
    "session.goal.requested": "GoalRequested",
    "session.goal.updated": "GoalUpdated",
    "session.goal.cleared": "GoalCleared",
    "session.turn.adopted": "TurnAdopted",
    "session.turn.found": "TurnFound",
    "session.turn.refused": "TurnRefused",
    "session.start.delayed": "StartDelayed",
    "session.output.delta": "DeltaShown",
    "session.item.started": "ItemShown",
    "session.plan": "PlanShown",
    "session.diff": "DiffShown",
    "session.usage": "UsageShown",
    "session.terminal.opened": "ShellOpened",
    "session.terminal.closed": "ShellClosed",
    "approval.requested": "ApprovalRequested",
    "approval.expiring": "ApprovalExpiring",
    "approval.extended": "ApprovalExtended",
    "approval.resolved": "ApprovalResolved",
    "approval.expired": "ApprovalExpired",
    "approval.allowed": "ApprovalAllowed",
    "repo.rule.added": "RuleAdded",
    "repo.rule.removed": "RuleRemoved",
    "automation.created": "AutomationCreated",
    "automation.updated": "AutomationUpdated",
    "automation.deleted": "AutomationDeleted",
    "automation.fired": "AutomationFired",
    "automation.skipped": "AutomationSkipped",
    "automation.paused": "AutomationPaused",
    "backup.created": "BackupMade",
    "backup.failed": "BackupNotMade",
    "store.events.removed": "EventsRemoved",
    "repo.events.removed": "RepositoryEventsRemoved",
    "session.transcript.removed": "TranscriptRemoved",
    "store.large": "StoreLarge",
    "store.damaged": "StoreDamaged",
    "device.created": "DeviceCreated",
    "device.updated": "DeviceUpdated",
    "device.passkey.added": "PasskeyAdded",
    "device.passkey.removed": "PasskeyRemoved",
    "device.revoked": "DeviceRevoked",
    "webpush.subscribed": "PushSubscribed",
    "webpush.updated": "PushSubscriptionUpdated",
    "webpush.ended": "PushSubscriptionEnded",
    "notify.updated": "NotifyTargetUpdated",
    "webhook.created": "WebhookCreated",
    "webhook.updated": "WebhookUpdated",
    "webhook.replayed": "WebhookReplayed",
    "webhook.tested": "WebhookTested",
    "webhook.paused": "WebhookPaused",
    "webhook.deleted": "WebhookDeleted",
    "upload.created": "UploadCreated",
    "upload.deleted": "UploadDeleted",
    "account.sign_in_begun": "SignInBegun",
    "account.sign_in_failed": "SignInFailed",
    "account.signed_in": "SignedIn",
    "account.signed_out": "SignedOut",
    "thread.renamed": "ThreadRenamed",
    "thread.archived": "ThreadArchived",
    "thread.unarchived": "ThreadUnarchived",
    "thread.forked": "ThreadForked",
    "thread.reverted": "ThreadReverted",
    "thread.deleted": "ThreadWasDeleted",
    "thread.terminal.ended": "TerminalEnded",
    "mcp.sign_in_begun": "ServerSignInBegun",
    "mcp.signed_in": "ServerSignedIn",
    "mcp.sign_in_failed": "ServerSignInFailed",
    "skill.switched": "SkillSwitched",
    "host.added": "HostAdded",
    "host.removed": "HostRemoved",
    "host.connected": "HostConnected",
    "host.away": "HostAway",
    "host.enrolled": "HostEnrolled",
    "host.refused": "HostRefused",
    "host.draining": "HostDraining",
    "host.resumed": "HostResumed",
    "host.changed": "HostChanged",
    "lease.renewed": "LeaseRenewed",
    "lease.lost": "LeaseLost",
    "lease.reassigned": "LeaseReassigned",
    "lease.abandoned": "LeaseGivenUp",
    "lease.work.found": "LeftWorkFound",
    "limits.changed": "LimitsChanged",
    "limits.near": "LimitNears",
    "limits.reached": "LimitReached",
    "limits.reset": "LimitReset",
    "limits.cap": "CapReached",
    "limits.rules_changed": "SpendingChanged",
    "clock.jumped": "ClockMoved",
    "bridge.connected": "BridgeFound",
    "bridge.lost": "BridgeGone",
    "bridge.unavailable": "BridgeMissing",
    "bridge.warning": "BridgeWarning",
    "bridge.unknown": "BridgeUnknownMet",
    "actor.crashed": "ActorFailed",
    "actor.restarted": "ActorStartedAgain",
    "actor.quarantined": "ActorQuarantined",
    "actor.abandoned": "ActorAbandoned",
    "actor.stalled": "ActorStalled",
    "actor.suspended": "ActorSuspended",
    "actor.resumed": "ActorResumed",
    "actor.drained": "ActorDrained",
    "actor.stopped": "ActorHalted",
    "telegram.chat.migrated": "ChatMigrated",
    "telegram.chat.unreachable": "ChatUnreachable",
    "inbox.marked": "InboxMarked",
    "stream.opened": "StreamOpened",
    "stream.resumed": "StreamResumed",
    "event.damaged": "EventDamaged",
    "event.removed": "EventRemoved",
}
