"""The messages that `/tasks` takes. A request body is a message, or what its path leaves open."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from command_center.actors.contracts.fields import TITLE_LENGTH, Prompt, Title
from command_center.actors.contracts.repositories import Followups
from command_center.actors.contracts.uploads import Attachments
from command_center.actors.rules.choices import Choices
from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.lengths import Name, PathText
from command_center.actors.rules.placement import Placement
from command_center.actors.rules.policy import GoalInput, PolicyResult, RunInput
from command_center.actors.rules.preconditions import Condition, always
from command_center.runtime import Request
from command_center.store import Approval, Followup, Session, Task
from command_center.store.records import MergeWhen, NewsAnswer, Priority, Sandbox, TaskType

Attempts = Annotated[int, msgspec.Meta(ge=1, le=10)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class CreateTask(
    msgspec.Struct,
    Request[Task],
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
):
    """Keep something to be done in a repository; nothing runs yet.

    What is said of its pull requests (`onChecksFailed` to `mergeWhen`) outweighs the repository's.
    """

    repository_id: int
    title: Title
    prompt: Prompt
    type: TaskType = "prompt_task"
    priority: Priority = "normal"
    approval_required: bool = False
    on_interrupt: Literal["stop", "continue"] = "stop"
    max_attempts: Attempts = 1
    turn_limit: Positive | None = None
    token_budget: Positive | None = None
    on_checks_failed: NewsAnswer | None = None
    on_review: NewsAnswer | None = None
    forge_followups: Followups | None = None
    merge_when: MergeWhen | None = None
    run_defaults: Choices = Choices()
    placement: Placement | None = None
    requested_by: Name = "api"


class TaskChanges(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """Changes to a task; what is left out stays. `cancelled` stops what runs of it."""

    title: Title | msgspec.UnsetType = msgspec.UNSET
    prompt: Prompt | msgspec.UnsetType = msgspec.UNSET
    type: TaskType | msgspec.UnsetType = msgspec.UNSET
    priority: Priority | msgspec.UnsetType = msgspec.UNSET
    approval_required: bool | msgspec.UnsetType = msgspec.UNSET
    on_interrupt: Literal["stop", "continue"] | msgspec.UnsetType = msgspec.UNSET
    max_attempts: Attempts | msgspec.UnsetType = msgspec.UNSET
    turn_limit: Positive | msgspec.UnsetType | None = msgspec.UNSET
    token_budget: Positive | msgspec.UnsetType | None = msgspec.UNSET
    on_checks_failed: NewsAnswer | msgspec.UnsetType | None = msgspec.UNSET
    on_review: NewsAnswer | msgspec.UnsetType | None = msgspec.UNSET
    forge_followups: Followups | msgspec.UnsetType | None = msgspec.UNSET
    merge_when: MergeWhen | msgspec.UnsetType | None = msgspec.UNSET
    run_defaults: Choices | msgspec.UnsetType = msgspec.UNSET
    placement: Placement | msgspec.UnsetType | None = msgspec.UNSET
    status: Literal["open", "cancelled"] | msgspec.UnsetType = msgspec.UNSET
    requested_by: Name = "api"


class PatchTask(msgspec.Struct, Request[Task], frozen=True):
    """Change a task."""

    task_id: int
    changes: TaskChanges
    condition: Condition = always


class RunOutcome(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A run that was asked for: it is queued, or `blocked` by the `approvals`."""

    task: Task
    session: Session
    policy: PolicyResult
    blocked: bool = False
    approvals: tuple[Approval, ...] = ()


class RunRequest(RunInput, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A run that is asked for now, with what is shown to Codex beside the prompt."""

    attachments: Attachments = ()


class RunTask(msgspec.Struct, Request[RunOutcome], frozen=True):
    """Run a task: at once as far as slots allow, or once a person has agreed."""

    task_id: int
    run: RunInput
    attachments: Attachments = ()


class CreateSession(msgspec.Struct, Request[Session], frozen=True):
    """Make a session of a task that waits in `created` until it is told to run."""

    task_id: int
    run: RunInput
    attachments: Attachments = ()


class CheckPolicy(msgspec.Struct, Request[PolicyResult], frozen=True):
    """Say what policy would say of a run; nothing changes."""

    task_id: int
    run: RunInput


class ThreadPrompt(Choices, frozen=True, kw_only=True):
    """The body of `POST /api/codex/threads/:threadId/prompt`.

    `resume` false begins a new thread in the same task. `cwd` is the repository's folder or one of
    its worktrees; left out, it is the thread's, and for a new thread as for a run that names none.
    """

    repository_id: int
    prompt: Prompt
    cwd: PathText | None = None
    resume: bool = True
    sandbox: Sandbox | None = None
    allow_network: bool | None = None
    allow_commit: bool | None = None
    goal: GoalInput | None = None
    attachments: Attachments = ()
    requested_by: Name = "api"


class PromptThread(msgspec.Struct, Request[RunOutcome], frozen=True):
    """Start a turn in a thread of Codex, through policy as any run.

    `compacts`: no prompt is said in it, and the thread's history is made shorter.
    """

    thread_id: str
    wanted: ThreadPrompt
    compacts: bool = False


class Compaction(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The place of the session in which a thread's history is made shorter.

    Attributes:
        cwd: the repository's folder or one of its worktrees; the thread's, if left out.
    """

    repository_id: int
    cwd: PathText | None = None
    requested_by: Name = "api"


class FollowupText(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The text of a follow-up."""

    message: Prompt
    requested_by: Name = "api"


class NewFollowup(
    FollowupText, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A follow-up that is asked for."""

    attachments: Attachments = ()


class EnsureSession(msgspec.Struct, Request[None], frozen=True):
    """See that a live session has its actor."""

    session_id: int


class QueueFollowup(msgspec.Struct, Request[Followup], frozen=True):
    """Keep what is to be said when the session's turn has ended."""

    session_id: int
    text: FollowupText
    attachments: Attachments = ()


class ChangeFollowup(msgspec.Struct, Request[Followup], frozen=True):
    """Say something else, or with no text take it back, as long as it was not sent."""

    followup_id: int
    text: FollowupText | None
    requested_by: Name = "api"
    condition: Condition = always


def check_texts(**texts: str) -> None:
    """Refuse a title or prompt that says nothing, and a title that is a prompt."""
    for name, text in texts.items():
        if not text.strip():
            raise Invalid.field(name, "Expected some text.")
    if len(texts.get("title", "")) > TITLE_LENGTH:
        raise Invalid.field("title", f"Expected at most {TITLE_LENGTH} characters.")
