"""The message that an actor has in hand, and what the actor may do with it but answer it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

import trio

from command_center.runtime.mailbox import Envelope, Mailbox
from command_center.runtime.origins import origin
from command_center.runtime.ref import Target
from command_center.runtime.reply import Deferred, Forwarded

_ELSEWHERE: set[Deferred[Any]] = set()
"""The owner of replies that this life does not owe: another actor does, or they were put aside."""


class Handling(Protocol):
    """The life that has the message in hand."""

    current: Envelope | None
    over: bool
    task: trio.lowlevel.Task | None

    def owe(self, reply: Deferred[Any]) -> None:
        """Answer it, at the latest when this life ends."""

    def run_errand(self, errand: Callable[[], Awaitable[object]]) -> None:
        """Do something after the message in hand, before the next one."""


class Counted(Protocol):
    """The place that counts messages."""

    mailbox: Mailbox
    handled: int


class Hand:
    """The message in hand of one life."""

    def __init__(self, place: Counted, life: Handling) -> None:
        self._place = place
        self._life = life

    @property
    def _asker(self) -> Deferred[Any] | None:
        current = self._life.current
        return None if current is None else current[1]

    def defer(self) -> Deferred[Any]:
        """Take over the answer; nobody awaits it if the message was told."""
        reply = self._asker
        if reply is None:
            mailbox, current = self._place.mailbox, self._life.current
            message = None if current is None else current[0]
            reply = Deferred(None, mailbox, message, mailbox.clock())
        self._life.owe(reply)
        return reply

    def forward(self, target: Target, message: object) -> Deferred[Any]:
        """Let another actor answer, by its answer to `message`."""
        mailbox, own, asker = target.mailbox, self._place.mailbox, self._asker
        first = asker or Deferred(None, mailbox, message, mailbox.clock())
        first.owner = _ELSEWHERE
        onward = Forwarded(first, mailbox, message)
        if mailbox.room > len(mailbox.user):
            mailbox.put(message, onward, origin.get())
        elif mailbox.closed is not None:
            first.fail(target.refuse(message, mailbox.clock() - first.asked_at))
        elif asker is not None:
            mailbox.line_up(message, onward)
        elif mailbox is own:
            mailbox.put(message, onward, origin.get())
        else:
            mailbox.line_up(message, onward, own.wake)
            self._life.run_errand(partial(self._wait_in_line, mailbox, onward))
        return first

    async def _wait_in_line(self, mailbox: Mailbox, sender: object) -> None:
        """Wait until another mailbox has taken what was sent to it, or until told to end."""
        own, life = self._place.mailbox, self._life
        while mailbox.line and sender in mailbox.line and not life.over:
            own.parked = life.task
            await trio.lowlevel.wait_task_rescheduled(own.stop_parking)
            own.turn = 0.0

    def stash(self) -> None:
        """Put it aside, unanswered, until it is unstashed."""
        envelope, mailbox = self._life.current, self._place.mailbox
        if envelope is None or mailbox.has_stashed(envelope):
            return
        mailbox.stash(envelope)
        # It waits again; that its handler returns will count it as handled.
        self._place.handled -= 1
        if envelope[1] is not None:
            envelope[1].owner = _ELSEWHERE

    def unstash(self) -> None:
        """Put back what was put aside before this message."""
        self._place.mailbox.unstash(self._life.current)
