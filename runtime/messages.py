"""Messages: requests and their replies, and addresses that say which messages an actor takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from typing import Self

Message_co = TypeVar("Message_co", covariant=True)
Message_contra = TypeVar("Message_contra", contravariant=True)
Reply_co = TypeVar("Reply_co", covariant=True)


class Request(Generic[Reply_co]):
    """Marks a message that is asked, and names the type of its reply.

    A message class inherits from it beside its own base::

        class Steer(msgspec.Struct, Request[SteerReceipt], frozen=True): ...

    so that `await ref.ask(Steer(...))` is known to give a `SteerReceipt`.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def _reply(self, _taken_by: Callable[[Self], object], /) -> Reply_co: ...


class Asked(Protocol[Message_co, Reply_co]):
    """A request that is one of the messages `Message_co`, and has a reply of the type `Reply_co`.

    Python has no type for what is both one of these messages and a request. This Protocol is one
    for type checkers: who takes all of `Message_co` takes a request of it, but not another.
    Nothing has its method when the program runs.
    """

    def _reply(self, _taken_by: Callable[[Message_co], object], /) -> Reply_co: ...


class Address(str, Generic[Message_contra]):
    """The path of an actor, which knows what messages the actor takes.

        TasksMessage: TypeAlias = CreateTask | SessionCommitted
        TASKS: Address[TasksMessage] = Address("/tasks")

        task = await ctx.lookup(TASKS).ask(CreateTask(...))

    A type checker refuses any other message there. When the program runs, making one returns the
    path itself, a plain `str`: it can be compared, stored and encoded like any other text.
    """

    __slots__ = ()

    def __new__(cls, path: str) -> Self:
        """Return the path."""
        return cast("Self", path)
