"""A program that hands hostile data to the rules of passkeys, and may hang over it.

It is given where data stands, and the data in hex, in pairs, and tells of each whether it was
refused in time.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Final

import cbor2
import webauthn

from command_center.actors.contracts.passkeys import NewPasskey, PasskeyProof
from command_center.actors.devices.passkeys import Passkeys
from command_center.actors.rules.errors import WrongPasskey
from command_center.store import Passkey
from tests.http.authenticator import EXTENDED, PRESENT, VERIFIED, Authenticator, to_text

ORIGIN: Final = "https://box.example"
MOST_MEMORY: Final = 2**30
MOST_SECONDS: Final = 1.0


def attestation(where: str, item: bytes) -> bytes:
    """Return an attestation object with the item beside, or in a list as, its data."""
    data = bytes(32) + bytes([EXTENDED]) + bytes(4) + item
    if where == "list":
        return cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": [*data]})
    plain = cbor2.dumps({"fmt": "none", "attStmt": None, "authData": bytes(37)})
    return plain.replace(b"attStmt\xf6", b"attStmt" + item)


def hand(where: str, item: bytes) -> None:
    """Hand the item to the rules."""
    rules = Passkeys()
    flags = PRESENT | VERIFIED | (EXTENDED if where in {"extensions", "proof"} else 0)
    authenticator = Authenticator("box.example", ORIGIN, flags)
    if flags & EXTENDED:
        authenticator.tail = item
    if where == "key":
        authenticator.public_key = item
    if where == "proof":
        body: dict[str, Any] = authenticator.prove(rules.challenge())
        proof = PasskeyProof(
            id=body["id"],
            client_data=body["clientData"],
            authenticator_data=body["authenticatorData"],
            signature=body["signature"],
        )
        known = Passkey(
            id=1,
            created_at="",
            updated_at="",
            device_id=1,
            host="box.example",
            credential_id=body["id"],
            public_key="oA",
            sign_count=0,
        )
        rules.read_proof(proof, ORIGIN, rules.take(proof.client_data), known)
        return
    body = authenticator.make(rules.challenge())
    told = body["attestation"]
    if where in {"list", "statement"}:
        told = to_text(attestation(where, item))
    new = NewPasskey(client_data=body["clientData"], attestation=told)
    rules.read_new(new, ORIGIN, rules.take(new.client_data))


if __name__ == "__main__":
    assert webauthn.__name__  # loaded before the clock runs
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    for place, told in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        began = time.monotonic()
        try:
            hand(place, bytes.fromhex(told))
        except WrongPasskey as error:
            is_in_time = time.monotonic() - began < MOST_SECONDS
            print(place, "refused" if is_in_time else "late", error, flush=True)  # noqa: T201 - it is read
