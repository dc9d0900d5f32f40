"""The running tree: the task that holds it, its registry by path, and what its parts share.

Everything in a tree reaches it as a port: `system` of a child. Nothing outside the runtime has it;
who runs a tree has a `System`, and an actor has its `Context`.
"""

from __future__ import annotations

import contextvars
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio

from command_center.runtime.accounting import Counts
from command_center.runtime.cell import Cell
from command_center.runtime.child import Child, Intent
from command_center.runtime.deadletters import DeadLetterReason, DeadLetters
from command_center.runtime.deadline_queue import DeadlineQueue
from command_center.runtime.errors import (
    ActorNotFound,
    ActorStopped,
    ChildExists,
    StartFailed,
    SupervisorNotFound,
    text_of,
)
from command_center.runtime.groups import Groups
from command_center.runtime.ref import ActorRef
from command_center.runtime.reports import report
from command_center.runtime.signals import Signal, Stalled
from command_center.runtime.specs import ChildSpec, SupervisorSpec, check_is_child
from command_center.runtime.supervisor import Supervisor
from command_center.runtime.watchdog import Watchdog

Observer = Callable[[Signal], None]


class RunningTree:
    """One tree of children, from the start of its root to its end."""

    def __init__(
        self,
        spec: SupervisorSpec,
        *,
        on_signal: Observer | None,
        on_stuck: Callable[[Sequence[str]], None] | None,
        redact: Callable[[str], str] | None,
        dead_letter_capacity: int,
        seed: int | None,
        stall_seconds: float | None,
        on_stall: Callable[[Stalled], None] | None,
    ) -> None:
        self._observers: list[Observer] = [] if on_signal is None else [on_signal]
        self._on_stuck = on_stuck
        self._redact = redact
        self._stall_seconds = stall_seconds
        self._on_stall = on_stall
        self.stalls: dict[str | None, int] = {}
        """The number of times that each actor held up all others; None for what is none."""
        self.rng = random.Random(seed)  # noqa: S311 - jitter is no secret
        self.clock: Callable[[], float] = trio.lowlevel.current_clock().current_time
        self.deadlines = DeadlineQueue(self.clock)
        self.groups = Groups()
        self.dead_letters = DeadLetters(dead_letter_capacity)
        self.departed = Counts()
        """The counts of actors that have left the tree."""
        self.abandoned: list[str] = []
        """The paths of children that did not end when they were stopped, in that order."""
        self.children: dict[str, Child] = {}
        self.root = Supervisor(self, None, spec)
        self.children[self.root.path] = self.root
        self.body = trio.CancelScope()
        """The scope of whoever opened the tree; cancelled when the root ends."""
        self._nursery: trio.Nursery | None = None
        self._host_ended = trio.Event()
        self._host_error: BaseException | None = None
        self._fatal: BaseException | None = None

    # From its start to its end.

    async def start(self) -> None:
        """Start the root in a task of its own; return when it has begun, or its start failed.

        The host is a system task, so that cancelling the body does not cancel the actors: they are
        stopped in order, and `end` waits for it, as a nursery would.
        """
        trio.lowlevel.spawn_system_task(
            self._host, name="actor system", context=contextvars.copy_context()
        )
        try:
            await self.root.began.wait()
        except trio.Cancelled:
            await self.end()
            raise
        if self._fatal is not None:
            await self.end()

    @trio.lowlevel.enable_ki_protection
    async def _host(self) -> None:
        """Hold the nursery of every task of the tree, and end the body when the root ends."""
        watchdog: Watchdog | None = None
        try:
            if self._stall_seconds is not None:
                watchdog = Watchdog(self._stall_seconds, self._stalls, self._has_stalled)
            async with trio.open_nursery() as self._nursery:
                self._nursery.start_soon(self.deadlines.run, name="deadlines")
                self.root.spawn(Intent.TRIAL)
                await self.root.ended.wait()
                self.body.cancel()
                self.deadlines.stop()
        except BaseException as error:
            # Raised again where the system was opened; a system task must not raise it.
            self._host_error = error
            self.root.began.set()
            self.body.cancel()
            if isinstance(error, trio.Cancelled):
                raise
        finally:
            if watchdog is not None:
                watchdog.stop()
            for child in tuple(self.children.values()):
                child.close(DeadLetterReason.STOPPED)
                if isinstance(child, Cell) and child.life is not None:
                    child.life.end_asleep()  # no task can be had any more
            self._host_ended.set()

    def _stalls(self, stalled: Stalled) -> None:
        """Tell of a stall while it lasts, in the watchdog's thread."""
        report("runtime.stalled", path=stalled.path, stack="\n".join(stalled.stack))
        if self._on_stall is not None:
            try:
                self._on_stall(stalled)
            except Exception:  # noqa: BLE001 - the edge to foreign code must not end the watch
                report("on_stall failed")

    def _has_stalled(self, stalled: Stalled) -> None:
        """Tell of a stall when it is over."""
        self.stalls[stalled.path] = self.stalls.get(stalled.path, 0) + 1
        self.emit(stalled)

    def end_with(self, error: BaseException) -> None:
        """Stop every actor in order, and raise the error where the system was opened.

        For what is no `Exception`: a wish to end the program, such as `SystemExit`.
        """
        if self._fatal is None:
            self._fatal = error
        self.request_stop()
        self.body.cancel()

    def raise_error(self) -> None:
        """Raise what ended the tree, if that was more than an end of its root."""
        if self._fatal is not None:
            raise self._fatal
        if self._host_error is not None:
            raise self._host_error

    async def end(self) -> None:
        """Stop every actor in order, and wait until no task of the tree is left."""
        # Bounded: every child below has its deadline.
        with trio.CancelScope(shield=True):
            if not self._host_ended.is_set():
                await self.stop()
            if not self.abandoned:
                await self._host_ended.wait()

    async def stop(self) -> None:
        """Stop every actor in order and wait for it, or until those that are stuck are given up."""
        self.request_stop()
        if self._host_error is None and self.root.is_alive:
            await self.root.ended.wait()
        if self.abandoned and self._on_stuck is not None:
            self._on_stuck(tuple(self.abandoned))

    def request_stop(self) -> None:
        """Begin to stop every actor in order, without waiting."""
        self.root.halt(final=True)

    def start_soon(self, work: Callable[..., Awaitable[object]], *args: Any, name: str) -> None:
        """Start a task of the tree; the parts of it use this."""
        if self._nursery is not None:
            self._nursery.start_soon(work, *args, name=name)

    # Observers.

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call a function at every lifecycle fact from now on; return what ends that."""
        self._observers.append(observer)

        def forget() -> None:
            if observer in self._observers:
                self._observers.remove(observer)

        return forget

    def emit(self, signal: Signal) -> None:
        """Tell the observers; one that raises is logged and the others are still told."""
        for observer in tuple(self._observers):
            try:
                observer(signal)
            except Exception:  # noqa: BLE001 - the edge to foreign code must not harm the tree
                report("observer failed", signal=type(signal).__name__)
            except BaseException as error:  # noqa: BLE001 - a wish to end the program
                self.end_with(error)

    def add_dead_letter(
        self, path: str, message: object, reason: DeadLetterReason, at: float
    ) -> None:
        """Keep a dead letter and tell the observers."""
        letter = self.dead_letters.add(path, message, reason, at)
        if self._observers:
            self.emit(letter)

    def describe_error(self, error: BaseException | None) -> str | None:
        """Return an exception's type and text, redacted."""
        if error is None:
            return None
        if self._redact is None:
            return text_of(error)
        try:
            return self._redact(text_of(error))
        except Exception:  # noqa: BLE001 - the edge to foreign code must not harm the tree
            report("redaction failed")
        except BaseException as wish:  # noqa: BLE001 - a wish to end the program
            self.end_with(wish)
        return type(error).__name__

    # The registry.

    def register(self, child: Child) -> None:
        """Give a child its path."""
        self.children[child.path] = child

    def unregister(self, child: Child) -> None:
        """Free a child's path, and those beneath it; keep what it counted."""
        if self.children.get(child.path) is child:
            del self.children[child.path]
        if isinstance(child, Cell):
            child.has_left = True
            self.departed.sent += child.mailbox.sent
            self.departed.handled += child.handled
            self.departed.refused += child.refused
            self.departed.lost += child.lost
            self.departed.dead += child.dead
        elif isinstance(child, Supervisor):
            for grandchild in child.children.values():
                self.unregister(grandchild)

    def find(self, path: str) -> ActorRef[Any] | None:
        """Return the handle of what stands at a path, or None."""
        child = self.children.get(path)
        return None if child is None else child.ref

    def lookup(self, path: str) -> ActorRef[Any]:
        """Return the handle of what stands at a path; raises `ActorNotFound`."""
        return self.child(path).ref

    def child(self, path: str) -> Child:
        """Return what stands at a path; raises `ActorNotFound`."""
        child = self.children.get(path)
        if child is None:
            raise ActorNotFound(path)
        return child

    def cell(self, path: str) -> Cell:
        """Return the place of the actor at a path; raises `ActorNotFound`."""
        child = self.children.get(path)
        if not isinstance(child, Cell):
            raise ActorNotFound(path)
        return child

    def members(self, group: str) -> tuple[ActorRef[Any], ...]:
        """Return the actors that joined a group, in that order; see `Context.join`."""
        return self.groups.members(group)

    async def start_child(self, supervisor: str, spec: ChildSpec | SupervisorSpec) -> ActorRef[Any]:
        """Start a child under a supervisor; see `System.start_child`."""
        check_is_child(spec)
        parent = self.children.get(supervisor)
        if not isinstance(parent, Supervisor):
            raise SupervisorNotFound(supervisor)
        if not parent.is_serving:
            raise ActorStopped(parent.path, "start_child", 0.0, DeadLetterReason.STOPPED.value)
        if spec.id in parent.children:
            raise ChildExists(parent.children[spec.id].path)
        parent.spec.check_child(spec)
        child = parent.add(spec, is_dynamic=True)
        child.spawn(Intent.TRIAL)
        try:
            await child.began.wait()
        except trio.Cancelled:
            child.halt_watched(final=True)
            raise
        if not child.has_started:
            error = child.start_error
            child.halt_watched(final=True)
            raise StartFailed(child.path, error)
        return child.ref
