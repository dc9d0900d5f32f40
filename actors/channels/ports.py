"""The parts of a channel that the follower and the outbox use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import attrs
from sqlite_utils import Database

from command_center.actors.channels.notices import Notice
from command_center.runtime import ActorRef
from command_center.store import Transaction


class Channel(Protocol):
    """A way to tell people."""

    @property
    def mark(self) -> str:
        """Return the name under which its place in the log is kept."""

    def begin(self, tx: Transaction, /) -> None:
        """Prepare whatever a notice needs; called at each start, before any notice."""

    def tell(self, tx: Transaction, notice: Notice, /) -> None:
        """Write the messages that the notice leads to; they are sent after the commit."""

    def wake(self, find: Callable[[str], ActorRef[Any] | None], /) -> None:
        """Have what was written sent now; `find` knows the actors by their paths."""


class Letter(Protocol):
    """A message that waits in an outbox."""

    @property
    def not_before(self) -> str | None:
        """Return the moment before which it is not tried, as a timestamp."""


L = TypeVar("L", bound=Letter)


@attrs.frozen
class DeliveryOutcome:
    """The result of trying to deliver a message; `write` records it.

    A message that is neither sent nor failed waits to be tried again.
    """

    write: Callable[[Transaction], object]
    is_sent: bool = False
    is_failed: bool = False
    problem: str | None = None


class Carrier(Protocol[L]):
    """The part of a channel that delivers: messages in its own tables, to its own recipients."""

    def recipients(self, db: Database) -> list[int]:
        """Return those for whom a message waits."""

    def next(self, db: Database, recipient: int) -> L | None:
        """Return the recipient's oldest message that waits."""

    async def pace(self, recipient: int) -> None:
        """Wait until a message to the recipient may be sent. One task at a time waits for one."""

    async def deliver(self, message: L) -> DeliveryOutcome:
        """Try to deliver the message. Raise nothing for what the other side does."""

    def forget_old(self, tx: Transaction) -> None:
        """Remove what is long done with."""

    async def aclose(self) -> None:
        """Close the connections."""
