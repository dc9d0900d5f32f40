"""A supervisor: starts children in order, restarts them by its strategy, stops them in reverse.

One task waits for the ends of children and acts on them. Whatever it waits for (a child's start, a
backoff, a sibling's stop) it waits for inside the scope `_work`, so that a stop request is served
at once, also in the middle of a restart loop. Backoff of a one_for_one child is slept by the
child's own next life, so the supervisor goes on serving the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Never, Protocol

import trio

from command_center.runtime.cell import Cell
from command_center.runtime.child import Child, Intent, Phase, Status
from command_center.runtime.deadletters import DeadLetterReason
from command_center.runtime.errors import RestartLimitReached, StartFailed, UnhandledMessage
from command_center.runtime.mailbox import Mailbox
from command_center.runtime.ports import Parent
from command_center.runtime.ref import ActorRef
from command_center.runtime.restart_policy import RestartWindow, comes_back
from command_center.runtime.serving import LifeHost
from command_center.runtime.signals import Exit, ExitKind, Quarantined, Restarted
from command_center.runtime.specs import (
    AutoShutdown,
    Backoff,
    ChildSpec,
    Restart,
    Strategy,
    SupervisorSpec,
)

_PORTION = 64
"""The children that are stopped, or decided on, before other tasks run."""
_SERVING = (Phase.RUNNING, Phase.STARTING)


class Registry(LifeHost, Protocol):
    """The part of the system that a supervisor uses, beyond what its children use."""

    def register(self, child: Child) -> None:
        """Give a child its path."""

    def unregister(self, child: Child) -> None:
        """Free a child's path, and those beneath it; keep what it counted."""


class _AutoShutdown(Exception):
    """The significant children of a supervisor have ended."""


class Supervisor(Child):
    """The place of a supervisor; its static children keep their places over its own restarts."""

    __slots__ = (
        "_ends",
        "_is_to_stop",
        "_parked",
        "_phase",
        "_spec",
        "_window",
        "_work",
        "children",
        "mailbox",
        "prefix",
        "ref",
    )

    system: Registry

    def __init__(
        self,
        system: Registry,
        parent: Parent[Child] | None,
        spec: SupervisorSpec,
        *,
        is_dynamic: bool = False,
    ) -> None:
        self.prefix: str = "" if parent is None else f"{parent.prefix}/{spec.id}"
        super().__init__(system, parent, self.prefix or "/", is_dynamic=is_dynamic)
        self._spec = spec
        self._phase = Phase.ENDED
        self._work = trio.CancelScope()
        self._is_to_stop = False
        """True once the current life was asked to end."""
        self._window = RestartWindow(spec.intensity)
        self._ends: deque[tuple[Child, Exit]] = deque()
        self._parked = trio.lowlevel.ParkingLot()
        self.mailbox = Mailbox(self.path, 1, system.clock)
        """Closed for ever: a supervisor takes no message."""
        self.mailbox.closed = DeadLetterReason.UNHANDLED
        self.ref: ActorRef[Never] = ActorRef(self)
        self.children: dict[str, Child] = {}
        for child_spec in spec.children:
            self.add(child_spec, is_dynamic=False)

    @property
    def spec(self) -> SupervisorSpec:
        """Return the spec that this supervisor was made from."""
        return self._spec

    @property
    def life(self) -> None:
        """Return None: nobody links to a supervisor."""
        return

    @property
    def phase(self) -> Phase:
        """Return where the current life stands."""
        return self._phase

    def status(self) -> Status:
        """Return what an inspection shows."""
        if self.quarantined:
            return Status.QUARANTINED
        if self._phase is Phase.ENDED:
            return Status.STOPPED if self.is_dead or self.exit is None else Status.BACKOFF
        if self._phase is Phase.RUNNING:
            return Status.IDLE if self._parked else Status.BUSY
        return Status(self._phase.value)

    @property
    def is_serving(self) -> bool:
        """Return True if children may be added or started from outside."""
        return self._phase in _SERVING and not self._is_to_stop

    # Children.

    def add(self, spec: ChildSpec | SupervisorSpec, *, is_dynamic: bool) -> Child:
        """Give a child its place, and register its path."""
        child: Child
        if isinstance(spec, ChildSpec):
            child = Cell(self.system, self, spec, is_dynamic=is_dynamic)
        else:
            child = Supervisor(self.system, self, spec, is_dynamic=is_dynamic)
        self.children[spec.id] = child
        self.system.register(child)
        return child

    def child_retired(self, child: Child) -> None:
        """Let a dead child leave the tree, unless an operator may want it back."""
        ignored = child.exit is not None and child.exit.kind is ExitKind.IGNORED
        stays = child.spec.restart is not Restart.TEMPORARY and (ignored or not child.is_dynamic)
        if not stays:
            self.remove(child)

    def remove(self, child: Child) -> None:
        """Let a dead child leave the tree."""
        if self.children.get(child.spec.id) is child:  # and no later one of that id
            del self.children[child.spec.id]
            self.system.unregister(child)

    def child_began(self) -> None:
        """Take note that a start has succeeded or failed."""
        if self._phase is Phase.STARTING:
            self._parked.unpark_all()

    def child_ended(self, child: Child, end: Exit) -> None:
        """Take note of an end that calls for a decision."""
        self._ends.append((child, end))
        self._parked.unpark_all()

    # Lives.

    def spawn_life(self, delay: float) -> None:
        """Begin a life after `delay` seconds."""
        self._phase = Phase.BACKOFF
        self._work = trio.CancelScope()
        self._is_to_stop = False
        self._ends.clear()
        self._window.clear()
        self.system.start_soon(self._run, delay, name=f"supervisor {self.path}")

    def stop_life(self) -> None:
        """Stop waiting for anything, and stop the children."""
        self._is_to_stop = True
        self._work.cancel()

    async def gone(self) -> None:
        """Wait for the end; the children's deadlines bound it."""
        if self.is_alive:
            await self.ended.wait()
        else:
            await trio.lowlevel.checkpoint()

    @trio.lowlevel.enable_ki_protection
    async def _run(self, delay: float) -> None:
        end = Exit(ExitKind.SHUTDOWN)
        try:
            try:
                with self._work:
                    if delay > 0:
                        await trio.sleep(delay)
                    self._phase = Phase.STARTING
                    await self._start_all()
                    self._phase = Phase.RUNNING
                    self.has_begun()
                    await self._supervise()
            except StartFailed as error:
                end = Exit(ExitKind.START_FAILED, error)
            except RestartLimitReached as error:
                end = Exit(ExitKind.CRASHED, error)
            except _AutoShutdown:
                pass
            self._phase = Phase.STOPPING
            await self._stop_all()
        finally:
            self._phase = Phase.ENDED
            self.has_ended(end)
            del end  # its error was raised through this frame

    def _restore_children(self) -> None:
        """Give a place again to those children of the spec that have left, as temporary ones do."""
        kept = self.children
        self.children = {}
        for spec in self._spec.children:
            child = kept.get(spec.id)
            if child is None:
                self.add(spec, is_dynamic=False)
            else:
                self.children[spec.id] = child

    async def _start_all(self) -> None:
        self._restore_children()
        for child in tuple(self.children.values()):
            child.forgive()
            child.spawn(Intent.TRIAL)
            await self._until_begun(child)
            end = child.exit
            if end is None or end.kind is not ExitKind.START_FAILED:
                continue  # one that has crashed since its start is decided on as any other
            if not self._spec.quarantine:
                raise StartFailed(child.path, end.error)
            self.child_ended(child, end)

    async def _until_begun(self, child: Child) -> None:
        """Wait for a start; a checkpoint in any case.

        At an edge, those that end meanwhile are decided on: the start may wait for one of them.
        """
        began = child.began
        while not began.is_set():
            if self._spec.quarantine and await self._decide_on_ended():
                await trio.lowlevel.checkpoint()
            else:
                await self._parked.park()
        await trio.lowlevel.checkpoint()

    async def _decide_on_ended(self) -> bool:
        """Decide on the children that have ended, and return whether there were any.

        Who does not come back is closed at once, so that a start that asks it hears of that. An end
        that may end this supervisor waits until all have started.
        """
        ends, self._ends = self._ends, deque()
        has_decided = False
        for child, end in ends:
            if child.spec.significant and not comes_back(child.spec.restart, end.kind):
                self._ends.append((child, end))
            else:
                await self._decide(child, end)
                has_decided = True
        return has_decided

    async def _supervise(self) -> None:
        decided = 0
        while True:
            while not self._ends:
                await self._parked.park()
            await self._decide(*self._ends.popleft())
            decided += 1
            if decided % _PORTION == 0:
                await trio.lowlevel.checkpoint()

    async def _decide(self, child: Child, end: Exit) -> None:
        """Apply the restart policy to one end.

        It is stale if the child has a new life, or was dealt with, since.
        """
        if child.exit is not end or child.intent not in (Intent.DECIDE, Intent.TRIAL):
            return
        if not comes_back(child.spec.restart, end.kind):
            child.retire(end.kind.value)
            self._shut_down_with(child)
            return
        if self._is_too_often(child):
            if not self._spec.quarantine:
                raise RestartLimitReached(self.path, child.path, end.error)
            child.set_aside()
            self.system.emit(Quarantined(child.path, end.error))
            return
        delay = self._next_delay(child, end.kind.value)
        if self._spec.strategy is Strategy.ONE_FOR_ONE:
            child.spawn(Intent.DECIDE, delay)
        else:
            await self._restart_together(child, delay)

    def _shut_down_with(self, child: Child) -> None:
        """Shut down if the end of this child calls for it."""
        kind = self._spec.auto_shutdown
        if child.spec.significant and (
            kind is AutoShutdown.ANY_SIGNIFICANT
            or not any(one.spec.significant and not one.is_dead for one in self.children.values())
        ):
            raise _AutoShutdown

    def _is_too_often(self, child: Child) -> bool:
        now = self.system.clock()
        alone = child.own_window(self._spec.intensity).add(now)
        together = self._window.add(now)
        return alone if self._spec.quarantine else together

    def _next_delay(self, child: Child, reason: str) -> float:
        delay = child.next_delay(_backoff_of(child) or self._spec.backoff)
        self.system.emit(Restarted(child.path, child.restarts, delay, reason))
        return delay

    # Children that restart together.

    async def _restart_together(self, failed: Child, delay: float) -> None:
        """Stop the failed child's group in reverse order, then start it in order.

        A child that fails to start is the next failure: it counts, and the group begins again.
        """
        while True:
            group = self._group_of(failed)
            for child in reversed(group):
                child.halt(final=child.spec.restart is Restart.TEMPORARY)
                await child.gone()
            group = [child for child in group if child.spec.id in self.children]
            if delay > 0:
                for child in group:
                    child.next_start = self.system.clock() + delay
                await trio.sleep(delay)
            next_failed = await self._start_in_order(group)
            if next_failed is None:
                return
            failed = next_failed
            if self._is_too_often(failed):
                error = failed.exit.error if failed.exit is not None else None
                raise RestartLimitReached(self.path, failed.path, error)
            delay = self._next_delay(failed, ExitKind.START_FAILED.value)

    def _group_of(self, failed: Child) -> list[Child]:
        children = list(self.children.values())
        if self._spec.strategy is Strategy.REST_FOR_ONE and failed in children:
            return children[children.index(failed) :]
        return children

    async def _start_in_order(self, group: Sequence[Child]) -> Child | None:
        """Start each child when the one before it has started; return the first that fails."""
        for child in group:
            if child.intent is Intent.RETIRE:
                continue
            child.spawn(Intent.TRIAL)
            await child.began.wait()
            if child.exit is not None and child.exit.kind is ExitKind.START_FAILED:
                return child
        return None

    # Stopping.

    async def _stop_all(self) -> None:
        """Stop the dynamic children together, then the others in reverse order."""
        together = self._spec.strategy is Strategy.ONE_FOR_ONE
        dynamic = [child for child in self.children.values() if child.is_dynamic and together]
        await _stop_together(dynamic)
        for child in reversed(tuple(self.children.values())):
            final = child.is_dynamic or self.intent is Intent.RETIRE
            child.halt(final=final)
            await child.gone()

    # What a supervisor's place does for those who hold its handle.

    def refuse(self, message: object, waited: float = 0.0) -> UnhandledMessage:  # noqa: ARG002
        """Make a dead letter of a message, for a supervisor takes none."""
        departed = self.system.departed
        departed.sent += 1
        departed.dead += 1
        now = self.system.clock()
        self.system.add_dead_letter(self.path, message, DeadLetterReason.UNHANDLED, now)
        return UnhandledMessage(self.path, type(message).__name__)

    # What a supervisor's place does for the one above.

    def close(self, reason: DeadLetterReason) -> None:
        """Close every child, for this supervisor will not come back by itself."""
        for child in tuple(self.children.values()):
            if not child.is_alive and reason is not DeadLetterReason.QUARANTINED:
                child.retire(reason.value)

    def set_aside(self) -> None:
        """Be dead, with every child, until an operator starts it again."""
        super().set_aside()
        for child in self.children.values():
            child.set_aside()

    def reopen(self) -> None:
        """Do nothing: each child is opened when it is started."""


async def _stop_together(children: Sequence[Child]) -> None:
    """Stop children at once; only those that do not end by themselves cost a task each."""
    left: list[Child] = []
    for number, child in enumerate(children, 1):
        child.halt(final=True)
        if child.is_alive:
            left.append(child)
        if number % _PORTION == 0:
            await trio.lowlevel.checkpoint()
    with trio.move_on_after(_quick(left)):
        for child in left:
            if child.is_alive:
                await child.ended.wait()
    async with trio.open_nursery() as nursery:
        for number, child in enumerate([child for child in left if child.is_alive], 1):
            nursery.start_soon(child.gone)
            if number % _PORTION == 0:
                await trio.lowlevel.checkpoint()


def _quick(children: Sequence[Child]) -> float:
    """Return how long nobody needs to be cancelled: a half of the shortest deadline."""
    deadlines = [child.spec.shutdown for child in children if isinstance(child, Cell)]
    return min(deadlines, default=0.0) / 2


def _backoff_of(child: Child) -> Backoff | None:
    return child.spec.backoff if isinstance(child, Cell) else None
