"""The names of ASGI's parts, as far as this server and its gate speak it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

SERVER = "*"
"""The path of an OPTIONS that asks for the server as a whole."""

WHOLE_BODY = "command_center.whole_body"
"""Among a scope's extensions: all of the body has come already, and is the first message."""

REQUEST_ID = b"x-request-id"
"""The header that names a request, in its answer, too."""

EVENT_STREAM = "text/event-stream"


def begins_stream(message: Message) -> bool:
    """Return True for the head of an answer without an end, which goes on as events come."""
    return message["type"] == "http.response.start" and any(
        name == b"content-type" and value.startswith(EVENT_STREAM.encode())
        for name, value in message.get("headers", ())
    )
