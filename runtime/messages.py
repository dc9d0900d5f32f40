"""What a message is to the runtime: anything; and what makes one a request."""

from __future__ import annotations

from typing import Generic, TypeVar

Reply_co = TypeVar("Reply_co", covariant=True)


class Request(Generic[Reply_co]):
    """Marks a message that is asked, and names the type of its reply.

    A message class inherits from it beside its own base::

        class Steer(msgspec.Struct, Request[SteerReceipt], frozen=True): ...

    so that `await ref.ask(Steer(...))` is known to give a `SteerReceipt`.
    """

    __slots__ = ()
