"""The dashboard's files, served from memory at `/`: a page, its modules and its styles.

The page talks to the public API and to nothing else, so nothing here knows of repositories or
sessions. Files are read at the start, compressed once, and answered with an ETag; a browser asks
again each time (`no-cache`) and is told 304 until the program is another one. They hold no secrets
and need no token; all that they show comes from `/api/`, which does.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import attrs
from quart import Blueprint, Response, abort, request
from quart_trio.wrappers import TrioResponse

from command_center.http.compression import GZIP, takes_gzip

WEB = Path(__file__).parent / "web"

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
"""What is served, by suffix; other files in the folder are not."""

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
        """The body, smaller; None where that is no gain. Made when it is first asked for."""
        if len(self.body) < SMALLEST_COMPRESSED:
            return None
        small = gzip.compress(self.body, 9, mtime=0)
        return small if len(small) < len(self.body) * 0.9 else None


def read_assets(folder: Path = WEB) -> dict[str, Asset]:
    """Every file that is served, by its path below the folder."""
    return {
        path.relative_to(folder).as_posix(): Asset.of(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in CONTENT_TYPES and path.is_file()
    }


def routes() -> Blueprint:
    """The page at `/`, its service worker beside it, and everything else below `/web/`."""
    pages = Blueprint("dashboard", __name__)
    assets = read_assets()

    @pages.get("/")
    async def page() -> Response:
        return _answer(assets["index.html"])

    @pages.get("/sw.js")
    async def service_worker() -> Response:
        return _answer(assets["sw.js"])

    @pages.get("/web/<path:name>")
    async def asset(name: str) -> Response:
        if name not in assets:
            abort(404)
        return _answer(assets[name])

    return pages


def _answer(asset: Asset) -> Response:
    """The file; 304 to who has it already."""
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
