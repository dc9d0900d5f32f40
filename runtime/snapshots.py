"""Snapshots: the tree as it is at one moment.

A snapshot only reads. It never sends a message and never waits, so it shows a busy, suspended or
stuck actor as readily as an idle one; the price is that `describe()` may see an actor in the
middle of a handler.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import attrs
import trio

from command_center.runtime.cell import Cell
from command_center.runtime.child import Child, Phase, Status
from command_center.runtime.deadletters import DeadLetterReason, DeadLetters
from command_center.runtime.ports import SystemPort
from command_center.runtime.supervisor import Supervisor


class Inspected(SystemPort, Protocol):
    """The part of the system that an inspection reads."""

    root: Supervisor
    children: dict[str, Child]
    dead_letters: DeadLetters
    stalls: dict[str | None, int]


@attrs.frozen(kw_only=True)
class ActorSnapshot:
    """An actor or a supervisor at one moment. Ages and delays are in seconds.

    The members about messages are zero for a supervisor, which has no mailbox.

    Attributes:
        kind: the class of the actor, or `supervisor` and its strategy.
        fault_domain: the path of the fault domain that it belongs to: what is quarantined as one.
        started_at: when its present life began, in UTC.
        current: the type of the message in hand.
        refused: of the handled, those that were answered with a refusal.
        in_line: how many senders wait for room in its mailbox.
        stalls: how often it kept all others waiting, by computing or blocking.
        failed: how many messages were refused, or lost in a crash.
        next_start_in: what is left of the backoff before the next start.
    """

    path: str
    kind: str
    status: Status
    restart: str
    is_dynamic: bool
    fault_domain: str
    contract: str
    started_at: str | None
    current: str | None
    current_age: float | None
    depth: int
    capacity: int
    in_line: int
    high_water: int
    oldest_age: float | None
    sent: int
    handled: int
    refused: int
    lost: int
    dead: int
    failed: int
    background_tasks: int
    stalls: int
    restarts: int
    restarts_in_window: int
    next_start_in: float | None
    last_error: str | None
    description: dict[str, Any]


@attrs.frozen(kw_only=True)
class MessageTotals:
    """Every message that was ever sent, and what became of it.

    `sent = handled + lost + dead + waiting + in_hand` at every moment.
    """

    sent: int
    handled: int
    refused: int
    lost: int
    dead: int
    waiting: int
    in_hand: int


@attrs.frozen
class SystemSnapshot:
    """The whole tree, parents before children, in start order."""

    actors: tuple[ActorSnapshot, ...]
    totals: MessageTotals
    dead_letters_by_reason: Mapping[DeadLetterReason, int]
    abandoned: tuple[str, ...]


def take_snapshot(system: Inspected) -> SystemSnapshot:
    """Read the whole tree."""
    now = system.clock()
    actors: list[ActorSnapshot] = []
    _walk(system.root, "/", now, actors)
    return SystemSnapshot(
        actors=tuple(actors),
        totals=take_totals(system),
        dead_letters_by_reason=system.dead_letters.by_reason,
        abandoned=tuple(system.abandoned),
    )


def take_totals(system: Inspected) -> MessageTotals:
    """Add up the counts of all actors, also of those that have left."""
    departed = system.departed
    sent, handled, refused = departed.sent, departed.handled, departed.refused
    lost, dead = departed.lost, departed.dead
    waiting = in_hand = 0
    for child in system.children.values():
        if isinstance(child, Cell):
            sent += child.mailbox.sent
            handled += child.handled
            refused += child.refused
            lost += child.lost
            dead += child.dead
            waiting += child.mailbox.waiting
            in_hand += child.life is not None and child.life.current is not None
    return MessageTotals(
        sent=sent,
        handled=handled,
        refused=refused,
        lost=lost,
        dead=dead,
        waiting=waiting,
        in_hand=in_hand,
    )


def take_snapshot_of(child: Child) -> ActorSnapshot:
    """Read one child."""
    return _snapshot(child, _domain_of(child), child.system.clock())


def stack_of(child: Child) -> tuple[str, ...]:
    """Read where an actor and its background tasks wait, outermost first."""
    life = child.life if isinstance(child, Cell) else None
    if life is None or life.phase is Phase.ENDED:
        return ()
    lines = [] if life.task is None else list(_frames(life.task))
    for task in life.tasks or ():
        lines.append(f"background task {task.name}")
        lines.extend(_frames(task))
    return tuple(lines)


def _walk(child: Child, domain: str, now: float, into: list[ActorSnapshot]) -> None:
    into.append(_snapshot(child, domain, now))
    if isinstance(child, Supervisor):
        for below in child.children.values():
            _walk(below, below.path if child.spec.quarantine else domain, now, into)


def _domain_of(child: Child) -> str:
    path, parent = child.path, child.parent
    while parent is not None and not parent.spec.quarantine:
        path, parent = parent.path, parent.parent
    return "/" if parent is None else path


def _snapshot(child: Child, domain: str, now: float) -> ActorSnapshot:
    if isinstance(child, Cell):
        return _actor(child, domain, now)
    if isinstance(child, Supervisor):
        return _supervisor(child, domain, now)
    raise TypeError(child)


def _actor(cell: Cell, domain: str, now: float) -> ActorSnapshot:
    life = cell.life
    mailbox = cell.mailbox
    current = None if life is None else life.current
    actor = None if life is None else life.actor
    oldest = mailbox.user[0][2] if mailbox.user else None
    return ActorSnapshot(
        path=cell.path,
        kind=cell.kind if actor is None else type(actor).__name__,
        status=cell.status(),
        restart=cell.spec.restart.value,
        is_dynamic=cell.is_dynamic,
        fault_domain=domain,
        contract=cell.spec.contract,
        started_at=_timestamp(cell.started_at),
        current=None if current is None else type(current[0]).__name__,
        current_age=None if life is None or current is None else _seconds(now - life.current_since),
        depth=mailbox.waiting,
        capacity=mailbox.capacity,
        in_line=0 if mailbox.line is None else len(mailbox.line),
        high_water=mailbox.high_water,
        oldest_age=None if oldest is None else _seconds(now - oldest),
        sent=mailbox.sent,
        handled=cell.handled,
        refused=cell.refused,
        lost=cell.lost,
        dead=cell.dead,
        failed=cell.refused + cell.lost,
        background_tasks=0 if life is None or not life.tasks else len(life.tasks),
        stalls=cell.system.stalls.get(cell.path, 0),
        restarts=cell.restarts,
        restarts_in_window=_in_window(cell, now),
        next_start_in=_next_start(cell, now),
        last_error=cell.last_error,
        description=dict(_describe(cell)),
    )


def _supervisor(supervisor: Supervisor, domain: str, now: float) -> ActorSnapshot:
    return ActorSnapshot(
        path=supervisor.path,
        kind=f"supervisor {supervisor.spec.strategy.value}",
        status=supervisor.status(),
        restart=supervisor.spec.restart.value,
        is_dynamic=supervisor.is_dynamic,
        fault_domain=domain,
        contract=supervisor.spec.contract,
        started_at=_timestamp(supervisor.started_at),
        current=None,
        current_age=None,
        depth=0,
        capacity=0,
        in_line=0,
        high_water=0,
        oldest_age=None,
        sent=0,
        handled=0,
        refused=0,
        lost=0,
        dead=0,
        failed=0,
        background_tasks=0,
        stalls=0,
        restarts=supervisor.restarts,
        restarts_in_window=_in_window(supervisor, now),
        next_start_in=_next_start(supervisor, now),
        last_error=supervisor.last_error,
        description={},
    )


def _in_window(child: Child, now: float) -> int:
    return 0 if child.window is None else child.window.count(now)


def _next_start(child: Child, now: float) -> float | None:
    return None if child.next_start is None else _seconds(max(0.0, child.next_start - now))


def _seconds(length: float) -> float:
    """Return a length of time to the millisecond."""
    return round(length, 3)


def _timestamp(moment: float | None) -> str | None:
    """Return a Unix time as RFC 3339 in UTC, to the millisecond."""
    if moment is None:
        return None
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _describe(cell: Cell) -> Mapping[str, object]:
    life = cell.life
    if life is None or life.actor is None or life.phase is Phase.STARTING:
        return {}
    try:
        return life.actor.describe()
    except Exception as error:  # noqa: BLE001 - an actor's fault must not blind the operator
        return {"error": cell.system.describe_error(error)}


def _frames(task: trio.lowlevel.Task) -> tuple[str, ...]:
    summary = traceback.StackSummary.extract(task.iter_await_frames(), lookup_lines=False)
    return tuple(f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in summary)
