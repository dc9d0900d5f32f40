"""`/approvals`: what waits on a person, settled exactly once.

Whoever races (a browser, a phone, the deadline, Codex itself), the store's one writer puts them in
a row and the first wins; the others are told who that was. Deadlines are kept in the rows: after a
restart, or after the machine slept through one, an overdue approval expires at once.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Any, get_args

import msgspec
import structlog
import trio
from sqlite_utils import Database

from command_center.actors.contracts.addresses import (
    DEVICES,
    PULL_REQUESTS,
    REPOSITORIES,
    TASKS,
    session_at,
)
from command_center.actors.contracts.approvals import (
    CreateApproval,
    DeadlinesPassed,
    ExtendApproval,
    RemoveRule,
    Resolution,
    ResolveApproval,
    RuleRemoval,
    words_of,
)
from command_center.actors.contracts.events.approvals import ApprovalRequested
from command_center.actors.contracts.inbox import InboxMarks, MarkInbox
from command_center.actors.contracts.passkeys import ConfirmDecision
from command_center.actors.contracts.pull_requests import FollowPullRequests
from command_center.actors.contracts.pushes import CarryOutPushes
from command_center.actors.contracts.sessions import ApprovalSettled, SessionCommitted
from command_center.actors.core.clock import LOOK_SECONDS, seconds_until
from command_center.actors.core.events import Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.ledger import approvals as settlement
from command_center.actors.ledger import inbox
from command_center.actors.ledger.deadlines import (
    check_deadline,
    extend,
    moment_of,
    next_moment,
    overdue,
    to_warn_of,
    warn,
)
from command_center.actors.ledger.rules import add_rule, remove_rule
from command_center.actors.ledger.successors import say_answer
from command_center.actors.rules.answers import check_answers, without_secrets
from command_center.actors.rules.errors import (
    Conflict,
    Invalid,
    NeedsPasskey,
    Unavailable,
    WrongPasskey,
)
from command_center.actors.rules.preconditions import only_if
from command_center.actors.rules.run_leave import goes_beyond_run
from command_center.runtime import Actor, ActorNotFound, Deferred, MailboxFull, handles
from command_center.store import (
    Approval,
    EventFilter,
    Session,
    Transaction,
    approvals,
    sessions,
)
from command_center.store import tasks as task_table
from command_center.store.queries import summaries
from command_center.store.queries.causes import last_event
from command_center.store.records import ApprovalKind, ApprovalStatus

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


DEADLINES = EventFilter(types=("approval.requested", "approval.extended"))
"""The events that set a deadline."""

PAUSE_SECONDS = 1.0
"""Seconds that a due act may take before the actor looks for it again."""


class Approvals(Actor):
    """Settles approvals, and expires those that nobody settled in time."""

    def __init__(
        self,
        storage: Storage,
        fanout: Fanout,
        *,
        approval_seconds: float,
        wants_passkeys: bool = False,
    ) -> None:
        """Give an approval `approval_seconds` where it names no deadline itself.

        `fanout` tells of deadlines that are set, whoever sets them. With `wants_passkeys` only a
        passkey's proof approves what goes beyond its run's leave.
        """
        self._storage = storage
        self._fanout = fanout
        self._seconds = approval_seconds
        self._wants_passkeys = wants_passkeys

    async def on_start(self) -> None:
        """Watch the deadlines, and hand on what was settled but never reached its session."""
        self.ctx.start_task(self._hand_on)
        self.ctx.start_task(self._watch_deadlines)

    async def _hand_on(self) -> None:
        try:
            waiting = await self._storage.read(undelivered)
        except Unavailable as error:
            log.warning("approvals.unread", reason=str(error))
            return
        for approval in waiting:
            self._tell_session_soon(approval)

    @handles(CreateApproval)
    async def create(self, message: CreateApproval) -> Deferred[Approval]:
        """Answer once it is committed."""
        if not message.title.strip():
            raise Invalid.field("title", "Expected some text.")
        check_deadline(message.expires_at, message.ttl_seconds)
        return self.ctx.answer_later(self._create, message)

    async def _create(self, message: CreateApproval) -> Approval:
        return await self._storage.write(
            lambda tx: create_approval(tx, message, seconds=self._seconds)
        )

    @handles(ResolveApproval)
    async def resolve(self, message: ResolveApproval) -> Deferred[Approval]:
        """Answer once the decision is committed; who waits for it is told after that."""
        return self.ctx.answer_later(self._resolve, message)

    async def _resolve(self, message: ResolveApproval) -> Approval:
        resolution = message.resolution
        if resolution.rule is not None and resolution.status != "approved":
            raise Conflict("Only what is approved can be allowed always: leave the rule out.")
        kept = await self._storage.read(
            lambda db: answers_to_keep(db, message.approval_id, resolution)
        )
        passkey_id = await self._confirmed(message)
        sequel: Session | None = None
        alike: list[Approval] = []

        def settle(tx: Transaction) -> Approval:
            nonlocal sequel
            approval = settlement.settle_approval(
                tx,
                message.approval_id,
                status=resolution.status,
                actor=resolution.resolved_by,
                note=resolution.resolution_note,
                scope=resolution.scope,
                answers=kept,
                passkey_id=passkey_id,
            )
            answered = msgspec.structs.replace(approval, answers=resolution.answers)
            sequel = say_answer(tx, answered, approval_seconds=self._seconds)
            alike[:] = settlement.settle_alike(tx, approval)
            if resolution.rule is not None:
                rule = add_rule(tx, approval, resolution.rule, actor=resolution.resolved_by)
                alike[:] = settlement.settle_by_rule(tx, rule)
            return approval

        approval = await self._storage.write(settle)
        for other in alike:
            self._tell_session_soon(other)
        if sequel is not None:
            with contextlib.suppress(ActorNotFound, MailboxFull):  # else it is found by its row
                self.ctx.lookup(TASKS).try_tell(SessionCommitted(sequel.id))
        with contextlib.suppress(ActorNotFound, MailboxFull):  # else it is found by its row
            if approval.kind == "push":
                self.ctx.lookup(REPOSITORIES).try_tell(CarryOutPushes())
            elif approval.kind == "merge":
                self.ctx.lookup(PULL_REQUESTS).try_tell(FollowPullRequests())
        self._tell_session_soon(msgspec.structs.replace(approval, answers=resolution.answers))
        return approval

    async def _confirmed(self, message: ResolveApproval) -> int | None:
        """Return the passkey that proves a decision; None where it needs none.

        Raises:
            NeedsPasskey: it needs one, and has none that does.
        """
        if not self._wants_passkeys or message.resolution.status != "approved":
            return None
        goes_beyond = await self._storage.read(lambda db: _goes_beyond(db, message.approval_id))
        if not goes_beyond and message.resolution.rule is None:
            return None
        proof, words = message.resolution.proof, words_of(message.approval_id, message.resolution)
        if proof is None:
            raise NeedsPasskey(message.approval_id)
        confirming = ConfirmDecision(proof, message.origin, words)
        try:
            return (await self.ctx.lookup(DEVICES).ask(confirming)).id
        except WrongPasskey as error:
            raise NeedsPasskey(message.approval_id, f"{error.reason} ") from error

    @handles(ExtendApproval)
    async def extend(self, message: ExtendApproval) -> Deferred[Approval]:
        """Answer once the later deadline is committed."""
        wanted = message.extension
        if wanted.expires_at is None and wanted.ttl_seconds is None:
            raise Invalid.field("ttlSeconds", "Expected ttlSeconds or expiresAt.")
        check_deadline(wanted.expires_at, wanted.ttl_seconds)
        return self.ctx.answer_later(self._extend, message)

    async def _extend(self, message: ExtendApproval) -> Approval:
        return await self._storage.write(
            lambda tx: extend(tx, message.approval_id, message.extension)
        )

    @handles(RemoveRule)
    async def remove_rule(self, message: RemoveRule) -> Deferred[RuleRemoval]:
        """Answer once it allows nothing any more."""
        return self.ctx.answer_later(self._remove_rule, message)

    async def _remove_rule(self, message: RemoveRule) -> RuleRemoval:
        def remove(tx: Transaction) -> RuleRemoval:
            return remove_rule(tx, message.rule_id, message.requested_by)

        return await self._storage.write(only_if(message.condition, remove))

    @handles(MarkInbox)
    async def mark_inbox(self, message: MarkInbox) -> Deferred[InboxMarks]:
        """Answer once the marks are committed."""
        return self.ctx.answer_later(self._mark_inbox, message)

    async def _mark_inbox(self, message: MarkInbox) -> InboxMarks:
        return await self._storage.write(lambda tx: inbox.mark(tx, message.wanted))

    @handles(DeadlinesPassed)
    async def expire(self, _message: DeadlinesPassed) -> None:
        """Expire what is overdue, each in a transaction that loses to a decision made before."""
        for approval_id in await self._storage.read(overdue):
            expired = await self._storage.write(partial(_expire, approval_id=approval_id))
            if expired is not None:
                self._tell_session_soon(expired)
        for approval_id in await self._storage.read(to_warn_of):
            await self._storage.write(partial(warn, approval_id=approval_id))

    def _tell_session_soon(self, approval: Approval) -> None:
        """Tell whose it is, without waiting: a slow session holds up no other's decision."""
        self.ctx.start_task(self._tell_session, approval)

    async def _tell_session(self, approval: Approval) -> None:
        """Tell the session of a decision; one without an actor reads it when it starts."""
        if approval.session_id is not None:
            with contextlib.suppress(ActorNotFound):
                await self.ctx.lookup(session_at(approval.session_id)).tell(
                    ApprovalSettled(approval)
                )

    async def _watch_deadlines(self) -> None:
        """Look whenever a deadline was set, and when one is due. A subscription may begin anew."""
        while True:
            with self._fanout.subscribe(DEADLINES) as news:
                while news.closed is None:
                    with trio.move_on_after(await self._look()):
                        await news.drain()
                if news.closed == "shutdown":
                    return

    async def _look(self) -> float:
        """Have done what is due; for how many seconds to sleep by the wall clock, never long."""
        try:
            moment = await self._storage.read(next_moment)
        except Unavailable as error:
            log.warning("approvals.unread", reason=str(error))
            return LOOK_SECONDS
        if moment is None:
            return LOOK_SECONDS
        left = seconds_until(moment)
        if left <= 0:
            await self.ctx.ref.tell(DeadlinesPassed())
            return PAUSE_SECONDS
        return min(left, LOOK_SECONDS)


def _goes_beyond(db: Database, approval_id: int) -> bool:
    """Return True if an approval that is not settled gives more than its run got."""
    approval = approvals.get(db, approval_id)
    details = approvals.whole(db, approval, "details")  # however long
    return approval.status == "pending" and goes_beyond_run(approval.kind, details)


def answers_to_keep(
    db: Database, approval_id: int, resolution: Resolution
) -> dict[str, Any] | None:
    """Return the answers as they may be stored.

    Raises:
        Invalid: the agent asked something else, or wants more; it names the answer.
    """
    approval = approvals.get(db, approval_id)
    if approval.codex_request is None or resolution.status == "rejected":
        return resolution.answers
    details = approvals.whole(db, approval, "details")  # however long
    answers = resolution.answers or {}
    check_answers(approval.kind, details, answers)
    return without_secrets(approval.kind, details, answers) or None


def create_approval(tx: Transaction, wanted: CreateApproval, *, seconds: float) -> Approval:
    """Ask, and tell of it.

    Raises:
        RecordNotFound: the task or session that it names isn't there.
    """
    task_id, repository_id, correlation_id = wanted.task_id, None, tx.origin
    if wanted.session_id is not None:
        session = sessions.get(tx.db, wanted.session_id)
        task_id = session.task_id
        repository_id, correlation_id = session.repository_id, session.correlation_id
    if task_id is not None:
        task = task_table.get(tx.db, task_id)
        repository_id, correlation_id = task.repository_id, task.correlation_id
    expires_at = moment_of(tx.now, wanted.expires_at, wanted.ttl_seconds or seconds)
    approval = approvals.insert(
        tx,
        kind=wanted.kind,
        title=wanted.title,
        details=wanted.details,
        task_id=task_id,
        session_id=wanted.session_id,
        repository_id=repository_id,
        requested_by=wanted.requested_by,
        expires_at=expires_at,
        correlation_id=correlation_id,
    )
    tx.emit(
        ApprovalRequested(kind=approval.kind, title=approval.title, expires_at=expires_at),
        actor=wanted.requested_by,
        repository_id=repository_id,
        task_id=task_id,
        session_id=wanted.session_id,
        approval_id=approval.id,
        correlation_id=correlation_id,
        causation_id=last_event(tx.db, "session_id", wanted.session_id)
        if wanted.session_id is not None
        else None,
    )
    return approval


def _expire(tx: Transaction, approval_id: int) -> Approval | None:
    """Settle an approval by its deadline, unless it was settled or put off since the look."""
    approval = approvals.get(tx.db, approval_id)
    if approval.status != "pending" or (approval.expires_at or tx.now) > tx.now:
        return None
    return settlement.settle_approval(tx, approval_id, status="expired", actor="deadline")


class ApprovalCounts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The number of approvals: by their status, and those that are pending by their kind."""

    by_status: dict[ApprovalStatus, int]
    pending_by_kind: dict[ApprovalKind, int]


def count_approvals(db: Database) -> ApprovalCounts:
    """Count the approvals; every status and every kind is there, if only as 0."""
    by_status = summaries.approvals_by_status(db)
    by_kind = summaries.pending_approvals_by_kind(db)
    return ApprovalCounts(
        by_status={status: by_status.get(status, 0) for status in get_args(ApprovalStatus)},
        pending_by_kind={kind: by_kind.get(kind, 0) for kind in get_args(ApprovalKind)},
    )


def undelivered(db: Database) -> list[Approval]:
    """Return what was settled for sessions that have not ended, and did not have its effect yet.

    Without answers that could not be stored as they were: Codex asks those again. What is damaged
    has no effect.
    """
    return [
        approval
        for session in sessions.sound(db, {"finished_at": None}, texts=False)[0]
        for approval in approvals.sound(db, {"session_id": session.id, "delivered_at": None})[0]
        if approval.status in {"approved", "rejected", "expired"}
        and approval.kind != "manual"
        and not settlement.is_withheld(approval.answers)
    ]
