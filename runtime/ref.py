"""Handles, by which everything outside an actor talks to it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, cast

import trio

from command_center.runtime.errors import ActorStopped, MailboxFull, SelfAsk, UnhandledMessage
from command_center.runtime.mailbox import Mailbox
from command_center.runtime.messages import Asked, Message_contra
from command_center.runtime.monitors import Down
from command_center.runtime.origins import origin
from command_center.runtime.ports import Watched
from command_center.runtime.reply import Deferred, SentRequest
from command_center.runtime.timers import Timekeeper

R = TypeVar("R")

_origin = origin.get


class Linked(Protocol):
    """The bonds of a life, as those it is linked to see them."""

    partners: set[LinkedLife]


class LinkedLife(Protocol):
    """One life of an actor, as a handle and the lives that link to it see it."""

    task: trio.lowlevel.Task | None

    @property
    def is_running(self) -> bool:
        """Return True if it has started and has not begun to end."""

    @property
    def has_ended(self) -> bool:
        """Return whether it is over, or given up."""

    def bonds(self) -> Linked:
        """Return its links."""

    def partner_crashed(self, path: str, error: BaseException | None) -> None:
        """Crash, for one that it is linked to did."""


class Target(Watched, Protocol):
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

    def refuse(self, message: object, waited: float = 0.0) -> ActorStopped | UnhandledMessage:
        """Make a dead letter of a message to a closed mailbox; return what its asker is told."""

    async def stop(self) -> None:
        """Stop for good, and wait for the end."""


def _reschedule(task: trio.lowlevel.Task) -> Callable[[], None]:
    return lambda: trio.lowlevel.reschedule(task)


class _DeathWatch:
    """A task that waits for a death."""

    def __init__(self) -> None:
        self._event = trio.Event()
        self._down: Down | None = None

    def notice(self, down: Down, _target: Watched) -> None:
        self._down = down
        self._event.set()

    async def wait(self) -> Down:
        await self._event.wait()
        assert self._down is not None  # noqa: S101 - it is set before the event
        return self._down


class ActorRef(Generic[Message_contra]):
    """A handle of one child's place in the tree, usable from any trio task of the same run.

    Its type says what messages the actor takes: `ActorRef[CreateTask | PatchTask]`, or
    `ActorRef[Any]` where that is not known.

    It stays good over restarts. When the child has left the tree it stays dead, even if another
    child takes the path later.
    """

    __slots__ = ("__weakref__", "_cell", "_mailbox", "path")

    def __init__(self, cell: Target) -> None:
        self._cell = cell
        self.path = cell.path
        self._mailbox = cell.mailbox

    def __repr__(self) -> str:
        return f"<ActorRef {self.path}>"

    @property
    def is_dead(self) -> bool:
        """Return True if it is stopped for good, or quarantined: its monitors have been told."""
        return self._cell.is_dead

    async def wait_dead(self) -> Down:
        """Wait until it is stopped for good or quarantined, and return how that came."""
        waiting = _DeathWatch()
        self._cell.add_monitor(waiting)
        try:
            return await waiting.wait()
        finally:
            self._cell.remove_monitor(waiting)

    async def ask(
        self,
        message: Asked[Message_contra, R],
        *,
        timeout: float = 10.0,  # noqa: ASYNC109
        wait_for_start: bool = True,
    ) -> R:
        """Send a request and wait for its reply.

        `timeout` (seconds) bounds all of it, the wait for room in the mailbox included. A request
        whose asker gave up while it waited in the mailbox is still handled; its reply is dropped.
        Without `wait_for_start`, one that is starting or waits to be restarted is not asked.

        Raises:
            Refusal: what the handler answered with (a subclass of it).
            UnhandledMessage: the actor has no handler for this request.
            ActorStopped: the target is or becomes dead, or has not started; told at once, never
                after the timeout.
            ActorCrashed: the target crashed while it had the request, which is lost.
            AskTimeout: no reply within `timeout`.
            SelfAsk: asked from within the target's own handler.
            ValueError: the timeout is not a number.
        """
        if timeout != timeout:  # noqa: PLR0124 - of numbers, that is NaN alone
            raise ValueError("The timeout of an ask must be a number.")
        cell = self._cell
        mailbox = self._mailbox
        task = trio.lowlevel.current_task()
        life = cell.life
        if life is not None and life.task is task:
            raise SelfAsk(self.path, type(message).__name__)
        if not wait_for_start and not (life is not None and life.is_running):
            raise ActorStopped(self.path, type(message).__name__, 0.0, "not started")
        await trio.lowlevel.checkpoint_if_cancelled()
        asked_at = mailbox.clock()
        reply: Deferred[R] = Deferred(task, mailbox, message, asked_at)
        server = mailbox.server
        is_taken = False
        if (
            server is not None
            and mailbox.parked is not None
            and not mailbox.held
            and mailbox.room
            # What the asker handles just now would be the context of all that the handler raises.
            and sys.exc_info()[1] is None
        ):
            reply.is_waited_for = False
            is_taken = server.handle_at_once(message, reply, _origin())
            if reply.task is None:
                await trio.lowlevel.cancel_shielded_checkpoint()
                return reply.value if reply.error is None else reply.unwrap()
            reply.is_waited_for = True
        if is_taken:
            pass
        elif len(mailbox.user) < mailbox.room:
            mailbox.put(message, reply, _origin())
        elif mailbox.closed is not None:
            raise cell.refuse(message)
        else:
            mailbox.line_up(message, reply)
        cell.system.deadlines.add(asked_at + timeout, reply)
        return cast("R", await trio.lowlevel.wait_task_rescheduled(reply.give_up))

    def send_request(
        self,
        message: Asked[Message_contra, R],
        *,
        timeout: float = 10.0,
    ) -> SentRequest[R]:
        """Send a request without waiting, and return what waits for its reply.

        Raises:
            MailboxFull: there is no room; the request was not sent.
            ValueError: the timeout is not a number.
        """
        if timeout != timeout:  # noqa: PLR0124 - of numbers, that is NaN alone
            raise ValueError("The timeout of an ask must be a number.")
        mailbox = self._mailbox
        task = trio.lowlevel.current_task()
        request: SentRequest[R] = SentRequest(task, mailbox, message, mailbox.clock())
        if len(mailbox.user) < mailbox.room:
            mailbox.put(message, request, _origin())
            self._cell.system.deadlines.add(request.asked_at + timeout, request)
        elif mailbox.closed is not None:
            request.fail(self._cell.refuse(message))
        else:
            raise MailboxFull(self.path, type(message).__name__, mailbox.capacity)
        return request

    async def tell(self, message: Message_contra) -> None:
        """Send a message, waiting for room; messages of one sender arrive in the order sent.

        Returns when the message is in the mailbox, or is a dead letter because the target is
        dead. With room there is no checkpoint. Cancelled while it waits, it was not sent. What a
        handler tells its own actor takes its place even if there is no room.
        """
        mailbox = self._mailbox
        user = mailbox.user
        depth = len(user)
        if 0 < depth < mailbox.room:
            # What `put` would do for a mailbox whose actor is awake; the case that must be quick.
            user.append((message, None, mailbox.turn or mailbox.clock(), _origin()))
            mailbox.sent += 1
            if depth >= mailbox.high_water:
                mailbox.high_water = depth + 1
        elif depth < mailbox.room:
            mailbox.put(message, None, _origin())
        elif mailbox.closed is not None:
            self._cell.refuse(message)
        else:
            task = trio.lowlevel.current_task()
            life = self._cell.life
            if life is not None and life.task is task:
                mailbox.put(message, None, _origin())  # nobody else could make room for it
                return

            def give_up(_raise_cancel: object) -> trio.lowlevel.Abort:
                mailbox.leave_line(task)
                return trio.lowlevel.Abort.SUCCEEDED

            mailbox.line_up(message, task, _reschedule(task))
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
            self._cell.refuse(message)
        else:
            raise MailboxFull(self.path, type(message).__name__, mailbox.capacity)


def target_of(ref: ActorRef[Any]) -> Target:
    """Return the place that a handle is of; for the runtime's own use."""
    return ref._cell  # noqa: SLF001 - a handle shows it to nobody else
