"""Failures of a push."""

from __future__ import annotations


class ServiceUnreachable(Exception):
    """The push service did not answer; it may later."""

    def __init__(self, reason: str) -> None:
        """Say why."""
        super().__init__(f"The push service cannot be reached: {reason}")


class AddressNotAllowed(Exception):
    """The push service has an address that messages may not go to."""

    def __init__(self, host: str) -> None:
        """Name the host, and what to do."""
        super().__init__(
            f"{host} has no public address. "
            "To allow it, set CC_PUSH_PRIVATE_ADDRESSES=allow on the server."
        )
