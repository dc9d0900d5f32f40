"""An actor's place in the tree: its mailbox, its counts, its monitors, and its current life."""

from __future__ import annotations

from typing import Any

import trio

from command_center.runtime.child import Child, Intent, Phase, Status
from command_center.runtime.deadletters import DeadLetterReason
from command_center.runtime.errors import ActorStopped
from command_center.runtime.life import Life
from command_center.runtime.mailbox import Mailbox
from command_center.runtime.ports import Parent
from command_center.runtime.ref import ActorRef, LinkedLife
from command_center.runtime.reply import Deferred
from command_center.runtime.restart_policy import comes_back
from command_center.runtime.serving import LifeHost
from command_center.runtime.signals import Exit, ExitKind
from command_center.runtime.specs import ChildSpec
from command_center.runtime.tracing import Trace


class Cell(Child):
    """The part of an actor that outlives its lives: mailbox, counts, monitors.

    At every moment `mailbox.sent` is `handled + lost + dead`, plus what waits in the mailbox, plus
    one if a message is in hand. `refused` counts those of the handled that were answered with a
    `Refusal`.
    """

    __slots__ = (
        "_spec",
        "dead",
        "handled",
        "has_left",
        "kind",
        "life",
        "lost",
        "mailbox",
        "ref",
        "refused",
        "tracing",
    )

    system: LifeHost

    def __init__(
        self, system: LifeHost, parent: Parent[Child], spec: ChildSpec, *, is_dynamic: bool
    ) -> None:
        super().__init__(system, parent, f"{parent.prefix}/{spec.id}", is_dynamic=is_dynamic)
        self._spec = spec
        self.mailbox = Mailbox(self.path, spec.mailbox, system.clock)
        self.life: Life | None = None
        self.kind = "actor"
        """The name of the actor's class, once it has been made."""
        self.ref: ActorRef[Any] = ActorRef(self)
        self.handled = 0
        self.refused = 0
        self.lost = 0
        self.dead = 0
        self.has_left = False
        """True once it has left the tree; its counts then live on in the system's."""
        self.tracing: Trace | None = None

    @property
    def spec(self) -> ChildSpec:
        """Return the spec that this actor was made from."""
        return self._spec

    @property
    def phase(self) -> Phase:
        """Return where the current life stands."""
        return Phase.ENDED if self.life is None else self.life.phase

    def status(self) -> Status:
        """Return what an inspection shows."""
        life = self.life
        if self.quarantined:
            return Status.QUARANTINED
        if life is None or life.phase is Phase.ENDED:
            return Status.STOPPED if self.is_dead or self.exit is None else Status.BACKOFF
        if life.phase is not Phase.RUNNING:
            return Status(life.phase.value)
        if life.over and life.current is None:
            return Status.STOPPING
        if life.current is not None:
            return Status.BUSY
        return Status.SUSPENDED if self.mailbox.suspended else Status.IDLE

    # Lives.

    def spawn_life(self, delay: float) -> None:
        """Begin a life after `delay` seconds."""
        self.life = Life(self)
        self.life.begin(delay)

    def stop_life(self) -> None:
        """Ask the current life to end; if for good, the waiting messages are dead letters."""
        if self.intent is Intent.RETIRE:
            self.close(DeadLetterReason.STOPPED)
        if self.life is not None:
            self.life.stop()

    async def gone(self) -> None:
        """Wait for the end of the current life, and enforce its deadline."""
        if self.life is not None and self.is_alive:
            await self.life.gone()
        else:
            await trio.lowlevel.checkpoint()

    def life_ended(self, life: LinkedLife, end: Exit) -> None:
        """Take note of the end of a life."""
        if life is self.life:
            self.has_ended(end)

    def life_leaves(self, life: LinkedLife, kind: ExitKind) -> None:
        """Take note that a life is about to end by the actor's own wish."""
        if life is self.life and not comes_back(self._spec.restart, kind):
            self.close(DeadLetterReason.STOPPED)

    # Messages.

    def close(self, reason: DeadLetterReason) -> None:
        """Take no more messages; those that wait become dead letters, and their askers know."""
        mailbox = self.mailbox
        mailbox.closed = reason
        mailbox.drop_all(self._drop_closed)

    def drain(self) -> None:
        """Take no more messages, but handle those that wait, then end for good."""
        self.intent = Intent.RETIRE
        self.mailbox.closed = DeadLetterReason.DRAINING
        self.mailbox.suspended = False
        self.mailbox.drop_line(self._drop_closed)
        self.mailbox.wake()

    def reopen(self) -> None:
        """Take messages again."""
        self.mailbox.closed = None

    def refuse(self, message: object, waited: float = 0.0) -> ActorStopped:
        """Make a dead letter of a message to a closed mailbox; return what its asker is told."""
        if self.has_left:
            self.system.departed.sent += 1
        else:
            self.mailbox.sent += 1
        reason = self.mailbox.closed or DeadLetterReason.STOPPED
        self.drop(message, None, reason)
        return ActorStopped(self.path, type(message).__name__, waited, reason.value)

    def _drop_closed(self, message: object, reply: Deferred[Any] | None) -> None:
        self.drop(message, reply, self.mailbox.closed or DeadLetterReason.STOPPED)

    def drop(
        self,
        message: object,
        reply: Deferred[Any] | None,
        reason: DeadLetterReason,
        error: Exception | None = None,
    ) -> None:
        """Make a dead letter of a message, and tell its asker."""
        if self.has_left:
            self.system.departed.dead += 1
        else:
            self.dead += 1
        now = self.system.clock()
        if reply is not None:
            waited = now - reply.asked_at
            reply.fail(
                error or ActorStopped(self.path, type(message).__name__, waited, reason.value)
            )
        self.system.add_dead_letter(self.path, message, reason, now)

    # Traces.

    def start_trace(self, *, messages: int, seconds: float) -> Trace:
        """Record the next messages and their outcomes; end a former trace."""
        if self.tracing is not None:
            self.tracing.close()
        deadline = self.system.clock() + seconds
        self.tracing = Trace(self._trace_ended, messages=messages, deadline=deadline)
        self.mailbox.held = True  # so that the actor's loop looks for it
        return self.tracing

    def _trace_ended(self, trace: Trace) -> None:
        if self.tracing is trace:
            self.tracing = None

    def notice(self, message: object) -> None:
        """Put a message of the runtime itself, room or not; a closed mailbox ignores it."""
        if self.mailbox.closed is None:
            self.mailbox.put(message, None, None)
