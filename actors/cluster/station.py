"""`/cluster` in the tree of a leader: it shows what is known, and hands on requests."""

from __future__ import annotations

from collections.abc import Mapping

from command_center.actors.cluster.membership import Membership
from command_center.actors.core.leadership import StepDown
from command_center.runtime import Actor, Deferred, handles


class ClusterStation(Actor):
    """Stands for the centre's membership, which has a tree of its own."""

    def __init__(self, membership: Membership) -> None:
        """Stand for `membership`, which outlives this actor."""
        self._membership = membership

    def describe(self) -> Mapping[str, object]:
        """Show what the membership knows."""
        return self._membership.view.described()

    @handles(StepDown)
    async def step_down(self, _message: StepDown) -> Deferred[bool]:
        """Have this centre lead no more."""
        return self.ctx.answer_later(self._membership.step_down)
