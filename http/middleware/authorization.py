"""Authorization: each operation has the scope that it takes, and a device needs to have it.

It is checked before anything else of an operation, also before an answer is given that is kept
under an Idempotency-Key. The word of the caller about who asks (`requestedBy`) stays theirs: events
have the device beside it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from quart import request, websocket

from command_center.actors.core.storage import RequestOrigin
from command_center.http.wire.caller import Caller, caller_of
from command_center.http.wire.operation import Operation, Socket, View
from command_center.runtime import origin

T = TypeVar("T")


def authorized(operation: Operation, view: View) -> View:
    """Return an operation's view for those alone who may do that."""
    scope = operation.scope

    async def answer(**given: Any) -> Any:
        caller = caller_of(request.scope)
        if caller.device_id is not None:
            if scope is not None:
                caller.check_unlimited()
                caller.check(scope)
            _begin(caller)
        return await view(**given)

    return answer


def authorized_socket(socket: Socket, view: Callable[..., Awaitable[T]]) -> Callable[..., Any]:
    """Return a WebSocket's view for those alone who may do that."""

    async def converse(**given: Any) -> T:
        caller = caller_of(websocket.scope)
        if caller.device_id is not None:
            caller.check_unlimited()
            for scope in socket.scopes:
                caller.check(scope)
            _begin(caller)
        return await view(**given)

    return converse


def _begin(caller: Caller) -> None:
    """Have what is done for the request put down to its device."""
    origin.set(RequestOrigin.of(origin.get(), device=caller.name))
