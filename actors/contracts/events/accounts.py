"""Events of the accounts of agents."""

from __future__ import annotations

from command_center.store import EventData


class SignInBegun(EventData, frozen=True, kw_only=True, tag="account.sign_in_begun"):
    """Somebody began to sign a host's agent in; `type` is `device_code` or `api_key`."""

    host: str
    type: str


class SignInFailed(EventData, frozen=True, kw_only=True, tag="account.sign_in_failed"):
    """Nobody was signed in by that; `reason` says why."""

    host: str
    reason: str


class SignedIn(EventData, frozen=True, kw_only=True, tag="account.signed_in"):
    """An agent has an account now, or another one; by us or by another of its clients."""

    host: str
    kind: str
    plan: str | None


class SignedOut(EventData, frozen=True, kw_only=True, tag="account.signed_out"):
    """An agent has no account any more."""

    host: str
