"""/api/cluster: the cluster that this server is one of."""

from __future__ import annotations

import msgspec

from command_center.actors.center import Center
from command_center.actors.core.leadership import CLUSTER, StepDown
from command_center.actors.rules.errors import Conflict
from command_center.http.wire.operation import Api

api = Api[Center]("Runtime")


class SteppingDown(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The leader is about to end.

    Attributes:
        stepping_down: true; another centre leads in a moment, and this one follows.
    """

    stepping_down: bool


@api.operation(
    "POST",
    "/api/cluster/step-down",
    answers=202,
    refuses=(409,),
    scope="operate",
    is_done_once=False,
)
async def step_down(center: Center) -> SteppingDown:
    """Have this centre lead no more, so that another one goes on."""
    if center.system.find(CLUSTER) is None:
        raise Conflict("This server is in no cluster: CC_CLUSTER is not set.")
    return SteppingDown(stepping_down=await center.ask(CLUSTER, StepDown()))
