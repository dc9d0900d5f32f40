"""The site: every page, link and anchor of it, what the search has, and who may read it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from threading import Event

import attrs
import pytest
import trio

from command_center.http.app import create_app
from command_center.http.documentation import routes
from command_center.http.documentation.build import build
from command_center.http.documentation.contents import DOCS, kinds, names
from command_center.http.documentation.markdown import page_of, parts_of
from command_center.http.documentation.search import index
from command_center.http.middleware.gate import Policy
from command_center.http.routes.dashboard import Asset
from tests.actors.automations.rig import opened
from tests.checkout import ROOT, source_files
from tests.http.live import client_of

KINDS = ["Tutorial", "How-to guides", "Reference", "Explanation"]


@attrs.define
class Seen(HTMLParser):
    """The addresses, anchors and elements of a page."""

    addresses: list[str] = attrs.field(factory=list)
    anchors: set[str] = attrs.field(factory=set)
    inline: list[str] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attributes}
        self.addresses += [told[name] for name in ("href", "src", "data-index") if name in told]
        self.anchors |= {told["id"]} if "id" in told else set()
        if (tag == "script" and "src" not in told) or tag == "style" or "style" in told:
            self.inline.append(tag)


def seen(text: str) -> Seen:
    found = Seen()
    found.feed(text)
    return found


def test_every_link_of_the_site_leads_to_a_file_and_anchor_of_it(tmp_path: Path) -> None:
    """Nothing comes from elsewhere, and no script or style stands in a page."""
    built = tmp_path
    build(built)
    texts = {path: path.read_text(encoding="utf-8") for path in built.rglob("*.html")}
    pages = {path: seen(text) for path, text in texts.items()}
    assert len(names()) < len(pages)
    for path, page in pages.items():
        loaded = re.findall(r"""<(?:link|script|img)[^>]*(?:href|src)="([^"]+)""", texts[path])
        assert [] == [address for address in loaded if "//" in address], path.name
        assert [] == page.inline, path.name
        for address in page.addresses:
            target, _, anchor = address.partition("#")
            if "://" in target:
                continue
            found = Path(posixpath.normpath(path.parent / target)) if target else path
            assert built in found.parents, (path, address)
            found = found / "index.html" if found.is_dir() else found
            assert found.is_file(), (path.name, address)
            if anchor:
                assert anchor in pages[found].anchors, (path.name, address)


def test_every_page_has_one_place_in_the_contents() -> None:
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert sorted(there) == sorted(names())
    assert [kind for kind in KINDS if kind != "Tutorial"] == [
        kind.name for kind in kinds() if kind.name != "Tutorial"
    ]


def test_a_heading_that_is_there_twice_has_two_anchors() -> None:
    page = page_of("api.md", "# A page\n\n## `One` & two\n\na\n\n## One & two\n\nb\n")
    assert ["a-page", "one--two", "one--two-1"] == [part.heading.anchor for part in page.parts]
    assert ["", "a", "b"] == [part.words for part in page.parts]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[a](metrics.md#types)", 'href="../metrics.html#types"'),
        ("[a](0004-trio-and-actors-on-it.md)", 'href="0004-trio-and-actors-on-it.html"'),
        ("[a](README.md)", 'href="index.html"'),
        ("[a](../../LICENSE)", '<span class="outside">a</span>'),
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
    ],
)
def test_links_lead_to_where_the_site_has_their_targets(text: str, shown: str) -> None:
    text = text.replace("metrics.md", "../metrics.md")
    assert shown in page_of("decisions/README.md", f"# A\n\n{text}\n").html


def test_the_search_has_all_that_is_written() -> None:
    found = {part["at"]: part for part in index()}
    assert "user namespaces and Landlock" in found["doctor.html#codex-sandbox"]["words"]
    assert ("Settings", "Settings") == (
        found["settings.html"]["page"],
        found["settings.html"]["heading"],
    )
    assert "CC_API_TOKEN" in " ".join(part["words"] for part in found.values())


@cache
def anchors() -> Mapping[str, set[str]]:
    return {
        name: {part.heading.anchor for part in parts_of((DOCS / name).read_text(encoding="utf-8"))}
        for name in names()
    }


def test_every_page_that_the_program_names_is_there() -> None:
    web = (path.relative_to(ROOT) for path in (ROOT / "http" / "web").rglob("*.js"))
    named: list[tuple[str, str]] = []
    for path in (*source_files(), *web):
        if "vendor" not in path.parts and path.parts[:2] != ("http", "documentation"):
            text = (ROOT / path).read_text(encoding="utf-8")
            named += re.findall(r"/docs/([\w/-]+)\.html(?:#([\w-]+))?", text)
    assert {("events", "types"), ("doctor", "")} <= {*named}
    for name, anchor in named:
        if name != "openapi":
            assert {anchor} - {""} <= anchors()[f"{name}.md"], (name, anchor)


async def test_the_site_is_open_to_everybody_and_asked_for_again_only_when_it_changed(
    tmp_path: Path,
) -> None:
    policy = Policy(token="a-token-that-is-long-enough")
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, policy)) as http:
        first = await http.get("/docs/doctor.html")
        assert (200, "text/html; charset=utf-8") == (
            first.status_code,
            first.headers["Content-Type"],
        )
        assert "script-src 'self'" in first.headers["Content-Security-Policy"]
        tag = {"If-None-Match": first.headers["ETag"]}
        assert 304 == (await http.get("/docs/doctor.html", headers=tag)).status_code
        moved = await http.get("/docs")
        assert (308, "/docs/") == (moved.status_code, moved.headers["Location"])
        start = await http.get("/docs/")
        assert "Open the page" in start.text
        picture = await http.get("/docs/images/now-phone.webp")
        assert "image/webp" == picture.headers["Content-Type"]
        for name in ("README.md", "no.html", "../pyproject.toml", "%2e%2e/pyproject.toml"):
            assert 404 == (await http.get(f"/docs/{name}")).status_code, name
        assert '"page"' in (await http.get("/docs/search.json")).text


async def test_who_asks_for_what_is_there_does_not_wait_for_what_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = trio.Event(), Event()
    make = routes.make

    def slowly(name: str) -> Asset:
        if name == "search.json":
            trio.from_thread.run_sync(begun.set)
            may_end.wait(60)
        return make(name)

    monkeypatch.setattr(routes, "make", slowly)
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        page = await http.get("/docs/doctor.html")
        async with trio.open_nursery() as nursery:
            try:
                nursery.start_soon(http.get, "/docs/search.json")
                await begun.wait()
                with trio.fail_after(20):
                    assert page.text == (await http.get("/docs/doctor.html")).text
                    assert 404 == (await http.get("/docs/no.html")).status_code
            finally:
                may_end.set()
