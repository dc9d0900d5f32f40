"""The restart of a child that an operator asks for, by whom its failures are forgiven."""

from __future__ import annotations

from collections.abc import Mapping

import trio

from command_center.runtime.child import Child, Intent
from command_center.runtime.deadletters import DeadLetterReason
from command_center.runtime.errors import ActorStopped, StartFailed
from command_center.runtime.ports import Parent


class Restarting:
    """The restart of one child by an operator."""

    def __init__(self, child: Child, parent: Parent[Child]) -> None:
        self._child = child
        self._parent = parent
        self._was_quarantined = child.quarantined
        self._was_dead = child.is_dead
        self.done = trio.Event()
        self.failure: ActorStopped | StartFailed | None = None
        """The reason for which it has not started; None if it has."""

    async def run(self, children: Mapping[str, Child]) -> None:
        """Stop it, start it anew, and say by `failure` how that went."""
        child, path = self._child, self._child.path
        child.forgive()
        if child.is_alive:
            child.halt(final=False)
            await child.gone()
        # Meanwhile a dynamic child may have left the tree, or the supervisor begun to stop.
        if self._parent.is_serving and children.get(path) is child:
            child.restarts += 1
            child.spawn(Intent.TRIAL)
            await child.began.wait()
            if not child.has_started:
                self.failure = StartFailed(path, child.start_error)
                self._deal_with_failure()
        else:
            self.failure = ActorStopped(path, "restart", 0.0, DeadLetterReason.STOPPED.value)
        self.done.set()

    def _deal_with_failure(self) -> None:
        child, end = self._child, self._child.exit
        if end is None or child.is_alive or child.intent is not Intent.TRIAL:
            return
        if self._was_quarantined:
            child.set_aside()
        elif self._was_dead:
            child.retire(end.kind.value)
        else:
            self._parent.child_ended(child, end)
