"""Callers: who a request comes from, as the gate has found out, and what they may do.

The gate puts the caller into the request's scope. Who knows the token of CC_API_TOKEN may do
everything, and so may everybody where there is none. A device may do what its scopes say.
"""

from __future__ import annotations

from typing import Any, Final

import attrs

from command_center.actors.rules.agent_limits import AgentLimits, OutOfBounds
from command_center.actors.rules.errors import MissingScope
from command_center.actors.rules.scopes import EVERY_SCOPE
from command_center.http.wire.asgi import Scope
from command_center.store import Scope as DeviceScope

CALLER: Final = "command_center.caller"


@attrs.frozen
class Caller:
    """The one who asks.

    Attributes:
        device_id: of the device that asks; None for who needs to be none.
        name: of that device, as events name it.
        scopes: each thing that they may do.
        limits: of an agent, which speaks to `/mcp` alone; None for everybody else.
    """

    device_id: int | None = None
    name: str | None = None
    scopes: frozenset[DeviceScope] = EVERY_SCOPE
    limits: AgentLimits | None = None

    def check(self, scope: DeviceScope) -> None:
        """Raise MissingScope if they may not do that."""
        if scope not in self.scopes:
            raise MissingScope(scope, f"{self.name} does not have it.")

    def check_unlimited(self) -> None:
        """Raise OutOfBounds for an agent, whose limits only the tools know."""
        if self.limits is not None:
            raise OutOfBounds("The token of an agent is good for the tools at /mcp alone.")

    def key_of(self, key: str) -> str:
        """Return an Idempotency-Key as it is kept: each device has keys of its own.

        No key holds a space, so none of one caller is one of another.
        """
        return key if self.device_id is None else f"device:{self.device_id} {key}"


ANYBODY: Final = Caller()


def caller_of(scope: Scope | Any) -> Caller:
    """Return who a request comes from."""
    found: Caller = scope.get(CALLER, ANYBODY)
    return found
