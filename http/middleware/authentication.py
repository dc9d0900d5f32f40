"""Authentication: by the token of CC_API_TOKEN, or by a cookie in its place.

The token comes as a header, to a WebSocket also as the subprotocol pair `cc.v1,
cc.bearer.<base64url of the token>`. It is compared in constant time, and how often an address may
be wrong is limited (`throttle`). A page that has signed in (`signin`) brings a cookie instead,
which counts for the own site alone. Made-up cookies tell nothing about the token, so a void one is
no guess, and who is signed in need not wait for the guesses of others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping

from command_center.http.middleware.signin import COOKIE, SIGN_IN, SignIns
from command_center.http.middleware.throttle import WrongTokens, client_key
from command_center.http.wire.asgi import Scope
from command_center.http.wire.problems import Refused

SUBPROTOCOL = "cc.v1"
BEARER_SUBPROTOCOL = "cc.bearer."
SAME_SITE = frozenset({b"same-origin", b"none"})
"""Values of Sec-Fetch-Site where no other site's page is behind a request."""


class Credentials:
    """The check that a client knows the token, or has signed in with it."""

    def __init__(self, sign_ins: SignIns, wrong: WrongTokens) -> None:
        self._sign_ins = sign_ins
        self._digest = _digest(sign_ins.token.encode("utf-8", "surrogateescape"))
        self._wrong = wrong

    def check(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        """Authenticate; return True for a bearer token, False for a cookie.

        Raises Refused: 401 for who may not, 429 for who has to wait.
        """
        given = _bearer(headers)
        if given is None and scope["type"] == "websocket":
            given = _bearer_subprotocol(scope)
        if given is None:
            if scope["path"].rstrip("/") != SIGN_IN and self._has_signed_in(headers):
                return False
            raise Refused(
                401,
                'Send the token of CC_API_TOKEN as "Authorization: Bearer <token>".',
                {"WWW-Authenticate": 'Bearer realm="command-center"'},
            )
        address = client_key(scope)
        self._wrong.check(address)
        if not self.is_token(given):
            self._wrong.add(address)
            raise Refused(
                401,
                "The token is wrong. Send the one of CC_API_TOKEN.",
                {"WWW-Authenticate": 'Bearer realm="command-center", error="invalid_token"'},
            )
        return True

    def is_token(self, given: str) -> bool:
        """Return True for the token. Do not tell the result to a client that may not know it."""
        return hmac.compare_digest(_digest(given.encode("utf-8", "surrogateescape")), self._digest)

    def _has_signed_in(self, headers: Mapping[bytes, bytes]) -> bool:
        if headers.get(b"sec-fetch-site", b"none") not in SAME_SITE:
            return False
        return any(self._sign_ins.admits(value, time.time()) for value in _cookies(headers))


def without_bearer(scope: Scope) -> Scope:
    """Return the scope as the app may see and log it: without a token among the subprotocols."""
    subprotocols = [
        offered for offered in scope["subprotocols"] if not offered.startswith(BEARER_SUBPROTOCOL)
    ]
    headers = [
        (name, ", ".join(subprotocols).encode() if name == b"sec-websocket-protocol" else value)
        for name, value in scope["headers"]
    ]
    return {**scope, "subprotocols": subprotocols, "headers": headers}


def _bearer(headers: Mapping[bytes, bytes]) -> str | None:
    scheme, _, token = headers.get(b"authorization", b"").strip().partition(b" ")
    return token.strip().decode("latin-1") if scheme.lower() == b"bearer" else None


def _bearer_subprotocol(scope: Scope) -> str | None:
    if SUBPROTOCOL not in scope["subprotocols"]:
        return None
    for offered in scope["subprotocols"]:
        if offered.startswith(BEARER_SUBPROTOCOL):
            encoded = offered.removeprefix(BEARER_SUBPROTOCOL).rstrip("=")
            try:
                decoded = base64.b64decode(
                    encoded + "=" * (-len(encoded) % 4), b"-_", validate=True
                )
                return decoded.decode()
            except (binascii.Error, ValueError):
                return ""
    return None


def _cookies(headers: Mapping[bytes, bytes]) -> Iterator[str]:
    """Yield each cookie of ours: a browser sends one for each path and domain that it has."""
    for pair in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE:
            yield value


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
