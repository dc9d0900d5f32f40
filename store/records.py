"""The records: what is stored, and, in camelCase, exactly what the API shows.

A record is a frozen snapshot of a row. Timestamps are RFC 3339 in UTC with milliseconds
(``2025-01-31T07:05:09.120Z``), ids are integers, and a nested value is plain JSON. A field with
a default may be left out when a record is made; ``id``, ``created_at`` and ``updated_at`` are
always the store's to set.
"""

from typing import Any, Final, Literal, TypeAlias

import msgspec

from command_center.store.timestamps import Timestamp

Priority: TypeAlias = Literal["low", "normal", "high"]

TaskType: TypeAlias = Literal[
    "prompt_task", "review_task", "repo_health_check", "investigate_failure"
]

TaskStatus: TypeAlias = Literal[
    "open",
    "queued",
    "waiting_limit",
    "running",
    "waiting_approval",
    "blocked",
    "completed",
    "failed",
    "stopped",
    "interrupted",
    "cancelled",
]

SessionStatus: TypeAlias = Literal[
    "created",
    "blocked",
    "queued",
    "waiting_limit",
    "starting",
    "running",
    "waiting_approval",
    "completed",
    "failed",
    "stopped",
    "interrupted",
]

Sandbox: TypeAlias = Literal["read-only", "workspace-write", "danger-full-access"]

Runner: TypeAlias = Literal["app-server", "cli", "stub"]

PushKind: TypeAlias = Literal[
    "approvals",
    "questions",
    "warnings",
    "sessions",
    "interrupted",
    "limits",
    "automations",
    "system",
]

ApprovalKind: TypeAlias = Literal[
    "run",
    "trust",
    "setup",
    "push",
    "merge",
    "command",
    "file_change",
    "permissions",
    "user_input",
    "elicitation",
    "manual",
]

CodexConfig: TypeAlias = Literal["ignore", "ask"]

Reviewer: TypeAlias = Literal["user", "auto"]

NewsAnswer: TypeAlias = Literal["tell", "follow_up"]
"""The thing that is done about news of a pull request: people are told, or its task goes on."""

MergeWhen: TypeAlias = Literal["asked", "checks_pass"]
"""The time at which a person is asked to merge a pull request: by hand, or once its checks pass."""

WhenLimited: TypeAlias = Literal["wait", "skip"]
"""The fate of a run that meets a limit: it goes on once that resets, or is left out."""

Workplace: TypeAlias = Literal["worktree", "main_checkout"]

ApprovalStatus: TypeAlias = Literal[
    "pending", "approved", "rejected", "expired", "answered_elsewhere", "cancelled"
]

ApprovalScope: TypeAlias = Literal["once", "session"]

Scope: TypeAlias = Literal["read", "work", "approve", "land", "operate", "admin"]
"""One kind of thing that a device may do; none contains another."""

AutomationTrigger: TypeAlias = Literal["schedule", "catch_up", "manual"]

AutomationOutcome: TypeAlias = Literal[
    "started",
    "completed",
    "failed",
    "stopped",
    "interrupted",
    "refused",
    "denied",
    "invalid",
    "skipped",
    "missed",
]


LOCAL: Final = "local"
"""The host that is this machine."""


class Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A row of a table."""

    id: int
    created_at: Timestamp
    updated_at: Timestamp


class Repository(Record, frozen=True, kw_only=True, rename="camel"):
    """A git repository on a host, and what a session in it may do.

    Attributes:
        host: whose disk ``local_path`` is on; ``local`` is this machine.
        codex_config: whether its own files may configure Codex, where a person trusts them.
        reviewer: who decides what Codex asks in it: a person, or a model of Codex.
        workplace: where a run works that changes something and names no place.
        allow_push: whether a push needs no approval, to one of ``push_addresses``.
        push_addresses: the addresses of its remotes when somebody allowed that.
        on_checks_failed: what is done where checks of a pull request fail.
        on_review: what is done where a reviewer wants changes.
        forge_followups: turns that one pull request may lead to in that way.
        merge_when: when a person is asked whether a pull request is merged.
        issue_label: the label by which an open issue becomes a task; None where none does.
        issue_approval: whether a task that is made of an issue needs a person's approval.
        sign_commits: whether commits that are made here are signed, with the user's own key.
        run_defaults: choices about the model, for runs that say nothing else.
        caps: of what its runs may use in a day.
        facts: what the last scan saw beside the columns: remotes, worktrees, languages, ….
        scanned_at: when that scan was; None before the first.
    """

    name: str
    host: str = LOCAL
    local_path: str
    allow_write: bool = False
    allow_network: bool = False
    allow_commit: bool = False
    require_worktree: bool = False
    default_branch: str | None = None
    current_branch: str | None = None
    head_sha: str | None = None
    is_dirty: bool | None = None
    ahead: int | None = None
    behind: int | None = None
    facts: dict[str, Any] = msgspec.field(default_factory=dict)
    scanned_at: Timestamp | None = None
    codex_config: CodexConfig = "ignore"
    reviewer: Reviewer = "user"
    workplace: Workplace = "main_checkout"
    allow_push: bool = False
    push_addresses: list[str] = []
    on_checks_failed: NewsAnswer = "tell"
    on_review: NewsAnswer = "tell"
    forge_followups: int = 3
    issue_label: str | None = None
    issue_approval: bool = True
    merge_when: MergeWhen = "asked"
    sign_commits: bool = False
    run_defaults: dict[str, Any] = msgspec.field(default_factory=dict)
    caps: dict[str, Any] = msgspec.field(default_factory=dict)


class Task(Record, frozen=True, kw_only=True, rename="camel"):
    """A task: work that somebody wants done in a repository. Each run of it is a session.

    Attributes:
        status: follows the newest session; ``open`` before the first.
        on_interrupt: what to do with a session that a restart of the server cut off.
        max_attempts: sessions that one run may use, retries included.
        turn_limit: sessions that the task may have in all; None for any number.
        token_budget: tokens that all its sessions may use together; None for any number.
        codex_thread_id: the thread that the task's sessions continue.
        on_checks_failed: as a repository's, and so ``on_review``, ``forge_followups`` and
            ``merge_when``; None where the repository's counts.
        run_defaults: as a repository's, and before it.
    """

    repository_id: int
    type: TaskType = "prompt_task"
    title: str
    prompt: str
    priority: Priority = "normal"
    approval_required: bool = False
    requested_by: str
    status: TaskStatus = "open"
    on_interrupt: Literal["stop", "continue"] = "stop"
    max_attempts: int = 1
    turn_limit: int | None = None
    token_budget: int | None = None
    codex_thread_id: str | None = None
    automation_id: int | None = None
    correlation_id: str
    causation_id: int | None = None
    on_checks_failed: NewsAnswer | None = None
    on_review: NewsAnswer | None = None
    forge_followups: int | None = None
    merge_when: MergeWhen | None = None
    run_defaults: dict[str, Any] = msgspec.field(default_factory=dict)


class Session(Record, frozen=True, kw_only=True, rename="camel"):
    """One run of a task.

    Attributes:
        codex_ref: ``app-server:<thread>:<turn>``, ``cli:<thread>`` or ``stub:<n>``.
        wait_reason: what a session waits for that is queued, or whose turn does not begin.
        waits_for: the session that it waits for; None where it is none in particular.
        workplace: whether it works in a worktree or in the main checkout.
        worktree_reserved: whether its worktree is not made yet; ``worktree_path`` says where it
            will be, and nobody else gets that place.
        stop_requested: ``{reason, requestedBy, at}`` of the first stop.
        origin: what made it: a run of the task, a prompt to its thread, a follow-up, the retry or
            continuation of ``previous_session_id``, its going on once a limit resets, a turn that
            Codex had begun itself, or the wish to have its thread's history compacted.
        attempt: 1 for a first run, 2 for its first retry.
        begin_after: when a retry may begin; None for at once.
        token_budget: tokens that the session may use; None for any number.
        token_baseline: what to take from its thread's total for what the session has used: what the
            thread had used before it, less what the session's sub-agents have used.
        token_usage: of its thread, as Codex tells it; ``agents`` has the totals of its sub-agents.
        runner_instance: the life of the server in which it last began.
        type: what kind of turn it is: its task's type, or ``prompt_task`` where something else
            than the task is said, such as a follow-up.
        result: what a review found, or the report that was asked for; None without one.
        effort: how much the model is to think, where the run said so; and so how fast it is served
            (``service_tier``), whether it only plans, and in which style it speaks.
        past_limit: somebody had it go on before the limit that it waited for was known to reset.
        review: what is reviewed, ``{type, base, commit, sessionId}``: the work of that session, as
            ``uncommitted``, ``base``, ``commit`` or ``instructions`` says. None of any other.
        goal: what Codex pursues turn after turn, as it told last: ``{objective, status,
            tokenBudget, tokensUsed, timeUsedSeconds}``; None without one.
        turns: how many turns it has had; one, unless it has a goal.
        host: whose disk ``cwd`` is on: that of its repository.
        shortened: the fields that are longer than they are shown here.
        attachments: the uploads that it was given, with its prompt or while it ran:
            ``{id, name, file, mediaType}`` of each.
    """

    task_id: int
    repository_id: int
    status: SessionStatus = "created"
    runner: Runner
    codex_ref: str | None = None
    codex_thread_id: str | None = None
    codex_turn_id: str | None = None
    model: str | None = None
    sandbox: Sandbox
    allow_network: bool = False
    allow_commit: bool = False
    cwd: str
    worktree_path: str | None = None
    branch_name: str | None = None
    prompt: str
    priority: Priority = "normal"
    requested_by: str
    origin: Literal[
        "run", "prompt", "followup", "retry", "continue", "limit", "codex", "compact"
    ] = "run"
    previous_session_id: int | None = None
    attempt: int = 1
    begin_after: Timestamp | None = None
    token_budget: int | None = None
    token_baseline: int = 0
    wait_reason: str | None = None
    stop_requested: dict[str, Any] | None = None
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    exit_reason: str | None = None
    token_usage: dict[str, Any] | None = None
    last_message: str | None = None
    plan: dict[str, Any] | None = None
    diff: str | None = None
    runner_instance: str | None = None
    correlation_id: str
    causation_id: int | None = None
    type: TaskType = "prompt_task"
    result: dict[str, Any] | None = None
    goal: dict[str, Any] | None = None
    turns: int = 1
    host: str = LOCAL
    shortened: list[str] = []
    workplace: Workplace = "main_checkout"
    worktree_reserved: bool = False
    waits_for: int | None = None
    effort: str | None = None
    past_limit: bool = False
    service_tier: str | None = None
    collaboration_mode: str | None = None
    personality: str | None = None
    review: dict[str, Any] | None = None
    attachments: list[dict[str, Any]] = []


class Approval(Record, frozen=True, kw_only=True, rename="camel"):
    """A question to the operator, settled exactly once.

    Attributes:
        codex_request_id: the bridge's id of the request that the answer goes to.
        codex_request: that request, ``{method, params}``.
        scope: how far an approval reaches; None while pending or where it means nothing.
        answers: to the questions of a ``user_input`` or ``elicitation``.
        expires_at: from when on it can no longer be approved; None for never.
        delivered_at: when Codex had the answer.
        warned_at: when it was told that the deadline is near.
        shortened: the fields that are longer than they are shown here.
    """

    kind: ApprovalKind = "manual"
    status: ApprovalStatus = "pending"
    title: str
    details: dict[str, Any] = msgspec.field(default_factory=dict)
    repository_id: int | None = None
    task_id: int | None = None
    session_id: int | None = None
    codex_thread_id: str | None = None
    codex_turn_id: str | None = None
    codex_item_id: str | None = None
    codex_request_id: str | None = None
    codex_request: dict[str, Any] | None = None
    requested_by: str
    scope: ApprovalScope | None = None
    answers: dict[str, Any] | None = None
    expires_at: Timestamp | None = None
    resolved_at: Timestamp | None = None
    resolved_by: str | None = None
    resolution_note: str | None = None
    delivered_at: Timestamp | None = None
    correlation_id: str | None = None
    warned_at: Timestamp | None = None
    shortened: list[str] = []


AgentStatus = Literal["running", "completed", "failed", "interrupted"]
"""The status of a sub-agent's newest turn."""


class Agent(Record, frozen=True, kw_only=True, rename="camel"):
    """A sub-agent that works for a session, in a thread of its own.

    Attributes:
        thread_id: Codex's thread, in which it works.
        parent_id: the sub-agent that started it; None where the session's own thread did.
        parent_thread_id: the thread of whoever started it.
        path: its place in the tree of sub-agents, where Codex gives it one.
        name: what Codex calls it.
        prompt: what it was told to do, where Codex shows that.
        token_usage: of its thread, as Codex tells it.
        diff: what its newest turn has changed; None where it changed nothing.
        shortened: the fields that are longer than they are shown here.
    """

    session_id: int
    thread_id: str
    parent_id: int | None = None
    parent_thread_id: str
    path: str | None = None
    name: str | None = None
    model: str | None = None
    prompt: str | None = None
    status: AgentStatus = "running"
    last_message: str | None = None
    token_usage: dict[str, Any] | None = None
    diff: str | None = None
    finished_at: Timestamp | None = None
    shortened: list[str] = []


class Item(Record, frozen=True, kw_only=True, rename="camel"):
    """One entry of a session's transcript, such as a message or a command.

    ``session_id``, ``turn_id`` and ``item_id`` name it; ``body`` is Codex's item. ``agent_id`` is
    the sub-agent whose it is; None for the session's own. ``shortened`` names ``body`` where it is
    longer than it is shown here.
    """

    session_id: int
    turn_id: str
    item_id: str
    type: str
    status: str
    body: dict[str, Any] = msgspec.field(default_factory=dict)
    agent_id: int | None = None
    shortened: list[str] = []


class Followup(Record, frozen=True, kw_only=True, rename="camel"):
    """A message for a task's thread, to be sent when its turn has ended.

    Attributes:
        session_id: the session during which it was queued.
        sent_session_id: the session that it became; None until then.
        attachments: the uploads that go with it, as a session has them.
    """

    task_id: int
    session_id: int
    status: Literal["pending", "sent", "cancelled"] = "pending"
    message: str
    requested_by: str
    sent_session_id: int | None = None
    attachments: list[dict[str, Any]] = []


class Upload(Record, frozen=True, kw_only=True, rename="camel"):
    """A picture or a text that somebody sent for Codex.

    Attributes:
        name: what its sender calls it.
        file: its file in the folder of uploads, named by its hash.
        sha256: of what is kept, which may be less than what was sent.
        size: its bytes.
        width: pixels of a picture.
    """

    name: str
    file: str
    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp", "text/plain"]
    sha256: str
    size: int
    width: int | None = None
    height: int | None = None
    requested_by: str


class DiscardedWork(Record, frozen=True, kw_only=True, rename="camel"):
    """Work that a person discarded, kept as a commit for some time.

    Attributes:
        branch_name: the branch that was checked out; None where none was.
        head_sha: the commit that the work came after.
        sha: the commit that has it, which the ref ``refs/command-center/discarded/<sha>`` keeps.
        files: their number.
        status: ``kept`` before its files are taken back, then ``discarded``; ``expired`` once it is
            kept no longer.
        expires_at: until when it is kept.
    """

    repository_id: int
    session_id: int
    branch_name: str | None = None
    head_sha: str
    sha: str
    files: int
    status: Literal["kept", "discarded", "expired"] = "kept"
    requested_by: str
    expires_at: Timestamp


class Push(Record, frozen=True, kw_only=True, rename="camel"):
    """One commit on its way to a branch of a remote.

    Attributes:
        remote: its name.
        address: where it was when the push was asked for; that is where it goes.
        branch_name: the remote's branch.
        sha: the commit; it is pushed, wherever its own branch is by then.
        remote_sha: where the branch was there; None where there was none.
        lease: the commit that it replaces there, if it is forced: it must be there still.
        commits: those that the remote lacked.
        status: ``failed`` also where a person said no.
        approval_id: the approval that it waited for, if it needed one.
        problem: why it failed, or why no pull request follows, and what to do.
        pull_request: the pull request that is opened once it is pushed; None where none is wanted.
    """

    repository_id: int
    session_id: int
    remote: str
    address: str
    branch_name: str
    sha: str
    remote_sha: str | None = None
    lease: str | None = None
    commits: int
    status: Literal["waiting_approval", "pushing", "pushed", "failed"] = "pushing"
    approval_id: int | None = None
    problem: str | None = None
    requested_by: str
    finished_at: Timestamp | None = None
    pull_request: dict[str, Any] | None = None


ChecksState: TypeAlias = Literal["none", "pending", "passing", "failing"]

ReviewState: TypeAlias = Literal["none", "approved", "changes_requested"]


class PullRequest(Record, frozen=True, kw_only=True, rename="camel"):
    """A pull request of a session's branch, as its forge told of it last.

    Attributes:
        session_id: the session that it was opened for; it is its task's.
        host: the forge's, such as ``github.com``.
        project: the repository there: its owner and its name.
        base: the branch that it is to be merged into.
        status: ``opening`` until the forge has it. ``elsewhere`` has a ``url`` at which a person
            opens it. ``failed`` was not opened.
        head_sha: the commit that it ends with.
        checks: what all checks of that commit come to; ``check_runs`` are the single ones,
            a hundred at most, the worst first.
        review: what all reviews come to; ``reviews`` are the single ones, the last
            hundred.
        merge_state: whether it can be merged, in the forge's word.
        problem: why it was not opened, or not read, and what to do.
        read_at: when the forge was asked last and answered.
        followups: turns that its checks and reviews have led to.
        answered: the news about which something was done: ``checks:<commit>``, ``review:<id>``,
            ``merge:<commit>``.
        merge_when: ``checks_pass`` where a person agreed to that, for the commit ``merge_sha``.
        merge_approval_id: the approval that asked about it last.
    """

    repository_id: int
    task_id: int
    session_id: int
    host: str
    project: str
    branch_name: str
    base: str
    title: str
    body: str = ""
    is_draft: bool = False
    status: Literal["opening", "open", "merged", "closed", "failed", "elsewhere"] = "opening"
    number: int | None = None
    url: str | None = None
    head_sha: str
    checks: ChecksState = "none"
    check_runs: list[dict[str, Any]] = []
    review: ReviewState = "none"
    reviews: list[dict[str, Any]] = []
    merge_state: str | None = None
    problem: str | None = None
    requested_by: str
    read_at: Timestamp | None = None
    followups: int = 0
    answered: list[str] = []
    merge_when: Literal["checks_pass"] | None = None
    merge_method: Literal["merge", "squash", "rebase"] | None = None
    merge_sha: str | None = None
    merge_approval_id: int | None = None


CommentSide: TypeAlias = Literal["before", "after"]


class Comment(Record, frozen=True, kw_only=True, rename="camel"):
    """A remark on lines that a session has changed: of a person, or found by a review.

    Attributes:
        session_id: the session whose changes were looked at.
        side: whether the lines are those of the file before or after the change.
        line: the first one, from 1 on.
        end_line: the last one.
        quote: the lines as they were; empty where they were not read.
        status: ``open`` until it is sent or taken back.
        followup_id: the follow-up that has it, if one does.
        sent_session_id: the session that was told, where that is known already.
        steer_event_id: the event that asked for telling it to the running turn.
        review_session_id: the session whose review found it; None where a person said it.
    """

    task_id: int
    session_id: int
    path: str
    side: CommentSide
    line: int
    end_line: int
    text: str
    quote: str
    status: Literal["open", "sent", "cancelled"] = "open"
    requested_by: str
    followup_id: int | None = None
    sent_session_id: int | None = None
    steer_event_id: int | None = None
    review_session_id: int | None = None


class ViewedFile(Record, frozen=True, kw_only=True, rename="camel"):
    """A changed file that somebody has looked at, among the work of a task.

    Attributes:
        content: what git calls the content that was seen, or a mark of the diff where there was no
            more; empty for a file that was gone, None where the look does not count any more.
    """

    task_id: int
    path: str
    content: str | None


class Automation(Record, frozen=True, kw_only=True, rename="camel"):
    """A schedule that makes and runs tasks.

    Attributes:
        timezone: an IANA name; None for the server's.
        next_run_at: kept across restarts; None while not enabled.
        consecutive_failures: since the last success.
        paused_reason: why it was switched off by itself; None otherwise.
        last_outcome: an outcome of an ``AutomationRun``.
        deleted_at: kept for its tasks and runs, but no longer shown.
        when_limited: what becomes of a run where a limit of the agent's account is met.
    """

    repository_id: int
    title: str
    schedule_expr: str
    timezone: str | None = None
    enabled: bool = True
    missed_runs: Literal["run_once", "skip"] = "run_once"
    payload: dict[str, Any] = msgspec.field(default_factory=dict)
    next_run_at: Timestamp | None = None
    last_run_at: Timestamp | None = None
    last_outcome: str | None = None
    last_session_id: int | None = None
    consecutive_failures: int = 0
    paused_reason: str | None = None
    requested_by: str
    deleted_at: Timestamp | None = None
    when_limited: WhenLimited = "wait"


class AutomationRun(Record, frozen=True, kw_only=True, rename="camel"):
    """The outcome of a due time, or of a run by hand. A due time has at most one.

    Attributes:
        trigger: ``schedule``, ``catch_up`` for what was missed, or ``manual``.
        due_at: the due time; None for a run by hand.
        fired_at: when it was acted on, by the clock that the schedule follows.
        missed: how many due times passed without a run, or with no other run than this one.
        outcome: ``started`` until its session ends, then as that ended (``refused``: its approval
            was rejected or expired); ``denied``, ``invalid``, ``skipped`` or ``missed`` where
            there is no session.
        reason: a sentence where the outcome needs one.
        finished_at: when its session ended, or when it was settled without one.
    """

    automation_id: int
    trigger: AutomationTrigger
    due_at: Timestamp | None = None
    fired_at: Timestamp
    missed: int = 0
    outcome: AutomationOutcome
    reason: str | None = None
    task_id: int | None = None
    session_id: int | None = None
    finished_at: Timestamp | None = None


class TelegramUpdate(Record, frozen=True, kw_only=True, rename="camel"):
    """One update of the Bot API from somebody who is allowed, kept before Telegram is answered.

    Attributes:
        update_id: the Bot API's own number, so that a repeated update does nothing.
        body: the update as it came, secrets aside.
        status: ``received``, ``begun`` while it is acted on, ``again`` where that was cut off
            and is tried once more, then ``done``.
    """

    update_id: int
    body: dict[str, Any]
    status: Literal["received", "begun", "again", "done"] = "received"


class TelegramChat(Record, frozen=True, kw_only=True, rename="camel"):
    """A chat that the bot talks to, and the notices that its people want.

    Attributes:
        muted: kinds of messages that are not sent.
        quiet_hours: ``HH:MM-HH:MM``, in which messages come without a sound.
        silent_until: a timestamp up to which all messages come without a sound.
        waits_for: by user id, what that user's next text is the answer to.
        migrated_to: the chat that took this one's place.
        unreachable: why Telegram takes no message for it; None once it speaks again.
    """

    chat_id: int
    muted: list[str] = msgspec.field(default_factory=list)
    quiet_hours: str | None = None
    silent_until: Timestamp | None = None
    waits_for: dict[str, Any] = msgspec.field(default_factory=dict)
    migrated_to: int | None = None
    unreachable: str | None = None


class TelegramMessage(Record, frozen=True, kw_only=True, rename="camel"):
    """A message of the bot, from when it is decided on: the outbox, and what each message shows.

    Attributes:
        purpose: why it was written, such as ``approval`` or ``session``.
        content: its text in styled pieces, its buttons, and how it is sent.
        edits: the id of the message that this one changes; None for one of its own.
        message_id: the Bot API's number of it, once sent.
        attempts: how often it was tried.
        not_before: a timestamp before which it may not be tried again.
        error: why the last attempt failed.
    """

    chat_id: int
    purpose: str
    content: dict[str, Any]
    status: Literal["waiting", "sent", "failed"] = "waiting"
    edits: int | None = None
    approval_id: int | None = None
    session_id: int | None = None
    message_id: int | None = None
    attempts: int = 0
    not_before: Timestamp | None = None
    error: str | None = None


class TelegramButton(Record, frozen=True, kw_only=True, rename="camel"):
    """A button and what it does, known to Telegram by a nonce that is good once.

    Attributes:
        message: the id of the ``TelegramMessage`` that it is on.
        used_by: the update that pressed it.
    """

    nonce: str
    chat_id: int
    message: int
    approval_id: int | None = None
    action: dict[str, Any]
    used_by: int | None = None


class ChannelMark(Record, frozen=True, kw_only=True, rename="camel"):
    """A mark of progress in a queue: the event log, or Telegram's own."""

    name: str
    value: int


class Device(Record, frozen=True, kw_only=True, rename="camel"):
    """A device, or a script, that has a token or a cookie of its own. `device_tokens` has hashes.

    Attributes:
        scopes: each thing that it may do, in the order of `Scope`.
        expires_at: from when it is let in no more; None for never.
        is_paired: a code let it in, and it has a cookie alone.
        last_seen_at: when its last request came; None before the first.
        last_seen_from: the address from which that came.
    """

    name: str
    scopes: list[Scope]
    expires_at: Timestamp | None = None
    is_paired: bool = False
    last_seen_at: Timestamp | None = None
    last_seen_from: str | None = None


class Passkey(Record, frozen=True, kw_only=True, rename="camel"):
    """A passkey by which a device signs in.

    Attributes:
        host: the name of this server that it is for.
        credential_id: its name, which its authenticator gave it, in base64url.
        public_key: its public key as COSE has it, in base64url.
        sign_count: how often it has signed; 0 for one that does not count.
        last_used_at: when it signed in last.
    """

    device_id: int
    host: str
    credential_id: str
    public_key: str
    sign_count: int
    last_used_at: Timestamp | None = None


class PushSubscription(Record, frozen=True, kw_only=True, rename="camel"):
    """A browser that is told by a push service, as it was subscribed.

    Attributes:
        device_id: the device that it is of; None for who needs to be none.
        endpoint: where messages for it are left. Who knows it can send, but nothing it can read.
        p256dh: its public key, in base64url.
        auth: its secret, in base64url.
        kinds: of notices that it is told.
        quiet_hours: ``HH:MM-HH:MM``, in which it is told without a sound.
        time_zone: of the quiet hours; None for the server's.
        last_sent_at: when the push service last took a message.
        error: why it took the last one not; None where it did.
    """

    device_id: int | None = None
    endpoint: str
    p256dh: str
    auth: str
    kinds: list[PushKind]
    quiet_hours: str | None = None
    time_zone: str | None = None
    last_sent_at: Timestamp | None = None
    error: str | None = None


class PushMessage(Record, frozen=True, kw_only=True, rename="camel"):
    """A message for a browser, from when it is decided on until its push service has it.

    Attributes:
        purpose: the kind of notice; ``settled`` takes the one away that asked, ``test`` is a test.
        content: what it says.
        tag: what it is about, such as ``/approvals/7``: the page's own path.
        approval_id: the approval that it asks about, or that was settled.
        ends_at: from when it is no news any more, and is not sent.
        status: ``answered`` where its browser decided on what it asks.
        attempts: how often it was tried.
        not_before: a timestamp before which it may not be tried again.
        error: why the last attempt failed.
    """

    subscription_id: int
    purpose: PushKind | Literal["settled", "test"]
    content: dict[str, Any]
    tag: str
    approval_id: int | None = None
    ends_at: Timestamp
    status: Literal["waiting", "sent", "failed", "answered"] = "waiting"
    attempts: int = 0
    not_before: Timestamp | None = None
    error: str | None = None


class Webhook(Record, frozen=True, kw_only=True, rename="camel"):
    """An address that events are sent to, signed.

    Attributes:
        types: of events that are sent; ``*`` alone is all.
        secret: what deliveries are signed with.
        paused_reason: why it is paused, where the server did it.
        position: the id of the last event that was delivered or passed over.
        failing_since: when the first of the failures was that no success came after.
        error: what was wrong with the last attempt; None where nothing was.
    """

    url: str
    types: list[str]
    secret: str
    status: Literal["active", "paused"] = "active"
    paused_reason: str | None = None
    position: int
    failing_since: Timestamp | None = None
    last_delivered_at: Timestamp | None = None
    error: str | None = None


class WebhookDelivery(Record, frozen=True, kw_only=True, rename="camel"):
    """An event on its way to a webhook, from the first attempt on.

    Attributes:
        type: the event's.
        is_by_hand: somebody wanted it sent, out of the order of events; it is tried once.
        status: ``passed_over`` where it is to be sent no more.
        not_before: a timestamp before which it is not tried again.
        response_status: the HTTP status that the last attempt was answered with.
        milliseconds: that the last attempt took.
        error: why it failed.
    """

    webhook_id: int
    event_id: int
    type: str
    is_by_hand: bool = False
    status: Literal["waiting", "delivered", "failed", "passed_over"] = "waiting"
    attempts: int = 0
    not_before: Timestamp | None = None
    response_status: int | None = None
    milliseconds: int | None = None
    error: str | None = None


class NotifyPreference(Record, frozen=True, kw_only=True, rename="camel"):
    """A choice of what a place of Apprise's is told.

    Attributes:
        target: the place, by a digest of its URL.
        muted: the kinds of notices that it is not told.
    """

    target: str
    muted: list[PushKind] = []


class NotifyMessage(Record, frozen=True, kw_only=True, rename="camel"):
    """A message for a place of Apprise's, from when it is decided on until the place has it.

    Attributes:
        target: the place, by a digest of its URL.
        purpose: the kind of notice; ``test`` is a test.
        content: its title and its body.
        tag: what it is about, such as ``/approvals/7``: the page's own path.
        approval_id: the approval that it asks about.
        ends_at: from when it is no news any more, and is not sent.
        not_before: a timestamp before which it may not be tried again.
        error: why the last attempt failed.
    """

    target: str
    purpose: PushKind | Literal["test"]
    content: dict[str, Any]
    tag: str
    approval_id: int | None = None
    ends_at: Timestamp
    status: Literal["waiting", "sent", "failed"] = "waiting"
    attempts: int = 0
    not_before: Timestamp | None = None
    error: str | None = None
