"""The messages about leases: which host may work on a run in a clone of a pool."""

from __future__ import annotations

from typing import Final, TypeAlias

import attrs

from command_center.runtime import Address, Request
from command_center.store import Session

LEASE_SECONDS: Final = 60.0
"""Seconds without a word of the server after which a host ends a run by itself."""

MARGIN_SECONDS: Final = 30.0
"""Seconds beyond those until the run is another host's: the host needs some to end it."""

RENEW_SECONDS: Final = 15.0
"""Seconds between two words."""


@attrs.frozen
class TakeLease(Request[None]):
    """Have the host of a session hold its lease; answered once it does.

    Raises `Unavailable` where the host cannot be reached, and `Conflict` where it may not.
    """

    session_id: int


@attrs.frozen
class RenewLeases(Request[None]):
    """Speak with the host now, and see to what was lost; answered once that is done."""


@attrs.frozen
class ReassignRun(Request[Session | None]):
    """Give the run of a lost lease to another host; None where it goes on nowhere.

    Raises `Conflict` or `Unavailable` where no host can have it now.
    """

    session_id: int


LeasesMessage: TypeAlias = TakeLease | RenewLeases


def leases_on(host: str) -> Address[LeasesMessage]:
    """Return the address of what keeps the leases of a host."""
    return Address(f"/hosts/{host}/leases")
