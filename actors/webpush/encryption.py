"""Encrypt messages for a browser (RFC 8291, aes128gcm of RFC 8188), and sign for them (RFC 8292).

A message is one record. Its key is made of a key pair of its own, of the browser's public key and
secret, and of a salt; so the push service, which carries it, cannot read it. The signature is a JWT
for the service's origin, good for half a day, by the one key that browsers were subscribed with.
"""

from __future__ import annotations

import base64
import json
import secrets
import struct
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_SIZE: Final = 4096
"""Bytes of a record; a push service has to take as many (RFC 8030, 7.2), and no more."""

LONGEST: Final = RECORD_SIZE - 86 - 16 - 1
"""Bytes of the longest message: a record without its head, the tag and the delimiter."""

SIGNED_SECONDS: Final = 12 * 3600
"""Seconds for which a signature is good; RFC 8292 allows a day."""

_LAST: Final = b"\x02"
"""The delimiter after the message in the last record."""


def encrypt(
    message: bytes,
    *,
    p256dh: str,
    auth: str,
    private: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Return the body that only the browser with these keys reads.

    Args:
        message: at most `LONGEST` bytes.
        p256dh: the browser's public key, in base64url.
        auth: its secret, in base64url.
        private: the key pair of the message; a new one, unless it is to be a known one.
        salt: 16 bytes; random ones, unless they are to be known.

    Raises:
        ValueError: the message is too long, or a key is none.
    """
    if len(message) > LONGEST:
        raise ValueError(f"the message has {len(message)} bytes")
    private = ec.generate_private_key(ec.SECP256R1()) if private is None else private
    salt = secrets.token_bytes(16) if salt is None else salt
    theirs = public_key_from(p256dh)
    ours = _point(private.public_key())
    shared = private.exchange(ec.ECDH(), theirs)
    secret = _hkdf(from_base64url(auth), shared, b"WebPush: info\0" + _point(theirs) + ours, 32)
    key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)
    head = salt + struct.pack("!IB", RECORD_SIZE, len(ours)) + ours
    return head + AESGCM(key).encrypt(nonce, message + _LAST, None)


def public_key_from(p256dh: str) -> ec.EllipticCurvePublicKey:
    """Return a browser's public key.

    Raises:
        ValueError: it is no point of the curve.
    """
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(p256dh))


def private_key_from(key: bytes) -> ec.EllipticCurvePrivateKey:
    """Return the private key of VAPID, of its number."""
    return ec.derive_private_key(int.from_bytes(key), ec.SECP256R1())


def application_server_key(key: bytes) -> str:
    """Return the public key that a browser subscribes with, in base64url."""
    return to_base64url(_point(private_key_from(key).public_key()))


def signature(key: bytes, *, audience: str, contact: str, now: float) -> str:
    """Return the `Authorization` by which the push service at `audience` knows whose it is.

    Args:
        key: the private key of VAPID.
        audience: the origin of the endpoint.
        contact: a `mailto:` or `https:` address.
        now: in seconds of Unix time.
    """
    private = private_key_from(key)
    claims = {"aud": audience, "exp": int(now) + SIGNED_SECONDS, "sub": contact}
    parts = [json.dumps(part).encode() for part in ({"typ": "JWT", "alg": "ES256"}, claims)]
    signed = ".".join(map(to_base64url, parts))
    r, s = decode_dss_signature(private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    token = f"{signed}.{to_base64url(r.to_bytes(32) + s.to_bytes(32))}"
    return f"vapid t={token}, k={to_base64url(_point(private.public_key()))}"


def to_base64url(data: bytes) -> str:
    """Return bytes in base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Return the bytes of a text in base64url, padded or not.

    Raises:
        ValueError: it is none.
    """
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)
