"""/docs/: the documentation, to everybody.

It is public and says nothing of this server, so that it needs no token. A page is made when it is
first asked for, in a thread, compressed with it, and nothing of it is loaded before. One is made at
a time; whoever asks for one that is there, or for none, does not wait for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import trio
from quart import Blueprint, Response, abort
from quart_trio.wrappers import TrioResponse

from command_center.http.routes.dashboard import Asset, answer


def routes() -> Blueprint:
    """Serve the site."""
    site = Blueprint("documentation", __name__)
    making = trio.Lock()
    made: dict[str, Asset] = {}
    known: set[str] = set()

    @site.get("/docs")
    async def beginning() -> Response:
        return TrioResponse(status=308, headers={"Location": "/docs/"})

    @site.get("/docs/")
    async def start() -> Response:
        return await found("index.html")

    @site.get("/docs/<path:name>")
    async def found(name: str) -> Response:
        if not known:
            known.update(await trio.to_thread.run_sync(listed))
        if name not in known:
            abort(404)
        if name not in made:
            async with making:
                if name not in made:
                    made[name] = await trio.to_thread.run_sync(make, name)
        return answer(made[name])

    return site


def listed() -> Sequence[str]:
    """List the files of the site."""
    from command_center.http.documentation import site  # noqa: PLC0415 - a server whose documentation nobody reads stays smaller

    return site.listed()


def make(name: str) -> Asset:
    """Make a file of the site that is listed, and compress it."""
    from command_center.http.documentation import site  # noqa: PLC0415 - the same

    body, content_type = site.made(name)
    etag = hashlib.sha256(body).hexdigest()[:32]
    asset = Asset(content_type=content_type, body=body, etag=etag)
    asset.compressed  # noqa: B018 - it is made by the first look
    return asset
