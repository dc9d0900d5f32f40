"""The view that an actor has of the system, set as `ctx` before `on_start`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar, TypeVarTuple, overload

import trio

from command_center.runtime.bonds import Bonds
from command_center.runtime.errors import refusal_in
from command_center.runtime.hand import Counted, Hand, Handling
from command_center.runtime.messages import Address, Asked
from command_center.runtime.ref import ActorRef, Target, target_of
from command_center.runtime.reply import Deferred
from command_center.runtime.signals import Exit, ExitKind
from command_center.runtime.specs import ChildSpec, SupervisorSpec
from command_center.runtime.timers import Timekeeper, Timer, Timers

Message = TypeVar("Message")
Reply = TypeVar("Reply")
Args = TypeVarTuple("Args")


class TreePort(Timekeeper, Protocol):
    """The part of the system that an actor may use."""

    def lookup(self, path: str) -> ActorRef[Any]:
        """Return the handle of the actor at a path; raises `ActorNotFound`."""

    def find(self, path: str) -> ActorRef[Any] | None:
        """Return the handle of the actor at a path, or None."""

    async def start_child(self, supervisor: str, spec: ChildSpec | SupervisorSpec) -> ActorRef[Any]:
        """Start a dynamic child under a supervisor."""

    def members(self, group: str) -> tuple[ActorRef[Any], ...]:
        """Return the members of a group."""


class Place(Target, Counted, Protocol):
    """An actor's place in the tree, as the actor itself sees it."""

    ref: ActorRef[Any]

    @property
    def system(self) -> TreePort:
        """Return the system that it is part of."""

    def halt_watched(self, *, final: bool) -> None:
        """Ask the current life to end, and keep its deadline even if nobody waits for the end."""


class OwnLife(Handling, Protocol):
    """The current life of an actor, as the actor itself sees it."""

    def start_task(
        self, work: Callable[..., Awaitable[object]], args: tuple[Any, ...], name: str | None
    ) -> trio.CancelScope:
        """Run `work` beside the handlers."""

    def bonds(self) -> Bonds:
        """Return its links, monitors and groups."""

    def timers(self) -> Timers:
        """Return its timers."""

    def exit(self) -> Exit:
        """Return how it ends, as far as that is known."""

    @property
    def is_ending(self) -> bool:
        """Return True while it closes."""

    def leave(self, kind: ExitKind) -> None:
        """End after the message in hand."""


class Context:
    """An actor's own place in the tree. One context belongs to one life of the actor."""

    __slots__ = ("_cell", "_life")

    def __init__(self, cell: Place, life: OwnLife) -> None:
        self._cell = cell
        self._life = life

    @property
    def path(self) -> str:
        """Return the path of the actor, such as `/sessions/12`."""
        return self._cell.path

    @property
    def ref(self) -> ActorRef[Any]:
        """Return the actor's own handle; it outlives restarts."""
        return self._cell.ref

    @overload
    def lookup(self, path: Address[Message]) -> ActorRef[Message]: ...
    @overload
    def lookup(self, path: str) -> ActorRef[Any]: ...
    def lookup(self, path: str) -> ActorRef[Any]:
        """Return the handle of the actor at a path; raises `ActorNotFound`.

        At an `Address`, the handle takes the messages that the actor there takes, and no others.
        """
        return self._cell.system.lookup(path)

    @overload
    def find(self, path: Address[Message]) -> ActorRef[Message] | None: ...
    @overload
    def find(self, path: str) -> ActorRef[Any] | None: ...
    def find(self, path: str) -> ActorRef[Any] | None:
        """Return the handle of the actor at a path, or None."""
        return self._cell.system.find(path)

    def now(self) -> float:
        """Return the system clock's time in seconds; monotonic, of no calendar."""
        return self._cell.system.clock()

    def start_task(
        self, work: Callable[..., Awaitable[object]], *args: Any, name: str | None = None
    ) -> trio.CancelScope:
        """Run `work(*args)` beside the handlers and return the scope that cancels it.

        An exception that leaves it crashes the actor. When the actor's life ends, by whatever
        cause, the task is cancelled and awaited before the next life begins.
        """
        return self._life.start_task(work, args, name)

    def defer(self) -> Deferred[Any]:
        """Take over the answer to the message in hand, to settle it after the handler returned.

        The handler returns the deferred reply. To be called within a handler, before it awaits
        anything that lets another message of this actor begin (nothing does).
        """
        return Hand(self._cell, self._life).defer()

    def answer_later(
        self, work: Callable[[*Args], Awaitable[Reply]], *args: *Args
    ) -> Deferred[Reply]:
        """Answer the message in hand with what `work(*args)` returns, or with what it refuses.

        It runs as a background task, so the actor stays free: the handler returns this at once.
        Any exception but a `Refusal` crashes the actor, and the asker is told.
        """
        reply: Deferred[Reply] = self.defer()
        self.start_task(_settle, reply, work, args, name=getattr(work, "__name__", None))
        return reply

    def answer_while_asked(
        self, work: Callable[[*Args], Awaitable[Reply]], *args: *Args
    ) -> Deferred[Reply]:
        """Answer as `answer_later` does, unless the asker gives up: then the work is cancelled.

        For work that nobody needs without its answer: if nobody waits for it, it is not begun.
        """
        reply: Deferred[Reply] = self.defer()
        scope = self.start_task(_settle, reply, work, args, name=getattr(work, "__name__", None))
        reply.stand_for(scope.cancel)
        return reply

    @overload
    def forward(  # type: ignore[overload-overlap]  # a request is a message, too; it comes first
        self, ref: ActorRef[Message], message: Asked[Message, Reply]
    ) -> Deferred[Reply]: ...
    @overload
    def forward(self, ref: ActorRef[Message], message: Message) -> Deferred[None]: ...
    def forward(self, ref: ActorRef[Any], message: object) -> Deferred[Any]:
        """Let another actor answer the message in hand: its answer to `message` is the answer.

        The handler returns this at once, and owes nothing any more: the other answers even if this
        actor dies. It costs neither a task nor a second wait. If the other is dead or dies, the
        asker gets its `ActorStopped` or `ActorCrashed`. The asker's own timeout bounds it all. A
        message that was told is forwarded, too, and answered to nobody; while the other has no room
        for it, this actor takes no further message.
        """
        return Hand(self._cell, self._life).forward(target_of(ref), message)

    def monitor(self, ref: ActorRef[Any]) -> None:
        """Receive `Down(path, reason)`, as a user message, when that actor is dead.

        A restart is not a death; a quarantine is. If the actor is dead already, the notice comes at
        once. The notice takes its place in the mailbox even if that is full. A monitor ends with
        the life that set it: the next life sets its own.
        """
        self._life.bonds().monitor(target_of(ref))

    def demonitor(self, ref: ActorRef[Any]) -> None:
        """Stop monitoring that actor; a notice that is in the mailbox already still comes."""
        self._life.bonds().demonitor(target_of(ref))

    def link(self, ref: ActorRef[Any]) -> None:
        """Share the fate of that actor's current life: if either crashes, so does the other.

        Holds for both current lives, and ends with either. Each is then restarted or not by its
        own supervisor. Linking to an actor without a life crashes this one.
        """
        self._life.bonds().link(target_of(ref))

    def unlink(self, ref: ActorRef[Any]) -> None:
        """Share the fate of that actor's current life no longer."""
        self._life.bonds().unlink(target_of(ref))

    def join(self, group: str) -> None:
        """Be a member of a group until this life ends; see `members`."""
        self._life.bonds().join(group)

    def leave(self, group: str) -> None:
        """Be a member of a group no longer."""
        self._life.bonds().leave(group)

    def members(self, group: str) -> tuple[ActorRef[Any], ...]:
        """Return the members of a group, in the order in which they joined."""
        return self._cell.system.members(group)

    def send_after(self, seconds: float, message: object) -> Timer:
        """Let this actor get a message in `seconds`, unless its life ends or the timer does before.

        It takes its place in the mailbox even if that is full.
        """
        return self._life.timers().start(seconds, message)

    def send_every(self, seconds: float, message: object) -> Timer:
        """Let this actor get a message every `seconds`, until its life or the timer ends.

        While the last one waits in the mailbox, no other is put.
        """
        if not seconds > 0:
            raise ValueError("The interval of a timer must be positive.")
        return self._life.timers().start(seconds, message, seconds)

    def set_receive_timeout(self, seconds: float | None, message: object = None) -> None:
        """Let this actor get a message whenever it has had nothing to do for `seconds`.

        None ends it. So does the end of this life.
        """
        self._life.timers().set_idle(seconds, message)
        self._cell.mailbox.wake()

    def stash(self) -> None:
        """Put the message in hand aside, with the answer that is owed, until `unstash_all`.

        It waits as those in the mailbox do. At the end of this life it is put back.

        Raises:
            MailboxFull: as many are put aside as the mailbox has room for.
        """
        Hand(self._cell, self._life).stash()

    def unstash_all(self) -> None:
        """Put all that was put aside in front of the mailbox, in the order in which it came.

        If the message in hand is put aside as well, it stays so.
        """
        Hand(self._cell, self._life).unstash()

    @property
    def exit(self) -> Exit | None:
        """Return how this life ends, for `on_stop` to know; None while it has not begun to end."""
        return self._life.exit() if self._life.is_ending else None

    async def start_child(self, supervisor: str, spec: ChildSpec | SupervisorSpec) -> ActorRef[Any]:
        """Start a dynamic child under any supervisor; see `System.start_child`."""
        return await self._cell.system.start_child(supervisor, spec)

    async def stop_child(self, ref: ActorRef[Any]) -> None:
        """Stop an actor for good, and wait for its end, which its deadline bounds.

        An actor that stops itself so ends after the message in hand; that is not waited for.
        """
        if target_of(ref) is self._cell:
            self._cell.halt_watched(final=True)
        else:
            await target_of(ref).stop()

    def stop(self, kind: ExitKind = ExitKind.NORMAL) -> None:
        """End this life after the message in hand.

        A permanent child comes back and keeps its mailbox. Any other is dying from now on: its
        waiting messages become dead letters, and asks fail at once.
        """
        self._life.leave(kind)


async def _settle(
    reply: Deferred[Any], work: Callable[..., Awaitable[Any]], args: tuple[Any, ...]
) -> None:
    try:
        value = await work(*args)
    except Exception as error:
        refusal = refusal_in(error)
        if refusal is None:
            raise
        reply.fail(refusal)
        del refusal
    else:
        reply.send(value)
