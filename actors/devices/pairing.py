"""Codes by which a device is let in: each is good once, and for five minutes.

They are in memory alone, as hashes, so that a restart of the server ends them. A code has 40 random
bits, and wrong ones are limited as wrong tokens are: within its time nobody finds one. A code that
was used, or has expired, is remembered for a while, to be told from a wrong one.
"""

from __future__ import annotations

import secrets
from typing import Final

import attrs
import trio

from command_center.actors.contracts.devices import NewDevice
from command_center.actors.devices.roster import hash_of
from command_center.actors.rules.errors import Conflict, WrongCode
from command_center.store import Scope

CODE_SECONDS: Final = 300.0
"""Seconds for which a code is good."""

REMEMBERED: Final = 1000
"""Codes that are known at most, good and spent; the oldest are forgotten first."""

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's, none of which is taken for another."""
_MEANT: Final = str.maketrans("OIL", "011")


@attrs.frozen
class Offer:
    """A device as it is to be.

    Attributes:
        granted: the scopes that who offers it may hand on.
        device: that of who offers it, as events name it; None for nobody's.
        device_id: of that device.
    """

    wanted: NewDevice
    granted: frozenset[Scope]
    device: str | None = None
    device_id: int | None = None


@attrs.define
class _Code:
    """An offer under its code."""

    offer: Offer
    ends: float
    is_used: bool = False


@attrs.define(eq=False)
class Codes:
    """The codes of one life of the server."""

    _known: dict[str, _Code] = attrs.field(factory=dict, init=False)

    def offer(self, offer: Offer) -> str:
        """Make a code for a device; return it as it is shown."""
        while len(self._known) >= REMEMBERED:
            del self._known[next(iter(self._known))]
        code = new_code(8)
        self._known[hash_of(meant(code))] = _Code(offer, trio.current_time() + CODE_SECONDS)
        return code

    def take(self, code: str) -> Offer:
        """Return what a code offers, which is spent from now on.

        Raises:
            WrongCode: there is no such code.
            Conflict: it was used, or has expired.
        """
        known = self._known.get(hash_of(meant(code)))
        if known is None:
            raise WrongCode
        if known.is_used:
            raise Conflict("This code was used already. Ask for a new one.", outcome="used")
        if trio.current_time() >= known.ends:
            raise Conflict(
                "This code has expired: it is good for five minutes. Ask for a new one.",
                outcome="expired",
            )
        known.is_used = True
        return known.offer


def new_code(length: int) -> str:
    """Make a code of so many letters, each of 5 random bits, in groups of four."""
    groups = range(0, length, 4)
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in groups)


def meant(code: str) -> str:
    """Return the letters of a code, however somebody typed it."""
    return "".join(filter(str.isalnum, code.upper())).translate(_MEANT)
