"""Failures of posting."""

from __future__ import annotations


class Unreachable(Exception):
    """The other side did not answer; it may later."""

    def __init__(self, reason: str) -> None:
        """Say why."""
        super().__init__(f"It cannot be reached: {reason}")


class AddressNotAllowed(Exception):
    """The other side has an address that messages may not go to."""

    def __init__(self, host: str, setting: str) -> None:
        """Name the host, and what to do."""
        super().__init__(
            f"{host} has no public address. To allow it, set {setting}=allow on the server."
        )
