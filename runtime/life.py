"""One life of an actor, from its start to its end.

A life has a task from the first message on that needs one: before, there is nothing to do, and a
task is more than the half of an idle actor's memory. What waits in `on_start` or `on_continue` has
one as well, and gives it back if nothing has come by then. An actor that has been told something
keeps its task, which then only needs to be woken.

The task owns a cancel scope of its own, so ending one actor touches no other. Background tasks run
beside it in the system's nursery, each in its own scope, and are ended and awaited before the life
counts as over; a nursery for each actor would do the same, at twice the memory.
"""

from __future__ import annotations

import contextvars
import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import trio

from command_center.runtime.actor import Actor
from command_center.runtime.background_tasks import BackgroundTasks
from command_center.runtime.bonds import Bonds
from command_center.runtime.cancel_shields import opened_by
from command_center.runtime.child import Phase
from command_center.runtime.context import Context
from command_center.runtime.errors import (
    ActorStopped,
    Ignore,
    LinkBroken,
)
from command_center.runtime.origins import origin
from command_center.runtime.reaper import HAND_SHARE, see_the_end
from command_center.runtime.reply import Deferred
from command_center.runtime.serving import Home, Serving
from command_center.runtime.signals import Abandoned, Exit, ExitKind
from command_center.runtime.timers import Timers


class Life(Serving):
    """Starts an actor, lets it serve, and ends it."""

    __slots__ = (
        "_bonds",
        "closing",
        "cutoff",
        "deadline",
        "deferred",
        "ended",
        "has_begun",
        "is_watched",
        "killed",
        "leaving",
        "phase",
        "scope",
        "tasks",
    )

    def __init__(self, cell: Home) -> None:
        super().__init__(cell)
        self.ended = cell.ended
        self.scope: trio.CancelScope | None = None
        """The scope of its task, while it has one."""
        self.closing: trio.CancelScope | None = None
        self.phase = Phase.BACKOFF
        self.has_begun = False
        """True once its start has succeeded."""
        self.is_watched = False
        """True if somebody waits in `gone`, and so enforces the deadline."""
        self.leaving: ExitKind | None = None
        """The end that the actor itself asked for."""
        self.killed = False
        """True if its end was forced: something of it was cancelled at a deadline."""
        self.cutoff = math.inf
        self.deadline = math.inf
        self.deferred: set[Deferred[Any]] | None = None
        self._bonds: Bonds | None = None
        self.tasks: BackgroundTasks | None = None

    # From its start to its end.

    @trio.lowlevel.enable_ki_protection
    def begin(self, delay: float) -> None:
        """Begin to live, after `delay` seconds."""
        self.context = contextvars.copy_context()
        if delay > 0:
            self._give_task(delay)
            return
        try:
            self.context.run(self._make)
            if not self._starts_by_itself():
                self._has_begun()
        except BaseException as error:  # noqa: BLE001 - the edge of a life
            self.leave_with(error, has_awaited=False)
        if self.is_running and self._has_nothing_to_do():
            self._fall_asleep()
        else:
            self._give_task(0.0)

    def _make(self) -> None:
        """Make the actor; raises what its factory raises."""
        self.phase = Phase.STARTING
        actor = self.cell.spec.start()
        if not isinstance(actor, Actor):
            raise TypeError(f"the spec of {self.cell.path} made {actor!r}, which is no Actor")
        actor.ctx = Context(self.cell, self)
        self.actor = actor
        self.cell.kind = type(actor).__name__
        self.started_for = origin.get()

    def _starts_by_itself(self) -> bool:
        """Return whether it does something before its first message."""
        kind = type(self.actor) if self.actor is not None else Actor
        return kind.on_start is not Actor.on_start or kind.on_continue is not Actor.on_continue

    def _has_begun(self) -> None:
        self.has_begun = True
        self.phase = Phase.RUNNING
        self.cell.has_begun()

    def _has_nothing_to_do(self) -> bool:
        mailbox = self.cell.mailbox
        return not (
            self.over
            or mailbox.user
            or mailbox.held
            or mailbox.closed is not None
            or self.own_timers is not None
            or self.cell.tracing is not None
        )

    @property
    def is_asleep(self) -> bool:
        """Return True while it has no task, for it has nothing to do."""
        return self.cell.mailbox.parked is self

    def _fall_asleep(self) -> None:
        self.task = self.scope = None
        mailbox = self.cell.mailbox
        mailbox.parked = mailbox.server = self

    def _has_to_close(self) -> bool:
        """Return whether there is something to wait for at its end."""
        is_in_hand = self.current is not None
        stops_itself = self.actor is not None and type(self.actor).on_stop is not Actor.on_stop
        return is_in_hand or bool(self.tasks) or stops_itself

    def end_asleep(self) -> None:
        """End at once, if it is asleep; there is nothing to close."""
        if self.is_asleep:
            self.cell.mailbox.parked = self.cell.mailbox.server = None
            self._finish(self.exit())

    def rouse(self) -> None:
        """Have a task, for there is something to do; after the message in hand, if one is."""
        self.cell.mailbox.server = None
        if self.scope is None and self.current is None and self.is_running:
            self._give_task(0.0)

    def _give_task(self, delay: float) -> None:
        self.scope = scope = trio.CancelScope()
        if self.over:
            scope.cancel()
        system, path = self.cell.system, self.cell.path
        self.context.run(partial(system.start_soon, self.run, scope, delay, name=path))

    def _cancel(self) -> None:
        """Cancel what its task does; one that is asleep gets a task, in which it ends."""
        if self.is_asleep:
            self.cell.mailbox.wake()
        elif self.scope is not None:
            self.scope.cancel()

    @trio.lowlevel.enable_ki_protection
    async def run(self, scope: trio.CancelScope, delay: float) -> None:
        """Be the task: wait out the backoff, start, serve, close; tell the cell how it ended."""
        self.task = task = trio.lowlevel.current_task()
        actor: Actor | None = None
        has_rest = False
        try:
            try:
                with scope:
                    await self._take_context(task)
                    opened = opened_by(task)
                    actor = await self._started(delay)
                    # What its start has opened of trio's is its task's, which then stays.
                    has_rest = self._has_nothing_to_do() and opened == opened_by(task)
                    if actor is not None and not has_rest:
                        await self.serve(actor)
                if actor is not None and has_rest and not self.over:
                    self._fall_asleep()
                    return
            except BaseException as error:  # noqa: BLE001 - the edge of a life
                self.leave_with(error)
            await self._close()
        finally:
            if not self.is_asleep:
                self._end()

    async def _take_context(self, task: trio.lowlevel.Task) -> None:
        """Work in one context for all of a life, which trio copies for each task."""
        if self.phase is Phase.RUNNING:
            task.context = self.context  # from the next step on
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            self.context = task.context

    async def _started(self, delay: float) -> Actor | None:
        """Return the actor, started; None if it is not to serve."""
        if self.phase is Phase.RUNNING:
            return self.actor
        if delay > 0:
            await trio.sleep(delay)
            self._make()
        actor = self.actor
        if actor is None:
            return None  # it could not be made
        try:
            await actor.on_start()
        except Ignore:
            self.leaving = ExitKind.IGNORED
            return None
        self._has_begun()
        await actor.on_continue()
        self.started_for = origin.get()
        return actor

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
                self.leave_with(error)
        if self.tasks:
            self._start_reaper()
            await self.tasks.end()

    def leave_with(self, error: BaseException, *, has_awaited: bool = True) -> None:
        """Crash with an error. What is none ends the system, and a cancellation goes on its way.

        A cancellation is one where something is cancelled, and was awaited in a task of this life.
        Any other was kept from somewhere else, and is an error.
        """
        if isinstance(error, Exception):
            self.fail(error)
            return
        rest: BaseException | None = error
        if isinstance(error, BaseExceptionGroup):
            _, rest = error.split(trio.Cancelled)
        if rest is None or isinstance(error, trio.Cancelled):
            if has_awaited and trio.current_effective_deadline() == -math.inf:
                raise error
            self.fail(RuntimeError(f"{self.cell.path} raised trio.Cancelled where nothing was"))
            return
        self.cell.halt_watched(final=True)  # or its supervisor starts it anew before it is stopped
        self.cell.system.end_with(rest)

    def _start_reaper(self) -> None:
        """See that the end is bounded, unless whoever asked for it does."""
        if not self.is_watched:
            self.is_watched = True
            self.cell.system.start_soon(self.gone, name=f"reaper of {self.cell.path}")

    def _end(self) -> None:
        """Report the end, once; a life that was given up has been reported."""
        if self.abandoned:
            self.phase = Phase.ENDED
            self.cell.system.abandoned.remove(self.cell.path)
            return
        self._finish(self.exit())

    def exit(self) -> Exit:
        """Return how it ends, as far as that is known."""
        if self.error is not None:
            return Exit(ExitKind.CRASHED if self.has_begun else ExitKind.START_FAILED, self.error)
        return Exit(self.leaving or (ExitKind.KILLED if self.killed else ExitKind.SHUTDOWN))

    def _finish(self, end: Exit) -> None:
        self.phase = Phase.ENDED
        self.actor = None
        if self.deferred:
            for reply in tuple(self.deferred):
                reply.fail(self.why_no_answer(reply.message, reply, self.error))
        if self._bonds is not None:
            self._bonds.end(end)
        if self.own_timers is not None:
            self.own_timers.end()
        self.cell.mailbox.unstash()
        self.cell.life_ended(self, end)
        # The error knows the frames that it came through, and they know this life.
        self.error = None
        self.task = None
        self.context = contextvars.Context()

    # What others ask of a life.

    def stop(self) -> None:
        """Ask it to end after the message in hand; a start is cancelled at once."""
        self._set_deadline()
        self.is_watched = True
        self.over = True
        if self.is_asleep and not self._has_to_close():
            self.killed = self.cell.spec.shutdown == 0
            self.end_asleep()
        elif self.cell.spec.shutdown == 0:
            self.cut()
        elif self.phase in (Phase.BACKOFF, Phase.STARTING):
            self._cancel()
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
        self._cancel()

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
        self._cancel()

    def cancel_everything(self) -> None:
        """Cancel all that still runs."""
        self.killed = True
        self._cancel()
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
            self.lose(self.current, trio.TooSlowError())
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
        if self.own_timers is None:
            self.own_timers = Timers(self.cell.system, self.cell.mailbox)
        return self.own_timers

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
            self.tasks = BackgroundTasks(self.cell.path, self.cell.system, self.leave_with)
        return self.tasks.start(work, args, str(label))
