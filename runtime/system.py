"""The whole tree, and the door to it for everything that is not an actor."""

from __future__ import annotations

import contextvars
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, overload

import structlog
import trio

from command_center.runtime.accounting import Counts
from command_center.runtime.cell import Cell
from command_center.runtime.child import Child, Intent, Phase
from command_center.runtime.deadletters import DeadLetterReason, DeadLetters
from command_center.runtime.deadline_queue import DeadlineQueue
from command_center.runtime.errors import (
    ActorNotFound,
    ActorStopped,
    ChildExists,
    ChildRunning,
    StartFailed,
    SupervisorNotFound,
    SystemFailed,
    text_of,
)
from command_center.runtime.groups import Groups
from command_center.runtime.messages import Address
from command_center.runtime.ports import Parent
from command_center.runtime.ref import ActorRef
from command_center.runtime.signals import ExitKind, Operated, Signal, Stalled
from command_center.runtime.snapshots import (
    ActorSnapshot,
    MessageTotals,
    SystemSnapshot,
    take_snapshot,
    take_snapshot_of,
    take_totals,
)
from command_center.runtime.specs import ChildSpec, SupervisorSpec, check_is_child
from command_center.runtime.supervisor import Supervisor
from command_center.runtime.tracing import Trace
from command_center.runtime.watchdog import Watchdog

_log = structlog.get_logger(__name__)

Message = TypeVar("Message")

Observer = Callable[[Signal], None]


class System:
    """A running tree. Made by `open_system`."""

    def __init__(
        self,
        spec: SupervisorSpec,
        *,
        on_signal: Observer | None = None,
        on_stuck: Callable[[Sequence[str]], None] | None = None,
        redact: Callable[[str], str] | None = None,
        dead_letter_capacity: int = 1000,
        seed: int | None = None,
        stall_seconds: float | None = None,
        on_stall: Callable[[Stalled], None] | None = None,
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
        self._nursery: trio.Nursery | None = None
        self._host_ended = trio.Event()
        self._host_error: BaseException | None = None
        self._fatal: BaseException | None = None
        self._body = trio.CancelScope()

    # The life of the system.

    async def __aenter__(self) -> Self:
        # The host is a system task, so that cancelling the body does not cancel the actors: they
        # are stopped in order. `__aexit__` waits for it, as a nursery would.
        trio.lowlevel.spawn_system_task(
            self._host, name="actor system", context=contextvars.copy_context()
        )
        try:
            await self.root.began.wait()
        except trio.Cancelled:
            await self._stop_shielded()
            raise
        if self._fatal is not None:
            await self._stop_shielded()
        self._raise_host_error()
        if self.root.exit is not None and self.root.exit.is_failure:
            await self._stop_shielded()
            raise SystemFailed(self.root.exit.error)
        self._body.__enter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        caught = self._body.__exit__(kind, error, traceback)
        await self._stop_shielded()
        self._raise_host_error()
        end = self.root.exit
        if (error is None or caught) and end is not None and end.is_failure:
            raise SystemFailed(end.error)
        return caught

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
                self._body.cancel()
                self.deadlines.stop()
        except BaseException as error:
            # Raised again where the system was opened; a system task must not raise it.
            self._host_error = error
            self.root.began.set()
            self._body.cancel()
            if isinstance(error, trio.Cancelled):
                raise
        finally:
            if watchdog is not None:
                watchdog.stop()
            for child in tuple(self.children.values()):
                child.close(DeadLetterReason.STOPPED)
            self._host_ended.set()

    def _stalls(self, stalled: Stalled) -> None:
        """Tell of a stall while it lasts, in the watchdog's thread."""
        _log.error("runtime.stalled", path=stalled.path, stack="\n".join(stalled.stack))
        if self._on_stall is not None:
            try:
                self._on_stall(stalled)
            except Exception:  # noqa: BLE001 - the edge to foreign code must not end the watch
                _log.exception("on_stall failed")

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
        self._body.cancel()

    def _raise_host_error(self) -> None:
        if self._fatal is not None:
            raise self._fatal
        if self._host_error is not None:
            raise self._host_error

    async def _stop_shielded(self) -> None:
        # Bounded: every child below has its deadline.
        with trio.CancelScope(shield=True):
            if not self._host_ended.is_set():
                await self.stop()
            if not self.abandoned:
                await self._host_ended.wait()

    async def stop(self) -> None:
        """Stop every actor in order and wait for it. Calling it again waits for the same stop.

        Always returns: a child that outlives its deadline, and does not end when cancelled, is
        named in `abandoned` and by an `Abandoned` signal; then `on_stuck` is called.
        """
        self.request_stop()
        if self._host_error is None and self.root.is_alive:
            await self.root.ended.wait()
        if self.abandoned and self._on_stuck is not None:
            self._on_stuck(tuple(self.abandoned))

    def request_stop(self) -> None:
        """Begin to stop every actor in order, without waiting."""
        self.root.halt(final=True)

    def start_soon(self, work: Callable[..., Awaitable[object]], *args: Any, name: str) -> None:
        """Start a task of the tree; for the runtime's own use."""
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
                _log.exception("observer failed", signal=type(signal).__name__)

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
            _log.exception("redaction failed")
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

    @overload
    def find(self, path: Address[Message]) -> ActorRef[Message] | None: ...
    @overload
    def find(self, path: str) -> ActorRef[Any] | None: ...
    def find(self, path: str) -> ActorRef[Any] | None:
        """Return the handle of what stands at a path, or None."""
        child = self.children.get(path)
        return None if child is None else child.ref

    @overload
    def lookup(self, path: Address[Message]) -> ActorRef[Message]: ...
    @overload
    def lookup(self, path: str) -> ActorRef[Any]: ...
    def lookup(self, path: str) -> ActorRef[Any]:
        """Return the handle of the actor at a path; raises `ActorNotFound`.

        At an `Address`, the handle takes the messages that the actor there takes, and no others.
        That of a supervisor takes none: it is for monitoring it, stopping it, and waiting for it.
        """
        ref = self.find(path)
        if ref is None:
            raise ActorNotFound(path)
        return ref

    def members(self, group: str) -> tuple[ActorRef[Any], ...]:
        """Return the actors that joined a group, in that order; see `Context.join`."""
        return self.groups.members(group)

    # Inspection.

    def snapshot(self) -> SystemSnapshot:
        """Read the whole tree as it is now; never waits."""
        return take_snapshot(self)

    def snapshot_of(self, path: str, *, stack: bool = False) -> ActorSnapshot:
        """Read one actor or supervisor; with `stack`, also where it awaits. Never waits.

        Raises:
            ActorNotFound: nothing stands there.
        """
        return take_snapshot_of(self._child(path), stack=stack)

    def totals(self) -> MessageTotals:
        """Return what became of every message that was ever sent; see `MessageTotals`."""
        return take_totals(self)

    # Dynamic children.

    async def start_child(self, supervisor: str, spec: ChildSpec | SupervisorSpec) -> ActorRef[Any]:
        """Start a child under a supervisor; return when its `on_start` has returned.

        A supervisor is started with all its children. A child leaves the tree when it ends and is
        not to be restarted. One that raised `Ignore` is dead, and its place stays unless it is
        temporary. If the caller is cancelled while it waits, the child is stopped.

        Raises:
            ChildExists: the id is taken.
            StartFailed: `on_start` raised, or the child was stopped before it returned; the path
                is free again, and the failure counts for nobody.
            SupervisorNotFound: no supervisor stands there.
            ActorStopped: the supervisor is stopping.
            InvalidSpec: it is no spec, or cannot be a child of that supervisor.
        """
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
        end = child.exit
        if child.running_since is None and (end is None or end.kind is not ExitKind.IGNORED):
            child.halt_watched(final=True)
            raise StartFailed(child.path, None if end is None else end.error)
        return child.ref

    def delete_child(self, path: str, *, reason: str = "") -> None:
        """Take a stopped child out of the tree, and free its path; its handle stays dead.

        The next life of its supervisor has it again, if its spec names it.

        Raises:
            ActorNotFound: nothing stands there.
            ChildRunning: it is not stopped.
        """
        child = self._child(path)
        if not child.is_dead or not isinstance(child.parent, Supervisor):
            raise ChildRunning(path)
        self.emit(Operated(path, "delete", reason))
        child.parent.remove(child)

    def spec_of(self, path: str) -> ChildSpec | SupervisorSpec:
        """Return the spec of what stands at a path; raises `ActorNotFound`."""
        return self._child(path).spec

    # Operations.

    def _child(self, path: str) -> Child:
        child = self.children.get(path)
        if child is None:
            raise ActorNotFound(path)
        return child

    def _cell(self, path: str) -> Cell:
        child = self.children.get(path)
        if not isinstance(child, Cell):
            raise ActorNotFound(path)
        return child

    def suspend(self, path: str, *, reason: str) -> None:
        """Let an actor take no user message, after the one in hand, until it is resumed.

        Its mailbox fills and then makes senders wait. It can still be stopped. Outlives restarts.
        """
        mailbox = self._cell(path).mailbox
        mailbox.suspended = mailbox.held = True
        self.emit(Operated(path, "suspend", reason))

    def resume(self, path: str, *, reason: str) -> None:
        """Let a suspended actor go on."""
        mailbox = self._cell(path).mailbox
        mailbox.suspended = False
        mailbox.wake()
        self.emit(Operated(path, "resume", reason))

    async def drain(self, path: str, *, reason: str, timeout: float = 60.0) -> bool:  # noqa: ASYNC109
        """Let an actor handle what waits in its mailbox, but nothing new, and then end for good.

        After `timeout` seconds it is stopped with what it has left, also if the caller no longer
        waits. Returns whether it drained.
        """
        cell = self._cell(path)
        self.emit(Operated(path, "drain", reason))
        if cell.phase is not Phase.RUNNING:
            await cell.stop()
            return False
        ended = cell.ended
        cell.drain()
        bound = trio.CancelScope(deadline=self.clock() + timeout)

        # In a task of its own, for the deadline must be kept even if the operator goes away.
        async def keep_the_deadline() -> None:
            with bound:
                await ended.wait()
            if bound.cancelled_caught:
                cell.halt_watched(final=True)

        self.start_soon(keep_the_deadline, name=f"drain of {path}")
        await ended.wait()
        return not bound.cancelled_caught

    async def restart(self, path: str, *, reason: str) -> None:
        """Stop a child within its deadline and start it anew; wait until it has started.

        It keeps its mailbox, and counts as no failure. It is the way back for a quarantined or a
        stopped child, whose failures are forgotten. If the start fails, a child that was dead stays
        as it was; of any other its supervisor decides.

        Raises:
            StartFailed: the start raised, or the child was stopped before it returned.
            ActorStopped: its supervisor is stopping, or it has left the tree.
        """
        child = self._child(path)
        parent = child.parent
        if parent is None or not parent.is_serving:
            raise ActorStopped(path, "restart", 0.0, DeadLetterReason.STOPPED.value)
        self.emit(Operated(path, "restart", reason))
        restarting = _Restarting(child, parent)
        # In a task of its own, for the deadline must be kept even if the operator goes away.
        self.start_soon(restarting.run, self.children, name=f"restart of {path}")
        await restarting.done.wait()
        if restarting.failure is not None:
            raise restarting.failure

    async def stop_child(self, path: str, *, reason: str) -> None:
        """Stop a child for good and wait for its end.

        A child of the tree's spec stays visible as stopped, and `restart` brings it back; a
        dynamic one leaves the tree.
        """
        child = self._child(path)
        self.emit(Operated(path, "stop", reason))
        await child.stop()

    async def replace_state(
        self, path: str, change: Callable[[Any], object], *, reason: str
    ) -> None:
        """Change an actor between two messages: `change(actor)` is called, and must not block.

        A suspended actor is changed as well. What `change` raises is raised here, and does the
        actor no other harm.

        Raises:
            ActorNotFound: no actor stands there.
            ActorStopped: it does not run, or ended before.
            ActorCrashed: it crashed before.
        """
        cell = self._cell(path)
        life = cell.life
        if life is None or not life.is_running:
            raise ActorStopped(path, "replace_state", 0.0, DeadLetterReason.STOPPED.value)
        self.emit(Operated(path, "replace_state", reason))
        await life.change_state(change)

    def trace(self, path: str, *, messages: int = 100, seconds: float = 30.0) -> Trace:
        """Record an actor's messages; ends by itself, and ends a former trace of that actor."""
        return self._cell(path).start_trace(messages=messages, seconds=seconds)


class _Restarting:
    """The restart of one child by an operator."""

    def __init__(self, child: Child, parent: Parent[Child]) -> None:
        self._child = child
        self._parent = parent
        self._was_quarantined = child.quarantined
        self._was_dead = child.is_dead
        self.done = trio.Event()
        self.failure: ActorStopped | StartFailed | None = None

    async def run(self, children: Mapping[str, Child]) -> None:
        child, path = self._child, self._child.path
        child.forgive()
        if child.is_alive:
            child.halt(final=False)
            await child.gone()
        # Meanwhile a dynamic child may have left the tree, or the supervisor begun to stop.
        if self._parent.is_serving and children.get(path) is child:
            child.restarts += 1
            child.spawn(Intent.TRIAL)
            await child.began.wait()
            end = child.exit
            if child.running_since is None and (end is None or end.kind is not ExitKind.IGNORED):
                self.failure = StartFailed(path, None if end is None else end.error)
                self._deal_with_failure()
        else:
            self.failure = ActorStopped(path, "restart", 0.0, DeadLetterReason.STOPPED.value)
        self.done.set()

    def _deal_with_failure(self) -> None:
        child, end = self._child, self._child.exit
        if end is None or child.is_alive or child.intent is not Intent.TRIAL:
            return
        if self._was_quarantined:
            child.set_aside()
        elif self._was_dead:
            child.retire(end.kind.value)
        else:
            self._parent.child_ended(child, end)


def open_system(
    spec: SupervisorSpec,
    *,
    on_signal: Observer | None = None,
    on_stuck: Callable[[Sequence[str]], None] | None = None,
    redact: Callable[[str], str] | None = None,
    dead_letter_capacity: int = 1000,
    seed: int | None = None,
    stall_seconds: float | None = None,
    on_stall: Callable[[Stalled], None] | None = None,
) -> System:
    """Make a system of actors, to be entered with `async with`.

    Entered when every child of the spec has started; left when every actor is stopped, in order,
    each within its deadline, whatever ended the body. `on_signal` observes from the start on.
    `on_stuck` is told the paths of those that could not be ended: a program passes a function
    that ends the process, for trio itself would wait for them. `redact` is applied to error texts.
    `seed` makes the jitter repeatable. With `stall_seconds`, a thread watches for what keeps all
    actors waiting for so long: it is logged and `on_stall` is called at once, in that thread (which
    may end the process), and a `Stalled` signal comes when it is over.

    Raises:
        SystemFailed: on entering, if a child did not start; on leaving, if the root gave up,
            which cancels the body.
    """
    return System(
        spec,
        on_signal=on_signal,
        on_stuck=on_stuck,
        redact=redact,
        dead_letter_capacity=dead_letter_capacity,
        seed=seed,
        stall_seconds=stall_seconds,
        on_stall=on_stall,
    )
