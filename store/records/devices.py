"""Devices that are let in, and the passkeys by which people sign in."""

from typing import Any, Literal, TypeAlias

from command_center.store.records.record import Record
from command_center.store.timestamps import Timestamp

Scope: TypeAlias = Literal["read", "work", "approve", "land", "operate", "admin"]
"""One kind of thing that a device may do; none contains another."""


class Device(Record, frozen=True, kw_only=True, rename="camel"):
    """A device, or a script, that has a token or a cookie of its own. `device_tokens` has hashes.

    Attributes:
        scopes: each thing that it may do, in the order of `Scope`.
        expires_at: from when it is let in no more; None for never.
        is_paired: a code let it in, and it has a cookie alone.
        last_seen_at: when its last request came; None before the first.
        last_seen_from: the address from which that came.
        limits: of an agent's token, `AgentLimits`; None where scopes alone limit it.
    """

    name: str
    scopes: list[Scope]
    expires_at: Timestamp | None = None
    is_paired: bool = False
    last_seen_at: Timestamp | None = None
    last_seen_from: str | None = None
    limits: dict[str, Any] | None = None


class Passkey(Record, frozen=True, kw_only=True, rename="camel"):
    """A passkey by which a device signs in.

    Attributes:
        host: the name of this server that it is for.
        credential_id: its name, which its authenticator gave it, in base64url.
        public_key: its public key as COSE has it, in base64url.
        sign_count: how often it has signed; 0 for one that does not count.
        last_used_at: when it signed in last.
    """

    device_id: int
    host: str
    credential_id: str
    public_key: str
    sign_count: int
    last_used_at: Timestamp | None = None
