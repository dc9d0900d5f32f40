"""A system of actors, which is the whole tree, and the door to it for what is not an actor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, overload

import trio

from command_center.runtime.child import Phase
from command_center.runtime.deadletters import DeadLetterReason, DeadLetters
from command_center.runtime.errors import ActorStopped, ChildRunning, SystemFailed
from command_center.runtime.messages import Address
from command_center.runtime.ref import ActorRef
from command_center.runtime.restarting import Restarting
from command_center.runtime.signals import Operated, Stalled
from command_center.runtime.snapshots import (
    ActorSnapshot,
    MessageTotals,
    SystemSnapshot,
    stack_of,
    take_snapshot,
    take_snapshot_of,
    take_totals,
)
from command_center.runtime.specs import ChildSpec, SupervisorSpec
from command_center.runtime.supervisor import Supervisor
from command_center.runtime.tracing import Trace
from command_center.runtime.tree import Observer, RunningTree

Message = TypeVar("Message")


class System:
    """A running tree. Made by `open_system`."""

    def __init__(self, tree: RunningTree) -> None:
        self._tree = tree

    @property
    def dead_letters(self) -> DeadLetters:
        """Return the messages that nobody handled: the newest, and how many there were."""
        return self._tree.dead_letters

    @property
    def abandoned(self) -> Sequence[str]:
        """Return the paths of children that did not end when they were stopped, in that order."""
        return list(self._tree.abandoned)

    @property
    def paths(self) -> Sequence[str]:
        """Return the path of everything that stands in the tree."""
        return tuple(self._tree.children)

    def now(self) -> float:
        """Return the system clock's time in seconds; monotonic, of no calendar."""
        return self._tree.clock()

    # The life of the system.

    async def __aenter__(self) -> Self:
        tree = self._tree
        await tree.start()
        tree.raise_error()
        end = tree.root.exit
        if end is not None and end.is_failure:
            await tree.end()
            raise SystemFailed(end.error)
        tree.body.__enter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        tree = self._tree
        caught = tree.body.__exit__(kind, error, traceback)
        await tree.end()
        tree.raise_error()
        end = tree.root.exit
        if (error is None or caught) and end is not None and end.is_failure:
            raise SystemFailed(end.error)
        return caught

    async def stop(self) -> None:
        """Stop every actor in order and wait for it. Calling it again waits for the same stop.

        Always returns: a child that outlives its deadline, and does not end when cancelled, is
        named in `abandoned` and by an `Abandoned` signal; then `on_stuck` is called.
        """
        await self._tree.stop()

    def request_stop(self) -> None:
        """Begin to stop every actor in order, without waiting."""
        self._tree.request_stop()

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call a function at every lifecycle fact from now on; return what ends that."""
        return self._tree.observe(observer)

    # Finding.

    @overload
    def find(self, path: Address[Message]) -> ActorRef[Message] | None: ...
    @overload
    def find(self, path: str) -> ActorRef[Any] | None: ...
    def find(self, path: str) -> ActorRef[Any] | None:
        """Return the handle of what stands at a path, or None."""
        return self._tree.find(path)

    @overload
    def lookup(self, path: Address[Message]) -> ActorRef[Message]: ...
    @overload
    def lookup(self, path: str) -> ActorRef[Any]: ...
    def lookup(self, path: str) -> ActorRef[Any]:
        """Return the handle of the actor at a path; raises `ActorNotFound`.

        At an `Address`, the handle takes the messages that the actor there takes, and no others.
        That of a supervisor takes none: it is for monitoring it, stopping it, and waiting for it.
        """
        return self._tree.lookup(path)

    def members(self, group: str) -> tuple[ActorRef[Any], ...]:
        """Return the actors that joined a group, in that order; see `Context.join`."""
        return self._tree.members(group)

    # Inspection.

    def snapshot(self) -> SystemSnapshot:
        """Read the whole tree as it is now; never waits."""
        return take_snapshot(self._tree)

    def snapshot_of(self, path: str) -> ActorSnapshot:
        """Read one actor or supervisor; never waits. Raises `ActorNotFound`."""
        return take_snapshot_of(self._tree.child(path))

    def stack_of(self, path: str) -> Sequence[str]:
        """Return where an actor and its background tasks await, outermost first; never waits.

        Empty for a supervisor, and for an actor that does not run or was told nothing yet. Raises
        `ActorNotFound`.
        """
        return stack_of(self._tree.child(path))

    def totals(self) -> MessageTotals:
        """Return what became of every message that was ever sent; see `MessageTotals`."""
        return take_totals(self._tree)

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
        return await self._tree.start_child(supervisor, spec)

    def delete_child(self, path: str, *, reason: str = "") -> None:
        """Take a stopped child out of the tree, and free its path; its handle stays dead.

        The next life of its supervisor has it again, if its spec names it.

        Raises:
            ActorNotFound: nothing stands there.
            ChildRunning: it is not stopped.
        """
        child = self._tree.child(path)
        if not child.is_dead or not isinstance(child.parent, Supervisor):
            raise ChildRunning(path)
        self._tree.emit(Operated(path, "delete", reason))
        child.parent.remove(child)

    def spec_of(self, path: str) -> ChildSpec | SupervisorSpec:
        """Return the spec of what stands at a path; raises `ActorNotFound`."""
        return self._tree.child(path).spec

    # Operations.

    def suspend(self, path: str, *, reason: str) -> None:
        """Let an actor take no user message, after the one in hand, until it is resumed.

        Its mailbox fills and then makes senders wait. It can still be stopped. Outlives restarts.
        """
        mailbox = self._tree.cell(path).mailbox
        mailbox.suspended = mailbox.held = True
        self._tree.emit(Operated(path, "suspend", reason))

    def resume(self, path: str, *, reason: str) -> None:
        """Let a suspended actor go on."""
        mailbox = self._tree.cell(path).mailbox
        mailbox.suspended = False
        mailbox.wake()
        self._tree.emit(Operated(path, "resume", reason))

    async def drain(self, path: str, *, reason: str, timeout: float = 60.0) -> bool:  # noqa: ASYNC109
        """Let an actor handle what waits in its mailbox, but nothing new, and then end for good.

        After `timeout` seconds it is stopped with what it has left, also if the caller no longer
        waits. Returns whether it drained.
        """
        cell = self._tree.cell(path)
        self._tree.emit(Operated(path, "drain", reason))
        if cell.phase is not Phase.RUNNING:
            await cell.stop()
            return False
        ended = cell.ended
        cell.drain()
        bound = trio.CancelScope(deadline=self._tree.clock() + timeout)

        # In a task of its own, for the deadline must be kept even if the operator goes away.
        async def keep_the_deadline() -> None:
            with bound:
                await ended.wait()
            if bound.cancelled_caught:
                cell.halt_watched(final=True)

        self._tree.start_soon(keep_the_deadline, name=f"drain of {path}")
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
        child = self._tree.child(path)
        parent = child.parent
        if parent is None or not parent.is_serving:
            raise ActorStopped(path, "restart", 0.0, DeadLetterReason.STOPPED.value)
        self._tree.emit(Operated(path, "restart", reason))
        restarting = Restarting(child, parent)
        # In a task of its own, for the deadline must be kept even if the operator goes away.
        self._tree.start_soon(restarting.run, self._tree.children, name=f"restart of {path}")
        await restarting.done.wait()
        if restarting.failure is not None:
            raise restarting.failure

    async def stop_child(self, path: str, *, reason: str) -> None:
        """Stop a child for good and wait for its end.

        A child of the tree's spec stays visible as stopped, and `restart` brings it back; a
        dynamic one leaves the tree.
        """
        child = self._tree.child(path)
        self._tree.emit(Operated(path, "stop", reason))
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
        cell = self._tree.cell(path)
        life = cell.life
        if life is None or not life.is_running:
            raise ActorStopped(path, "replace_state", 0.0, DeadLetterReason.STOPPED.value)
        self._tree.emit(Operated(path, "replace_state", reason))
        await life.change_state(change)

    def trace(self, path: str, *, messages: int = 100, seconds: float = 30.0) -> Trace:
        """Record an actor's messages; ends by itself, and ends a former trace of that actor."""
        return self._tree.cell(path).start_trace(messages=messages, seconds=seconds)


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
    tree = RunningTree(
        spec,
        on_signal=on_signal,
        on_stuck=on_stuck,
        redact=redact,
        dead_letter_capacity=dead_letter_capacity,
        seed=seed,
        stall_seconds=stall_seconds,
        on_stall=on_stall,
    )
    return System(tree)
