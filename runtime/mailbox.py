"""The mailbox: bounded, first in first out, with a lane for the system that overtakes.

A mailbox belongs to a child's place in the tree, not to one life of it, so waiting messages
outlive a restart. It is a deque and one parked task: putting a message into a mailbox whose actor
is busy touches no scheduler, which is what makes telling cheap. trio's memory channels, by
contrast, pass through the scheduler for every message.

Senders who wait for room stand in line, and a freed place goes to the first of them at once, so
that nobody overtakes.

The system lane is not a queue. What it carries (stop, suspend, resume) is idempotent and only the
newest word counts, so each is a flag that the actor's loop reads before it takes a user message:
`suspended` here, and `over` in the actor's life. Inspection needs no message at all: it only reads.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import attrs
import trio

from command_center.runtime.deadletters import DeadLetterReason
from command_center.runtime.errors import MailboxFull
from command_center.runtime.origins import origin
from command_center.runtime.reply import Deferred

Envelope: TypeAlias = tuple[object, "Deferred[Any] | None", float, str | None]
"""A message, the reply that it is asked for, when it was put (system clock), its origin."""


@attrs.define(slots=True, eq=False)
class _Waiter:
    """A sender that waits for room; an asker is woken by its reply instead."""

    message: object
    reply: Deferred[Any] | None
    leaves: Callable[[], None] | None
    """Told when it no longer waits."""
    sent_for: str | None


_NOTHING: deque[Envelope] = deque()
"""Stands in every mailbox until its first message, for an empty deque takes 760 bytes."""


_Task = trio.lowlevel.Task


class Sleeper(Protocol):
    """A life that has nothing to do, and so no task."""

    def rouse(self) -> None:
        """Have a task, for there is something to do."""


class Server(Protocol):
    """A life that waits for a message."""

    def handle_at_once(self, message: object, reply: Deferred[Any], sent_for: str | None) -> bool:
        """Handle a request in the task of who asks; return False if that cannot be."""


class Mailbox:
    """Two lanes and the one task that empties them."""

    __slots__ = (
        "_closed",
        "capacity",
        "clock",
        "held",
        "high_water",
        "line",
        "parked",
        "path",
        "room",
        "sent",
        "server",
        "stashed",
        "suspended",
        "turn",
        "user",
    )

    def __init__(self, path: str, capacity: int, clock: Callable[[], float]) -> None:
        self.path = path
        self.capacity = capacity
        self.clock = clock
        self.room = capacity
        """The depth below which a message is put at once; 0 while the mailbox is closed."""
        self.user: deque[Envelope] = _NOTHING
        self.suspended = False
        """True while the actor takes no user message, until it is resumed."""
        self.held = False
        """True if there is something to look at before the next user message."""
        self._closed: DeadLetterReason | None = None
        self.parked: trio.lowlevel.Task | Sleeper | None = None
        """The actor's task, if that waits because there is nothing to do, or the life without."""
        self.server: Server | None = None
        """Handles a message in the stead of that task, which would do nothing else with it."""
        self.turn = 0.0
        """The time at which the actor was woken, while it has not run since; else 0.

        What is put meanwhile is put in the same turn of the scheduler, and needs no clock.
        """
        self.sent = 0
        self.high_water = 0
        self.stashed: deque[Envelope] | None = None
        """The messages that the actor put aside; they wait, too."""
        self.line: OrderedDict[object, _Waiter] | None = None
        """The senders that wait for room. While there are any, there is none."""

    @property
    def closed(self) -> DeadLetterReason | None:
        """Return the reason for which no new message is taken; None while they are."""
        return self._closed

    @closed.setter
    def closed(self, reason: DeadLetterReason | None) -> None:
        self._closed = reason
        self.room = self.capacity if reason is None else 0

    def put(self, message: object, reply: Deferred[Any] | None, sent_for: str | None) -> None:
        """Append a message, whether there is room or not, and wake the actor."""
        user = self.user
        if user is _NOTHING:
            user = self.user = deque()
        now = self.turn or self.clock()
        user.append((message, reply, now, sent_for))
        self.sent += 1
        depth = len(user)
        self.high_water = max(self.high_water, depth)
        parked = self.parked
        if parked is not None:
            self.parked = None
            if isinstance(parked, _Task):
                self.turn = now
                trio.lowlevel.reschedule(parked)
            else:
                parked.rouse()

    def wake(self) -> None:
        """Let the actor look again."""
        parked = self.parked
        if parked is not None:
            self.parked = None
            if isinstance(parked, _Task):
                trio.lowlevel.reschedule(parked)
            else:
                parked.rouse()

    def stop_parking(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        """Leave the park because of cancellation."""
        self.parked = self.server = None
        return trio.lowlevel.Abort.SUCCEEDED

    def line_up(
        self, message: object, sender: object, leaves: Callable[[], None] | None = None
    ) -> None:
        """Stand in line for room: who tells, which `leaves` tells of it, or the reply of an ask."""
        if self.line is None:
            self.line = OrderedDict()
        reply = sender if isinstance(sender, Deferred) else None
        self.line[sender] = _Waiter(message, reply, leaves, origin.get())

    def leave_line(self, sender: object) -> None:
        """Stop waiting for room; nothing if the message was put already."""
        if self.line:
            self.line.pop(sender, None)

    def admit(self) -> None:
        """Give free places to those who wait, first come first served."""
        while self.line and len(self.user) < self.capacity:
            _, waiter = self.line.popitem(last=False)
            self.put(waiter.message, waiter.reply, waiter.sent_for)
            if waiter.leaves is not None:
                waiter.leaves()

    @property
    def waiting(self) -> int:
        """Return the number of messages that wait, those that were put aside included."""
        return len(self.user) + (0 if self.stashed is None else len(self.stashed))

    def holds(self, message: object) -> bool:
        """Return True if this very message waits."""
        return any(envelope[0] is message for envelope in self.user)

    def stash(self, envelope: Envelope) -> None:
        """Put a message aside; raises `MailboxFull` if so many are."""
        if self.stashed is None:
            self.stashed = deque()
        if len(self.stashed) >= self.capacity:
            raise MailboxFull(self.path, type(envelope[0]).__name__, self.capacity)
        self.stashed.append(envelope)

    def has_stashed(self, envelope: Envelope) -> bool:
        """Return True if this was the last to be put aside, and still is."""
        stashed = self.stashed
        return stashed is not None and len(stashed) > 0 and stashed[-1] is envelope

    def unstash(self, in_hand: Envelope | None = None) -> None:
        """Put the messages that were put aside in front of all others, in their order.

        The one in hand stays aside, for its handler would else meet it again at once.
        """
        stashed, self.stashed = self.stashed, None
        if not stashed:
            return
        if in_hand is not None and stashed[-1] is in_hand:
            self.stashed = deque((stashed.pop(),))
        for _, reply, _, _ in stashed:
            if reply is not None:
                reply.owner = None
        if self.user is _NOTHING:
            self.user = deque()
        self.user.extendleft(reversed(stashed))
        self.wake()

    def withdraw(self, is_void: Callable[[object], bool]) -> None:
        """Take out messages of the runtime itself that count no more, as if never sent."""
        if any(is_void(envelope[0]) for envelope in self.user):
            kept = [envelope for envelope in self.user if not is_void(envelope[0])]
            self.sent -= len(self.user) - len(kept)
            self.user.clear()
            self.user.extend(kept)
            self.admit()

    def drop_all(self, drop: Callable[[object, Deferred[Any] | None], None]) -> None:
        """Take out every message, and those of senders in line, in order, and release these."""
        self.unstash()
        while self.user:
            message, reply, _, _ = self.user.popleft()
            drop(message, reply)
        self.drop_line(drop)

    def drop_line(self, drop: Callable[[object, Deferred[Any] | None], None]) -> None:
        """Take out the messages of the senders in line, and release these."""
        while self.line:
            _, waiter = self.line.popitem(last=False)
            self.sent += 1
            drop(waiter.message, waiter.reply)
            if waiter.leaves is not None:
                waiter.leaves()
