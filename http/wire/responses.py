"""Answers that are no records: what routes put together of several."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from command_center.actors.contracts.automations import HandRun
from command_center.actors.contracts.bridges import (
    AppServer,
)
from command_center.actors.contracts.runners import Capabilities
from command_center.actors.contracts.tasks import RunOutcome
from command_center.actors.rules.policy import PolicyResult
from command_center.runtime import Outcome, Status
from command_center.store import Page, Session, Timestamp

ShapeT = TypeVar("ShapeT", bound=msgspec.Struct)
T = TypeVar("T")


class _Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A plain object."""


def run_status(outcome: RunOutcome | HandRun) -> int:
    """Return 201 for a run, and 202 for one that waits for approvals."""
    return 202 if outcome.blocked else 201


class ErrorDetail(_Shape, frozen=True, kw_only=True, rename="camel"):
    """A field at fault, by its path on the wire."""

    path: str
    message: str


class ErrorFacts(_Shape, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The failure, for a program and for a person."""

    status_code: int
    message: str
    details: list[ErrorDetail] | msgspec.UnsetType = msgspec.UNSET
    facts: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    policy: PolicyResult | msgspec.UnsetType = msgspec.UNSET
    error_id: str | msgspec.UnsetType = msgspec.UNSET


class Error(_Shape, frozen=True, kw_only=True, rename="camel"):
    """Every failure."""

    error: ErrorFacts


class Health(_Shape, frozen=True, kw_only=True, rename="camel"):
    """The state of the server, and of the parts that it needs.

    Attributes:
        new_version: a newer version that is out; null where none is known.
        oldest_event_id: where the log begins; null where that is not known now.
        role: of this centre in its cluster; only in a cluster.
        leader: where clients reach the centre that leads; only in a cluster.
        epoch: the number of that leadership; only in a cluster.
    """

    status: Literal["ok", "degraded"]
    version: str
    new_version: str | None
    log_id: str
    oldest_event_id: int | None
    runner_mode: str
    runners: dict[str, Capabilities]
    codex_version: str | None
    app_server: AppServer | None
    uptime_seconds: float
    checks: dict[str, str]
    role: Literal["joining", "standby", "leader"] | UnsetType = UNSET
    leader: str | UnsetType | None = UNSET
    epoch: int | UnsetType = UNSET


class EventPage(Page[T], Generic[T], frozen=True, kw_only=True, rename="camel"):
    """A page of the log.

    Attributes:
        oldest_id: where the log begins; what came before was removed, as it is old.
    """

    oldest_id: int


class LongText(_Shape, frozen=True, kw_only=True, rename="camel"):
    """A piece of a field's text; of a field that is an object, of its JSON.

    Attributes:
        bytes: of the whole text.
        next_cursor: gives the next piece; null after the last.
    """

    field: str
    text: str
    bytes: int
    next_cursor: str | None


class SessionDiff(_Shape, frozen=True, kw_only=True, rename="camel"):
    """The changes of a session's turn so far, or a piece of them.

    Attributes:
        next_cursor: gives the next piece; null after the last.
    """

    session_id: int
    diff: str | None
    next_cursor: str | None


class SessionPlan(_Shape, frozen=True, kw_only=True, rename="camel"):
    """A session's plan as it is now."""

    session_id: int
    plan: dict[str, Any] | None


class SessionGoal(_Shape, frozen=True, kw_only=True, rename="camel"):
    """The goal that a session pursues turn after turn, as Codex told last; null without one."""

    session_id: int
    goal: dict[str, Any] | None


class SessionStopped(_Shape, frozen=True, kw_only=True, rename="camel"):
    """The session as it ended."""

    session: Session


class DueTime(_Shape, frozen=True, kw_only=True, rename="camel"):
    """A due time, in UTC and by the wall clock."""

    at: Timestamp
    local: str


class Preview(_Shape, frozen=True, kw_only=True, rename="camel"):
    """The next due times of a schedule."""

    schedule_expr: str
    timezone: str
    items: list[DueTime]


class DeadLetterShown(_Shape, frozen=True, kw_only=True, rename="camel"):
    """A message that nobody handled, by its kind."""

    number: int
    path: str
    message: str
    reason: str
    age: float


class DeadLettersShown(_Shape, frozen=True, kw_only=True, rename="camel"):
    """The number of dead letters, and the newest of them."""

    total: int
    by_reason: dict[str, int]
    items: list[DeadLetterShown]


class ActorShown(_Shape, frozen=True, kw_only=True, rename="camel"):
    """An actor or a supervisor at one moment. Ages and delays are in seconds.

    The members about messages are zero for a supervisor, which has no mailbox.

    Attributes:
        kind: the class of the actor, or `supervisor` and its strategy.
        fault_domain: the path of the fault domain that it belongs to: what is quarantined as one.
        started_at: when its present life began, in UTC.
        current: the type of the message in hand.
        refused: of the handled, those that were answered with a refusal.
        in_line: how many senders wait for room in its mailbox.
        stalls: how often it kept all others waiting, by computing or blocking.
        failed: how many messages were refused, or lost in a crash.
        next_start_in: what is left of the backoff before the next start.
        stack: where its task waits, outermost first, if that was asked for.
    """

    path: str
    kind: str
    status: Status
    restart: str
    is_dynamic: bool
    fault_domain: str
    contract: str
    started_at: Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})] | None
    current: str | None
    current_age: float | None
    depth: int
    capacity: int
    in_line: int
    high_water: int
    oldest_age: float | None
    sent: int
    handled: int
    refused: int
    lost: int
    dead: int
    failed: int
    background_tasks: int
    stalls: int
    restarts: int
    restarts_in_window: int
    next_start_in: float | None
    last_error: str | None
    description: dict[str, Any]
    stack: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class TotalsShown(_Shape, frozen=True, kw_only=True, rename="camel"):
    """Every message that was ever sent, and what became of it.

    `sent = handled + lost + dead + waiting + in_hand` at every moment.
    """

    sent: int
    handled: int
    refused: int
    lost: int
    dead: int
    waiting: int
    in_hand: int


class TraceRecordShown(_Shape, frozen=True, kw_only=True, rename="camel"):
    """A message that an actor took in hand. Times are in seconds, to the millisecond.

    Attributes:
        message: the name of its type; a trace shows no content.
        taken_at: by the system's clock.
        waited: from its sending until the actor took it.
    """

    message: str
    asked: bool
    taken_at: float
    waited: float
    took: float
    outcome: Outcome


def as_shown(fact: object, shape: type[ShapeT]) -> ShapeT:
    """Return a fact of the runtime, which knows no JSON, in the shape that the API gives it."""
    return msgspec.convert(fact, shape, from_attributes=True)


class FaultDomain(_Shape, frozen=True, kw_only=True, rename="camel"):
    """A part of the tree that fails as one, and what that may disturb."""

    path: str
    contract: str


class HostTree(_Shape, frozen=True, kw_only=True, rename="camel"):
    """The actors of the program that a host runs."""

    host: str
    actors: list[ActorShown]
    fault_domains: list[FaultDomain]


class Tree(_Shape, frozen=True, kw_only=True, rename="camel"):
    """The whole tree of actors."""

    actors: list[ActorShown]
    totals: TotalsShown
    dead_letters: DeadLettersShown
    fault_domains: list[FaultDomain]
    abandoned: list[str]


class LiveEvent(_Shape, frozen=True, kw_only=True, rename="camel"):
    """An event that is said only live: it has no id, is not stored, and cannot be resumed."""

    id: None
    type: str
    ts: Timestamp
    repository_id: int | msgspec.UnsetType = msgspec.UNSET
    task_id: int | msgspec.UnsetType = msgspec.UNSET
    session_id: int | msgspec.UnsetType = msgspec.UNSET
    approval_id: int | msgspec.UnsetType = msgspec.UNSET
    automation_id: int | msgspec.UnsetType = msgspec.UNSET
    actor: str
    correlation_id: str | None
    causation_id: int | None
    data: dict[str, Any]
    shortened: bool | msgspec.UnsetType = msgspec.UNSET
