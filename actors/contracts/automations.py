"""The messages that the automations take, and the parts of an automation."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from command_center.actors.contracts.fields import Prompt, ScheduleExpr, Title
from command_center.actors.contracts.tasks import Attempts, Positive, RunOutcome, check_texts
from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.lengths import Name
from command_center.actors.rules.policy import RunInput, check_run
from command_center.actors.rules.preconditions import Condition, always
from command_center.runtime import Request
from command_center.store import Automation, AutomationOutcome
from command_center.store.records import AutomationThread, Priority, TaskType, WhenLimited

MissedRuns = Literal["run_once", "skip"]


class AutomationPayload(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The task that each run makes, and how. Without a title it takes the automation's."""

    prompt: Prompt
    task_type: TaskType = "prompt_task"
    task_title: Title | None = None
    priority: Priority = "normal"
    approval_required: bool = False
    on_interrupt: Literal["stop", "continue"] = "stop"
    max_attempts: Attempts = 1
    turn_limit: Positive | None = None
    token_budget: Positive | None = None
    run_input: RunInput = RunInput()

    def stored(self) -> dict[str, Any]:
        """Return it as it is kept and shown, without what has no value."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        given = {name: value for name, value in plain.items() if value is not None}
        run = {name: value for name, value in plain["runInput"].items() if value is not None}
        return {**given, "runInput": run}


class CreateAutomation(
    msgspec.Struct,
    Request[Automation],
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
):
    """Keep an automation. With a `template`, title, schedule and payload may be left to it."""

    repository_id: int
    template: Name | None = None
    title: Title | msgspec.UnsetType = msgspec.UNSET
    schedule_expr: ScheduleExpr | msgspec.UnsetType = msgspec.UNSET
    payload: AutomationPayload | msgspec.UnsetType = msgspec.UNSET
    timezone: Name | None = None
    enabled: bool = True
    missed_runs: MissedRuns = "run_once"
    when_limited: WhenLimited = "wait"
    thread: AutomationThread = "new"
    requested_by: Name = "api"


class AutomationChanges(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Changes to an automation; what is left out stays. `enabled: true` also ends a pause."""

    title: Title | msgspec.UnsetType = msgspec.UNSET
    schedule_expr: ScheduleExpr | msgspec.UnsetType = msgspec.UNSET
    timezone: Name | msgspec.UnsetType | None = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET
    missed_runs: MissedRuns | msgspec.UnsetType = msgspec.UNSET
    when_limited: WhenLimited | msgspec.UnsetType = msgspec.UNSET
    thread: AutomationThread | msgspec.UnsetType = msgspec.UNSET
    payload: AutomationPayload | msgspec.UnsetType = msgspec.UNSET
    requested_by: Name = "api"


class PatchAutomation(msgspec.Struct, Request[Automation], frozen=True):
    """Change an automation."""

    automation_id: int
    changes: AutomationChanges
    condition: Condition = always


class DeleteAutomation(msgspec.Struct, Request[Automation], frozen=True):
    """Take an automation away; its tasks, sessions and history stay."""

    automation_id: int
    requested_by: str
    condition: Condition = always


class RunByHand(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The body of a run by hand, and of a hook that is asked for."""

    requested_by: Name = "api"


class HandRun(RunOutcome, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A run of an automation that was asked for by hand."""

    automation: Automation


class RunAutomation(msgspec.Struct, Request[HandRun], frozen=True):
    """Run it now; its schedule stays as it is."""

    automation_id: int
    requested_by: str


class HookSecret(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The hook of an automation, with its secret, which is shown this once.

    Attributes:
        hook_path: of the address to which deliveries are sent.
    """

    automation: Automation
    hook_path: str
    secret: str


class MakeHook(msgspec.Struct, Request[HookSecret], frozen=True):
    """Give an automation a hook, or its hook another secret."""

    automation_id: int
    requested_by: str


class RemoveHook(msgspec.Struct, Request[Automation], frozen=True):
    """Take an automation's hook away."""

    automation_id: int
    requested_by: str


class HookReceipt(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The outcome of a delivery to a hook.

    Attributes:
        outcome: as that of a run; `started`, or why there is none.
        is_repeated: the delivery came before, and this is what became of it then.
    """

    run_id: int
    outcome: AutomationOutcome
    reason: str | None
    task_id: int | None
    session_id: int | None
    is_repeated: bool


class Deliver(msgspec.Struct, Request[HookReceipt], frozen=True):
    """Start the run of a delivery to a hook, once."""

    automation_id: int
    delivery: str
    fields: dict[str, Any]


class Due(msgspec.Struct, frozen=True):
    """By the clock the automation's next due time has come."""


class FollowEvents(msgspec.Struct, Request[bool], frozen=True):
    """Act on the next event that may begin a run; the reply is true while more wait."""


class Reload(msgspec.Struct, frozen=True):
    """The automation's row, or the clock, was changed by somebody else: look again."""


class Arm(msgspec.Struct, frozen=True):
    """Tell `Due` to the automation at this moment, in seconds since 1970; with None, never."""

    automation_id: int
    due: float | None
    begun: int | None = None
    """A session that was committed and needs its actor."""


def check_fields(
    *,
    title: str | msgspec.UnsetType = msgspec.UNSET,
    payload: AutomationPayload | msgspec.UnsetType = msgspec.UNSET,
) -> None:
    """Refuse texts that say nothing or too much, and runs that cannot be, with their paths."""
    if isinstance(title, str):
        check_texts(title=title)
    if not isinstance(payload, msgspec.UnsetType):
        if not payload.prompt.strip():
            raise Invalid.field("payload.prompt", "Expected some text.")
        if payload.task_title is not None:
            try:
                check_texts(title=payload.task_title)
            except Invalid as invalid:
                raise Invalid.field("payload.taskTitle", invalid.details[0]["message"]) from invalid
        try:
            check_run(payload.run_input)
        except Invalid as invalid:
            raise invalid.below("payload.runInput") from invalid
