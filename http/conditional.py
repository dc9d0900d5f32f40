"""Conditional requests, as RFC 9110 has them: ask again cheaply, and change only what was seen.

Every JSON answer of a GET below `/api/` has an `ETag`, made of the answer's own bytes, and a GET
that names it in `If-None-Match` is answered with 304 and no body as long as it would get the same
again. So a phone may ask often.

A PATCH that names the resource's tag in `If-Match` is carried out only if a GET would still give
what the tag stands for, else it is 412. Of several such PATCHes of one resource each is checked
after the one before was carried out, so of two that saw the same only one wins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, cast

from quart import Quart, Response, request
from quart.wrappers.response import DataBody

from command_center.actors.locks import KeyedLocks
from command_center.http.errors import JSON, PreconditionFailed

View = Callable[..., Awaitable[Response]]


def install_conditions(app: Quart) -> None:
    """Tag what `app`'s GETs answer, and check the conditions of its requests."""
    app.after_request(_tag)
    seen = {
        rule.rule: rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.websocket
    }
    locks = KeyedLocks()
    for rule in app.url_map.iter_rules():
        if "PATCH" in (rule.methods or ()) and rule.rule in seen:
            look = cast("View", app.view_functions[seen[rule.rule]])
            change = cast("View", app.view_functions[rule.endpoint])
            app.view_functions[rule.endpoint] = _checked(look, change, locks)


def tag_of(body: bytes) -> str:
    """The tag of an answer: equal for equal bytes."""
    return hashlib.blake2b(body, digest_size=12).hexdigest()


async def _tag(response: Response) -> Response:
    body = response.response
    if (
        request.method not in {"GET", "HEAD"}
        or response.status_code != 200  # noqa: PLR2004 - the status is the clearest name for it
        or response.content_type != JSON
        or not request.path.startswith("/api/")
        or not isinstance(body, DataBody)
        or "ETag" in response.headers
    ):
        return response
    tag = tag_of(body.data)
    if "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag):
        response.status_code = 304
        response.set_data(b"")
        for name in ("Content-Type", "Content-Length"):
            response.headers.pop(name, None)
    response.headers["ETag"] = f'"{tag}"'
    return response


def _checked(look: View, change: View, locks: KeyedLocks) -> View:
    """The change, made only while the resource is what the request has seen."""

    async def changed(**arguments: Any) -> Response:
        if "If-Match" not in request.headers:
            return await change(**arguments)
        async with locks.of(request.path):
            shown = await look(**arguments)
            body = shown.response
            assert isinstance(body, DataBody)  # noqa: S101 - a resource is answered in one piece
            if not request.if_match.contains(tag_of(body.data)):
                raise PreconditionFailed(request.path)
            return await change(**arguments)

    return changed
