"""A client that leaves before its answer: what was only looked up for it ends then.

A request is handled to its end, whoever still listens, as what it has begun must not be left half
done. What only reads, and may take long at it, is ended by `while_client_stays`.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final, TypeVar

import trio
from quart import request

from command_center.http.wire.asgi import Receive
from command_center.http.wire.problems import CLIENT_LEFT, Refused

T = TypeVar("T")

_RECEIVE: Final = "command_center.receive"


def let_watch(scope: Any, receive: Any) -> None:
    """Let the handler of a request, whose body has come, hear of the client's leaving."""
    scope[_RECEIVE] = receive


async def while_client_stays(work: Awaitable[T]) -> T:
    """Wait for the work to be done, and cancel it once the client of the request has left.

    Raises:
        Refused: the client has left.
    """
    scope: Any = request.scope
    receive: Receive | None = scope.get(_RECEIVE)
    has_left = False

    async def watch() -> None:
        nonlocal has_left
        assert receive is not None  # noqa: S101 - for the type checker: seen below
        while (await receive())["type"] != "http.disconnect":
            pass
        has_left = True
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        if receive is not None:
            nursery.start_soon(watch)
        made = await work
        nursery.cancel_scope.cancel()
    if has_left:
        raise Refused(CLIENT_LEFT, "The client has left.")
    return made
