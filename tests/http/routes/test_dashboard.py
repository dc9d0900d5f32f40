from __future__ import annotations

import gzip
import re

import attrs
import pytest
from quart_trio import QuartTrio

from command_center.http.middleware.gate import Policy, install_gate
from command_center.http.routes.dashboard import CONTENT_TYPES, WEB, read_assets, release_of, routes
from command_center.http.wire.problems import install_error_handlers
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


async def test_the_page_names_the_modules_of_its_release_and_those_of_another_are_not_there() -> (
    None
):
    release = release_of(read_assets())
    async with client_of(dashboard_app()) as client:
        page = (await client.get("/")).text
        named = re.findall(r'"(/web/[^"]+)"', page)
        answers = {name: await client.get(name) for name in named}
        other = await client.get(f"/web/{'0' * 12}/app.js")
    assert {200} == {answer.status_code for answer in answers.values()}
    assert f"/web/{release}/app.js" in named
    moved = [name for name in named if not name.startswith(f"/web/{release}/")]
    assert [] == [name for name in moved if name.endswith((".js", ".css"))]
    assert 404 == other.status_code


def test_another_release_is_called_otherwise() -> None:
    assets = read_assets()
    changed = attrs.evolve(assets["store.js"], etag="other")
    assert release_of(assets) != release_of(assets | {"store.js": changed})


IMPORT = re.compile(r'^(?:import|export) [^;]*?from "(\.[^"]+)"', re.MULTILINE)
DYNAMIC = re.compile(r'import\("(\.[^"]+)"\)')
WORKER = re.compile(r'(?:new URL\(|^const [A-Z]+ = )"(\.[^"]+\.js)"', re.MULTILINE)
"""Modules of a worker, and what is imported by its name."""
EXPORT = re.compile(r"^export (?:async )?(?:const|function\*?|class) (\w+)", re.MULTILINE)


def imports_of(name: str, pattern: re.Pattern[str] = IMPORT) -> set[str]:
    """The modules that a module names."""
    path = WEB / name
    found = pattern.findall(path.read_text(encoding="utf-8"))
    root = WEB.resolve()
    return {(path.parent / wanted).resolve().relative_to(root).as_posix() for wanted in found}


def needed_by(*names: str) -> set[str]:
    """The modules, and all that they import at once."""
    waiting, seen = [*names], set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imports_of(name)
    return seen


def test_the_first_load_is_small() -> None:
    """The page, its styles, and the modules of the first screen and a session, compressed."""
    assets = read_assets()
    page = assets["index.html"].body.decode()
    linked = re.findall(r'(?:src|href)="/web/([^"]+\.(?:js|css|svg))"', page)
    needed = {"index.html", *linked, *needed_by("app.js", "screens/session.js")}
    sizes = {name: len(assets[name].compressed or assets[name].body) for name in needed}
    assert sum(sizes.values()) < FIRST_LOAD, sizes


def test_the_page_asks_for_all_its_modules_at_once() -> None:
    page = (WEB / "index.html").read_text(encoding="utf-8")
    preloaded = re.findall(r'rel="modulepreload" href="/web/([^"]+)"', page)
    assert sorted(needed_by("app.js") - {"app.js"}) == preloaded


def test_every_module_is_imported_by_some_other() -> None:
    modules = {path.relative_to(WEB).as_posix() for path in WEB.rglob("*.js")}
    imported = {name for module in modules for name in imports_of(module)}
    imported |= {name for module in modules for name in imports_of(module, DYNAMIC)}
    imported |= {name for module in modules for name in imports_of(module, WORKER)}
    assert {"app.js", "sw.js", "documentation/site.js"} == modules - imported


def test_every_name_that_is_imported_is_exported() -> None:
    named = re.compile(r'^import \{([^}]+)\} from "(\.[^"]+)"', re.MULTILINE)
    missing = []
    for path in sorted(WEB.rglob("*.js")):
        for names, source in named.findall(path.read_text(encoding="utf-8")):
            exporter = (path.parent / source).resolve()
            if exporter.parent.name == "vendor" or exporter.name == "html.js":
                continue
            exported = set(EXPORT.findall(exporter.read_text(encoding="utf-8")))
            wanted = set(re.findall(r"\w+", names))
            missing += [f"{path.name}: {name}" for name in sorted(wanted - exported)]
    assert [] == missing


def test_every_module_is_checked_by_types() -> None:
    unchecked = [
        path.name
        for path in WEB.rglob("*.js")
        if path.parent.name != "vendor" and not path.read_text().startswith("// @ts-check\n// ")
    ]
    assert [] == unchecked


def test_every_file_of_the_folder_is_served() -> None:
    ours = {path.suffix for path in WEB.rglob("*") if path.is_file()}
    assert ours - {".ts"} <= set(CONTENT_TYPES)  # declarations are for the check of types


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
