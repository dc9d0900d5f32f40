"""The messages of passkeys, which `/devices` takes, and its answers.

What a browser gives is bytes; on the wire they are base64url without padding.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from command_center.actors.contracts.devices import DeviceName
from command_center.actors.rules.lengths import Name
from command_center.runtime import Request
from command_center.store import Device, Passkey, Scope, Timestamp

_BYTES = r"^[A-Za-z0-9_-]+$(?!\n)"
_FORM = "base64url without padding"

CredentialId: TypeAlias = Annotated[
    str, msgspec.Meta(min_length=1, max_length=1364, pattern=_BYTES, description=_FORM)
]
"""The name that an authenticator gave a passkey: 1,023 bytes at most."""

Bytes: TypeAlias = Annotated[
    str, msgspec.Meta(min_length=1, max_length=16_384, pattern=_BYTES, description=_FORM)
]


class PasskeyChallenge(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A text that an authenticator signs, once, until it expires.

    Attributes:
        is_known: there is a passkey that can sign in.
    """

    challenge: str
    expires_at: Timestamp
    is_known: bool


class NewPasskey(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A passkey that a browser has made.

    Attributes:
        client_data: the browser's `clientDataJSON`.
        attestation: the authenticator's `attestationObject`.
        name: of the device that is made for it, where who asks is none.
    """

    client_data: Bytes
    attestation: Bytes
    name: DeviceName | None = None
    requested_by: Name = "api"


class PasskeyProof(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A proof by a passkey, as a browser has it.

    Attributes:
        id: the passkey's name.
        client_data: the browser's `clientDataJSON`.
        authenticator_data: the authenticator's `authenticatorData`.
        signature: over both.
    """

    id: CredentialId
    client_data: Bytes
    authenticator_data: Bytes
    signature: Bytes


class ShownPasskey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A passkey of a device.

    Attributes:
        host: the name of this server that it is for.
        last_used_at: when it signed in last.
    """

    id: int
    created_at: Timestamp
    device_id: int
    host: str
    last_used_at: Timestamp | None

    @classmethod
    def of(cls, stored: Passkey) -> ShownPasskey:
        """Return what is shown of a passkey."""
        names = [field.name for field in msgspec.structs.fields(cls)]
        return cls(**{name: getattr(stored, name) for name in names})


class AskChallenge(msgspec.Struct, Request[PasskeyChallenge], frozen=True):
    """Make a challenge.

    Attributes:
        words: the decision that its proof is good for; empty for the sign-in.
    """

    words: bytes = b""


class KeepPasskey(msgspec.Struct, Request[Passkey], frozen=True):
    """Keep a passkey of a device; who is none gets one of their own for it.

    Attributes:
        origin: the page's that made it.
        device_id: the device; None for who is none.
        granted: the scopes of who asks.
    """

    wanted: NewPasskey
    origin: str | None
    device_id: int | None
    granted: frozenset[Scope]


class UsePasskey(msgspec.Struct, Request[Device], frozen=True):
    """Find the device that a proof is of.

    Attributes:
        origin: the page's that brings it.
    """

    proof: PasskeyProof
    origin: str | None


class ConfirmDecision(msgspec.Struct, Request[Passkey], frozen=True):
    """Find the passkey that proves a decision, of a device that may approve.

    Attributes:
        origin: the page's that brings it.
        words: the decision, as its challenge was made for it.
    """

    proof: PasskeyProof
    origin: str | None
    words: bytes


class RemovePasskey(msgspec.Struct, Request[Passkey], frozen=True):
    """Let a passkey sign in no more; answered with it as it was.

    Attributes:
        device_id: the device whose it must be; None for any.
    """

    passkey_id: int
    device_id: int | None
    requested_by: Name = "api"
