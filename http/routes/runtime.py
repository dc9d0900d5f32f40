"""/api/runtime: the running actor tree, seen and operated.

A snapshot only reads and never waits for an actor, so it is answered while all of them are busy.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import trio
from quart import Blueprint, Response, request, websocket

from command_center.actors.center import Center
from command_center.actors.operator.actions import Action, Order, operate
from command_center.actors.rules.errors import NotFound
from command_center.http.wire.codec import (
    decode_body,
    decode_query,
    encode,
    json_response,
    refuse_query,
)
from command_center.runtime import ActorNotFound, ActorSnapshot, DeadLetter
from command_center.store import redact, to_timestamp

DEAD_LETTERS = 100
"""The newest dead letters that the tree shows."""

NORMAL_CLOSURE = 1000


class ActorQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """How much to show.

    Attributes:
        stack: also where the actor's task waits.
    """

    stack: bool = False


class TraceQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """When a trace ends by itself.

    Attributes:
        messages: after so many messages.
        seconds: after so much time.
    """

    messages: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100
    seconds: Annotated[float, msgspec.Meta(gt=0, le=600)] = 30.0


def routes(center: Center) -> Blueprint:  # noqa: C901 - a list of routes
    """The tree, its actors, and what an operator may do to them."""
    api = Blueprint("runtime", __name__)

    @api.get("/api/runtime")
    async def tree() -> Response:
        refuse_query(request)
        snapshot = center.system.snapshot()
        letters = list(center.system.dead_letters)[-DEAD_LETTERS:]
        now = center.system.clock()
        return json_response(
            {
                "actors": [shown(actor) for actor in snapshot.actors],
                "totals": camel(snapshot.totals),
                "deadLetters": {
                    "total": center.system.dead_letters.total,
                    "byReason": {
                        reason.value: count
                        for reason, count in snapshot.dead_letters_by_reason.items()
                    },
                    "items": [shown_letter(letter, now) for letter in reversed(letters)],
                },
                "faultDomains": fault_domains(snapshot.actors),
                "abandoned": snapshot.abandoned,
            }
        )

    @api.get("/api/runtime/actors/<actor:name>")
    async def actor(name: str) -> Response:
        query = decode_query(request, ActorQuery)
        try:
            found = center.system.snapshot_of(f"/{name}", stack=query.stack)
        except ActorNotFound:
            raise NotFound("Actor", f"/{name}") from None
        return json_response(shown(found))

    async def act(name: str, action: Action) -> Response:
        order = await decode_body(request, Order)
        after = await operate(center.system, center.storage, f"/{name}", action, order)
        return json_response(shown(after))

    @api.post("/api/runtime/actors/<path:name>/suspend")
    async def suspend(name: str) -> Response:
        return await act(name, "suspend")

    @api.post("/api/runtime/actors/<path:name>/resume")
    async def resume(name: str) -> Response:
        return await act(name, "resume")

    @api.post("/api/runtime/actors/<path:name>/drain")
    async def drain(name: str) -> Response:
        return await act(name, "drain")

    @api.post("/api/runtime/actors/<path:name>/restart")
    async def restart(name: str) -> Response:
        return await act(name, "restart")

    @api.post("/api/runtime/actors/<path:name>/stop")
    async def stop(name: str) -> Response:
        return await act(name, "stop")

    @api.websocket("/api/runtime/actors/<path:name>/trace")
    async def trace(name: str) -> None:
        query = decode_query(websocket, TraceQuery)
        try:
            records = center.system.trace(
                f"/{name}", messages=query.messages, seconds=query.seconds
            )
        except ActorNotFound:
            raise NotFound("Actor", f"/{name}") from None
        await websocket.accept()
        try:
            async for record in records:
                await websocket.send(encode(camel(record)).decode())
        finally:
            records.close()
        await websocket.close(NORMAL_CLOSURE, "the trace has ended")
        await trio.lowlevel.checkpoint()

    return api


def shown(actor: ActorSnapshot) -> dict[str, Any]:
    """An actor as the API shows it: ages in seconds, its start as a timestamp, no secrets."""
    seen = camel(actor)
    seen["status"] = actor.status.value
    seen["failed"] = actor.failed
    seen["startedAt"] = (
        None
        if actor.started_at is None
        else to_timestamp(datetime.fromtimestamp(actor.started_at, UTC))
    )
    seen["lastError"] = redact(actor.last_error)
    seen["description"] = redact(dict(actor.description))
    if actor.stack is None:
        del seen["stack"]
    return seen


def shown_letter(letter: DeadLetter, now: float) -> dict[str, Any]:
    """A dead letter: what kind of message it was, never what it said."""
    return {
        "number": letter.number,
        "path": letter.path,
        "message": type(letter.message).__name__,
        "reason": letter.reason.value,
        "age": round(now - letter.at, 3),
    }


def fault_domains(actors: tuple[ActorSnapshot, ...]) -> list[dict[str, str]]:
    """What fails as one, and what its failure may disturb."""
    return [
        {"path": actor.path, "contract": actor.contract}
        for actor in actors
        if actor.fault_domain == actor.path and actor.contract
    ]


def camel(record: Any) -> dict[str, Any]:
    """The fields of a frozen attrs record, by their names on the wire."""
    return {
        _camel(field.name): _rounded(getattr(record, field.name))
        for field in type(record).__attrs_attrs__
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Mapping):
        return dict(value)
    return value
