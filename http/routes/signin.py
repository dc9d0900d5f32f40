"""/api/signin and /api/signout: a browser's cookie in place of the token, and its end.

Without a token both are answered and mean nothing.
"""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import Final

from quart import Response, request
from quart_trio.wrappers import TrioResponse

from command_center.http.middleware.signin import COOKIE, LIFE_SECONDS, SIGN_IN, SignIns
from command_center.http.wire.operation import NOTHING, Api

api = Api[SignIns | None]("Signing in")

SENT: Final = MappingProxyType({"Set-Cookie": "The cookie, or its end."})
"""Headers that both answers send."""


@api.operation("POST", SIGN_IN, answers={204: NOTHING}, is_done_once=False, headers=SENT)
async def sign_in(sign_ins: SignIns | None) -> Response:
    """Give a cookie in place of the token."""
    answer = _nothing()
    if sign_ins is not None:
        ends = int(time.time()) + LIFE_SECONDS
        _set_cookie(answer, sign_ins.value(ends), LIFE_SECONDS)
    return answer


@api.operation("POST", "/api/signout", answers={204: NOTHING}, is_done_once=False, headers=SENT)
async def sign_out(sign_ins: SignIns | None) -> Response:
    """End the cookie."""
    del sign_ins
    answer = _nothing()
    _set_cookie(answer, "", 0)
    return answer


def _nothing() -> Response:
    answer: Response = TrioResponse(status=204)
    del answer.headers["Content-Type"]
    return answer


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
