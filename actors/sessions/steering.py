"""Steering: what a person says to a turn that runs is recorded, and so is what came of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeAlias, TypeVar

import attrs
import msgspec
import trio
from sqlite_utils import Database

from command_center.actors.contracts.comments import SteerComments
from command_center.actors.contracts.events.sessions import (
    SteerAcknowledged,
    SteerRejected,
    SteerRequested,
)
from command_center.actors.contracts.messages import NewMessage, Said
from command_center.actors.contracts.sessions import SteerReceipt, SteerSession
from command_center.actors.core.storage import Storage
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.comments import mark_steered, reopen_unheard, words_of_open
from command_center.actors.ledger.successors import queue_followup
from command_center.actors.ledger.uploads import attached, joined
from command_center.actors.rules.errors import Conflict, Invalid, Unconfirmed
from command_center.actors.sessions.runner import Runner
from command_center.actors.sessions.state import SessionState
from command_center.runtime import Refusal
from command_center.store import (
    Comment,
    EventFilter,
    Session,
    Transaction,
    event_type,
    events,
    items,
    sessions,
)
from command_center.store.queries.causes import without_outcome

R = TypeVar("R")

Answer: TypeAlias = Callable[[Transaction, Session, str | None], R | None]
"""Makes the answer, in the transaction that records what came of a request.

It is given the turn that heard it, or None where Codex refused it; None, returned, lets the refusal
be the answer.
"""

LATE_SECONDS = 2.0
"""Seconds that Codex may take to answer what a turn was told, once that turn has ended."""


CUT_OFF = "Something failed before Codex answered. The message is not in its thread."
"""The reason for a request whose outcome a crash kept from being recorded."""

OUTCOMES = (event_type(SteerAcknowledged), event_type(SteerRejected))
"""The types of the events that tell what came of a request."""


def steer_id(session_id: int, event: int) -> str:
    """Return the id of ours that a request carries in its thread; `event` asked for it."""
    return f"command-center-steer-{session_id}-{event}"


def _outcome(turn_id: str | None, reason: str) -> SteerAcknowledged | SteerRejected:
    """Tell that the turn took the request, or why none did."""
    return SteerRejected(reason=reason) if turn_id is None else SteerAcknowledged(turn_id=turn_id)


def receipt_of(_tx: Transaction, session: Session, turn_id: str | None) -> SteerReceipt | None:
    """Answer that the turn has it."""
    return None if turn_id is None else SteerReceipt(session=session, turn_id=turn_id)


def said_by(wanted: NewMessage) -> Answer[Said | None]:
    """Return what answers a message: one that the turn refuses is queued, unless for it alone."""

    def answer(tx: Transaction, session: Session, turn_id: str | None) -> Said | None:
        if turn_id is not None:
            return Said(how="steer", session=session, turn_id=turn_id)
        ended = session.finished_at is not None or session.stop_requested is not None
        if wanted.how == "steer" or ended:
            return None
        followup = queue_followup(
            tx,
            session.id,
            message=wanted.message,
            actor=wanted.requested_by,
            attachments=attached(tx, wanted.attachments),
        )
        return Said(how="followup", session=session, followup=followup)

    return answer


def settle_cut_off(tx: Transaction, session_id: int, *, spared: Collection[int] = ()) -> None:
    """Tell what came of each request that was asked for and never answered, but of those `spared`.

    The transcript is complete: what Codex took into the turn is in it, under our id.
    """
    asked = without_outcome(tx.db, session_id, event_type(SteerRequested), OUTCOMES)
    cut_off = [event for event in asked if event not in spared]
    if not cut_off:
        return
    session = sessions.get(tx.db, session_id)
    heard = {
        item.body.get("clientId"): item.turn_id
        for item in items.every(tx.db, {"session_id": session_id, "type": "userMessage"})
    }
    for event in cut_off:
        turn_id = heard.get(steer_id(session_id, event))
        outcome = _outcome(turn_id, CUT_OFF)
        ledger.tell(tx, session, outcome, actor="codex", causation_id=event)
        if turn_id is None:
            reopen_unheard(tx, session, event)


def outcome_of(db: Database, event: int) -> SteerReceipt | Conflict | None:
    """Return what the log says came of the request that the event tells of; None if nothing yet."""
    (asked,), _ = events.after(db, event - 1, limit=1)
    wanted = EventFilter(types=OUTCOMES, session_id=asked.session_id)
    following: int | None = event
    while following is not None:
        found, following = events.after(db, following, wanted=wanted)
        for outcome in found:
            told = msgspec.json.decode(outcome.body)
            if told["causationId"] != event:
                continue
            if outcome.type == event_type(SteerRejected):
                return Conflict(told["data"]["reason"])
            session = sessions.get(db, asked.session_id or 0)
            return SteerReceipt(session=session, turn_id=told["data"]["turnId"])
    return None


def said_of(db: Database, event: int) -> Said | Conflict | None:
    """Return what the log says came of a message; see `outcome_of`."""
    outcome = outcome_of(db, event)
    if isinstance(outcome, SteerReceipt):
        return Said(how="steer", session=outcome.session, turn_id=outcome.turn_id)
    return outcome


@attrs.frozen(eq=False)
class Underway:
    """A request that was recorded, and that Codex has not answered."""

    attachments: Sequence[dict[str, Any]] = ()
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)


@attrs.define
class Steering:
    """The steering of one session."""

    _storage: Storage
    _state: SessionState
    _runner: Runner
    _under_way: dict[int, Underway] = attrs.field(factory=dict, init=False)
    """The requests that Codex has not answered, by the events that asked for them."""
    _changed: trio.Event = attrs.field(factory=trio.Event, init=False)

    def refusal(self) -> Conflict | None:
        """Return why there is no turn that can be steered, if there is none."""
        try:
            self._runner.check_steerable(self._state.session)
        except Conflict as refused:
            return refused
        return None

    async def request(self, steer: SteerSession) -> int:
        """Record the request, if there is a turn for it; return the id of its event.

        Raises:
            Invalid: it says nothing.
            Conflict: there is no turn that can be steered, or it is being stopped.
            Unavailable: nothing can be written now.
        """
        session = self._state.session
        if not steer.message.strip():
            raise Invalid.field("message", "Expected some text.")
        ledger.check_unstopped(session)
        self._runner.check_steerable(session)

        def request(tx: Transaction) -> tuple[int, list[dict[str, Any]]]:
            given = attached(tx, steer.attachments)
            if given:
                before = sessions.get(tx.db, session.id).attachments
                sessions.update(tx, session.id, attachments=joined(before, given))
            told = SteerRequested(
                message=steer.message,
                turn_id=session.codex_turn_id,
                attachments=given or msgspec.UNSET,
            )
            return ledger.tell(tx, session, told, actor=steer.requested_by), given

        event, given = await self._storage.write(request)
        self._under_way[event] = Underway(given)
        return event

    async def request_comments(
        self, asked: SteerComments
    ) -> tuple[SteerSession, int, list[Comment]]:
        """Record the request to say all open comments, and mark them; return it and its event.

        Raises:
            Conflict: there is no turn that can be steered, it is being stopped, or no comment is
                open.
            Unavailable: nothing can be written now.
        """
        session = self._state.session
        ledger.check_unstopped(session)
        self._runner.check_steerable(session)

        def request(tx: Transaction) -> tuple[SteerSession, int, list[Comment]]:
            steer = SteerSession(
                message=words_of_open(tx, session), requested_by=asked.requested_by
            )
            told = SteerRequested(message=steer.message, turn_id=session.codex_turn_id)
            event = ledger.tell(tx, session, told, actor=asked.requested_by)
            return steer, event, mark_steered(tx, session, event, actor=asked.requested_by)

        steer, event, sent = await self._storage.write(request)
        self._under_way[event] = Underway()
        return steer, event, sent

    async def perform(self, steer: SteerSession, event: int, answer: Answer[R]) -> R:
        """Hand the request that was recorded to the turn, and record what came of it with `answer`.

        Raises:
            Conflict: Codex did not take it.
            Unconfirmed: Codex did not answer; what came of it is recorded when the turn has ended.
        """
        try:
            return await self._perform(steer, event, self._under_way[event], answer)
        finally:
            del self._under_way[event]
            self._changed.set()

    @property
    def under_way(self) -> frozenset[int]:
        """Return the events that asked for what Codex has not answered yet."""
        return frozenset(self._under_way)

    async def settle(self) -> None:
        """Give Codex a moment to answer, as the turn has ended, and reject what it does not.

        What a crash or a lost connection cut off before its outcome was known has one after this,
        too.
        """
        with trio.move_on_after(LATE_SECONDS):
            await self._until_none()
        for request in self._under_way.values():
            request.scope.cancel()
        await self._until_none()
        await self._state.keep(lambda tx: settle_cut_off(tx, self._state.id))

    async def _until_none(self) -> None:
        while self._under_way:
            self._changed = trio.Event()
            await self._changed.wait()

    async def _perform(
        self, steer: SteerSession, event: int, request: Underway, answer: Answer[R]
    ) -> R:
        refusal: Refusal | None = None
        turn_id = ""
        scope = request.scope
        with scope:
            try:
                turn_id = await self._runner.steer(
                    self._state.session,
                    steer.message,
                    steer_id(self._state.id, event),
                    request.attachments,
                )
            except Unconfirmed:
                raise
            except Refusal as error:
                refusal = error
        if scope.cancelled_caught:
            refusal = Conflict("The turn has ended, and Codex did not say whether it heard this.")

        def record(tx: Transaction) -> R | None:
            session = sessions.get(tx.db, self._state.id)
            outcome = _outcome(None if refusal else turn_id, str(refusal))
            ledger.tell(tx, session, outcome, actor="codex", causation_id=event)
            if refusal:
                reopen_unheard(tx, session, event)
            if scope.cancelled_caught:
                return None  # it may have been heard, and is not said again
            return answer(tx, session, None if refusal else turn_id)

        made = await self._state.keep(record)
        if made is None:
            assert refusal is not None  # noqa: S101 - as `record` has it
            if not scope.cancelled_caught:
                ledger.check_unstopped(self._state.session)
            raise refusal
        return made
