"""One request, as a value: `calls` makes them, and either kind of client sends them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

A_co = TypeVar("A_co", covariant=True)

KEY: Final = "Idempotency-Key"


class ApiCall(Generic[A_co]):
    """A request whose answer, if it is not refused, has the shape `A_co`.

    Attributes:
        path: from the root, with its query.
        body: what goes as JSON, or as bytes; None for nothing.
        headers: those that go beside what every request brings.
        is_done_once: it takes an `Idempotency-Key`, under which it may be sent again.
    """

    __slots__ = ("body", "headers", "is_done_once", "method", "path")

    def __init__(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        is_done_once: bool = False,
    ) -> None:
        self.method = method
        self.path = path + asked(query or {})
        self.body = body
        self.headers = dict(headers or {})
        self.is_done_once = is_done_once

    def provided(self, *, if_match: str | None = None, key: str | None = None) -> ApiCall[A_co]:
        """Return the call with an `If-Match`, or an `Idempotency-Key` to send it again under."""
        headers = dict(self.headers)
        if if_match is not None:
            headers["If-Match"] = if_match
        if key is not None:
            headers[KEY] = key
        return ApiCall(
            self.method,
            self.path,
            body=self.body,
            headers=headers,
            is_done_once=self.is_done_once,
        )

    def keyed(self) -> ApiCall[A_co]:
        """Return the call with a key of its own, if it takes one and has none."""
        if not self.is_done_once or KEY in self.headers:
            return self
        return self.provided(key=os.urandom(16).hex())


def at(pattern: str, *parts: object) -> str:
    """Return a path with its parameters, quoted; of an actor's path the slashes stay."""
    safe = "/" if pattern.startswith("/api/runtime/") else ""
    return pattern.format(*(quote(str(part).lstrip(safe), safe=safe) for part in parts))


def asked(query: Mapping[str, Any]) -> str:
    """Return a query with its question mark; what is None is left out, lists are repeated."""
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        for each in value if isinstance(value, list | tuple) else [value]:
            if each is not None:
                said = str(each).lower() if isinstance(each, bool) else str(each)
                pairs.append((name, said))
    return f"?{urlencode(pairs)}" if pairs else ""
