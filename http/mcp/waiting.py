"""The wait for a session: a request whose answer comes when the session has ended, or time is up.

It is answered as a stream of server-sent events, on which the client is told how the session gets
on, if it asked for that. Nothing depends on it: a wait that is cut off is begun again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Annotated, Any, Final

import msgspec
import trio

from command_center.actors.center import Center
from command_center.actors.contracts.events.approvals import (
    ApprovalExpired,
    ApprovalRequested,
    ApprovalResolved,
)
from command_center.actors.contracts.events.sessions import (
    SessionBlocked,
    SessionCompleted,
    SessionFailed,
    SessionHalted,
    SessionInterrupted,
    SessionQueued,
    SessionResumed,
    SessionStarted,
    SessionStarting,
    SessionWaiting,
    SessionWaitingLimit,
)
from command_center.http.mcp.sessions import Running
from command_center.http.wire.codec import encode
from command_center.http.wire.event_stream import HEARTBEAT_SECONDS, Feed
from command_center.http.wire.mcp import McpNotification, RequestFailed, RequestId
from command_center.http.wire.problems import Refused
from command_center.runtime import Refusal
from command_center.store import EventData, EventFilter, Session, approvals, event_type, sessions
from command_center.store.statuses import FINAL

WAIT: Final = "wait_for_session"

_MOVES: Final[tuple[type[EventData], ...]] = (
    *(SessionQueued, SessionWaitingLimit, SessionStarting, SessionStarted, SessionBlocked),
    *(SessionWaiting, SessionResumed, SessionCompleted, SessionFailed, SessionHalted),
    *(SessionInterrupted, ApprovalRequested, ApprovalResolved, ApprovalExpired),
)

MOVES: Final = tuple(map(event_type, _MOVES))
"""The types of events after which a wait looks how its session is."""

_SECONDS: Final = 45
_MOST_SECONDS: Final = 3600


class WaitForSession(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Wait until a session has ended, or time is up. Call it again if `ended` is false.

    Attributes:
        timeout_seconds: how long to wait at most; less than the client waits for a tool.
    """

    session_id: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    timeout_seconds: Annotated[int, msgspec.Meta(ge=0, le=_MOST_SECONDS)] = _SECONDS


class Waited(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A session after a wait, without its diff.

    Attributes:
        ended: it has, or was refused; else time was up.
        approval_ids: the decisions that it waits for, which are a person's to make.
    """

    ended: bool
    session: Session
    approval_ids: list[int]


async def look(center: Center, session_id: int) -> Waited:
    """Return the session as it is now.

    Raises:
        NotFound: there is none.
    """

    def read(db: Any) -> Waited:
        session = sessions.get(db, session_id)
        pending = approvals.every(db, {"session_id": session_id, "status": "pending"})
        return Waited(
            ended=session.status in FINAL or (session.status == "blocked" and not pending),
            session=msgspec.structs.replace(session, diff=None),
            approval_ids=[approval.id for approval in pending],
        )

    return await center.storage.read(read)


class WaitStream:
    """A wait, piece by piece: what happens meanwhile, and at last the answer."""

    def __init__(
        self,
        center: Center,
        wanted: WaitForSession,
        *,
        token: RequestId | None,
        answer: Callable[[Waited], bytes],
        refuse: Callable[[Exception], bytes],
        serving: AbstractContextManager[Running],
    ) -> None:
        """Wait for what is `wanted`, until it is there or what is `serving` is cancelled.

        Args:
            center: where the session is.
            wanted: the arguments of the tool.
            token: the name of the progress; None for a client that wants to hear of none.
            answer: makes the message at the end.
            refuse: makes the message where the wait is refused, or its session is gone.
            serving: gives what cancels the wait, for as long as it goes on; it may refuse.
        """
        self._center = center
        self._wanted = wanted
        self._token = token
        self._answer = answer
        self._refuse = refuse
        self._serving = serving
        self._running = Running()
        self._refusal: Exception | None = None
        self._is_answered = False
        self._steps = 0
        self._ends_at = 0.0

    def begin(self, stack: ExitStack) -> None:
        """Wait from now on."""
        try:
            self._running = stack.enter_context(self._serving)
        except (RequestFailed, Refused) as refused:
            self._refusal = refused
            return
        wanted = EventFilter(types=MOVES, session_id=self._wanted.session_id)
        subscription = stack.enter_context(self._center.fanout.subscribe(wanted, after=0))
        self._feed = Feed(self._center, subscription, None)
        self._ends_at = trio.current_time() + self._wanted.timeout_seconds

    async def next(self) -> bytes:
        """Return the next message; the stream ends after the answer, or when it is cancelled."""
        if self._is_answered or self._running.is_cancelled:
            raise StopAsyncIteration
        if self._refusal is not None:
            return self._end(self._refuse(self._refusal))
        if self._steps == 0:
            return await self._tell("looked")
        while True:
            left = self._ends_at - trio.current_time()
            batch = None
            with self._running.step(), trio.move_on_after(max(0.0, min(left, HEARTBEAT_SECONDS))):
                batch = await self._feed.next()
            if self._running.is_cancelled:
                raise StopAsyncIteration
            if batch is None and left > HEARTBEAT_SECONDS:
                return b":\n\n"
            if not batch:  # time is up, the server stops, or the client reads too slowly
                return await self._tell(None)
            return await self._tell(batch[-1].event.type)

    async def _tell(self, event: str | None) -> bytes:
        """Return how far the session is, after an event; the answer, where it is the last word."""
        try:
            now = await look(self._center, self._wanted.session_id)
        except Refusal as refused:
            return self._end(self._refuse(refused))
        if now.ended or event is None:
            return self._end(self._answer(now))
        self._steps += 1
        if self._token is None:
            return b":\n\n"
        waits = f", waits for the approvals {now.approval_ids}" if now.approval_ids else ""
        return _sent(
            encode(
                McpNotification(
                    method="notifications/progress",
                    params={
                        "progressToken": self._token,
                        "progress": self._steps,
                        "message": f"{now.session.status}{waits} ({event})",
                    },
                )
            )
        )

    def _end(self, message: bytes) -> bytes:
        self._is_answered = True
        return _sent(message)


def _sent(message: bytes) -> bytes:
    return b"event: message\ndata: " + message + b"\n\n"
