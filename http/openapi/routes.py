"""/openapi.json, /asyncapi.json, /docs/openapi.html: what the API is, for programs and people.

All of them tell what is public and need no token. They are made when the first of them is asked
for, since most runs of the server are asked for none.
"""

from __future__ import annotations

from collections.abc import Mapping

import trio
from quart import Blueprint, Response
from quart_trio.wrappers import TrioResponse

from command_center.http.wire.codec import encode
from command_center.http.wire.problems import JSON


def routes(*, secured: bool) -> Blueprint:
    """Serve the documents; `secured` says that this server wants a token."""
    api = Blueprint("documents", __name__)
    making = trio.Lock()
    made: dict[str, tuple[bytes, str]] = {}

    async def answer(name: str) -> Response:
        async with making:
            if not made:
                made.update(await trio.to_thread.run_sync(make, secured))
        body, content_type = made[name]
        return TrioResponse(body, content_type=content_type, headers={"Cache-Control": "no-cache"})

    @api.get("/openapi.json")
    async def show_openapi() -> Response:
        return await answer("openapi.json")

    @api.get("/asyncapi.json")
    async def show_asyncapi() -> Response:
        return await answer("asyncapi.json")

    @api.get("/docs/openapi.html")
    async def show_page() -> Response:
        return await answer("docs/openapi.html")

    @api.get("/docs/openapi.css")
    async def show_style() -> Response:
        return await answer("docs/openapi.css")

    return api


def make(secured: bool) -> Mapping[str, tuple[bytes, str]]:  # noqa: FBT001 - a thread is given it by place
    """Make each document; return its body and content type, by its path."""
    from command_center.http.openapi.asyncapi import asyncapi_document  # noqa: PLC0415 - a server that nobody asks for them starts sooner, and stays smaller
    from command_center.http.openapi.document import openapi_document  # noqa: PLC0415 - the same
    from command_center.http.openapi.page import STYLE, page_of  # noqa: PLC0415 - the same

    described = openapi_document(secured=secured)
    return {
        "openapi.json": (encode(described), JSON),
        "asyncapi.json": (encode(asyncapi_document(secured=secured)), JSON),
        "docs/openapi.html": (page_of(described).encode(), "text/html; charset=utf-8"),
        "docs/openapi.css": (STYLE.encode(), "text/css; charset=utf-8"),
    }
