"""The part of a life that handles messages.

A message that comes while the actor is busy waits in the mailbox, and the life's own task takes it
from there. An ask of an actor that has nothing to do is handled where it is asked, if its handler
awaits nothing: two switches of tasks are most of what an ask costs, and such a handler needs none.
"""

from __future__ import annotations

import abc
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import trio

from command_center.runtime.actor import Actor
from command_center.runtime.bonds import GroupKeeper
from command_center.runtime.context import Place, TreePort
from command_center.runtime.deadletters import DeadLetterReason
from command_center.runtime.errors import (
    ActorCrashed,
    ActorStopped,
    UnhandledMessage,
    refusal_in,
)
from command_center.runtime.handlers import Handler, find_handler
from command_center.runtime.lazy_event import LazyEvent
from command_center.runtime.mailbox import Envelope
from command_center.runtime.origins import origin
from command_center.runtime.ports import SystemPort
from command_center.runtime.ref import LinkedLife
from command_center.runtime.reply import Deferred
from command_center.runtime.signals import Exit, ExitKind
from command_center.runtime.specs import ChildSpec
from command_center.runtime.timers import Timers
from command_center.runtime.tracing import Outcome, Trace

TURNS = 8
"""Messages in a row after which an actor looks whether it is time to let other tasks run.

It looks sooner at the beginning of a row: after one message, after two and after four.
"""
MOST_TURNS = 64 * TURNS
"""Messages in a row after which it lets them run in any case."""
TURN_SECONDS = 0.0005
"""The time that an actor takes before it lets other tasks run, if its messages are cheap."""


class LifeHost(SystemPort, TreePort, GroupKeeper, Protocol):
    """The part of the system that an actor's place and its lives use."""


class Home(Place, Protocol):
    """An actor's place in the tree, as its lives see it."""

    ended: LazyEvent
    kind: str
    handled: int
    refused: int
    lost: int
    tracing: Trace | None

    @property
    def system(self) -> LifeHost:
        """Return the system that it is part of."""

    @property
    def spec(self) -> ChildSpec:
        """Return the spec that the actor was made from."""

    def has_begun(self) -> None:
        """Note that the current life runs."""

    def life_leaves(self, life: LinkedLife, kind: ExitKind) -> None:
        """Take note that a life is about to end by the actor's own wish."""

    def life_ended(self, life: LinkedLife, end: Exit) -> None:
        """Take note of the end of a life."""

    def notice(self, message: object) -> None:
        """Put a message of the runtime itself."""

    def drop(
        self,
        message: object,
        reply: Deferred[Any] | None,
        reason: DeadLetterReason,
        error: Exception | None = None,
    ) -> None:
        """Make a dead letter of a message, and tell its asker."""


class Serving(abc.ABC):
    """One life of an actor, as far as it handles messages."""

    __slots__ = (
        "abandoned",
        "actor",
        "cell",
        "context",
        "current",
        "current_since",
        "errands",
        "error",
        "over",
        "own_timers",
        "started_for",
        "task",
        "working_for",
    )

    def __init__(self, cell: Home) -> None:
        self.cell = cell
        self.task: trio.lowlevel.Task | None = None
        self.context: contextvars.Context
        """The context in which it works, with a task or without."""
        self.actor: Actor | None = None
        self.over = False
        """True if it ends after the message in hand."""
        self.error: Exception | None = None
        self.errands: deque[Callable[[], Awaitable[object]]] | None = None
        """Things to do before the next message."""
        self.abandoned = False
        self.current: Envelope | None = None
        self.current_since = 0.0
        """The time at which it was taken; set only for handlers that await."""
        self.own_timers: Timers | None = None
        self.started_for: str | None = None
        """The origin of what is sent to it without one."""
        self.working_for: str | None = None
        """The origin of the message that it handled last."""

    @abc.abstractmethod
    def leave_with(self, error: BaseException, *, has_awaited: bool = True) -> None:
        """Crash with an error, or end the system with what is none."""

    @abc.abstractmethod
    def rouse(self) -> None:
        """Have a task, if there is none."""

    async def serve(self, actor: Actor) -> None:  # noqa: C901, PLR0912, PLR0915 - see below
        """Handle messages until told to end; the hot loop, hence flat and with local names."""
        cell = self.cell
        mailbox = cell.mailbox
        user = mailbox.user
        clock = cell.system.clock
        handlers = type(actor).handlers
        handled = Outcome.HANDLED
        trace: Trace | None = cell.tracing
        started_for = self.started_for
        working_for = self.working_for
        turns = 0
        look_at = 1
        pause_at = clock() + TURN_SECONDS
        while not self.over:
            if not user or mailbox.held:
                self.current = None
                trace = cell.tracing
                turns = 0
                look_at = 1
                if self.errands:
                    await self.errands.popleft()()
                elif mailbox.held and not mailbox.suspended:
                    mailbox.held = False
                elif mailbox.closed is DeadLetterReason.DRAINING and not user:
                    return
                else:
                    timers = self.own_timers
                    if timers is not None and not mailbox.suspended:
                        timers.fell_idle()
                    elif trace is None and not mailbox.held:
                        mailbox.server = self
                    self.working_for = working_for
                    mailbox.parked = self.task
                    await trio.lowlevel.wait_task_rescheduled(mailbox.stop_parking)
                    mailbox.server = None
                    working_for = self.working_for
                    pause_at = (mailbox.turn or clock()) + TURN_SECONDS
                    mailbox.turn = 0.0
                    if timers is not None:
                        timers.was_woken()
                user = mailbox.user
                continue
            if turns == look_at:
                look_at += min(turns, TURNS)
                if turns >= MOST_TURNS or clock() >= pause_at:
                    turns = 0
                    look_at = 1
                    self.current = None
                    mailbox.turn = clock()
                    try:
                        await trio.lowlevel.checkpoint()
                    finally:
                        pause_at = mailbox.turn + TURN_SECONDS
                        mailbox.turn = 0.0
                    continue
            turns += 1
            envelope = user.popleft()
            message, reply, _, sent_for = envelope
            self.current = envelope
            if sent_for is not working_for:
                working_for = sent_for
                origin.set(started_for if sent_for is None else sent_for)
            if mailbox.line:
                mailbox.admit()
            kind = type(message)
            handler: Handler | None
            try:
                handler = handlers[kind]
            except KeyError:
                handler = find_handler(handlers, kind)
            if handler is None:
                self.current = None
                cell.drop(
                    message,
                    reply,
                    DeadLetterReason.UNHANDLED,
                    UnhandledMessage(cell.path, kind.__name__),
                )
                continue
            outcome = handled
            is_async = handler.is_async
            try:
                if is_async or trace is not None:
                    self.current_since = clock()
                answer = handler.call(actor, message)
                if is_async:
                    answer = await answer
            except BaseException as error:
                refusal = refusal_in(error)
                if refusal is None:
                    self.lose(envelope, error)
                    if trace is not None:
                        trace.record(envelope, self.current_since, clock(), Outcome.LOST)
                    raise
                outcome = Outcome.REFUSED
                cell.refused += 1
                if reply is not None:
                    reply.fail(refusal)
                del refusal
            else:
                if reply is not None and reply.owner is None:
                    reply.send(answer)
            if is_async and self.abandoned:
                return
            cell.handled += 1
            if trace is not None:
                trace.record(envelope, self.current_since, clock(), outcome)
        self.current = None

    @trio.lowlevel.enable_ki_protection
    def handle_at_once(self, message: object, reply: Deferred[Any], sent_for: str | None) -> bool:
        """Handle a request while this life's task sleeps, or while it has none.

        Return False if it takes a task. Two switches of tasks are most of what an ask costs. A
        handler that awaits nothing needs none: it can as well be called where it is asked, in the
        context of this life.
        """
        actor, context, cell = self.actor, self.context, self.cell
        if actor is None:
            return False
        kind = type(message)
        handlers = type(actor).handlers
        handler = handlers.get(kind) or find_handler(handlers, kind)
        if handler is None or handler.is_async:
            return False
        if sent_for is not self.working_for:
            self.working_for = sent_for
            context.run(origin.set, self.started_for if sent_for is None else sent_for)
        mailbox = cell.mailbox
        mailbox.sent += 1
        mailbox.high_water = mailbox.high_water or 1
        self.current = envelope = (message, reply, reply.asked_at, sent_for)
        try:
            answer = context.run(handler.call, actor, message)
        except BaseException as error:  # noqa: BLE001 - as it would leave this life's own task
            refusal = refusal_in(error)
            if refusal is None:
                self.lose(envelope, error)
                self.leave_with(error, has_awaited=False)
            else:
                cell.refused += 1
                reply.fail(refusal)
            del refusal
        else:
            if reply.owner is None:
                # As `send` does; nobody has to be woken.
                reply.value = answer
                reply.task = None
        if self.current is not None:
            self.current = None
            cell.handled += 1
        if self.own_timers is not None or mailbox.parked is None:
            mailbox.wake()  # this life's task, which counts the time in which nothing comes
            self.rouse()
        return True

    def lose(self, envelope: Envelope, error: BaseException) -> None:
        """Count the message in hand as lost, and tell its asker."""
        if self.current is None:
            return
        self.current = None
        if self.cell.mailbox.has_stashed(envelope):
            self.cell.handled += 1
            return
        self.cell.lost += 1
        message, reply, _, _ = envelope
        if reply is not None:
            # A cancelled handler was ended from outside: by the noted failure, or by a stop.
            cause = error if isinstance(error, Exception) else self.error
            reply.fail(self.why_no_answer(message, reply, cause))

    def why_no_answer(
        self, message: object, reply: Deferred[Any], cause: BaseException | None
    ) -> ActorCrashed | ActorStopped:
        """Return what an asker is told whose request had been taken when this life ended."""
        waited = self.cell.system.clock() - reply.asked_at
        name = type(message).__name__
        if cause is not None:
            return ActorCrashed(self.cell.path, name, waited, cause)
        reason = DeadLetterReason.STOPPED.value
        return ActorStopped(self.cell.path, name, waited, reason, was_taken=True)
