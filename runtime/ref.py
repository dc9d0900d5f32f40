"""Handles: how everything outside an actor talks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

import trio

from command_center.runtime.actor import Request
from command_center.runtime.errors import ActorStopped, AskTimeout, MailboxFull, SelfAsk
from command_center.runtime.reply import Deferred

if TYPE_CHECKING:
    from command_center.runtime.cell import Cell

R = TypeVar("R")


class ActorRef:
    """A handle of one child's place in the tree, usable from any trio task of the same run.

    It stays good over restarts. When the child has left the tree it stays dead, even if another
    child takes the path later.
    """

    __slots__ = ("__weakref__", "cell", "path")

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.path = cell.path

    def __repr__(self) -> str:
        return f"<ActorRef {self.path}>"

    async def ask(self, message: Request[R], *, timeout: float = 10.0) -> R:  # noqa: ASYNC109
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
        """
        cell = self.cell
        task = trio.lowlevel.current_task()
        life = cell.life
        if life is not None and life.task is task:
            raise SelfAsk(self.path, type(message).__name__)
        asked_at = cell.system.clock()
        mailbox = cell.mailbox
        if mailbox.closed is not None:
            reason = mailbox.closed
            cell.refuse(message)
            raise ActorStopped(self.path, type(message).__name__, 0.0, reason.value)
        reply: Deferred[R] = Deferred(task, message, asked_at)

        def give_up(_raise_cancel: object) -> trio.lowlevel.Abort:
            reply.forget()
            mailbox.leave_line(reply)
            return trio.lowlevel.Abort.SUCCEEDED

        with trio.CancelScope(deadline=asked_at + timeout):
            await trio.lowlevel.checkpoint_if_cancelled()
            if len(mailbox.user) < mailbox.capacity and not mailbox.line:
                mailbox.put((message, reply, asked_at))
            else:
                mailbox.line_up(reply, message, reply)
            return cast("R", await trio.lowlevel.wait_task_rescheduled(give_up))
        raise AskTimeout(self.path, type(message).__name__, cell.system.clock() - asked_at)

    async def tell(self, message: object) -> None:
        """Send a message, waiting for room; messages of one sender arrive in the order sent.

        Returns when the message is in the mailbox, or is a dead letter because the target is
        dead. With room there is no checkpoint. Cancelled while it waits, it was not sent.
        """
        cell = self.cell
        mailbox = cell.mailbox
        if mailbox.closed is not None:
            cell.refuse(message)
        elif len(mailbox.user) < mailbox.capacity and not mailbox.line:
            mailbox.put((message, None, cell.system.clock()))
        else:
            task = trio.lowlevel.current_task()

            def give_up(_raise_cancel: object) -> trio.lowlevel.Abort:
                mailbox.leave_line(task)
                return trio.lowlevel.Abort.SUCCEEDED

            mailbox.line_up(task, message, None)
            await trio.lowlevel.wait_task_rescheduled(give_up)

    def try_tell(self, message: object) -> None:
        """Send a message without waiting.

        To a dead target it becomes a dead letter.

        Raises:
            MailboxFull: there is no room; the message was not sent.
        """
        cell = self.cell
        mailbox = cell.mailbox
        if mailbox.closed is not None:
            cell.refuse(message)
        elif len(mailbox.user) < mailbox.capacity and not mailbox.line:
            mailbox.put((message, None, cell.system.clock()))
        else:
            raise MailboxFull(self.path, type(message).__name__, mailbox.capacity)
