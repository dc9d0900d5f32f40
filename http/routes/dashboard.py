"""The dashboard's files, served from memory at `/`: a page, its modules and its styles.

The page talks to the public API and to nothing else, so nothing here knows of repositories or
sessions. Files are read at the start, compressed once, and answered with an ETag; a browser asks
again each time (`no-cache`) and is told 304 until the program is another one. They hold no secrets
and need no token; all that they show comes from `/api/`, which does.

A page loads some of its modules only when they are needed, perhaps hours later, and those of
another version do not go with the ones that it has. So it names its modules and styles below
`/web/RELEASE/`, a folder that is called after what all files hold: a server of another version has
no such folder, and by that the page learns that it is to be loaded again.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType

import attrs
from quart import Blueprint, Response, abort, request
from quart_trio.wrappers import TrioResponse

from command_center.http.wire.compression import GZIP, takes_gzip

WEB = Path(__file__).parent.parent / "web"

CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".png": "image/png",
        ".svg": "image/svg+xml",
        ".txt": "text/plain; charset=utf-8",
        ".webmanifest": "application/manifest+json",
    }
)
"""Types of the files that are served, by suffix; other files in the folder are not."""

SMALLEST_COMPRESSED = 400
"""Bytes below which compression is no gain."""


@attrs.frozen(kw_only=True)
class Asset:
    """A file as it is sent."""

    content_type: str
    body: bytes
    etag: str

    @classmethod
    def of(cls, path: Path) -> Asset:
        """Read a file."""
        body = path.read_bytes()
        return cls(
            content_type=CONTENT_TYPES[path.suffix],
            body=body,
            etag=hashlib.sha256(body).hexdigest()[:32],
        )

    @cached_property
    def compressed(self) -> bytes | None:
        """Return the body compressed, or None where that is no gain; it is made once."""
        if len(self.body) < SMALLEST_COMPRESSED:
            return None
        small = gzip.compress(self.body, 9, mtime=0)
        return small if len(small) < len(self.body) * 0.9 else None


def read_assets(folder: Path = WEB) -> dict[str, Asset]:
    """Read every file that is served, by its path below the folder."""
    return {
        path.relative_to(folder).as_posix(): Asset.of(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in CONTENT_TYPES and path.is_file()
    }


@cache
def own_assets() -> Mapping[str, Asset]:
    """Read the files of this release, once in a process."""
    return read_assets()


def release_of(assets: Mapping[str, Asset]) -> str:
    """Return a name for what the files hold, all together."""
    told = "".join(f"{name} {asset.etag}\n" for name, asset in sorted(assets.items()))
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def page_of(assets: Mapping[str, Asset]) -> Asset:
    """Return the page, with its modules and styles as those of this release."""
    page = assets["index.html"]
    folder = f"/web/{release_of(assets)}/".encode()
    body = re.sub(rb'(?<=")/web/(?=[^"]+\.(?:js|css)")', folder, page.body)
    return Asset(
        content_type=page.content_type, body=body, etag=hashlib.sha256(body).hexdigest()[:32]
    )


def routes() -> Blueprint:
    """Serve the page at `/`, its service worker beside it, and everything else below `/web/`."""
    pages = Blueprint("dashboard", __name__)
    assets = own_assets()
    start = page_of(assets)
    release = f"{release_of(assets)}/"

    @pages.get("/")
    async def page() -> Response:
        return answer(start)

    @pages.get("/sw.js")
    async def service_worker() -> Response:
        return answer(assets["sw.js"])

    @pages.get("/web/<path:name>")
    async def asset(name: str) -> Response:
        found = assets.get(name.removeprefix(release))
        if found is None:
            abort(404)
        return answer(found)

    return pages


def answer(asset: Asset) -> Response:
    """Answer with the file, or with 304 if the client has it already."""
    if request.if_none_match.contains_weak(asset.etag):
        answer: Response = TrioResponse(status=304)
    else:
        body = asset.compressed if takes_gzip(request) else None
        answer = TrioResponse(asset.body if body is None else body, content_type=asset.content_type)
        if body is not None:
            answer.headers["Content-Encoding"] = GZIP
    if asset.compressed is not None:
        answer.headers["Vary"] = "Accept-Encoding"
    answer.headers["ETag"] = f'W/"{asset.etag}"'
    answer.headers["Cache-Control"] = "no-cache"
    return answer
