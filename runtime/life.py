"""One life of an actor: a task from its start to its end.

The task owns a cancel scope of its own, so ending one actor touches no other. Background tasks run
beside it in the system's nursery, each in its own scope, and are ended and awaited before the life
counts as over; a nursery for each actor would do the same, at twice the memory.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Protocol

import trio

from command_center.runtime.actor import Actor
from command_center.runtime.background_tasks import BackgroundTasks
from command_center.runtime.bonds import Bonds, GroupKeeper
from command_center.runtime.child import Phase
from command_center.runtime.context import Context, Place, TreePort
from command_center.runtime.deadletters import DeadLetterReason
from command_center.runtime.errors import (
    ActorCrashed,
    ActorStopped,
    Ignore,
    LinkBroken,
    UnhandledMessage,
    refusal_in,
)
from command_center.runtime.handlers import Handler, find_handler
from command_center.runtime.lazy_event import LazyEvent
from command_center.runtime.mailbox import Envelope
from command_center.runtime.origins import origin
from command_center.runtime.ports import SystemPort
from command_center.runtime.reaper import HAND_SHARE, see_the_end
from command_center.runtime.ref import LinkedLife
from command_center.runtime.reply import Deferred
from command_center.runtime.signals import Abandoned, Exit, ExitKind
from command_center.runtime.specs import ChildSpec
from command_center.runtime.timers import Timers
from command_center.runtime.tracing import Outcome, Trace

TURNS = 64
"""Messages in a row that an actor may handle before it lets other tasks run."""


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


class Life:
    """One task that starts an actor, feeds it from the mailbox, and ends it."""

    __slots__ = (
        "_bonds",
        "_timers",
        "abandoned",
        "actor",
        "cell",
        "closing",
        "current",
        "current_since",
        "cutoff",
        "deadline",
        "deferred",
        "ended",
        "errands",
        "error",
        "is_watched",
        "killed",
        "leaving",
        "over",
        "phase",
        "scope",
        "task",
        "tasks",
    )

    def __init__(self, cell: Home) -> None:
        self.cell = cell
        self.ended = cell.ended
        self.scope = trio.CancelScope()
        self.closing: trio.CancelScope | None = None
        self.phase = Phase.BACKOFF
        self.task: trio.lowlevel.Task | None = None
        self.actor: Actor | None = None
        self.over = False
        """True if it ends after the message in hand."""
        self.is_watched = False
        """True if somebody waits in `gone`, and so enforces the deadline."""
        self.leaving: ExitKind | None = None
        """The end that the actor itself asked for."""
        self.killed = False
        """True if its end was forced: something of it was cancelled at a deadline."""
        self.error: Exception | None = None
        self.errands: deque[Callable[[], Awaitable[object]]] | None = None
        """Things to do before the next message."""
        self.abandoned = False
        self.current: Envelope | None = None
        self.current_since = 0.0
        """The time at which it was taken; set only for handlers that await."""
        self.cutoff = math.inf
        self.deadline = math.inf
        self.deferred: set[Deferred[Any]] | None = None
        self._bonds: Bonds | None = None
        self._timers: Timers | None = None
        self.tasks: BackgroundTasks | None = None

    @trio.lowlevel.enable_ki_protection
    async def run(self, delay: float) -> None:
        """Live: wait out the backoff, start, serve, close; tell the cell how it ended."""
        self.task = trio.lowlevel.current_task()
        start_failed = True
        try:
            try:
                with self.scope:
                    if delay > 0:
                        await trio.sleep(delay)
                    actor = await self._begin()
                    start_failed = actor is None
                    if actor is not None:
                        await actor.on_continue()
                        await self._serve(actor)
            except BaseException as error:  # noqa: BLE001 - the edge of a life
                self._leave_with(error)
            await self._close()
        finally:
            self._end(start_failed=start_failed)

    async def _begin(self) -> Actor | None:
        self.phase = Phase.STARTING
        actor = self.cell.spec.start()
        if not isinstance(actor, Actor):
            raise TypeError(f"the spec of {self.cell.path} made {actor!r}, which is no Actor")
        actor.ctx = Context(self.cell, self)
        self.actor = actor
        self.cell.kind = type(actor).__name__
        try:
            await actor.on_start()
        except Ignore:
            self.leaving = ExitKind.IGNORED
            return None
        self.phase = Phase.RUNNING
        self.cell.has_begun()
        return actor

    async def _serve(self, actor: Actor) -> None:  # noqa: C901, PLR0912, PLR0915 - see below
        """Handle messages until told to end; the hot loop, hence flat and with local names."""
        cell = self.cell
        mailbox = cell.mailbox
        user = mailbox.user
        clock = cell.system.clock
        handlers = type(actor).handlers
        handled = Outcome.HANDLED
        started_for = origin.get()
        working_for: str | None = None
        turns = 0
        while not self.over:
            if not user or mailbox.held:
                turns = 0
                if self.errands:
                    await self.errands.popleft()()
                elif mailbox.held and not mailbox.suspended:
                    mailbox.held = False
                elif mailbox.closed is DeadLetterReason.DRAINING and not user:
                    return
                else:
                    timers = self._timers
                    if timers is not None and not mailbox.suspended:
                        timers.fell_idle()
                    mailbox.parked = self.task
                    await trio.lowlevel.wait_task_rescheduled(mailbox.stop_parking)
                    if timers is not None:
                        timers.was_woken()
                user = mailbox.user
                continue
            if turns == TURNS:
                turns = 0
                await trio.lowlevel.checkpoint()
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
            call, is_async = handler
            trace = cell.tracing
            outcome = handled
            if is_async or trace is not None:
                self.current_since = clock()
            try:
                answer = await call(actor, message) if is_async else call(actor, message)
            except BaseException as error:
                refusal = refusal_in(error)
                if refusal is None:
                    self._lose(envelope, error)
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
            if self.abandoned:
                return
            cell.handled += 1
            self.current = None
            if trace is not None:
                trace.record(envelope, self.current_since, clock(), outcome)

    def _lose(self, envelope: Envelope, error: BaseException) -> None:
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
            reply.fail(self._why_no_answer(message, reply, cause))

    def _why_no_answer(
        self, message: object, reply: Deferred[Any], cause: BaseException | None
    ) -> ActorCrashed | ActorStopped:
        waited = self.cell.system.clock() - reply.asked_at
        name = type(message).__name__
        if cause is not None:
            return ActorCrashed(self.cell.path, name, waited, cause)
        reason = DeadLetterReason.STOPPED.value
        return ActorStopped(self.cell.path, name, waited, reason, was_taken=True)

    async def _close(self) -> None:
        """Let the actor clean up, then end its background tasks; both bounded."""
        if self.abandoned:
            return
        actor = self.actor
        ran = self.phase is Phase.RUNNING
        self.phase = Phase.STOPPING
        self._set_deadline()
        if ran and actor is not None and type(actor).on_stop is not Actor.on_stop:
            self._start_reaper()
            self.closing = trio.CancelScope(deadline=self.deadline, shield=True)
            try:
                with self.closing:
                    await actor.on_stop()
            except BaseException as error:  # noqa: BLE001 - the edge of a life
                self._leave_with(error)
        if self.tasks:
            self._start_reaper()
            await self.tasks.end()

    def _leave_with(self, error: BaseException) -> None:
        """Crash with an error. What is none ends the system, and a cancellation goes on its way."""
        if isinstance(error, Exception):
            self.fail(error)
            return
        rest: BaseException | None = error
        if isinstance(error, BaseExceptionGroup):
            _, rest = error.split(trio.Cancelled)
        if rest is None or isinstance(error, trio.Cancelled):
            raise error
        self.cell.halt_watched(final=True)  # or its supervisor starts it anew before it is stopped
        self.cell.system.end_with(rest)

    def _start_reaper(self) -> None:
        """See that the end is bounded, unless whoever asked for it does."""
        if not self.is_watched:
            self.is_watched = True
            self.cell.system.start_soon(self.gone, name=f"reaper of {self.cell.path}")

    def _end(self, *, start_failed: bool) -> None:
        """Report the end, once; a life that was given up has been reported."""
        if self.abandoned:
            self.phase = Phase.ENDED
            self.cell.system.abandoned.remove(self.cell.path)
            return
        self._finish(self.exit(start_failed=start_failed))

    def exit(self, *, start_failed: bool = False) -> Exit:
        """Return how it ends, as far as that is known."""
        if self.error is not None:
            return Exit(ExitKind.START_FAILED if start_failed else ExitKind.CRASHED, self.error)
        return Exit(self.leaving or (ExitKind.KILLED if self.killed else ExitKind.SHUTDOWN))

    def _finish(self, end: Exit) -> None:
        self.phase = Phase.ENDED
        self.actor = None
        if self.deferred:
            for reply in tuple(self.deferred):
                reply.fail(self._why_no_answer(reply.message, reply, self.error))
        if self._bonds is not None:
            self._bonds.end(end)
        if self._timers is not None:
            self._timers.end()
        self.cell.mailbox.unstash()
        self.cell.life_ended(self, end)
        # The error knows the frames that it came through, and they know this life.
        self.error = None

    # What others ask of a life.

    def stop(self) -> None:
        """Ask it to end after the message in hand; a start is cancelled at once."""
        self._set_deadline()
        self.is_watched = True
        self.over = True
        if self.cell.spec.shutdown == 0:
            self.cut()
        elif self.phase in (Phase.BACKOFF, Phase.STARTING):
            self.scope.cancel()
        else:
            self.cell.mailbox.wake()

    def leave(self, kind: ExitKind) -> None:
        """Note the actor's own wish to end after the message in hand."""
        if self.leaving is None:
            self.leaving = kind
        self.over = True
        self.cell.mailbox.wake()
        self.cell.life_leaves(self, kind)

    def fail(self, error: Exception) -> None:
        """Crash it from outside its handler: the message in hand is cancelled and lost."""
        if self.has_ended:
            return
        if self.error is None:
            self.error = error
        self.over = True
        self.scope.cancel()

    @property
    def is_running(self) -> bool:
        """Return True if it has started and has not begun to end."""
        return self.phase is Phase.RUNNING

    @property
    def is_ending(self) -> bool:
        """Return True while it closes."""
        return self.phase is Phase.STOPPING

    @property
    def has_ended(self) -> bool:
        """Return whether it is over, or given up."""
        return self.phase is Phase.ENDED or self.abandoned

    def partner_crashed(self, path: str, error: BaseException | None) -> None:
        """Crash, for one that it is linked to did."""
        self.fail(LinkBroken(self.cell.path, path, error))

    def _set_deadline(self) -> None:
        if self.deadline == math.inf:
            shutdown = self.cell.spec.shutdown
            now = self.cell.system.clock()
            self.cutoff = now + HAND_SHARE * shutdown
            self.deadline = now + shutdown

    async def gone(self) -> None:
        """Wait for the end and enforce its deadline; returns at the latest when it gave up."""
        await see_the_end(self)

    def cut(self) -> None:
        """Cancel the message in hand."""
        if self.phase is Phase.RUNNING:
            self.killed = True
        self.scope.cancel()

    def cancel_everything(self) -> None:
        """Cancel all that still runs."""
        self.killed = True
        self.scope.cancel()
        if self.closing is not None:
            self.closing.cancel()
        if self.tasks is not None:
            self.tasks.cancel()

    def own_tasks(self) -> Iterable[trio.lowlevel.Task]:
        """Return the tasks of it that run."""
        own = () if self.task is None else (self.task,)
        return (*own, *(self.tasks or ()))

    def abandon(self, waited: float) -> None:
        """Count as over, though it is not."""
        if self.has_ended:
            return
        if self.current is not None:
            self._lose(self.current, trio.TooSlowError())
        self.abandoned = True
        self.over = True
        if self.tasks is not None:
            self.tasks.give_up()
        system = self.cell.system
        system.abandoned.append(self.cell.path)
        system.emit(Abandoned(self.cell.path, waited))
        self._finish(Exit(ExitKind.KILLED))

    # What the actor asks of its life.

    def bonds(self) -> Bonds:
        """Return its links, monitors and groups."""
        self._refuse_if_ended("a bond")
        if self._bonds is None:
            self._bonds = Bonds(self.cell, self)
        return self._bonds

    def timers(self) -> Timers:
        """Return its timers."""
        self._refuse_if_ended("a timer")
        if self._timers is None:
            self._timers = Timers(self.cell.system, self.cell.mailbox, self.task)
        return self._timers

    def _refuse_if_ended(self, what: str) -> None:
        """Let one that was given up, and goes on all the same, begin nothing that outlives it."""
        if self.has_ended:
            raise ActorStopped(self.cell.path, what, 0.0, "its life has ended")

    def owe(self, reply: Deferred[Any]) -> None:
        """Answer it, at the latest when this life ends."""
        if self.deferred is None:
            self.deferred = set()
        reply.owner = self.deferred
        self.deferred.add(reply)

    async def change_state(self, change: Callable[[Any], object]) -> None:
        """Change the actor between two messages; raise what that raises, or that it ended."""
        mailbox = self.cell.mailbox
        task = trio.lowlevel.current_task()
        done: Deferred[None] = Deferred(task, mailbox, change, mailbox.clock())
        self.owe(done)
        self.run_errand(partial(self._change, change, done))
        await trio.lowlevel.wait_task_rescheduled(done.give_up)

    async def _change(self, change: Callable[[Any], object], done: Deferred[None]) -> None:
        try:
            change(self.actor)
        except Exception as error:  # noqa: BLE001 - it is the operator's, and told to them
            done.fail(error)
        else:
            done.send(None)

    def run_errand(self, errand: Callable[[], Awaitable[object]]) -> None:
        """Do something after the message in hand, before the next one."""
        if self.errands is None:
            self.errands = deque()
        self.errands.append(errand)
        self.cell.mailbox.held = True
        self.cell.mailbox.wake()

    def start_task(
        self, work: Callable[..., Awaitable[object]], args: tuple[Any, ...], name: str | None
    ) -> trio.CancelScope:
        """Run `work` beside the handlers."""
        label = name or getattr(work, "__name__", "task")
        self._refuse_if_ended(str(label))
        if self.tasks is None:
            self.tasks = BackgroundTasks(self.cell.path, self.cell.system, self._leave_with)
        return self.tasks.start(work, args, str(label))
