"""The limits of an agent's account: how much of each is used, and that a run has met one."""

from __future__ import annotations

from typing import Final, TypeAlias

import attrs
import msgspec

from command_center.runtime import Address, Request
from command_center.store import Timestamp


class LimitWindow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A span of time within which only so much may be used.

    Attributes:
        used_percent: of what may be used.
        minutes: its length.
        resets_at: the moment from which all may be used again.
    """

    used_percent: float
    minutes: int | None = None
    resets_at: Timestamp | None = None


class UsageLimit(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The windows of one limit, the shorter one first.

    Attributes:
        id: the limit's own name.
        name: for people, if it has one.
        reached: the agent's word for why nothing more may be used; None while something may.
        credits_left: the balance beyond the plan, in the agent's own words.
    """

    id: str
    name: str | None = None
    plan: str | None = None
    windows: list[LimitWindow]
    reached: str | None = None
    credits_left: str | None = None


class UsageLimits(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Each limit of a host's account, as its provider tells it now, or told it last.

    Attributes:
        held_since: when a run met a limit; runs of the host wait since. None while none has.
        held_until: when that limit resets; None where nobody has said.
    """

    host: str
    limits: list[UsageLimit]
    held_since: Timestamp | None = None
    held_until: Timestamp | None = None


@attrs.frozen
class ReadLimits(Request[UsageLimits]):
    """Ask how much of the plan is used."""


@attrs.frozen
class LimitMet:
    """A run of the host met a limit, or one ended that somebody had go on all the same."""


@attrs.frozen
class LimitOver:
    """The limit that the session waited for is over. The row says whether it may begin."""


LimitsMessage: TypeAlias = ReadLimits | LimitMet

LIMITS: Final = "/limits"
"""The path of the supervisor of the hosts' limits."""


def limits_on(host: str) -> Address[LimitsMessage]:
    """Return the address of the actor that follows the limits of a host's account."""
    return Address(f"{LIMITS}/{host}")
