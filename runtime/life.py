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
from typing import Any

import trio

from command_center.runtime.actor import Actor
from command_center.runtime.background_tasks import BackgroundTasks
from command_center.runtime.bonds import Bonds
from command_center.runtime.child import Phase
from command_center.runtime.context import Context
from command_center.runtime.errors import (
    ActorStopped,
    Ignore,
    LinkBroken,
)
from command_center.runtime.reaper import HAND_SHARE, see_the_end
from command_center.runtime.reply import Deferred
from command_center.runtime.serving import Home, Serving
from command_center.runtime.signals import Abandoned, Exit, ExitKind
from command_center.runtime.timers import Timers


class Life(Serving):
    """One task that starts an actor, lets it serve, and ends it."""

    __slots__ = (
        "_bonds",
        "closing",
        "cutoff",
        "deadline",
        "deferred",
        "ended",
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
        self.scope = trio.CancelScope()
        self.closing: trio.CancelScope | None = None
        self.phase = Phase.BACKOFF
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
                        await self.serve(actor)
            except BaseException as error:  # noqa: BLE001 - the edge of a life
                self.leave_with(error)
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
        kind = type(actor)
        self.cell.kind = kind.__name__
        if kind.on_start is not Actor.on_start:
            try:
                await actor.on_start()
            except Ignore:
                self.leaving = ExitKind.IGNORED
                return None
        self.phase = Phase.RUNNING
        self.cell.has_begun()
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

    def leave_with(self, error: BaseException) -> None:
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
                reply.fail(self.why_no_answer(reply.message, reply, self.error))
        if self._bonds is not None:
            self._bonds.end(end)
        if self.own_timers is not None:
            self.own_timers.end()
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
            self.own_timers = Timers(self.cell.system, self.cell.mailbox, self.task)
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
