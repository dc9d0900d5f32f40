"""Messages that an actor sends to itself in time; they end with the life that set them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from command_center.runtime.deadline_queue import DeadlineQueue
from command_center.runtime.mailbox import Mailbox
from command_center.runtime.origins import origin


class Timekeeper(Protocol):
    """The part of the system that timers and handles use."""

    clock: Callable[[], float]
    deadlines: DeadlineQueue


class Timer:
    """One message that comes at a time, or again and again. `cancel` ends it."""

    __slots__ = ("_deadline", "_interval", "_message", "_origin", "_timers", "task")

    def __init__(
        self, timers: Timers, message: object, deadline: float, interval: float | None
    ) -> None:
        self._timers = timers
        self._message = message
        self._deadline = deadline
        self._interval = interval
        self._origin = origin.get()
        self.task: Timers | None = timers
        """Those that it is one of; None once the timer is over."""

    @property
    def is_over(self) -> bool:
        """Return True if its message comes no more."""
        return self.task is None

    def cancel(self) -> None:
        """End it; a message that is in the mailbox already still comes."""
        self.task = None
        self._timers.forget(self)

    def expire(self, now: float) -> None:
        """Put the message, unless it waits still from the last time."""
        mailbox = self._timers.mailbox
        if self._interval is None:
            self.cancel()
        elif mailbox.holds(self._message):
            self._again(now)
            return
        else:
            self._again(now)
        if mailbox.closed is None:
            mailbox.put(self._message, None, self._origin)

    def _again(self, now: float) -> None:
        interval = self._interval or 0.0
        self._deadline += interval
        if self._deadline <= now:  # it was held up; what it missed is not made up for
            self._deadline = now + interval
        self._timers.deadlines.add(self._deadline, self)


class Timers:
    """The timers of one life, and its time without a message."""

    __slots__ = ("_all", "_idle", "_idle_message", "_idle_seconds", "_system", "mailbox")

    def __init__(self, system: Timekeeper, mailbox: Mailbox) -> None:
        self._system = system
        self.mailbox = mailbox
        self._all: set[Timer] = set()
        self._idle: Timer | None = None
        self._idle_seconds: float | None = None
        self._idle_message: object = None

    @property
    def deadlines(self) -> DeadlineQueue:
        """Return the queue that they stand in."""
        return self._system.deadlines

    def start(self, seconds: float, message: object, interval: float | None = None) -> Timer:
        """Let a message come in `seconds`, and then in every interval."""
        if seconds != seconds:  # noqa: PLR0124 - of numbers, that is NaN alone
            raise ValueError("The seconds of a timer must be a number.")
        deadline = self._system.clock() + seconds
        timer = Timer(self, message, deadline, interval)
        self._all.add(timer)
        self.deadlines.add(deadline, timer)
        return timer

    def forget(self, timer: Timer) -> None:
        """Keep a timer no longer."""
        self._all.discard(timer)

    def end(self) -> None:
        """End all of them."""
        for timer in tuple(self._all):
            timer.cancel()

    def set_idle(self, seconds: float | None, message: object) -> None:
        """Let a message come whenever none has come for so many seconds; None for never."""
        if seconds is not None and not seconds > 0:
            raise ValueError("The seconds without a message must be positive.")
        self._idle_seconds, self._idle_message = seconds, message

    def fell_idle(self) -> None:
        """Begin to count: the actor has nothing to do."""
        if self._idle_seconds is not None:
            self._idle = self.start(self._idle_seconds, self._idle_message)

    def was_woken(self) -> None:
        """Count no longer: there is something to do."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
