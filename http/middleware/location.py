"""The `Location` of a 201: where what a POST made is found, as RFC 9110 wants it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from quart import Response
from quart.wrappers.response import DataBody

from command_center.http.wire.operation import Location, View


def located(view: View, location: Location) -> View:
    """Add to a view's 201 where the record is, also where the answer is a kept one."""

    async def answered(**arguments: Any) -> Response:
        answer = await view(**arguments)
        body = answer.response
        if answer.status_code == HTTPStatus.CREATED and isinstance(body, DataBody):
            answer.headers["Location"] = location.of(body.data)
        return answer

    return answered
