"""Addresses of hosts that are reached over ssh, as people write them."""

from __future__ import annotations

import re
from typing import Final

import attrs

from command_center.actors.contracts.fleet import ADDRESS, ADDRESS_FORM
from command_center.actors.rules.errors import Invalid

_PARTS: Final = re.compile(r"(?:ssh://)?(?P<place>[^\[\]:]*(?:\[[^\]]*\])?)(?::(?P<port>\d+))?")


@attrs.frozen
class SshAddress:
    """An address: a name of the user's ssh configuration, or `user@host`, and a port if need be."""

    place: str
    port: int | None

    @classmethod
    def read(cls, text: str) -> SshAddress:
        """Read it; raises `Invalid`."""
        found = _PARTS.fullmatch(text) if re.match(ADDRESS, text) else None
        port = None if found is None or found["port"] is None else int(found["port"])
        if found is None or (port is not None and not 0 < port < 65536):  # noqa: PLR2004 - a port
            raise Invalid.field("address", f"address: expected {ADDRESS_FORM}.")
        return cls(found["place"].replace("[", "").replace("]", ""), port)

    @property
    def arguments(self) -> list[str]:
        """Return what ssh takes for it."""
        return [*(() if self.port is None else ("-p", str(self.port))), "--", self.place]
