"""Sessions, as they are stored and shown."""

from typing import Any, Literal, TypeAlias

import msgspec

from command_center.store.records.record import Record
from command_center.store.records.tasks import TaskType
from command_center.store.records.words import LOCAL, Priority, Runner, Sandbox, Workplace
from command_center.store.timestamps import Timestamp

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
        transcript_removed_at: when its transcript was removed; None while it is kept.
        placement: what its run asked of its host, as a task's; None where none was chosen for it.
        placement_reason: why its host was chosen.
        title: its task's when it was made, until somebody names it; lists are searched by it.
        archived: whether it is out of the way, as somebody wanted; only what has ended can be.
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
    shortened: list[str] = msgspec.field(default_factory=list)
    workplace: Workplace = "main_checkout"
    worktree_reserved: bool = False
    waits_for: int | None = None
    effort: str | None = None
    past_limit: bool = False
    service_tier: str | None = None
    collaboration_mode: str | None = None
    personality: str | None = None
    review: dict[str, Any] | None = None
    attachments: list[dict[str, Any]] = msgspec.field(default_factory=list)
    permission_profile: str | None = None
    transcript_removed_at: Timestamp | None = None
    placement: dict[str, Any] | str | None = None
    placement_reason: str | None = None
    title: str = ""
    archived: bool = False
