"""A browser's cookie in place of the token, which no page should keep.

A page sends the token once, as every client does: `POST /api/signin` with the bearer header passes
the gate, with its limit on guesses, and is answered with a cookie. The cookie holds no token but
the time at which it ends and an HMAC over that, whose key is made of the token and of a random one
that the data folder keeps (`sign_in_key`). Another token makes all cookies void, so rotation signs
everybody out; and without the data folder's key nobody can try out tokens by making up cookies, nor
find the token in a cookie. A device's cookie names the device, and its HMAC is made of the hash of
the device's token; it counts as long as the device is let in. The cookie is HttpOnly and
SameSite=Strict; what it admits is checked for its origin by the gate as anything else is.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from functools import partial
from pathlib import Path

import attrs

from command_center.actors.devices.roster import Admitted, Roster
from command_center.store.ownership.kept_secret import kept_secret

COOKIE = "cc_signin"
LIFE_SECONDS = 30 * 24 * 3600

DEVICE_LIFE_SECONDS = 400 * 24 * 3600
"""A device's cookie stays as long as browsers keep one; the device itself may end before."""

_COOKIE_VALUE = re.compile(
    r"(?:d(?P<device>[1-9][0-9]{0,17})\.)?(?P<ends>[0-9]{1,12})\.(?P<proof>[0-9a-f]{64})"
)

SIGN_IN = "/api/signin"
"""The path at which only the token counts: a cookie does not renew itself."""

KEY_FILE = "sign-in.key"
KEY_BYTES = 32


@attrs.frozen
class SignIns:
    """The cookies that stand for the token, and for devices.

    Attributes:
        token: the one of CC_API_TOKEN; None where there is none, and then no cookie stands for it.
    """

    token: str | None = attrs.field(repr=False)
    key: bytes = attrs.field(repr=False)

    def value(self, ends: int) -> str:
        """Return a cookie that stands for the token until `ends`, in seconds of Unix time."""
        return f"{ends}.{self._proof(ends)}"

    def value_of(self, device: Admitted, ends: int) -> str:
        """Return a cookie that stands for a device until `ends`, as long as it is let in."""
        return f"d{device.id}.{ends}.{self._proof_of(device, ends)}"

    def admits(self, value: str, now: float) -> bool:
        """Return True if it stands for the token and has not ended, in constant time."""
        match = _COOKIE_VALUE.fullmatch(value)
        if match is None or match["device"] is not None or self.token is None:
            return False
        ends = int(match["ends"])
        return hmac.compare_digest(match["proof"], self._proof(ends)) and now < ends

    def device_of(self, value: str, now: float, roster: Roster) -> Admitted | None:
        """Return the device that it stands for, if that is let in and the cookie has not ended."""
        match = _COOKIE_VALUE.fullmatch(value)
        if match is None or match["device"] is None:
            return None
        device, ends = roster.by_id(int(match["device"])), int(match["ends"])
        if device is None or device.has_expired or now >= ends:
            return None
        is_right = hmac.compare_digest(match["proof"], self._proof_of(device, ends))
        return device if is_right else None

    def _proof(self, ends: int) -> str:
        said = f"command-center sign-in until {ends}"
        return self._signed((self.token or "").encode("utf-8", "surrogateescape"), said)

    def _proof_of(self, device: Admitted, ends: int) -> str:
        said = f"command-center sign-in of device {device.id} until {ends}"
        return self._signed(device.token_hash.encode(), said)

    def _signed(self, secret: bytes, said: str) -> str:
        key = hmac.new(self.key, secret, hashlib.sha256).digest()
        return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()


def sign_in_key(folder: Path) -> bytes:
    """Return the key that the data folder keeps for its owner alone; make it where there is none.

    Raises:
        DataFolderUnusable: it cannot be read or written.
    """
    return kept_secret(folder / KEY_FILE, KEY_BYTES, partial(secrets.token_bytes, KEY_BYTES))
