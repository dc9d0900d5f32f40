"""/api/runtime: the running actor tree, seen and operated.

A snapshot only reads and never waits for an actor, so it is answered while all of them are busy.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import trio
from quart import websocket

from command_center.actors.center import Center
from command_center.actors.contracts.hosts import ProgramTree
from command_center.actors.operator.actions import Action, Order, operate
from command_center.actors.rules.errors import Conflict, NotFound, Unavailable
from command_center.http.wire.codec import encode
from command_center.http.wire.operation import Api
from command_center.http.wire.responses import (
    ActorShown,
    DeadLetterShown,
    DeadLettersShown,
    FaultDomain,
    HostTree,
    TotalsShown,
    TraceRecordShown,
    Tree,
    as_shown,
)
from command_center.runtime import ActorNotFound, ActorSnapshot, DeadLetter
from command_center.store import redact

api = Api[Center]("Runtime")

DEAD_LETTERS = 100
"""The newest dead letters that the tree shows."""

NORMAL_CLOSURE = 1000

ANSWER_SECONDS = 5.0
"""Seconds that a host may take to show its actors."""


class ActorQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The parts of an actor that are shown.

    Attributes:
        stack: also where the actor's task waits.
    """

    stack: bool = False


class TraceQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The end of a trace.

    Attributes:
        messages: after so many messages.
        seconds: after so much time.
    """

    messages: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100
    seconds: Annotated[float, msgspec.Meta(gt=0, le=600)] = 30.0


@api.operation("GET", "/api/runtime")
async def get_tree(center: Center) -> Tree:
    """Show the tree of actors."""
    snapshot = center.system.snapshot()
    letters = center.system.dead_letters
    now = center.system.now()
    return Tree(
        actors=[shown(actor) for actor in snapshot.actors],
        totals=as_shown(snapshot.totals, TotalsShown),
        dead_letters=DeadLettersShown(
            total=letters.total,
            by_reason={
                reason.value: count for reason, count in snapshot.dead_letters_by_reason.items()
            },
            items=[shown_letter(letter, now) for letter in reversed([*letters][-DEAD_LETTERS:])],
        ),
        fault_domains=fault_domains(snapshot.actors),
        abandoned=list(snapshot.abandoned),
    )


@api.operation("GET", "/api/hosts/<host_name>/runtime", refuses=(404, 409, 503))
async def get_host_tree(center: Center, host_name: str) -> HostTree:
    """Show the actors of the program that a host runs which dials out; it is asked for them.

    What this server runs for a host is in its own tree, below `/hosts`.
    """
    if host_name not in center.hosts:
        raise NotFound("Host", host_name)
    program: ProgramTree | None = getattr(center.hosts.named(host_name), "tree", None)
    if program is None:
        raise Conflict(f"Host {host_name} runs no program of ours that has a tree of its own.")
    try:
        with trio.fail_after(ANSWER_SECONDS):
            actors = tuple(await program.actors())
    except trio.TooSlowError:
        raise Unavailable(f"Host {host_name} does not answer. Look again.") from None
    return HostTree(
        host=host_name, actors=[shown(one) for one in actors], fault_domains=fault_domains(actors)
    )


@api.operation("GET", "/api/runtime/actors/<actor:name>", refuses=(404,))
async def get_actor(center: Center, name: str, query: ActorQuery) -> ActorShown:
    """Show an actor."""
    try:
        found = shown(center.system.snapshot_of(f"/{name}"))
    except ActorNotFound:
        raise NotFound("Actor", f"/{name}") from None
    if query.stack:
        return msgspec.structs.replace(found, stack=tuple(center.system.stack_of(f"/{name}")))
    return found


@api.operation(
    "POST",
    "/api/runtime/actors/<path:name>/suspend",
    refuses=(404, 409),
    scope="operate",
    is_repeatable=True,
)
async def suspend_actor(center: Center, name: str, body: Order) -> ActorShown:
    """Let an actor take no more messages."""
    return await _act(center, name, "suspend", body)


@api.operation(
    "POST",
    "/api/runtime/actors/<path:name>/resume",
    refuses=(404, 409),
    scope="operate",
    is_repeatable=True,
)
async def resume_actor(center: Center, name: str, body: Order) -> ActorShown:
    """Let an actor go on."""
    return await _act(center, name, "resume", body)


@api.operation(
    "POST",
    "/api/runtime/actors/<path:name>/drain",
    refuses=(404, 409),
    scope="operate",
    is_repeatable=True,
)
async def drain_actor(center: Center, name: str, body: Order) -> ActorShown:
    """Let an actor finish its messages and stop."""
    return await _act(center, name, "drain", body)


@api.operation(
    "POST",
    "/api/runtime/actors/<path:name>/restart",
    refuses=(404, 409),
    scope="operate",
    is_repeatable=True,
)
async def restart_actor(center: Center, name: str, body: Order) -> ActorShown:
    """Begin a new life of an actor."""
    return await _act(center, name, "restart", body)


@api.operation(
    "POST",
    "/api/runtime/actors/<path:name>/stop",
    refuses=(404, 409),
    scope="operate",
    is_repeatable=True,
)
async def stop_actor(center: Center, name: str, body: Order) -> ActorShown:
    """Stop an actor."""
    return await _act(center, name, "stop", body)


@api.websocket("/api/runtime/actors/<path:name>/trace", scopes=("operate",))
async def trace_actor(center: Center, name: str, query: TraceQuery) -> None:
    """Send a record of each message that an actor handles, until the trace ends."""
    try:
        records = center.system.trace(f"/{name}", messages=query.messages, seconds=query.seconds)
    except ActorNotFound:
        raise NotFound("Actor", f"/{name}") from None
    await websocket.accept()
    try:
        async for record in records:
            await websocket.send(encode(as_shown(record, TraceRecordShown)).decode())
    finally:
        records.close()
    await websocket.close(NORMAL_CLOSURE, "the trace has ended")
    await trio.lowlevel.checkpoint()


async def _act(center: Center, name: str, action: Action, order: Order) -> ActorShown:
    return shown(await operate(center.system, center.storage, f"/{name}", action, order))


def shown(actor: ActorSnapshot) -> ActorShown:
    """Return an actor as the API shows it, with no secrets."""
    return msgspec.structs.replace(
        as_shown(actor, ActorShown),
        last_error=redact(actor.last_error),
        description=redact(actor.description),
    )


def shown_letter(letter: DeadLetter, now: float) -> DeadLetterShown:
    """Return a dead letter: what kind of message it was, never what it said."""
    return DeadLetterShown(
        number=letter.number,
        path=letter.path,
        message=type(letter.message).__name__,
        reason=letter.reason.value,
        age=round(now - letter.at, 3),
    )


def fault_domains(actors: tuple[ActorSnapshot, ...]) -> list[FaultDomain]:
    """Return what fails as one, and what its failure may disturb."""
    return [
        FaultDomain(path=actor.path, contract=actor.contract)
        for actor in actors
        if actor.fault_domain == actor.path and actor.contract
    ]
