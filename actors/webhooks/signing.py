"""Sign deliveries as Standard Webhooks has it: https://www.standardwebhooks.com.

The signature is an HMAC-SHA256 over the delivery's id, the seconds of its moment, and its body,
with dots between them.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from typing import Final

PREFIX: Final = "whsec_"
KEY_BYTES: Final = 32


def make_secret() -> str:
    """Make a secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """Return the key of a secret: what stands behind `whsec_` in base64, else its own bytes.

    Raises:
        ValueError: what stands behind `whsec_` is no base64, or nothing.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    if not key:
        raise ValueError("no key")
    return key


def signed_headers(secret: str, *, delivery: str, seconds: int, body: bytes) -> dict[str, str]:
    """Return the headers that prove a delivery, at so many seconds since 1970."""
    said = f"{delivery}.{seconds}.".encode() + body
    proof = base64.b64encode(hmac.digest(key_of(secret), said, "sha256")).decode()
    return {
        "webhook-id": delivery,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{proof}",
    }
