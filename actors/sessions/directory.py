"""Asking a session, whether it has an actor or not: it may have ended, or been set aside."""

from __future__ import annotations

import contextlib
from typing import Final, Protocol, TypeVar

import attrs
import trio

from command_center.actors.contracts.addresses import (
    SLOTS,
    TASKS,
    SessionMessage,
    orphaned_turns_on,
    session_at,
)
from command_center.actors.contracts.comments import SteerComments
from command_center.actors.contracts.events.sessions import TurnAbandoned
from command_center.actors.contracts.messages import NewMessage, Said, SayNext, SayNow
from command_center.actors.contracts.sessions import (
    AbandonTurn,
    ChangeGoal,
    ClearGoal,
    LabelSession,
    PatchSession,
    SlotsChanged,
    SteerSession,
    StopSession,
    TurnLeft,
)
from command_center.actors.contracts.tasks import EnsureSession, check_texts
from command_center.actors.contracts.turns import InterruptTurn
from command_center.actors.core.storage import Storage
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger import successors as sequels
from command_center.actors.rules.errors import Conflict, Unconfirmed
from command_center.actors.rules.preconditions import only_if
from command_center.actors.rules.transitions import check
from command_center.actors.sessions.goals import no_goal_now
from command_center.runtime import (
    ActorNotFound,
    ActorRef,
    ActorStopped,
    Address,
    Asked,
    MailboxFull,
)
from command_center.store import Session, Transaction, orphaned_turns, sessions
from command_center.store.statuses import ACTIVE

M = TypeVar("M")
R = TypeVar("R")

ASK_SECONDS: Final = 60.0
"""Seconds that a caller waits for an actor's answer, a stop of a turn included."""

URGENT_SECONDS: Final = 3.0
"""Seconds that a stop may wait for the session's actor, before Codex is told of it past it."""


_SAID: Final = (SayNow, SteerSession, SteerComments)
"""The messages that tell Codex something, which must not be said twice."""


class AlreadyEnded(Conflict):
    """The session has ended, and takes nothing any more."""

    def __init__(self, session: Session) -> None:
        """Say how, and when."""
        super().__init__(
            f"Session {session.id} is {session.status}; it has ended.",
            currentStatus=session.status,
            finishedAt=session.finished_at,
        )


class Find(Protocol):
    """Finds the actor at an address, if it is there."""

    def __call__(self, path: Address[M], /) -> ActorRef[M] | None:
        """Return its handle, or None."""


@attrs.frozen
class Sessions:
    """All sessions, as whoever asks one of them sees them.

    Attributes:
        find: gives the actor at a path, if it is there.
        approval_seconds: how long a person has to decide what policy asks.
    """

    _find: Find
    _storage: Storage
    _approval_seconds: float

    async def ask(self, session_id: int, message: Asked[SessionMessage, R]) -> R:
        """Ask a session's actor. A live session that has none gets one first, if that can be.

        Where the actor is stopped with the message in hand, the next one is asked, unless Codex may
        have been told already.

        Raises:
            NotFound: there is no such session.
            Unconfirmed: the actor was stopped with what was to be said.
            AlreadyEnded: it has, and what ended has no other refusal for this.
            ActorNotFound, ActorStopped: it lives, and has no actor that could answer.
        """
        address = session_at(session_id)
        asked: object = message
        try:
            return await self._ask(address, message)
        except (ActorNotFound, ActorStopped) as gone:
            if isinstance(asked, _SAID) and isinstance(gone, ActorStopped) and gone.was_taken:
                raise Unconfirmed(
                    f"Session {session_id} was restarted before Codex answered. Look into its "
                    "transcript before you say this again."
                ) from gone
            session = await self._storage.read(lambda db: sessions.get(db, session_id))
        if session.finished_at is None:
            await self._ask(TASKS, EnsureSession(session_id))
            return await self._ask(address, message)
        if isinstance(asked, PatchSession):
            check(session, asked.changes.status)
        if isinstance(asked, ChangeGoal | ClearGoal):
            raise no_goal_now(session)
        raise AlreadyEnded(session)

    async def say(self, session_id: int, wanted: NewMessage) -> Said:
        """Say something to a session, whatever its state: now, next, or as its thread's next turn.

        Raises:
            NotFound: there is no such session.
            Conflict: its task is cancelled, it is being stopped, or no turn can be steered that it
                was for.
            Unconfirmed: its actor was stopped while Codex was told.
            ActorNotFound, ActorStopped: it lives, and has no actor that could answer.
        """
        if wanted.how != "followup":
            with contextlib.suppress(AlreadyEnded):
                said = await self.ask(session_id, SayNow(wanted))
                if said is not None:
                    return said
        if wanted.how == "steer":
            session = await self._storage.read(lambda db: sessions.get(db, session_id))
            raise AlreadyEnded(session)
        return await self._ask(TASKS, SayNext(session_id, wanted))

    async def stop(self, session_id: int, message: StopSession) -> Session:
        """Stop a session, and give it as it ended; one that has ended stays as it is.

        One whose actor is set aside ends in its row, and Codex is told to interrupt its turn; so it
        is where the actor does not answer soon. A stop is wanted most when a turn has filled the
        disk, and then its actor cannot record that it is wanted before there is room again.

        Raises:
            NotFound: there is no such session.
        """
        try:
            with trio.move_on_after(URGENT_SECONDS):
                return await self.ask(session_id, message)
            # Its actor may wait for the disk, which Codex does not.
            session = await self._storage.read(lambda db: sessions.get(db, session_id))
            self._tell(orphaned_turns_on(session.host), InterruptTurn(session))
            return await self.ask(session_id, message)
        except (ActorNotFound, ActorStopped):
            return await self._end_without_actor(session_id, message)
        except Conflict:
            session = await self._storage.read(lambda db: sessions.get(db, session_id))
            if session.finished_at is None:
                raise
            return session

    async def label(self, session_id: int, message: LabelSession) -> Session:
        """Name a session, archive it or bring it back, whether it has an actor or not.

        Raises:
            NotFound: there is no such session.
            Invalid: the title says nothing, or is too long.
            Conflict: it is to be archived, and has not ended.
            ActorNotFound, ActorStopped: it lives, and has no actor that could answer.
        """
        if isinstance(title := message.label.title, str):
            check_texts(title=title)
        try:
            return await self.ask(session_id, message)
        except AlreadyEnded:
            return await self._storage.write(
                only_if(
                    message.condition,
                    lambda tx: ledger.label_session(tx, session_id, message.label),
                )
            )

    async def abandon_turn(self, session_id: int, message: AbandonTurn) -> Session:
        """Have nothing wait any longer for a turn that may still run; its session has ended.

        It is ended all the same, should its host come back. Asking again changes nothing.

        Raises:
            NotFound: there is no such session.
            Conflict: it has no such turn.
        """

        def unit(tx: Transaction) -> Session:
            session = sessions.get(tx.db, session_id)
            if orphaned_turns.abandon(tx, session_id):
                told = TurnAbandoned(host=session.host)
                ledger.tell(tx, session, told, actor=message.requested_by)
            elif not orphaned_turns.is_noted(tx.db, session_id):
                raise Conflict(
                    f"Nothing waits for a turn of session {session_id}.",
                    currentStatus=session.status,
                )
            return session

        session = await self._storage.write(unit)
        self._tell(SLOTS, SlotsChanged())
        return session

    async def _ask(self, address: Address[M], message: Asked[M, R]) -> R:
        ref: ActorRef[M] | None = self._find(address)
        if ref is None:
            raise ActorNotFound(address)
        return await ref.ask(message, timeout=ASK_SECONDS)

    async def _end_without_actor(self, session_id: int, message: StopSession) -> Session:
        """End a session whose actor is set aside."""

        def unit(tx: Transaction) -> Session:
            actor = message.requested_by
            session = ledger.request_stop(tx, session_id, reason=message.reason, actor=actor)
            if session.finished_at is not None:
                return session
            ended, _ = sequels.end(
                tx,
                session_id,
                "stopped",
                reason=f"Stopped by {actor}; its actor was set aside.",
                approval_seconds=self._approval_seconds,
                leaves_turn=session.status in ACTIVE,
            )
            return ended

        ended = await self._storage.write(unit)
        self._tell(SLOTS, SlotsChanged())
        self._tell(orphaned_turns_on(ended.host), TurnLeft())
        return ended

    def _tell(self, address: Address[M], message: M) -> None:
        ref: ActorRef[M] | None = self._find(address)
        if ref is not None:
            with contextlib.suppress(MailboxFull):
                ref.try_tell(message)
