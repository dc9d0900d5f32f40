"""A client of Command Center for Python programs, and what the command line itself speaks with.

`connection` has `CommandCenter`, and `asynchronous` has `AsyncCommandCenter` for trio.
`calls` has a function for each operation of the API, and `shapes` what is sent and answered; both
are made from the OpenAPI document. A `call` is a request as a value, which either client sends.
`address` spells in one way where a server is. `answers` tells which answers are a server's. `place`
is where a stream of events goes on after its connection was lost, `following` such a stream on
trio, `resending` what is sent again after a failure, and `errors` what may go wrong. Nothing of the
server is imported, and each name here is loaded when it is used.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from command_center_client import calls
    from command_center_client.asynchronous import AsyncCommandCenter
    from command_center_client.call import ApiCall
    from command_center_client.connection import CommandCenter
    from command_center_client.errors import (
        AnswerLost,
        CallRefused,
        ClientError,
        LogChanged,
        NotCommandCenter,
        NotReachable,
        NotTrusted,
    )
    from command_center_client.place import LogPlace

__all__ = [
    "AnswerLost",
    "ApiCall",
    "AsyncCommandCenter",
    "CallRefused",
    "ClientError",
    "CommandCenter",
    "LogChanged",
    "LogPlace",
    "NotCommandCenter",
    "NotReachable",
    "NotTrusted",
    "calls",
]

_MODULES = MappingProxyType(
    {
        "AnswerLost": "errors",
        "AsyncCommandCenter": "asynchronous",
        "ApiCall": "call",
        "ClientError": "errors",
        "CommandCenter": "connection",
        "LogChanged": "errors",
        "NotCommandCenter": "errors",
        "NotReachable": "errors",
        "NotTrusted": "errors",
        "LogPlace": "place",
        "CallRefused": "errors",
    }
)


def __getattr__(name: str) -> Any:
    """Load what is asked for: a command must begin at once, and httpx alone takes half a second."""
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    if name == "calls":
        return import_module(f"{__name__}.calls")
    raise AttributeError(name)
