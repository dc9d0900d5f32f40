"""`/approvals`: what waits on a person, settled exactly once.

Whoever races (a browser, a phone, the deadline, Codex itself), the store's one writer puts them in
a row and the first wins; the others are told who that was. Deadlines are kept in the rows: after a
restart, or after the machine slept through one, an overdue approval expires at once.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import trio
from sqlite_utils import Database

from command_center.actors.clock import LOOK_SECONDS, later, seconds_until
from command_center.actors.codex.approvals import check_answers, without_secrets
from command_center.actors.errors import Invalid
from command_center.actors.sessions import ledger
from command_center.actors.sessions.messages import ApprovalSettled
from command_center.actors.storage import Storage
from command_center.runtime import Actor, ActorNotFound, Deferred, Request, handles
from command_center.store import Approval, Transaction, approvals, sessions
from command_center.store import tasks as task_table
from command_center.store.timestamps import from_timestamp, now_timestamp, to_timestamp


LONGEST_SECONDS = 10 * 366 * 24 * 3600
"""How long an approval may wait: ten years, and whoever wants more names no deadline."""


class CreateApproval(
    msgspec.Struct,
    Request[Approval],
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
):
    """Ask a person something that no session asks by itself."""

    title: str
    kind: Literal["manual"] = "manual"
    details: dict[str, Any] = msgspec.field(default_factory=dict)
    task_id: int | None = None
    session_id: int | None = None
    expires_at: str | None = None
    ttl_seconds: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_SECONDS)] | None = None
    requested_by: str = "api"


class Resolution(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A person's decision. `scope` and `answers` matter to what Codex asked."""

    status: Literal["approved", "rejected"]
    resolved_by: str = "api"
    resolution_note: str | None = None
    scope: Literal["once", "session"] = "once"
    answers: dict[str, Any] | None = None


class ResolveApproval(msgspec.Struct, Request[Approval], frozen=True):
    """Settle an approval."""

    approval_id: int
    resolution: Resolution


class DeadlinesPassed(msgspec.Struct, frozen=True):
    """Look for approvals that are overdue."""


class Approvals(Actor):
    """Settles approvals, and expires those that nobody settled in time."""

    def __init__(self, storage: Storage, *, approval_seconds: float) -> None:
        """Give an approval `approval_seconds` where it names no deadline itself."""
        self._storage = storage
        self._seconds = approval_seconds
        self._sooner = trio.Event()

    async def on_start(self) -> None:
        """Watch the deadlines, and hand on what was settled but never reached its session."""
        self.ctx.start_task(self._hand_on)
        self.ctx.start_task(self._watch_deadlines)

    async def _hand_on(self) -> None:
        for approval in await self._storage.read(undelivered):
            await self._tell_session(approval)

    @handles(CreateApproval)
    async def create(self, message: CreateApproval) -> Deferred[Approval]:
        """Answer once it is committed."""
        check_deadline(message)
        return self.ctx.answer_later(self._create, message)

    async def _create(self, message: CreateApproval) -> Approval:
        approval = await self._storage.write(
            lambda tx: create_approval(tx, message, seconds=self._seconds)
        )
        self._sooner.set()
        return approval

    @handles(ResolveApproval)
    async def resolve(self, message: ResolveApproval) -> Deferred[Approval]:
        """Answer once the decision is committed; who waits for it is told after that."""
        return self.ctx.answer_later(self._resolve, message)

    async def _resolve(self, message: ResolveApproval) -> Approval:
        wish = message.resolution
        asked = await self._storage.read(lambda db: approvals.get(db, message.approval_id))
        kept = kept_answers(asked, wish)
        approval = await self._storage.write(
            lambda tx: ledger.settle_approval(
                tx,
                message.approval_id,
                status=wish.status,
                actor=wish.resolved_by,
                note=wish.resolution_note,
                scope=wish.scope,
                answers=kept,
            )
        )
        await self._tell_session(msgspec.structs.replace(approval, answers=wish.answers))
        return approval

    @handles(DeadlinesPassed)
    async def expire(self, _message: DeadlinesPassed) -> None:
        """Expire what is overdue, each in a transaction that loses to a decision made before."""
        for approval in await self._storage.read(overdue):
            with contextlib.suppress(ledger.AlreadySettled):
                await self._tell_session(
                    await self._storage.write(
                        lambda tx, key=approval.id: ledger.settle_approval(  # type: ignore[misc]
                            tx, key, status="expired", actor="deadline"
                        )
                    )
                )

    async def _tell_session(self, approval: Approval) -> None:
        """A session that has no actor now finds the decision in its rows when it starts."""
        if approval.session_id is not None:
            with contextlib.suppress(ActorNotFound):
                await self.ctx.lookup(f"/sessions/{approval.session_id}").tell(
                    ApprovalSettled(approval)
                )

    async def _watch_deadlines(self) -> None:
        """Sleep until the next deadline by the wall clock, but never long."""
        while True:
            self._sooner = trio.Event()
            deadline = await self._storage.read(next_deadline)
            seconds = LOOK_SECONDS
            if deadline is not None:
                left = seconds_until(deadline)
                if left <= 0:
                    await self.ctx.ref.tell(DeadlinesPassed())
                    left = 1.0
                seconds = min(left, LOOK_SECONDS)
            with trio.move_on_after(seconds):
                await self._sooner.wait()


def kept_answers(asked: Approval, wish: Resolution) -> dict[str, Any] | None:
    """The answers as they may be stored.

    Raises:
        Invalid: Codex asked something else, or wants more; it names the answer.
    """
    request, answers = asked.codex_request, wish.answers or {}
    if request is None or wish.status == "rejected":
        return wish.answers
    check_answers(request["method"], request["params"], answers)
    return without_secrets(request["method"], request["params"], answers) or None


def create_approval(tx: Transaction, wanted: CreateApproval, *, seconds: float) -> Approval:
    """Ask, and tell of it.

    Raises:
        RecordNotFound: the task or session that it names isn't there.
    """
    task_id, repository_id, correlation_id = wanted.task_id, None, None
    if wanted.session_id is not None:
        session = sessions.get(tx.db, wanted.session_id)
        task_id = session.task_id
        repository_id, correlation_id = session.repository_id, session.correlation_id
    if task_id is not None:
        task = task_table.get(tx.db, task_id)
        repository_id, correlation_id = task.repository_id, task.correlation_id
    ttl = wanted.ttl_seconds if wanted.ttl_seconds is not None else seconds
    expires_at = (
        to_timestamp(from_timestamp(wanted.expires_at))
        if wanted.expires_at is not None
        else later(tx.now, ttl)
    )
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
        "approval.requested",
        actor=wanted.requested_by,
        data={"kind": approval.kind, "title": approval.title, "expiresAt": expires_at},
        repository_id=repository_id,
        task_id=task_id,
        session_id=wanted.session_id,
        approval_id=approval.id,
        correlation_id=correlation_id,
        causation_id=ledger.last_event(tx, "session_id", wanted.session_id)
        if wanted.session_id is not None
        else None,
    )
    return approval


def check_deadline(wanted: CreateApproval) -> None:
    """Refuse a request that says nothing, or whose deadline is no time in the future."""
    if not wanted.title.strip():
        raise Invalid.field("title", "Expected some text.")
    if wanted.expires_at is not None and wanted.ttl_seconds is not None:
        raise Invalid.field("ttlSeconds", "Give either expiresAt or ttlSeconds, not both.")
    if wanted.expires_at is not None:
        try:
            moment = from_timestamp(wanted.expires_at)
        except (ValueError, OverflowError) as error:
            raise Invalid.field(
                "expiresAt", "Expected a moment such as 2030-01-31T09:00:00Z."
            ) from error
        if moment <= datetime.now(UTC):
            raise Invalid.field("expiresAt", "Expected a moment in the future.")


def overdue(db: Database) -> list[Approval]:
    """The pending approvals whose deadline has passed."""
    moment = now_timestamp()
    return [
        approval
        for approval in approvals.every(db, {"status": "pending"})
        if approval.expires_at is not None and approval.expires_at <= moment
    ]


def undelivered(db: Database) -> list[Approval]:
    """What was settled for sessions that have not ended, and did not have its effect yet."""
    return [
        approval
        for session in sessions.every(db, {"finished_at": None})
        for approval in approvals.every(db, {"session_id": session.id, "delivered_at": None})
        if approval.status in {"approved", "rejected", "expired"} and approval.kind != "manual"
    ]


def next_deadline(db: Database) -> str | None:
    """The earliest deadline of a pending approval."""
    row = db.execute("select min(expires_at) from approvals where status = 'pending'").fetchone()
    deadline: str | None = row[0]
    return deadline
