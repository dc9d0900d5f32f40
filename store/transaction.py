"""Transactions: the connection, the moment, and the event log, as a unit of work sees them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET
from sqlite_utils import Database

from command_center.store import events
from command_center.store.errors import TransactionEnded
from command_center.store.events import Event, EventData, StoredEvent, event_type, plain_data
from command_center.store.long_texts import whole_values
from command_center.store.long_texts.shortening import shorten
from command_center.store.redaction.redact import redact
from command_center.store.timestamps import now_timestamp


class Transaction:
    """The transaction of a unit. It ends when the unit returns or raises, and may not be kept.

    Attributes:
        db: the writer's connection. A unit reads and writes through it, may open savepoints
            (``db.atomic()``), and cannot end the transaction that it shares with others.
        now: the moment at which the unit began, as a timestamp.
        origin: what the unit is done for, such as a request's id; None where nobody says.
        device: the device whose request it is done for, as events name it; None for no device's.
        requested_by: what that request calls who asked; events of that name are told the device.
        cause: the event that led to the request, where an agent made it: the first event of that
            name says so.
    """

    def __init__(self, db: Database, last_event_id: int, secrets: Sequence[str]) -> None:
        self._db: Database | None = db
        self.now = now_timestamp()
        self.origin: str | None = None
        self.device: str | None = None
        self.requested_by: str | None = None
        self.cause: int | None = None
        self._last_event_id = last_event_id
        self._secrets = secrets
        self._events: list[StoredEvent] = []

    @property
    def db(self) -> Database:
        """Return the writer's connection.

        Raises:
            TransactionEnded: the unit has returned.
        """
        if self._db is None:
            raise TransactionEnded
        return self._db

    @property
    def first_event_id(self) -> int | None:
        """Return the id of the first event that was emitted here; None if there is none."""
        return self._events[0].id if self._events else None

    def redact(self, value: Any) -> Any:
        """Give the value without what looks like a secret or is one of this installation's."""
        return redact(value, self._secrets)

    def emit(
        self,
        event: EventData,
        *,
        actor: str,
        repository_id: int | None = None,
        task_id: int | None = None,
        session_id: int | None = None,
        approval_id: int | None = None,
        automation_id: int | None = None,
        correlation_id: str | None = None,
        causation_id: int | None = None,
    ) -> int:
        """Add an event to the log, as part of this transaction; published after its commit.

        Args:
            event: what happened; redacted before it is stored. Where it is long, the log has it
                shortened, and the whole is kept beside it (``events.piece``).
            actor: who did it, by whatever name they gave; redacted too.
            repository_id: of what it is about, as are the ids that follow.
            task_id: as above.
            session_id: as above.
            approval_id: as above.
            automation_id: as above.
            correlation_id: shared by all that has the same origin; the unit's unless given.
            causation_id: the id of the event that led to this one.

        Returns:
            the event's id: one more than that of the event before it.

        Raises:
            TransactionEnded: the unit has returned.
            TypeError: the event's data cannot be JSON.
        """
        event_id = self._last_event_id + 1
        if self.cause is not None and actor == self.requested_by:
            causation_id, self.cause = self.cause, None
        data = self.redact(plain_data(event))
        shown = shorten(data)
        stored = events.append(
            self.db,
            Event(
                id=event_id,
                type=event_type(type(event)),
                ts=self.now,
                repository_id=UNSET if repository_id is None else repository_id,
                task_id=UNSET if task_id is None else task_id,
                session_id=UNSET if session_id is None else session_id,
                approval_id=UNSET if approval_id is None else approval_id,
                automation_id=UNSET if automation_id is None else automation_id,
                actor=self.redact(actor),
                device=UNSET if self.device is None or actor != self.requested_by else self.device,
                correlation_id=self.origin if correlation_id is None else correlation_id,
                causation_id=causation_id,
                data=shown,
                shortened=UNSET if shown is data else True,
            ),
        )
        if shown is not data:
            whole = msgspec.json.encode(data).decode()
            whole_values.keep(self.db, events.TABLE, event_id, events.DATA, whole)
        self._events.append(stored)
        self._last_event_id = event_id
        return event_id

    def end(self) -> list[StoredEvent]:
        """End it, and give the events that it emitted. The writer's to call, not a unit's."""
        self._db = None
        return self._events
