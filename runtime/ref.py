"""Handles, by which everything outside an actor talks to it."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import trio

from command_center.runtime.ask_timeouts import AskTimeouts
from command_center.runtime.errors import ActorStopped, MailboxFull, SelfAsk
from command_center.runtime.mailbox import Mailbox
from command_center.runtime.messages import Asked, Message_contra
from command_center.runtime.origins import origin
from command_center.runtime.ports import Watcher
from command_center.runtime.reply import Deferred
from command_center.runtime.signals import Exit

R = TypeVar("R")

_origin = origin.get


class Timekeeper(Protocol):
    """The part of the system that a handle uses."""

    ask_timeouts: AskTimeouts


class LinkedLife(Protocol):
    """One life of an actor, as a handle and the lives that link to it see it."""

    task: trio.lowlevel.Task | None

    @property
    def has_ended(self) -> bool:
        """Return whether it is over, or given up."""

    def join(self, partner: LinkedLife) -> None:
        """Crash when the partner crashes."""

    def partner_ended(self, partner: LinkedLife, path: str, end: Exit) -> None:
        """Forget a partner, and crash if it crashed."""


class Target(Watcher, Protocol):
    """The part of an actor's place that a handle uses."""

    path: str
    mailbox: Mailbox
    is_dead: bool

    @property
    def system(self) -> Timekeeper:
        """Return the system that it is part of."""

    @property
    def life(self) -> LinkedLife | None:
        """Return its current life, or the last."""

    def refuse(self, message: object) -> None:
        """Make a dead letter of a message that was sent to a closed mailbox."""

    def add_monitor(self, watcher: Watcher) -> None:
        """Tell `watcher` of this actor's death, at once if it is dead."""

    def remove_monitor(self, watcher: Watcher) -> None:
        """No longer tell `watcher`."""

    async def stop(self) -> None:
        """Stop for good, and wait for the end."""


class ActorRef(Generic[Message_contra]):
    """A handle of one child's place in the tree, usable from any trio task of the same run.

    Its type says what messages the actor takes: `ActorRef[CreateTask | PatchTask]`, or
    `ActorRef[Any]` where that is not known.

    It stays good over restarts. When the child has left the tree it stays dead, even if another
    child takes the path later.
    """

    __slots__ = ("__weakref__", "_mailbox", "cell", "path")

    def __init__(self, cell: Target) -> None:
        self.cell = cell
        self.path = cell.path
        self._mailbox = cell.mailbox

    def __repr__(self) -> str:
        return f"<ActorRef {self.path}>"

    @property
    def is_dead(self) -> bool:
        """Return True if it is stopped for good, or quarantined: its monitors have been told."""
        return self.cell.is_dead

    async def ask(self, message: Asked[Message_contra, R], *, timeout: float = 10.0) -> R:  # noqa: ASYNC109
        """Send a request and wait for its reply.

        `timeout` (seconds) bounds all of it, the wait for room in the mailbox included. A request
        whose asker gave up while it waited in the mailbox is still handled; its reply is dropped.

        Raises:
            Refusal: what the handler answered with (a subclass of it).
            UnhandledMessage: the actor has no handler for this request.
            ActorStopped: the target is or becomes dead; told at once, never after the timeout.
            ActorCrashed: the target crashed while it had the request, which is lost.
            AskTimeout: no reply within `timeout`.
            SelfAsk: asked from within the target's own handler.
            ValueError: the timeout is not a number.
        """
        if timeout != timeout:  # noqa: PLR0124 - of numbers, that is NaN alone
            raise ValueError("The timeout of an ask must be a number.")
        cell = self.cell
        mailbox = self._mailbox
        task = trio.lowlevel.current_task()
        life = cell.life
        if life is not None and life.task is task:
            raise SelfAsk(self.path, type(message).__name__)
        await trio.lowlevel.checkpoint_if_cancelled()
        asked_at = mailbox.clock()
        reply: Deferred[R] = Deferred(task, mailbox, message, asked_at)
        if len(mailbox.user) < mailbox.room:
            mailbox.put(message, reply, _origin())
        elif mailbox.closed is not None:
            reason = mailbox.closed
            cell.refuse(message)
            raise ActorStopped(self.path, type(message).__name__, 0.0, reason.value)
        else:
            mailbox.line_up(message, reply)
        cell.system.ask_timeouts.add(timeout, reply)
        answer: R = await trio.lowlevel.wait_task_rescheduled(reply.give_up)
        return answer

    async def tell(self, message: Message_contra) -> None:
        """Send a message, waiting for room; messages of one sender arrive in the order sent.

        Returns when the message is in the mailbox, or is a dead letter because the target is
        dead. With room there is no checkpoint. Cancelled while it waits, it was not sent.
        """
        mailbox = self._mailbox
        user = mailbox.user
        depth = len(user)
        if 0 < depth < mailbox.room:
            # What `put` would do for a mailbox whose actor is awake; the case that must be quick.
            user.append((message, None, mailbox.clock(), _origin()))
            mailbox.sent += 1
            if depth >= mailbox.high_water:
                mailbox.high_water = depth + 1
        elif depth < mailbox.room:
            mailbox.put(message, None, _origin())
        elif mailbox.closed is not None:
            self.cell.refuse(message)
        else:
            task = trio.lowlevel.current_task()

            def give_up(_raise_cancel: object) -> trio.lowlevel.Abort:
                mailbox.leave_line(task)
                return trio.lowlevel.Abort.SUCCEEDED

            mailbox.line_up(message, task)
            await trio.lowlevel.wait_task_rescheduled(give_up)

    def try_tell(self, message: Message_contra) -> None:
        """Send a message without waiting.

        To a dead target it becomes a dead letter.

        Raises:
            MailboxFull: there is no room; the message was not sent.
        """
        mailbox = self._mailbox
        if len(mailbox.user) < mailbox.room:
            mailbox.put(message, None, _origin())
        elif mailbox.closed is not None:
            self.cell.refuse(message)
        else:
            raise MailboxFull(self.path, type(message).__name__, mailbox.capacity)
