"""Reads what Codex says of its account.

Members that Codex does not name, or that are of another type, are left out: an account is shown by
what is known of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from command_center.actors.contracts.accounts import (
    AccountStatus,
    AgentAccount,
    SignIn,
)

T = TypeVar("T")

UPDATED: Final = "account/updated"
"""The notification that there is another account, or none."""

SIGN_IN_ENDED: Final = "account/login/completed"
"""The notification that an attempt to sign in has ended."""


def account_from(answer: Mapping[str, Any], host: str, sign_in: SignIn | None) -> AgentAccount:
    """Read the answer to `account/read`."""
    account = typed(answer.get("account"), dict)
    if account is None:
        is_needed = answer.get("requiresOpenaiAuth") is not False
        status = AccountStatus.SIGNED_OUT if is_needed else AccountStatus.NOT_NEEDED
        return AgentAccount(host=host, status=status, sign_in=sign_in)
    return AgentAccount(
        host=host,
        status=AccountStatus.SIGNED_IN,
        kind=typed(account.get("type"), str),
        email=typed(account.get("email"), str),
        plan=typed(account.get("planType"), str),
        workspace=typed(account.get("workspaceName"), str),
        sign_in=sign_in,
    )


def typed(value: object, kind: type[T]) -> T | None:
    """Return the value if it is of that type, and else None."""
    return value if isinstance(value, kind) and not isinstance(value, bool) else None
