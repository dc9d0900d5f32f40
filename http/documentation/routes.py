"""/docs/: the documentation, to everybody.

It is public and says nothing of this server, so that it needs no token. A page is made when it is
first asked for, in a thread, and nothing of it is loaded before.
"""

from __future__ import annotations

import hashlib

import trio
from quart import Blueprint, Response, abort
from quart_trio.wrappers import TrioResponse

from command_center.http.routes.dashboard import Asset, answer


def routes() -> Blueprint:
    """Serve the site."""
    site = Blueprint("documentation", __name__)
    making = trio.Lock()
    made: dict[str, Asset] = {}

    @site.get("/docs")
    async def beginning() -> Response:
        return TrioResponse(status=308, headers={"Location": "/docs/"})

    @site.get("/docs/")
    async def start() -> Response:
        return await found("index.html")

    @site.get("/docs/<path:name>")
    async def found(name: str) -> Response:
        async with making:
            if name not in made:
                asset = await trio.to_thread.run_sync(make, name)
                if asset is None:
                    abort(404)
                made[name] = asset
        return answer(made[name])

    return site


def make(name: str) -> Asset | None:
    """Make a file of the site."""
    from command_center.http.documentation import site  # noqa: PLC0415 - a server whose documentation nobody reads stays smaller

    told = site.made(name)
    if told is None:
        return None
    body, content_type = told
    return Asset(content_type=content_type, body=body, etag=hashlib.sha256(body).hexdigest()[:32])
