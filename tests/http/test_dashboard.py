from __future__ import annotations

import gzip
import re

import pytest
from quart_trio import QuartTrio

from command_center.http.dashboard import CONTENT_TYPES, WEB, read_assets, routes
from command_center.http.errors import install_error_handlers
from command_center.http.security import Policy, install_gate
from tests.http.live import client_of

FIRST_LOAD = 100_000


def dashboard_app() -> QuartTrio:
    app = QuartTrio(__name__)
    install_error_handlers(app)
    app.register_blueprint(routes())
    install_gate(app, Policy(token="a-token-of-32-characters-or-more"))
    return app


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/sw.js", "text/javascript; charset=utf-8"),
        ("/web/app.js", "text/javascript; charset=utf-8"),
        ("/web/screens/now.js", "text/javascript; charset=utf-8"),
        ("/web/styles/tokens.css", "text/css; charset=utf-8"),
        ("/web/icons/icon.svg", "image/svg+xml"),
        ("/web/icons/icon-192.png", "image/png"),
        ("/web/manifest.webmanifest", "application/manifest+json"),
    ],
)
async def test_files_are_served_by_their_kind_without_a_token(path: str, content_type: str) -> None:
    async with client_of(dashboard_app()) as client:
        answer = await client.get(path)
    assert (200, content_type) == (answer.status_code, answer.headers["content-type"])
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path", ["/web/", "/web/nothing.js", "/web/../app.py", "/web/%2e%2e/app.py", "/web/app.py"]
)
async def test_nothing_else_is_served(path: str) -> None:
    async with client_of(dashboard_app()) as client:
        answer = await client.get(path)
    assert 404 == answer.status_code == answer.json()["error"]["statusCode"]


async def test_text_is_compressed_for_who_takes_it() -> None:
    async with client_of(dashboard_app()) as client:
        small = await client.get("/web/app.js", headers={"Accept-Encoding": "gzip, br"})
        whole = await client.get("/web/app.js", headers={"Accept-Encoding": "identity"})
    assert "gzip" == small.headers["content-encoding"]
    assert "content-encoding" not in whole.headers
    assert small.content == whole.content == (WEB / "app.js").read_bytes()
    assert int(small.headers["content-length"]) < int(whole.headers["content-length"]) / 2
    assert "Accept-Encoding" == small.headers["vary"] == whole.headers["vary"]


async def test_a_browser_that_has_the_file_is_told_so() -> None:
    async with client_of(dashboard_app()) as client:
        first = await client.get("/")
        again = await client.get("/", headers={"If-None-Match": first.headers["etag"]})
        other = await client.get("/", headers={"If-None-Match": 'W/"0"'})
    assert "no-cache" == first.headers["cache-control"]
    assert (304, b"", 200) == (again.status_code, again.content, other.status_code)


def test_the_first_load_is_small() -> None:
    """What the first screen needs, followed through its imports, as it goes over the wire."""
    assets = read_assets()
    waiting = ["index.html", "screens/session.js"]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        text = assets[name].body.decode()
        folder = name.rpartition("/")[0]
        for found in re.findall(r'(?:from|^import) "(\.[^"]+)"', text, re.MULTILINE):
            path = WEB / folder / found
            waiting.append(path.resolve().relative_to(WEB.resolve()).as_posix())
        waiting += re.findall(r'(?:src|href)="/web/([^"]+\.(?:js|css|svg))"', text)
    sizes = {name: len(assets[name].compressed or assets[name].body) for name in seen}
    assert len(seen) > 20
    assert sum(sizes.values()) < FIRST_LOAD, sizes


def test_every_file_of_the_folder_is_served() -> None:
    ours = {path.suffix for path in WEB.rglob("*") if path.is_file()}
    assert ours <= set(CONTENT_TYPES)


def test_nothing_stands_in_the_page_that_its_policy_would_refuse() -> None:
    page = (WEB / "index.html").read_text(encoding="utf-8")
    assert [] == re.findall(
        r"<style|style=|\son\w+=|javascript:|<script(?! type=\"module\" src)", page
    )
    assert [] == re.findall(r"https?://", page)


def test_a_compressed_file_is_the_same_each_time() -> None:
    asset = read_assets()["app.js"]
    assert asset.compressed == read_assets()["app.js"].compressed
    assert asset.compressed is not None
    assert asset.body == gzip.decompress(asset.compressed)
