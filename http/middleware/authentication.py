"""Authentication: by the token of CC_API_TOKEN, by that of a device, or by a cookie in its place.

A token comes as a header, to a WebSocket also as the subprotocol pair `cc.v1, cc.bearer.<base64url
of the token>`. The one of CC_API_TOKEN is compared in constant time, and devices are found by the
hash of theirs; how often an address may be wrong is limited (`throttle`). A page that has signed in
(`signin`) brings a cookie instead, which counts for the own site alone. Made-up cookies tell
nothing about the token, so a void one is no guess, and who is signed in need not wait for the
guesses of others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping

from command_center.actors.devices.roster import TOKEN_PREFIX, Admitted, Roster
from command_center.http.middleware.signin import COOKIE, SIGN_IN, SignIns
from command_center.http.middleware.throttle import WrongGuesses, client_key
from command_center.http.sockets.socket_owner import PEER, Peer
from command_center.http.wire.asgi import Scope
from command_center.http.wire.caller import ANYBODY, Caller
from command_center.http.wire.problems import CHALLENGE, Refused

SUBPROTOCOL = "cc.v1"
BEARER_SUBPROTOCOL = "cc.bearer."
SAME_SITE = frozenset({b"same-origin", b"none"})
"""Values of Sec-Fetch-Site where no other site's page is behind a request."""


class Credentials:
    """The check that a client knows a token, or has signed in with one.

    Attributes:
        sign_ins: the cookies that count.
        wrong: the counter of wrong tokens.
        roster: the devices that are let in.
    """

    def __init__(self, sign_ins: SignIns, wrong: WrongGuesses, roster: Roster) -> None:
        self.sign_ins = sign_ins
        self.wrong = wrong
        self.roster = roster
        token = sign_ins.token
        self._digest = None if token is None else _digest(token.encode("utf-8", "surrogateescape"))

    def admit(self, scope: Scope, headers: Mapping[bytes, bytes]) -> tuple[Caller, str | None]:
        """Authenticate; return who it is, and the token if they brought one.

        Where no token is needed, who brings none of ours is anybody, but for another user of this
        machine, where the system tells whose process has connected. What looks like a device's
        token has to be one all the same, so that a revoked one does not count for more than before.

        Raises Refused: 401 for who may not, 429 for who has to wait.
        """
        given = _bearer(headers)
        if given is None and scope["type"] == "websocket":
            given = _bearer_subprotocol(scope)
        if self._digest is None and not (given or "").startswith(TOKEN_PREFIX):
            given = None
        if given is not None:
            return self._by_token(given, scope), given
        if scope["path"].rstrip("/") != SIGN_IN and (caller := self._by_cookie(headers, scope)):
            return caller, None
        if self._digest is None:
            peer: Peer | None = scope.get(PEER)
            if peer is not None and peer.is_stranger:
                raise _of_another_user()
            return ANYBODY, None
        raise Refused(
            401,
            'Send the token of CC_API_TOKEN, or a device\'s, as "Authorization: Bearer <token>".',
            {"WWW-Authenticate": CHALLENGE},
        )

    def is_known_to(self, caller: Caller, given: str) -> bool:
        """Return True for a token that the caller may know: a device knows its own alone.

        To tell a device of any other would answer its guesses, which nobody counts here.
        """
        device = self.roster.by_token(given)
        if caller.device_id is not None:
            return device is not None and device.id == caller.device_id
        return device is not None or self._is_token(given)

    def _is_token(self, given: str) -> bool:
        return self._digest is not None and hmac.compare_digest(
            _digest(given.encode("utf-8", "surrogateescape")), self._digest
        )

    def _by_token(self, given: str, scope: Scope) -> Caller:
        address = client_key(scope)
        self.wrong.check(address)
        if self._is_token(given):
            return ANYBODY
        device = self.roster.by_token(given)
        if device is None:
            self.wrong.add(address)
            raise _wrong("The token is wrong. Send the one of CC_API_TOKEN, or a device's.")
        if device.has_expired:
            raise _wrong(f"The token of {device} expired at {device.expires_at}.")
        return self._seen(device, scope)

    def _by_cookie(self, headers: Mapping[bytes, bytes], scope: Scope) -> Caller | None:
        if headers.get(b"sec-fetch-site", b"none") not in SAME_SITE:
            return None
        now = time.time()
        for value in _cookies(headers):
            if self.sign_ins.admits(value, now):
                return ANYBODY
            device = self.sign_ins.device_of(value, now, self.roster)
            if device is not None:
                return self._seen(device, scope)
        return None

    def _seen(self, device: Admitted, scope: Scope) -> Caller:
        client = scope.get("client")
        self.roster.note_seen(device, "" if client is None else str(client[0]))
        return Caller(device.id, str(device), device.scopes, device.limits)


def _of_another_user() -> Refused:
    return Refused(
        401,
        "Another user of this machine sent this. Without a token the server serves its own user "
        "alone: set CC_API_TOKEN for it, and send that. A proxy is believed if CC_TRUSTED_PROXIES "
        "names it.",
        {"WWW-Authenticate": CHALLENGE},
    )


def _wrong(message: str) -> Refused:
    return Refused(401, message, {"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'})


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
