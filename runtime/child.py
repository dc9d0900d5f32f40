"""A place in the tree: started, stopped and restarted by the supervisor above it."""

from __future__ import annotations

import abc
import enum
import time
from typing import Any

from command_center.runtime.deadletters import DeadLetterReason
from command_center.runtime.lazy_event import LazyEvent
from command_center.runtime.monitors import Down
from command_center.runtime.ports import Parent, SystemPort, Watcher
from command_center.runtime.ref import ActorRef
from command_center.runtime.restart_policy import RestartWindow
from command_center.runtime.signals import Crashed, Exit, ExitKind, Started, Stopped
from command_center.runtime.specs import Backoff, ChildSpec, Intensity, SupervisorSpec


class Status(enum.Enum):
    """The state of a child, as an inspection shows it."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    SUSPENDED = "suspended"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    STOPPED = "stopped"
    QUARANTINED = "quarantined"


class Phase(enum.Enum):
    """The stages of one life of a child."""

    BACKOFF = "backoff"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"


class Intent(enum.Enum):
    """The plan for a child when its current life ends."""

    TRIAL = "trial"
    """Whoever started it waits for its start, and deals with a failure."""
    DECIDE = "decide"
    """Its supervisor decides by the restart policy."""
    HOLD = "hold"
    """Whoever stopped it will start it again."""
    RETIRE = "retire"
    """It will not be started again."""


class Child(abc.ABC):
    """The common part of actors and supervisors, as the supervisor above sees them.

    A place outlives the lives of what stands there: path, mailbox and counts belong to the place.
    `began` is set when a life's start succeeded or failed, `ended` when it is over or given up.
    """

    __slots__ = (
        "began",
        "ended",
        "exit",
        "intent",
        "is_dead",
        "is_dynamic",
        "last_error",
        "next_start",
        "parent",
        "path",
        "quarantined",
        "restarts",
        "running_since",
        "started_at",
        "streak",
        "system",
        "watchers",
        "window",
    )

    def __init__(
        self, system: SystemPort, parent: Parent[Child] | None, path: str, *, is_dynamic: bool
    ) -> None:
        self.system = system
        self.parent = parent
        self.path = path
        self.is_dynamic = is_dynamic
        self.intent = Intent.TRIAL
        self.exit: Exit | None = None
        self.is_dead = False
        self.quarantined = False
        self.last_error: str | None = None
        self.restarts = 0
        self.streak = 0
        self.window: RestartWindow | None = None
        self.next_start: float | None = None
        self.running_since: float | None = None
        self.started_at: float | None = None
        self.watchers: dict[Watcher, None] | None = None
        self.began = LazyEvent()
        self.ended = LazyEvent()

    ref: ActorRef[Any]
    """The handle of the place."""

    # What differs between actors and supervisors.

    @property
    @abc.abstractmethod
    def spec(self) -> ChildSpec | SupervisorSpec:
        """Return the spec that this child was made from."""

    @property
    @abc.abstractmethod
    def phase(self) -> Phase:
        """Return where the current life stands; `ENDED` if there is none."""

    @abc.abstractmethod
    def status(self) -> Status:
        """Return what an inspection shows."""

    @abc.abstractmethod
    def spawn_life(self, delay: float) -> None:
        """Begin a life after `delay` seconds, as a task of the system."""

    @abc.abstractmethod
    def stop_life(self) -> None:
        """Ask the current life to end."""

    @abc.abstractmethod
    async def gone(self) -> None:
        """Wait until the current life has ended; bounded by the deadlines beneath it.

        A checkpoint in any case: who stops many children one after the other lets others run.
        """

    @abc.abstractmethod
    def close(self, reason: DeadLetterReason) -> None:
        """Take no more messages; those that wait become dead letters."""

    @abc.abstractmethod
    def reopen(self) -> None:
        """Take messages again, before a new life of a child that was closed."""

    # What is common.

    @property
    def is_alive(self) -> bool:
        """Return True while a life is under way, from its backoff to its end."""
        return self.phase is not Phase.ENDED

    def spawn(self, intent: Intent, delay: float = 0.0) -> None:
        """Begin a life, unless one is under way."""
        if self.is_alive:
            return
        self.intent = intent
        self.exit = None
        self.quarantined = False
        self.is_dead = False
        self.running_since = None
        self.next_start = self.system.clock() + delay if delay > 0 else None
        if self.began.is_set():
            self.began = LazyEvent()
        if self.ended.is_set():
            self.ended = LazyEvent()
        self.reopen()
        self.spawn_life(delay)

    def halt(self, *, final: bool) -> None:
        """Ask the current life to end; `final` if no other is to follow."""
        if final:
            self.intent = Intent.RETIRE
        elif self.intent is not Intent.RETIRE:
            self.intent = Intent.HOLD
        if self.is_alive:
            self.stop_life()
        elif final:
            self.retire(DeadLetterReason.STOPPED.value)

    def halt_watched(self, *, final: bool) -> None:
        """Ask the current life to end, and keep its deadline even if nobody waits for the end."""
        self.halt(final=final)
        if self.is_alive:
            self.system.start_soon(self.gone, name=f"reaper of {self.path}")

    async def stop(self) -> None:
        """Stop for good, and wait for the end."""
        ended = self.ended
        was_alive = self.is_alive
        self.halt_watched(final=True)
        if was_alive:
            await ended.wait()

    def has_begun(self) -> None:
        """Note that the current life runs."""
        if self.intent is Intent.TRIAL:
            self.intent = Intent.DECIDE
        self.next_start = None
        self.running_since = self.system.clock()
        self.started_at = time.time()
        self._set_began()
        self.system.emit(Started(self.path))

    @property
    def has_started(self) -> bool:
        """Return True if the last start has begun a life, or was to begin none."""
        is_ignored = self.exit is not None and self.exit.kind is ExitKind.IGNORED
        return self.running_since is not None or is_ignored

    @property
    def start_error(self) -> BaseException | None:
        """Return the error of the last start, if it has one; an end that is retired has none."""
        return None if self.exit is None else self.exit.error

    def has_ended(self, end: Exit) -> None:
        """Note that the current life is over, and do what was intended for that case."""
        self.exit = end
        self.next_start = None
        if end.is_failure:
            self.last_error = self.system.describe_error(end.error)
            self.system.emit(Crashed(self.path, end.error, end.kind is ExitKind.START_FAILED))
        parent = self.parent
        if self.intent is Intent.RETIRE or parent is None or end.kind is ExitKind.IGNORED:
            self.retire(end.kind.value)
        elif self.intent is Intent.DECIDE:
            parent.child_ended(self, end)
        self._set_began()
        self.ended.set()

    def _set_began(self) -> None:
        self.began.set()
        if self.parent is not None:
            self.parent.child_began()

    def retire(self, reason: str) -> None:
        """Be dead: close, tell the monitors and, if nothing can bring it back, leave the tree."""
        self.close(DeadLetterReason.STOPPED)
        if self.parent is not None:
            self.parent.child_retired(self)
        if not self.is_dead:
            self.is_dead = True
            self._tell_monitors(reason)
            self.system.emit(Stopped(self.path, reason))
        if self.parent is not None:
            self._forget_error()

    def set_aside(self) -> None:
        """Be dead until an operator starts it again."""
        self.quarantined = True
        self.is_dead = True
        self.close(DeadLetterReason.QUARANTINED)
        self._tell_monitors(DeadLetterReason.QUARANTINED.value)
        self._forget_error()

    def _forget_error(self) -> None:
        """Keep of the exit its kind alone, for the error holds all that its frames hold."""
        if self.exit is not None and self.exit.error is not None:
            self.exit = Exit(self.exit.kind)

    # Monitors.

    def add_monitor(self, watcher: Watcher) -> None:
        """Tell `watcher` of the death of what stands here, at once if it is dead."""
        if not self.is_dead:
            if self.watchers is None:
                self.watchers = {}
            self.watchers[watcher] = None
        elif self.quarantined:
            watcher.notice(Down(self.path, DeadLetterReason.QUARANTINED.value), self)
        else:
            kind = ExitKind.SHUTDOWN if self.exit is None else self.exit.kind
            watcher.notice(Down(self.path, kind.value), self)

    def remove_monitor(self, watcher: Watcher) -> None:
        """No longer tell `watcher`."""
        if self.watchers is not None:
            self.watchers.pop(watcher, None)

    def _tell_monitors(self, reason: str) -> None:
        watchers, self.watchers = self.watchers, None
        if watchers:
            down = Down(self.path, reason, None if self.exit is None else self.exit.error)
            for watcher in watchers:
                watcher.notice(down, self)

    # Restarts.

    def own_window(self, intensity: Intensity) -> RestartWindow:
        """Return this child's own count of restarts."""
        if self.window is None:
            self.window = RestartWindow(intensity)
        return self.window

    def next_delay(self, backoff: Backoff) -> float:
        """Count one more failure in a row, and return how long to wait before the restart."""
        now = self.system.clock()
        if self.running_since is not None and now - self.running_since >= backoff.calm:
            self.streak = 0
        self.streak += 1
        self.restarts += 1
        return backoff.delay(self.streak, self.system.rng)

    def forgive(self) -> None:
        """Forget the failures: an operator starts it anew."""
        self.streak = 0
        if self.window is not None:
            self.window.clear()
