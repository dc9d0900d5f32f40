"""The operator's acts on the running tree, each an event with who and why; and `/journal`.

Without `/store` no event can be kept, and nobody could bring it back on the record: so it can only
be restarted, which is told when it is up again.

`/journal` turns what the runtime says of itself into events: an actor crashed, was started again,
was set aside in quarantine, or did not end in time. The runtime knows nothing of the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Literal

import attrs
import msgspec
import trio

from command_center.actors.contracts.events.operator import (
    ActorAbandoned,
    ActorDrained,
    ActorFailed,
    ActorHalted,
    ActorQuarantined,
    ActorResumed,
    ActorStalled,
    ActorStartedAgain,
    ActorSuspended,
)
from command_center.actors.contracts.fields import NotBlank
from command_center.actors.core.storage import Storage
from command_center.actors.core.writer import STORE
from command_center.actors.rules.errors import Conflict, Invalid, NotFound
from command_center.actors.rules.lengths import NOTE_LENGTH, Name
from command_center.runtime import (
    Abandoned,
    Actor,
    ActorNotFound,
    ActorRef,
    ActorSnapshot,
    Address,
    Crashed,
    MailboxFull,
    Quarantined,
    Restarted,
    Signal,
    Stalled,
    StartFailed,
    Status,
    System,
    handles,
)
from command_center.store import EventData, Transaction, redact

Action = Literal["suspend", "resume", "drain", "restart", "stop"]

PAST: Mapping[
    Action,
    type[ActorSuspended | ActorResumed | ActorDrained | ActorStartedAgain | ActorHalted],
] = MappingProxyType(
    {
        "suspend": ActorSuspended,
        "resume": ActorResumed,
        "drain": ActorDrained,
        "restart": ActorStartedAgain,
        "stop": ActorHalted,
    }
)
"""The event that tells of each action."""

ENDING: frozenset[Action] = frozenset({"drain", "restart", "stop"})
"""The actions that end a life, and so want to be confirmed where one is there."""

"""The actor that keeps the events of all others."""

AT_REST = frozenset({Status.STOPPED, Status.QUARANTINED})
"""The statuses of a child that has no life to be disturbed."""

FRAMES = 8
"""Calls that the event of a stall shows, the innermost."""

TEXT = 500
"""Characters of an error that an event shows."""


class Order(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An operator's reason to act, and the word that it is meant where a life would end."""

    reason: Annotated[NotBlank, msgspec.Meta(max_length=NOTE_LENGTH)]
    confirm: bool = False
    requested_by: Name = "api"


async def operate(
    system: System, storage: Storage, path: str, action: Action, order: Order
) -> ActorSnapshot:
    """Carry out an operator's action, after its event is committed; the child as it is then.

    Of `/store` the event comes after the action, for it is the action that makes it possible.

    Raises:
        NotFound: there is no such child.
        Invalid: the reason says nothing.
        Conflict: it would end a life and was not confirmed, cannot be done to this child, or the
            child was to be restarted and did not start.
    """
    before = _check(system, path, action, order)

    def record(tx: Transaction) -> None:
        event = PAST[action](path=path, reason=order.reason, status=before.status.value)
        tx.emit(event, actor=order.requested_by)

    if path == STORE:
        await _carry_out(system, path, action, order.reason)
        await storage.write(record)
    else:
        await storage.write(record)
        await _carry_out(system, path, action, order.reason)
    try:
        return system.snapshot_of(path)
    except ActorNotFound:
        return attrs.evolve(before, status=Status.STOPPED, current=None, depth=0)


def _check(system: System, path: str, action: Action, order: Order) -> ActorSnapshot:
    """Return the child as it is, if the action may be done to it."""
    if not order.reason.strip():
        raise Invalid.field("reason", "Expected some text.")
    try:
        before = system.snapshot_of(path)
    except ActorNotFound:
        raise NotFound("Actor", path) from None
    if path == "/":
        raise Conflict("To stop the root, end the program.")
    if action in {"suspend", "resume", "drain"} and before.kind.startswith("supervisor "):
        raise Conflict(f"{path} is a supervisor, which takes no messages to {action}.")
    if path == STORE and action in {"suspend", "drain", "stop"}:
        raise Conflict(f"Nothing could be recorded without {path}. Restart it instead.")
    if action in ENDING and before.status not in AT_REST and not order.confirm:
        raise Conflict(
            f'{path} is {before.status.value}; send "confirm": true to {action} it all the same.',
            status=before.status.value,
        )
    return before


async def _carry_out(system: System, path: str, action: Action, reason: str) -> None:
    match action:
        case "suspend":
            system.suspend(path, reason=reason)
        case "resume":
            system.resume(path, reason=reason)
        case "drain":
            await system.drain(path, reason=reason)
        case "restart":
            try:
                await system.restart(path, reason=reason)
            except StartFailed:
                raise Conflict(_why_not_started(system, path)) from None
        case "stop":
            await system.stop_child(path, reason=reason)


def _why_not_started(system: System, path: str) -> str:
    """Say that a restart failed, with the redacted error, and what happens next."""
    try:
        after = system.snapshot_of(path)
    except ActorNotFound:
        return f"{path} did not start, and has left the tree."
    then = "Mend the cause and restart it." if after.status in AT_REST else "It is tried again."
    return f"{path} did not start: {after.last_error or 'it was stopped'}. {then}"


class SignalSeen(msgspec.Struct, frozen=True):
    """The runtime told something that an operator will want to know later."""

    path: str
    event: EventData


JOURNAL: Address[SignalSeen] = Address("/journal")


class Journal(Actor):
    """Keeps what the runtime tells of itself."""

    def __init__(self, storage: Storage) -> None:
        """Write to `storage`."""
        self._storage = storage

    @handles(SignalSeen)
    async def seen(self, message: SignalSeen) -> None:
        """Emit the event."""

        def record(tx: Transaction) -> None:
            tx.emit(message.event, actor="runtime")

        await self._storage.write(record)


def observer_for(
    journal: Callable[[], ActorRef[SignalSeen]], secrets: Sequence[str] = ()
) -> Callable[[Signal], None]:
    """Make an observer of the system that tells `/journal`, without these secrets."""

    def observe(signal: Signal) -> None:
        seen = _seen(signal, secrets)
        if seen is None or seen.path == JOURNAL:
            return
        try:
            journal().try_tell(seen)
        except (ActorNotFound, MailboxFull, trio.ClosedResourceError):
            return

    return observe


def _seen(signal: Signal, secrets: Sequence[str]) -> SignalSeen | None:
    match signal:
        case Crashed(path, error, start_failed):
            return SignalSeen(
                path,
                ActorFailed(path=path, error=_text(error, secrets), start_failed=start_failed),
            )
        case Restarted(path, restarts, delay, reason):
            event = ActorStartedAgain(
                path=path, restarts=restarts, delay_seconds=round(delay, 3), reason=reason
            )
            return SignalSeen(path, event)
        case Quarantined(path, error):
            return SignalSeen(path, ActorQuarantined(path=path, error=_text(error, secrets)))
        case Abandoned(path, waited):
            return SignalSeen(path, ActorAbandoned(path=path, waited_seconds=round(waited, 3)))
        case Stalled(str(path), seconds, stack):
            where = tuple(reversed(stack[-FRAMES:]))
            return SignalSeen(path, ActorStalled(path=path, seconds=round(seconds, 3), where=where))
        case _:
            return None


def _text(error: BaseException | None, secrets: Sequence[str]) -> str | None:
    if error is None:
        return None
    # Cut last, so that no beginning of a secret is left.
    text: str = redact(f"{type(error).__name__}: {error}", secrets)
    return text[:TEXT]
