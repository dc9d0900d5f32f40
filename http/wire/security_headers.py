"""Security headers: they keep a browser from doing more with an answer than show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from command_center.http.wire.asgi import Message, Send

Header = tuple[bytes, bytes]

EVERY_ANSWER: tuple[Header, ...] = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            b"font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
            b"form-action 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(self)"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
OF_DOCUMENTS = frozenset({b"permissions-policy", b"cross-origin-opener-policy"})
"""Headers that mean something to what a window shows, and nothing to a script or a style sheet."""

PARTS = (b"text/javascript", b"text/css")
"""Types of answers that only parts of a page have; each page loads many of them."""

PRIVATE_ANSWER: tuple[Header, ...] = ((b"cache-control", b"no-store"),)
"""Of what needs the token, where there is one."""


def with_security_headers(headers: Iterable[Header], *, private: bool) -> list[Header]:
    """Return the headers, and those of every answer that are not among them.

    A script and a style sheet go without those of documents: 110 bytes for each part of the page.
    """
    dressed = list(headers)
    names = {name for name, _ in dressed}
    if any(name == b"content-type" and value.startswith(PARTS) for name, value in dressed):
        names |= OF_DOCUMENTS
    wanted = EVERY_ANSWER + PRIVATE_ANSWER if private else EVERY_ANSWER
    dressed.extend(header for header in wanted if header[0] not in names)
    return dressed


_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})


@attrs.define
class SecurityHeaders:
    """Sends an answer with the headers of every answer; it asks then if the answer is private."""

    _send: Send
    _is_private: Callable[[], bool]

    async def __call__(self, message: Message) -> None:
        """Add to the headers, if the message brings them."""
        if message["type"] in _STARTS:
            headers = with_security_headers(message.get("headers", ()), private=self._is_private())
            message = {**message, "headers": headers}
        await self._send(message)
