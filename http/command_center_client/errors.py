"""Failures of a request to a server; each says in one line what happened, then what to do."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

UNAUTHORIZED = 401
FORBIDDEN = 403


class ClientError(Exception):
    """A request was not answered with what was asked for."""


class NotReachable(ClientError):
    """No server answers at the address."""

    def __init__(self, url: str, problem: object) -> None:
        super().__init__(
            f"No server answers at {url}: {problem}. Start one with `command-center`, "
            "or name another with --server."
        )
        self.url = url


class AnswerLost(NotReachable):
    """A request was sent, and its answer did not come: it may have been carried out."""

    def __init__(self, url: str, problem: object) -> None:
        ClientError.__init__(
            self,
            f"The answer of {url} was lost: {problem}. It may have been done: look before you do "
            "it again.",
        )
        self.url = url


class NotTrusted(ClientError):
    """A certificate is not one that this machine trusts; nothing was sent."""

    def __init__(self, url: str, problem: object) -> None:
        super().__init__(
            f"The certificate of {url} is not trusted: {problem}. Have this machine trust who "
            "issued it, for example with SSL_CERT_FILE."
        )
        self.url = url


class NotCommandCenter(ClientError):
    """Something else answers at the address."""

    def __init__(self, url: str) -> None:
        super().__init__(f"What answers at {url} is not a Command Center. Look at its address.")
        self.url = url


class CallRefused(ClientError):
    """The server refused the request, and says why.

    Attributes:
        status: the status of HTTP, such as 404.
        facts: what the server knows of the conflict.
        is_under_way: the request of the same key is still being answered.
    """

    def __init__(
        self,
        status: int,
        message: str,
        error: Mapping[str, Any],
        *,
        is_under_way: bool = False,
    ) -> None:
        super().__init__(message)
        self.is_under_way = is_under_way
        self.status = status
        self.facts: Mapping[str, Any] = error.get("facts") or {}
        self.error = error


class LogChanged(ClientError):
    """Events that should come next are not there: a copy was put back, or old ones were removed.

    Attributes:
        log_id: the log that is there now.
        last_id: its last event; ask for everything anew, and go on after it.
    """

    def __init__(self, told: str, log_id: str | None, last_id: int) -> None:
        super().__init__(told)
        self.log_id = log_id
        self.last_id = last_id


TEMPORARY = frozenset({429, 503})
GONE = 410
CONFLICT = 409

GATEWAY = frozenset({502, 503, 504, *range(520, 531)})
"""Statuses of a proxy that reaches nobody; those from 520 are Cloudflare's."""


def lasting(error: ClientError) -> ClientError | None:
    """Return what a stream ends with; None for what it waits for to be over."""
    match error:
        case NotReachable():
            return None
        case CallRefused(status=status) if status in TEMPORARY:
            return None
        case CallRefused(status=status, facts=facts) if status == GONE:
            return LogChanged(str(error), facts.get("logId"), facts.get("lastId", 0))
        case _:
            return error


def refusal(url: str, status: int, told: object, *, retry_after: str | None = None) -> ClientError:
    """Return the failure that an answer tells of; `told` is its body, or None if it is no JSON."""
    match told:
        case {"error": {"statusCode": int(), "message": str() as message} as error}:
            known: Mapping[str, Any] = error
            text = f"{message}{_hint(message, status, known)}"
            is_under_way = status == CONFLICT and retry_after is not None
            return CallRefused(status, text, known, is_under_way=is_under_way)
        case _ if status in GATEWAY:
            return NotReachable(url, f"a proxy answers {status} in its place")
        case _:
            return NotCommandCenter(url)


def not_reached(url: str, error: BaseException) -> ClientError:
    """Return why there is no connection: nobody answers, or their certificate is not trusted."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NotTrusted(url, cause.verify_message.rstrip("."))
        cause = cause.__cause__ or cause.__context__
    return NotReachable(url, error)


def _hint(message: str, status: int, error: Mapping[str, Any]) -> str:
    """Return what to do, where the server's own words do not say it."""
    details = error.get("details") or ()
    others = [d for d in details if str(d.get("path")) not in message]
    if others:
        told = "; ".join(f"{d.get('path')}: {d.get('message')}" for d in others)
        return f" ({told})"
    if status == UNAUTHORIZED and "token" in message:
        return " Sign in with `command-center login`, or set CC_TOKEN."
    if status == FORBIDDEN and "scope" in (error.get("facts") or {}):
        return " Have the owner of the server change what it may do, or use another token."
    return ""
