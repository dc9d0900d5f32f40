"""An authenticator in software: it makes a passkey and signs with it, as WebAuthn has it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

import attrs
import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT = 0x01
VERIFIED = 0x04
HAS_KEY = 0x40
EXTENDED = 0x80


def to_text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@attrs.define
class Authenticator:
    """One passkey of P-256, for one name."""

    host: str
    origin: str
    flags: int = PRESENT | VERIFIED
    count: int = 0
    public_key: bytes | None = None
    """A key to tell of, in place of its own."""
    tail: bytes = b""
    """Bytes to add at the end of its data."""
    id: bytes = attrs.field(factory=lambda: secrets.token_bytes(16))
    _key: ec.EllipticCurvePrivateKey = attrs.field(
        factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def make(self, challenge: str, **more: Any) -> dict[str, Any]:
        """Return what a page sends of a passkey that was made."""
        point = self._key.public_key().public_numbers()
        x, y = (value.to_bytes(32, "big") for value in (point.x, point.y))
        key = self.public_key or cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        data = self._data(self.flags | HAS_KEY)
        data += bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key + self.tail
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return {
            "clientData": to_text(self._client_data("webauthn.create", challenge)),
            "attestation": to_text(attestation),
            **more,
        }

    def prove(self, challenge: str) -> dict[str, Any]:
        """Return what a page sends of a proof."""
        if self.count:
            self.count += 1
        data = self._data(self.flags) + self.tail
        client_data = self._client_data("webauthn.get", challenge)
        signed = data + hashlib.sha256(client_data).digest()
        return {
            "id": to_text(self.id),
            "clientData": to_text(client_data),
            "authenticatorData": to_text(data),
            "signature": to_text(self._key.sign(signed, ec.ECDSA(SHA256()))),
        }

    def _data(self, flags: int) -> bytes:
        name = hashlib.sha256(self.host.encode()).digest()
        return name + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin}
        return json.dumps(told | {"crossOrigin": False}).encode()
