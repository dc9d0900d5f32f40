"""The session's row as it is now, and every write of it: held by one actor, asked by all its parts.

A fact of the turn is never given up because the disk is full or the file is locked: its write is
tried again until there is room, while the mailbox holds what comes after it. What a person asks is
refused instead, so that they learn of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import structlog
import trio

from command_center.actors.core.storage import Storage
from command_center.actors.ledger import sessions as ledger
from command_center.actors.rules.errors import Unavailable, Unconfirmed
from command_center.actors.rules.preconditions import Condition, always
from command_center.actors.rules.transitions import Phase, phase_of
from command_center.runtime import Backoff
from command_center.store import EventData, Session, Transaction, sessions
from command_center.store.statuses import ACTIVE

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

T = TypeVar("T")

BACKOFF: Final = Backoff(initial=0.2, cap=5.0, jitter=0.0)
"""The pauses between two tries to write a fact."""


class FactUnconfirmed(Exception):
    """A fact may have been written, or not; the next life of the actor reads which."""


class SessionState:
    """The row of one session."""

    def __init__(
        self, session: Session, storage: Storage, unconfirmed: set[int] | None = None
    ) -> None:
        """Begin with the row as it was read; put the session into `unconfirmed` when it is."""
        self._session = session
        self._storage = storage
        self._unconfirmed = set() if unconfirmed is None else unconfirmed

    @property
    def session(self) -> Session:
        """Return the row as it is now."""
        return self._session

    @session.setter
    def session(self, session: Session) -> None:
        was, self._session = self._session.status, session
        if session.status != was:
            log.info("session.moved", was=was, status=session.status, reason=session.exit_reason)

    @property
    def id(self) -> int:
        """Return the session's id."""
        return self._session.id

    @property
    def phase(self) -> Phase:
        """Return how far the session is."""
        return phase_of(self._session)

    @property
    def is_active(self) -> bool:
        """Return whether a runner works on it."""
        return self.phase in ACTIVE

    async def write(self, unit: Callable[[Transaction], Session]) -> Session:
        """Change the row for somebody who is told at once when it cannot be written.

        Raises:
            Unavailable: nothing can be written now.
            FactUnconfirmed: it may have been written, or not: the actor has to begin anew.
            Exception: what the unit raised.
        """
        try:
            self.session = await self._storage.write(unit)
        except Unconfirmed as error:
            raise self._in_doubt(error) from error
        return self.session

    async def check(self, condition: Condition) -> None:
        """Refuse a request that changes nothing, if it was made of an older state.

        Raises:
            PreconditionFailed: the condition does not hold.
        """
        if condition is not always:
            await self._storage.read(condition)

    async def keep(self, unit: Callable[[Transaction], T]) -> T:
        """Write a fact, however long it takes until it can be.

        Raises:
            FactUnconfirmed: it may have been written, or not: the actor has to begin anew.
            Exception: what the unit raised.
        """
        attempt = 0
        while True:
            try:
                return await self._storage.write(unit)
            except Unconfirmed as error:
                raise self._in_doubt(error) from error
            except Unavailable as error:
                log.warning("session.fact.waits", session=self.id, reason=str(error))
                attempt += 1
                await trio.sleep(BACKOFF.delay(attempt))

    def _in_doubt(self, error: Unconfirmed) -> FactUnconfirmed:
        self._unconfirmed.add(self.id)
        return FactUnconfirmed(str(error))

    async def change(self, unit: Callable[[Transaction], Session]) -> Session:
        """Write a fact that changes the row, as `keep` does, and return the row."""
        self.session = await self.keep(unit)
        return self.session

    async def refresh(self) -> None:
        """Read the row anew, however long it takes until it can be."""
        await self.change(lambda tx: sessions.get(tx.db, self.id))

    async def tell(self, event: EventData, *, actor: str = ledger.SYSTEM) -> None:
        """Emit an event that changes nothing."""
        await self.keep(
            lambda tx: ledger.tell(tx, sessions.get(tx.db, self.id), event, actor=actor)
        )
