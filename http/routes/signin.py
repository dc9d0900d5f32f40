"""/api/signin and /api/signout: a browser's cookie in place of the token, and its end.

Without a token both are answered and mean nothing.
"""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import Final

from quart import Response, request
from quart_trio.wrappers import TrioResponse

from command_center.actors.core.clock import seconds_until
from command_center.actors.devices.roster import Admitted
from command_center.http.middleware.authentication import Credentials
from command_center.http.middleware.signin import (
    COOKIE,
    DEVICE_LIFE_SECONDS,
    LIFE_SECONDS,
    SIGN_IN,
    SignIns,
)
from command_center.http.wire.caller import caller_of
from command_center.http.wire.operation import NOTHING, Api

api = Api[Credentials]("Signing in")

SENT: Final = MappingProxyType({"Set-Cookie": "The cookie, or its end."})
"""Headers that both answers send."""


@api.operation(
    "POST", SIGN_IN, answers={204: NOTHING}, is_done_once=False, headers=SENT, is_for_all=True
)
async def sign_in(credentials: Credentials) -> Response:
    """Give a cookie in place of the token."""
    answer = _nothing()
    sign_ins = credentials.sign_ins
    device_id = caller_of(request.scope).device_id
    device = None if device_id is None else credentials.roster.by_id(device_id)
    if device is not None:
        set_device_cookie(answer, sign_ins, device)
    elif sign_ins.token is not None:
        ends = int(time.time()) + LIFE_SECONDS
        _set_cookie(answer, sign_ins.value(ends), LIFE_SECONDS)
    return answer


@api.operation(
    "POST",
    "/api/signout",
    answers={204: NOTHING},
    is_done_once=False,
    headers=SENT,
    is_for_all=True,
)
async def sign_out(credentials: Credentials) -> Response:
    """End the cookie, and with it the streams and terminals of whose it is."""
    credentials.roster.sign_out(caller_of(request.scope).device_id)
    answer = _nothing()
    _set_cookie(answer, "", 0)
    return answer


def set_device_cookie(answer: Response, sign_ins: SignIns, device: Admitted) -> None:
    """Give a cookie that stands for a device, as long as the device is let in."""
    seconds = DEVICE_LIFE_SECONDS
    if device.expires_at is not None:
        seconds = min(seconds, max(1, int(seconds_until(device.expires_at))))
    value = sign_ins.value_of(device, int(time.time()) + seconds)
    _set_cookie(answer, value, seconds)


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
