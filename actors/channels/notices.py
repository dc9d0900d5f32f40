"""Notices: what of the event log people are told, whatever the channel.

A notice is made of an event when it comes to be told, with the records as they are then. What is
decided already, such as an approval that somebody settled meanwhile, makes no notice.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias, TypeVar

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.ledger.pull_request_news import FORGE
from command_center.store import (
    Approval,
    Automation,
    EventFilter,
    Record,
    RecordNotFound,
    Session,
    StoredEvent,
    Table,
    approvals,
    automations,
    pull_requests,
    sessions,
    usage_limits,
)

R = TypeVar("R", bound=Record)

WANTED: Final = EventFilter(
    types=(
        "approval.requested",
        "approval.expiring",
        "approval.extended",
        "approval.resolved",
        "approval.expired",
        "session.completed",
        "session.failed",
        "session.stopped",
        "session.interrupted",
        "session.pull_request.news",
        "session.pull_request.merge.settled",
        "automation.paused",
        "limits.near",
        "limits.reached",
        "limits.reset",
        "limits.cap",
        "actor.quarantined",
    )
)
"""The events that may lead to a notice."""


@attrs.frozen
class ApprovalAsked:
    """A person is asked to decide."""

    approval: Approval


@attrs.frozen
class DeadlineNears:
    """A decision is due soon."""

    approval: Approval


@attrs.frozen
class DeadlineExtended:
    """A decision may come later than was said."""

    approval: Approval


@attrs.frozen
class ApprovalSettledBySomebody:
    """A decision was made, or can be made no more."""

    approval: Approval


@attrs.frozen
class SessionOver:
    """A session has ended; `cut_off` says that the server or Codex went away under it."""

    session: Session
    cut_off: bool


@attrs.frozen
class AutomationHeld:
    """An automation was paused."""

    automation: Automation
    reason: str | None


@attrs.frozen
class ActorSetAside:
    """A part of the server failed too often, and is not started again."""

    path: str
    error: str | None


@attrs.frozen(kw_only=True)
class LimitTold:
    """A limit of the agent's account is near, reached or over; or a cap that people set is reached.

    Attributes:
        stage: which of them.
        host: whose agent it is.
        moment: when it resets, where that is known.
        used_percent: of the window that is near its end; None otherwise.
        reason: what a cap that is reached says; None otherwise.
        sessions: those that wait for it, or go on now.
    """

    stage: Literal["near", "reached", "reset", "cap"]
    host: str
    moment: str | None
    used_percent: float | None
    reason: str | None
    sessions: tuple[int, ...]


@attrs.frozen
class PullRequestTold:
    """Checks of a pull request fail, or reviewers want changes."""

    session: Session
    url: str
    checks: list[str]
    reviews: int
    goes_on: bool
    reason: str | None


@attrs.frozen
class MergeCalledOff:
    """A pull request is not merged by itself, though a person had agreed to that."""

    session: Session
    url: str
    problem: str


Notice: TypeAlias = (
    ApprovalAsked
    | DeadlineNears
    | DeadlineExtended
    | ApprovalSettledBySomebody
    | SessionOver
    | PullRequestTold
    | MergeCalledOff
    | AutomationHeld
    | LimitTold
    | ActorSetAside
)


def notice_of(db: Database, event: StoredEvent) -> Notice | None:
    """Make the notice that an event leads to; None where it is no news any more."""
    told = msgspec.json.decode(event.body)
    data = told["data"] if isinstance(told["data"], dict) else {}
    if event.type == "session.pull_request.merge.settled":
        return _of_merge(db, event, data, told.get("actor"))
    if event.type == "actor.quarantined":
        return ActorSetAside(str(data.get("path")), data.get("error"))
    if event.type.startswith("limits."):
        return _of_limit(db, event.type, data)
    if event.type == "automation.paused":
        return _of_automation(read(db, automations, event.automation_id), data)
    if event.approval_id is not None:
        return _of_approval(read(db, approvals, event.approval_id), event.type, data)
    return _of_session(db, read(db, sessions, event.session_id), event.type, data)


def read(db: Database, table: Table[R], key: int | None) -> R | None:
    """Return the record that something is about, unless it was taken away since."""
    if key is None:
        return None
    try:
        return table.get(db, key)
    except RecordNotFound:
        return None


def _of_automation(automation: Automation | None, data: dict[str, Any]) -> AutomationHeld | None:
    if automation is None:
        return None
    return AutomationHeld(automation, automation.paused_reason or data.get("reason"))


def _of_limit(db: Database, kind: str, data: dict[str, Any]) -> LimitTold:
    """Read it from the event; who waits, and until when, is as it is now."""
    host = str(data.get("host"))
    waiting, _ = sessions.sound(db, {"host": host, "status": "waiting_limit"}, texts=False)
    stage: Literal["near", "reached", "reset", "cap"] = msgspec.convert(
        kind.rpartition(".")[2], Literal["near", "reached", "reset", "cap"]
    )
    return LimitTold(
        stage=stage,
        host=host,
        moment=data.get("resetsAt") or usage_limits.known(db, host).held_until,
        used_percent=data.get("usedPercent"),
        reason=data.get("reason"),
        sessions=tuple(data.get("sessions") or [session.id for session in waiting]),
    )


def _waits_for_limit(db: Database, session: Session) -> bool:
    """Return whether it goes on when a limit resets, of which people are told by itself."""
    follows: dict[str, int | str] = {"previous_session_id": session.id, "origin": "limit"}
    return sessions.find(db, follows) is not None


def _of_session(
    db: Database, session: Session | None, kind: str, data: dict[str, Any]
) -> Notice | None:
    if session is None:
        return None
    if kind == "session.pull_request.news":
        return PullRequestTold(
            session,
            str(data.get("url")),
            [str(head) for head in data.get("checks") or ()],
            int(data.get("reviews") or 0),
            goes_on=data.get("answer") == "follow_up",
            reason=data.get("reason"),
        )
    if session.finished_at is None or _waits_for_limit(db, session):
        return None
    return SessionOver(session, cut_off=kind == "session.interrupted")


def _of_merge(
    db: Database, event: StoredEvent, data: dict[str, Any], actor: object
) -> MergeCalledOff | None:
    """Tell of a merge that was agreed to, where no person has called it off."""
    approval = read(db, approvals, event.approval_id)
    session = read(db, sessions, event.session_id)
    pull = read(db, pull_requests, data.get("pullRequestId"))
    problem = data.get("problem")
    if not problem or actor != FORGE or approval is None or approval.status != "approved":
        return None
    if session is None or pull is None:
        return None
    return MergeCalledOff(session, pull.url or "", str(problem))


def _of_approval(approval: Approval | None, kind: str, data: dict[str, Any]) -> Notice | None:
    if approval is None:
        return None
    is_pending = approval.status == "pending"
    match kind:
        case "approval.requested" if is_pending:
            return ApprovalAsked(approval)
        case "approval.expiring" if is_pending and approval.expires_at == data.get("expiresAt"):
            return DeadlineNears(approval)
        case "approval.extended" if is_pending:
            return DeadlineExtended(approval)
        case "approval.resolved" | "approval.expired" if not is_pending:
            return ApprovalSettledBySomebody(approval)
        case _:
            return None
