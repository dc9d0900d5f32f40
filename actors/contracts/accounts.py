"""The account of a host's agent: who is signed in, and signing in and out."""

from __future__ import annotations

import enum
from typing import Annotated, Final, Literal, TypeAlias

import attrs
import msgspec

from command_center.actors.rules.lengths import Name
from command_center.runtime import Address, Request
from command_center.store import Timestamp
from command_center.store.records import LOCAL

ApiKey: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        min_length=8,
        max_length=1000,
        pattern=r"^[!-~]+$(?!\n)",
        description="a key without spaces, of ASCII characters",
    ),
]


class AccountStatus(enum.Enum):
    """The state of a host's account."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    NOT_NEEDED = "not_needed"
    """Its configuration names a provider that takes no account."""


class SignInStatus(enum.Enum):
    """The state of an attempt to sign in."""

    WAITING = "waiting"
    """A person has to enter the code."""
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SignIn(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An attempt to sign in.

    Attributes:
        verification_url: the page that takes the code.
        user_code: the code to enter there.
        error: the reason why it failed.
    """

    id: str
    type: Literal["device_code", "api_key"]
    status: SignInStatus
    begun_at: Timestamp
    verification_url: str | None = None
    user_code: str | None = None
    error: str | None = None


class AgentAccount(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The account of a host's agent.

    Attributes:
        kind: of the account, in the agent's own words, such as `chatgpt` or `apiKey`.
        plan: of the account, in the agent's own words.
        sign_in: the newest attempt to sign in, until the server is restarted.
    """

    host: str
    status: AccountStatus
    kind: str | None = None
    email: str | None = None
    plan: str | None = None
    workspace: str | None = None
    sign_in: SignIn | None = None


class AccountOrder(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """An order about the account of a host's agent.

    Attributes:
        requested_by: who wants it, in the caller's own words.
    """

    host: Name = LOCAL
    requested_by: Name | None = None


class NewSignIn(AccountOrder, frozen=True, kw_only=True):
    """An order to sign in.

    Attributes:
        type: `device_code` answers a code and the page that takes it; `api_key` needs the key.
        api_key: of the agent's provider. Only the agent keeps it.
    """

    type: Literal["device_code", "api_key"]
    api_key: ApiKey | None = None


@attrs.frozen
class ReadAccount(Request[AgentAccount]):
    """Ask who is signed in."""


@attrs.frozen
class BeginSignIn(Request[SignIn]):
    """Sign in, in place of an attempt that is under way."""

    wanted: NewSignIn = attrs.field(repr=False)


@attrs.frozen
class CancelSignIn(Request[SignIn]):
    """Give an attempt to sign in up."""

    sign_in_id: str


@attrs.frozen
class SignOut(Request[AgentAccount]):
    """Have the agent forget the account."""


AccountMessage: TypeAlias = ReadAccount | BeginSignIn | CancelSignIn | SignOut

ACCOUNTS: Final = "/accounts"
"""The path of the supervisor of the hosts' accounts."""


def account_on(host: str) -> Address[AccountMessage]:
    """Return the address of the actor that has a host's account."""
    return Address(f"{ACCOUNTS}/{host}")
