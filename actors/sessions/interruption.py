"""The request that a session end, and how its turn is brought to heed it.

An interrupted turn has its time to end by itself; then it is given up, and the session with it.
Where its host is away there is nothing to wait for: the session ends at once, and `/orphaned-turns`
ends the turn when the host is back. Whoever waits for the end is answered when it has come.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import structlog
import trio

from command_center.actors.contracts.sessions import StopDeadline, StopSession
from command_center.actors.ledger import sessions as ledger
from command_center.actors.rules.preconditions import Condition, only_if
from command_center.actors.sessions.runner import FAILURES, Runner
from command_center.actors.sessions.state import SessionState
from command_center.runtime import Context, Deferred
from command_center.store import Session
from command_center.store.records import SessionStatus

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

STOP_SECONDS = 5.0
"""Seconds that an interrupted turn may take to end before its process is ended."""

OVERDUE = "The turn did not end in time."
"""The reason of a session that ends because its turn, interrupted, did not."""


@attrs.define
class Interruption:
    """The stop of one session: who wants it, who waits for it, and how it is done."""

    _ctx: Context
    _state: SessionState
    _runner: Runner
    _absence: Callable[[Session], str | None]
    _waiters: list[Deferred[Session]] = attrs.field(factory=list, init=False)
    _task: trio.CancelScope | None = attrs.field(default=None, init=False)

    async def want(self, request: StopSession, condition: Condition) -> Session:
        """Record that a person wants the session to end.

        Raises:
            Unavailable: nothing can be written now.
            PreconditionFailed: the condition does not hold.
        """
        return await self._state.write(
            only_if(
                condition,
                lambda tx: ledger.request_stop(
                    tx, self._state.id, reason=request.reason, actor=request.requested_by
                ),
            )
        )

    async def limit(self, actor: str, reason: str) -> None:
        """Record that the session is to end because a limit is reached."""
        await self._state.change(
            lambda tx: ledger.request_stop(
                tx, self._state.id, reason=reason, actor=actor, outcome="interrupted"
            )
        )

    def wait(self) -> Deferred[Session]:
        """Interrupt the turn; the message in hand is answered when the session has ended."""
        waiter: Deferred[Session] = self._ctx.defer()
        self._waiters.append(waiter)
        self.begin()
        return waiter

    def begin(self) -> None:
        """Interrupt the turn, once; one that has not begun is not begun any more."""
        if self._state.phase == "starting":
            self._runner.cancel_start()
        if self._task is None:
            self._task = self._ctx.start_task(self._interrupt)

    def begin_anew(self) -> None:
        """Interrupt a turn that began after the session was to end; it has its own time for it."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self.begin()

    def hear_of_loss(self) -> None:
        """Wait no longer for a turn to end, where its host has gone away meanwhile."""
        if self._task is not None and self._absence(self._state.session) is not None:
            self.begin_anew()

    async def _interrupt(self) -> None:
        """Interrupt, give the turn its time to end, then give it up. Ends with the session."""
        session = self._state.session
        if self._absence(session) is None:
            await self._interrupt_there(session)
        await self._ctx.ref.tell(StopDeadline())

    async def _interrupt_there(self, session: Session) -> None:
        with trio.move_on_after(STOP_SECONDS):
            if session.status != "starting":
                try:
                    await self._runner.interrupt(session)
                except FAILURES as error:
                    log.warning("session.interrupt.failed", session=session.id, reason=str(error))
            await trio.sleep_forever()
        with trio.move_on_after(STOP_SECONDS):
            try:
                await self._runner.abandon(session)
            except FAILURES as error:
                log.warning("session.abandon.failed", session=session.id, reason=str(error))

    def settle(self, ended: Session) -> None:
        """Answer everybody who waits for the end, and give up nothing any more.

        Its thread may be another session's by the time that would be done.
        """
        if self._task is not None:
            self._task.cancel()
        for waiter in self._waiters:
            waiter.send(ended)
        self._waiters.clear()


def ended_by_request(
    session: Session, status: SessionStatus, reason: str | None, *, absence: str | None = None
) -> tuple[SessionStatus, str | None]:
    """Return how a session ends, and why, with what people asked of it taken into account.

    A turn that ended otherwise than by completing, after somebody wanted it to end, ended by that
    request. Of one that may still run, since its host is away (`absence` says why), nobody knows
    that yet: it is interrupted.
    """
    request = session.stop_requested
    if request is None or status == "completed":
        return status, reason
    if absence is not None:
        away = f"Host {session.host} is away: {absence} The turn is ended when it is back."
        return "interrupted", f"{stop_reason(session)} {away}"
    late = f" {reason}" if reason == OVERDUE else ""
    return request.get("outcome", "stopped"), f"{stop_reason(session)}{late}"


def stop_reason(session: Session) -> str:
    """Say who wanted the session to end, and why."""
    request = session.stop_requested or {}
    if request.get("outcome") == "interrupted":
        return str(request["reason"])
    reason = f": {request['reason']}" if request.get("reason") else "."
    return f"Stopped by {request.get('requestedBy', ledger.SYSTEM)}{reason}"
