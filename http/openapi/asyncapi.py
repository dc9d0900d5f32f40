"""The AsyncAPI 3 document: what the WebSockets send, made of the structs themselves."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import msgspec

from command_center.actors.contracts.events.catalogue import EVENTS
from command_center.actors.contracts.events.sessions import LiveEventData
from command_center.http.openapi.schemas import REFERENCE, schemas_of, without_null
from command_center.http.routes.events import StreamQuery
from command_center.http.routes.host_links import HostLinkQuery
from command_center.http.routes.runtime import TraceQuery
from command_center.http.routes.shells import End, Resize, ShellExit, TerminalQuery
from command_center.http.wire.responses import LiveEvent, TraceRecordShown
from command_center.store import Event, EventData
from command_center.store.events import TYPE_FIELD

_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": (
        "`CC_API_TOKEN`: as a header, or from a browser as the two subprotocols `cc.v1` and "
        "`cc.bearer.<base64url of the token>`, or as the cookie of one that has signed in."
    ),
}


def asyncapi_document(*, secured: bool) -> dict[str, Any]:
    """Make the document; `secured` says that this server wants a token."""
    told = schemas_of(
        [Event, LiveEvent, TraceRecordShown, ShellExit, Resize, End, *EVENTS.values()]
    )
    schemas = {**told.components, **_event_data(told.components)}
    security = [{"$ref": "#/components/securitySchemes/token"}] if secured else []
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Command Center's streams",
            "version": version("command-center"),
            "description": (
                "Each text frame holds one message. A client sends nothing, but to a terminal. The "
                "first message of a stream of events is `stream.opened` or `stream.resumed`, which "
                "says which log it is and after which event the stream begins. A stream that "
                "closes with 1013 (too slow) or 1012 (the server stops) is resumed with `after` "
                "set to "
                "the last id that came; 4410 says that the position to resume after is not in "
                "this log. Events come as server-sent events, too: see /openapi.json."
            ),
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": "127.0.0.1:8787",
                "protocol": "ws",
                "description": "The address that the server listens on unless told otherwise.",
                **({"security": security} if security else {}),
            }
        },
        "channels": {
            "events": {
                "address": "/api/events/stream",
                "description": "Events after `after`, and then those that happen.",
                "messages": {
                    "event": {"$ref": "#/components/messages/event"},
                    "liveEvent": {"$ref": "#/components/messages/liveEvent"},
                    **{kind: {"$ref": f"#/components/messages/{kind}"} for kind in EVENTS},
                },
                "bindings": {"ws": {"method": "GET", "query": _query(StreamQuery)}},
            },
            "terminal": {
                "address": "/api/sessions/{sessionId}/terminal",
                "description": (
                    "A shell where a session works. Binary frames are what is typed, and what it "
                    "writes. Text frames give it another size, or end it, or say that nothing "
                    "more comes."
                ),
                "parameters": {"sessionId": {"description": "The session's id."}},
                "messages": {
                    "ended": {"$ref": "#/components/messages/terminalEnded"},
                    "resize": {"$ref": "#/components/messages/terminalResize"},
                    "end": {"$ref": "#/components/messages/terminalEnd"},
                },
                "bindings": {"ws": {"method": "GET", "query": _query(TerminalQuery)}},
            },
            "hostLink": {
                "address": "/api/hosts/link",
                "description": (
                    "The connection of a machine that dials out, by its own key. Binary frames are "
                    "the bytes of the link to a host, in both directions."
                ),
                "bindings": {"ws": {"method": "GET", "query": _query(HostLinkQuery)}},
            },
            "trace": {
                "address": "/api/runtime/actors/{path}/trace",
                "description": "Messages that one actor handles, until the trace ends.",
                "parameters": {"path": {"description": "The actor's path, such as `slots`."}},
                "messages": {"record": {"$ref": "#/components/messages/record"}},
                "bindings": {"ws": {"method": "GET", "query": _query(TraceQuery)}},
            },
        },
        "operations": {
            "openTerminal": {
                "action": "send",
                "channel": {"$ref": "#/channels/terminal"},
                "messages": [{"$ref": "#/channels/terminal/messages/ended"}],
            },
            "controlTerminal": {
                "action": "receive",
                "channel": {"$ref": "#/channels/terminal"},
                "messages": [
                    {"$ref": "#/channels/terminal/messages/resize"},
                    {"$ref": "#/channels/terminal/messages/end"},
                ],
            },
            "sendEvents": {
                "action": "send",
                "channel": {"$ref": "#/channels/events"},
                "messages": [
                    {"$ref": "#/channels/events/messages/event"},
                    {"$ref": "#/channels/events/messages/liveEvent"},
                    *({"$ref": f"#/channels/events/messages/{kind}"} for kind in EVENTS),
                ],
            },
            "sendTrace": {
                "action": "send",
                "channel": {"$ref": "#/channels/trace"},
                "messages": [{"$ref": "#/channels/trace/messages/record"}],
            },
        },
        "components": {
            "messages": {
                "event": _message("A durable event", "Event"),
                "liveEvent": _message("An event that is sent only live", "LiveEvent"),
                **{kind: _event_message(kind, event) for kind, event in EVENTS.items()},
                "terminalEnded": _message("A terminal has ended", "ShellExit"),
                "terminalResize": _message("A terminal has another size", "Resize"),
                "terminalEnd": _message("A terminal is to end", "End"),
                "record": _message("A message that the actor took in hand", "TraceRecordShown"),
            },
            "schemas": schemas,
            "securitySchemes": {"token": _TOKEN},
        },
    }


def _message(summary: str, schema: str) -> dict[str, Any]:
    return {"summary": summary, "payload": {"$ref": REFERENCE.format(name=schema)}}


def _event_message(kind: str, event: type[EventData]) -> dict[str, Any]:
    """Tell of one type of event: an event as all others, whose data has the fields of its class."""
    frame = "LiveEvent" if issubclass(event, LiveEventData) else "Event"
    data = {"$ref": REFERENCE.format(name=event.__name__)}
    return {
        "name": kind,
        "summary": " ".join(inspect.cleandoc(event.__doc__ or "").split()),
        "payload": {
            "allOf": [
                {"$ref": REFERENCE.format(name=frame)},
                {"properties": {"type": {"const": kind}, "data": data}},
            ]
        },
    }


def _event_data(schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the schemas of the events' data, without the type, which the event has."""
    told = {}
    for event in EVENTS.values():
        schema = dict(schemas[event.__name__])
        schema["properties"] = {
            name: field for name, field in schema["properties"].items() if name != TYPE_FIELD
        }
        schema["required"] = [name for name in schema["required"] if name != TYPE_FIELD]
        told[event.__name__] = schema
    return told


def _query(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema of a query, as an object of its parameters."""
    schema = schemas_of((), [kind]).components[kind.__name__]
    properties = {name: without_null(told) for name, told in schema["properties"].items()}
    return {"type": "object", "properties": properties}
