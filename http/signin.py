"""/api/signin: a browser's cookie in place of the token, which no page should keep.

A page sends the token once, as every client does: `POST /api/signin` with the bearer header passes
the gate, with its limit on guesses, and is answered with a cookie. The cookie holds no token but
a proof of one: the time at which it ends and an HMAC over that time with the token as its key.
Another token makes all cookies void, so rotation signs everybody out. The cookie is HttpOnly and
SameSite=Strict; what it admits is checked for its origin by the gate as anything else is.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time

from quart import Blueprint, Response, request
from quart_trio.wrappers import TrioResponse

COOKIE = "cc_signin"
LIFE_SECONDS = 30 * 24 * 3600

_COOKIE_VALUE = re.compile(r"(?P<ends>[0-9]{1,12})\.(?P<proof>[0-9a-f]{64})")


SIGN_IN = "/api/signin"
"""Where the token itself is asked for: a cookie does not renew itself."""


def cookie_value(token: str, ends: int) -> str:
    """A cookie that stands for the token until `ends`, in seconds of Unix time."""
    return f"{ends}.{_proof(token, ends)}"


def stands_for(value: str, token: str, now: float) -> bool:
    """Whether a cookie is one of this token's, and has not ended. Compared in constant time."""
    match = _COOKIE_VALUE.fullmatch(value)
    if match is None:
        return False
    ends = int(match["ends"])
    return hmac.compare_digest(match["proof"], _proof(token, ends)) and now < ends


def routes(token: str | None) -> Blueprint:
    """Signing in and out; without a token both are answered and mean nothing."""
    api = Blueprint("signin", __name__)

    @api.post(SIGN_IN)
    async def sign_in() -> Response:
        answer: Response = TrioResponse(status=204)
        if token is not None:
            ends = int(time.time()) + LIFE_SECONDS
            _set_cookie(answer, cookie_value(token, ends), LIFE_SECONDS)
        return answer

    @api.post("/api/signout")
    async def sign_out() -> Response:
        answer: Response = TrioResponse(status=204)
        _set_cookie(answer, "", 0)
        return answer

    return api


def _set_cookie(answer: Response, value: str, seconds: int) -> None:
    answer.set_cookie(
        COOKIE,
        value,
        max_age=seconds,
        path="/api",
        httponly=True,
        samesite="Strict",
        secure=request.headers.get("Origin", "").startswith("https://"),
    )


def _proof(token: str, ends: int) -> str:
    said = f"command-center sign-in until {ends}".encode()
    return hmac.new(token.encode("utf-8", "surrogateescape"), said, hashlib.sha256).hexdigest()
