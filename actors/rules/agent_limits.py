"""Limits of an agent's token, beside its scopes: where it works, how deep, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from command_center.actors.rules.errors import Conflict
from command_center.runtime import Refusal


class AgentLimits(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Limits of an agent; its token is good for the tools at `/mcp` alone. Null sets none.

    Attributes:
        repositories: the ids of those that it sees and works in.
        depth: how many runs may stand in a row, each started from the one before it: 1 lets a run
            start others, and those start none.
        runs_per_hour: how many runs it may start within an hour.
    """

    repositories: Annotated[list[int], msgspec.Meta(min_length=1, max_length=100)] | None = None
    depth: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    runs_per_hour: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None


class OutOfBounds(Refusal):
    """An agent's token does not reach that far."""


class TooManyRuns(Conflict):
    """An agent has started as many runs as it may for now."""


def stored_limits(limits: AgentLimits | None) -> dict[str, Any] | None:
    """Return the limits as they are kept and shown."""
    return None if limits is None else msgspec.to_builtins(limits)


def limits_of(stored: Mapping[str, Any] | None) -> AgentLimits | None:
    """Return limits as they were kept."""
    return None if stored is None else msgspec.convert(stored, AgentLimits)
