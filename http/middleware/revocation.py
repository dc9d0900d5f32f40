"""Revocation: the streams of a device end with its access, at once.

A WebSocket is closed with 1008, an event stream ends. Either is what its client knows to come back
from, and then it is told why it may not. A request that has begun is carried out.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

import trio

from command_center.actors.devices.roster import Roster
from command_center.http.wire.asgi import App, Message, Receive, Scope, Send, begins_stream
from command_center.http.wire.caller import caller_of

POLICY_VIOLATION = 1008

_CLOSE: Final = MappingProxyType(
    {
        "type": "websocket.close",
        "code": POLICY_VIOLATION,
        "reason": "The access of this device has changed.",
    }
)
_END: Final = MappingProxyType({"type": "http.response.body", "body": b"", "more_body": False})


class Revocable:
    """ASGI middleware behind the authentication, which ends what a device may have no more."""

    def __init__(self, app: Any, roster: Roster) -> None:
        self._app: App = app
        self._roster = roster

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, until the device's access ends if it is a stream of one."""
        caller = caller_of(scope)
        device_id, device = caller.device_id, None
        if device_id is None:
            await self._app(scope, receive, send)
            return
        ended, serving, sending = trio.CancelScope(), trio.CancelScope(), trio.Lock()

        def begin() -> None:
            """Watch the stream; end it if the access has changed since the request came."""
            nonlocal device
            device = self._roster.by_id(device_id)
            if device is None or (device.scopes, device.limits) != (caller.scopes, caller.limits):
                ended.cancel()
            else:
                device.add_stream(ended)
            nursery.start_soon(watch)

        async def watch() -> None:
            """End the stream with the access: after the frame that is on its way, not within it."""
            with ended:
                await trio.sleep_forever()
            async with sending:
                serving.cancel()

        async def watched(message: Message) -> None:
            async with sending:
                await send(message)
                if begins_stream(message):
                    begin()

        try:
            async with trio.open_nursery() as nursery:
                if scope["type"] == "websocket":
                    begin()
                with serving:
                    await self._app(scope, receive, watched)
                nursery.cancel_scope.cancel()
        finally:
            if device is not None:
                device.drop_stream(ended)
        if serving.cancelled_caught:
            await send(_CLOSE if scope["type"] == "websocket" else _END)
