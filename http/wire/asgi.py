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
