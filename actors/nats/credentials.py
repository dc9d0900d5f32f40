"""Keys by which a client shows who it is: a seed (NKey), alone or with a JWT beside it.

The server sends a text, and the client signs it with Ed25519; the seed never leaves the machine.
This needs the package `cryptography`, which is loaded only here and only then. The formats are
those of https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth
and https://docs.nats.io/using-nats/developer/connecting/creds.
"""

import base64
import binascii
import re
from typing import Final

import attrs

from command_center.actors.nats.errors import InvalidCredentials

_SEED: Final = 18 << 3
_USER: Final = 20 << 3
_KEY_BYTES: Final = 32
_PART = re.compile(
    r"-{3,}BEGIN ([A-Z ]+)-{3,}\s+([A-Za-z0-9+/=_.\-]+)\s+-{3,}END \1-{3,}", re.ASCII
)


@attrs.frozen
class NatsCredentials:
    """A user's seed, and the JWT by which an operator vouches for it, where there is one."""

    seed: str = attrs.field(repr=False)
    jwt: str = attrs.field(default="", repr=False)

    def answer(self, nonce: str) -> dict[str, str]:
        """Return the words of CONNECT by which the user shows itself.

        Raises:
            InvalidCredentials: the seed is none, or is not a user's.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - an extra
            Ed25519PrivateKey,
        )
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
            Encoding,
            PublicFormat,
        )

        key = Ed25519PrivateKey.from_private_bytes(_raw_seed(self.seed))
        signature = base64.urlsafe_b64encode(key.sign(nonce.encode())).decode().rstrip("=")
        if self.jwt:
            return {"jwt": self.jwt, "sig": signature}
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"nkey": _encode(bytes([_USER]) + public), "sig": signature}


def parse_credentials(text: str) -> NatsCredentials:
    """Return what a credentials file (``.creds``) has, or a file with a seed alone.

    Raises:
        InvalidCredentials: it has no user's seed.
    """
    parts = dict(_PART.findall(text))
    if parts:
        seed = parts.get("USER NKEY SEED", "")
        jwt = parts.get("NATS USER JWT", "")
    else:
        seed, jwt = text.strip(), ""
    _raw_seed(seed)
    return NatsCredentials(seed, jwt)


def _raw_seed(seed: str) -> bytes:
    """Return the 32 bytes of a user's seed: two bytes of kind, the key, and a CRC-16 of them."""
    try:
        data = base64.b32decode(seed + "=" * (-len(seed) % 8))
    except (binascii.Error, ValueError):
        raise InvalidCredentials(
            "A seed of NATS is a text in Base32 that begins with SU."
        ) from None
    body, checksum = data[:-2], data[-2:]
    if len(body) != _KEY_BYTES + 2 or _crc16(body).to_bytes(2, "little") != checksum:
        raise InvalidCredentials("The seed of NATS is not whole: its checksum is another.")
    kind = (body[0] & 0b11111000, (body[0] & 0b111) << 5 | body[1] >> 3)
    if kind != (_SEED, _USER):
        raise InvalidCredentials("The seed of NATS is not a user's: such a one begins with SU.")
    return body[2:]


def _encode(body: bytes) -> str:
    whole = body + _crc16(body).to_bytes(2, "little")
    return base64.b32encode(whole).decode().rstrip("=")


def _crc16(data: bytes) -> int:
    return binascii.crc_hqx(data, 0)
