"""Tasks, as they are stored and shown."""

from typing import Any, Literal, TypeAlias

import msgspec

from command_center.store.records.record import Record
from command_center.store.records.words import MergeWhen, NewsAnswer, Priority

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
        placement: on which host its runs work, ``{host}``, ``{labels}`` or ``any``, unless they say
            otherwise; None for the host of its repository.
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
    placement: dict[str, Any] | str | None = None
