"""Asking a package index what releases there are, and choosing the newest that can be taken.

It is one GET of the project's page, which says nothing of who asks: neither a version nor a
system. What comes is not trusted: it has a bound in bytes and in time, and what does not have the
form of a page is an error. A release counts only if it has a wheel of this program, is not yanked,
and is no pre-release.
Source: "Simple repository API" of the Python packaging specifications (PEP 503, 592 and 691).
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Final
from urllib.parse import unquote, urlsplit

import attrs
import httpx
import msgspec
import trio
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from command_center.actors.hosts.local.releases.index_settings import (
    PackageIndexes,
    without_secrets,
)
from command_center.actors.hosts.local.releases.installation import NAME

SECONDS: Final = 20.0
"""Seconds for an index, from the question to the last byte of what it answers."""

MOST_BYTES: Final = 4 << 20
MOST_HTML_BYTES: Final = 256 << 10
"""The parser of HTML takes four times as long for twice as much of what is no HTML."""
MOST_FILES: Final = 20_000
MOST_REDIRECTS: Final = 3

JSON_PAGE: Final = "application/vnd.pypi.simple.v1+json"
HTML_PAGES: Final = frozenset({"application/vnd.pypi.simple.v1+html", "text/html"})
ACCEPT: Final = f"{JSON_PAGE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
UNKNOWN: Final = frozenset({404, 410})


class IndexFailed(Exception):
    """An index gave no answer that can be used; the message says which, and why."""

    def __init__(self, url: str, reason: object) -> None:
        super().__init__(without_secrets(f"{url}: {reason}"))


class NoIndex(Exception):
    """The installer is told to ask no index."""

    def __init__(self) -> None:
        super().__init__("The installer is set to ask no package index.")


class OfferedFile(msgspec.Struct, frozen=True, rename="kebab"):
    """A file that an index offers; `yanked` may be the reason."""

    filename: str
    requires_python: str | None = None
    yanked: bool | str = False


class _Meta(msgspec.Struct, frozen=True, rename="kebab"):
    api_version: str


class _Page(msgspec.Struct, frozen=True):
    meta: _Meta
    files: list[OfferedFile]


@attrs.frozen
class Release:
    """A version that an index offers, and the Python that it needs."""

    version: Version
    python: str = ""


@attrs.frozen
class Choice:
    """The outcome of a look: the newest release for this Python, and one that needs another."""

    newest: Release | None = None
    beyond: Release | None = None


def choose(
    releases: Iterable[Release],
    installed: Version,
    *,
    wanted: Version | None = None,
    python: str = platform.python_version(),
) -> Choice:
    """Return the newest release above the installed one, or the very one that is wanted.

    `beyond` is a newer one than that, which this Python cannot run. A pre-release counts where it
    is wanted, and nowhere else.
    """
    found = Choice()
    for release in sorted(releases, key=lambda one: one.version):
        if wanted is None and (release.version.is_prerelease or release.version <= installed):
            continue
        if wanted is not None and release.version != wanted:
            continue
        if SpecifierSet(release.python).contains(python, prereleases=True):
            found = Choice(newest=release)
        else:
            found = attrs.evolve(found, beyond=release)
    return found


async def offered(indexes: PackageIndexes) -> list[Release]:
    """Ask the indexes, and return what they offer.

    Raises:
        IndexFailed: one that counts gave no answer that can be used.
        NoIndex: there is none to ask.
    """
    if not indexes.urls:
        raise NoIndex
    found: list[Release] = []
    for url in indexes.urls:
        page = await _page(url)
        if page is None:
            continue
        found += releases_of(page)
        if not indexes.are_equal:
            break
    return found


def releases_of(files: Sequence[OfferedFile]) -> Iterator[Release]:
    """Yield the releases that files make: wheels of this program that are not yanked."""
    for file in files:
        if file.yanked is not False or not (file.requires_python or "").isprintable():
            continue
        try:
            name, version, _, _ = parse_wheel_filename(file.filename)
            SpecifierSet(file.requires_python or "")
        except ValueError:
            continue  # a source distribution, or what no installer takes
        if name == canonicalize_name(NAME):
            yield Release(version, file.requires_python or "")


async def _page(index: str) -> list[OfferedFile] | None:
    """Return the files of the project's page; None where the index does not know the project."""
    try:
        with trio.fail_after(SECONDS):
            answer = await _asked(index)
    except trio.TooSlowError:
        raise IndexFailed(index, f"its answer takes more than {SECONDS:g} s.") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise IndexFailed(index, str(error) or type(error).__name__) from error
    if answer is None:
        return None
    return await trio.to_thread.run_sync(parsed, index, *answer)


async def _asked(index: str) -> tuple[str, bytes] | None:
    """Return what kind of page the index answers, and the page."""
    url = f"{index.rstrip('/')}/{NAME}/"
    headers = {"Accept": ACCEPT, "Accept-Encoding": "identity", "User-Agent": NAME}
    context = await trio.to_thread.run_sync(httpx.create_ssl_context)
    async with httpx.AsyncClient(headers=headers, timeout=None, verify=context) as client:  # noqa: S113 - all of it has one
        for _ in range(MOST_REDIRECTS + 1):
            async with client.stream("GET", url) as answer:
                if answer.status_code in UNKNOWN:
                    return None
                if answer.next_request is None:
                    answer.raise_for_status()
                    return _kind(answer), await _body(index, answer)
                url = _followed(index, url, answer.next_request.url)
    raise IndexFailed(index, "it leads from one place to the next without an end.")


def _followed(index: str, url: str, target: httpx.URL) -> str:
    if urlsplit(url).scheme == "https" and target.scheme != "https":
        raise IndexFailed(index, "it leads away from https.")
    return str(target)


def _kind(answer: httpx.Response) -> str:
    kind: str = answer.headers.get("Content-Type", "")
    return kind.partition(";")[0].strip().lower()


async def _body(index: str, answer: httpx.Response) -> bytes:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise IndexFailed(index, "it packs its answer, which was not asked for.")
    body = bytearray()
    with trio.CancelScope() as reading:
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > MOST_BYTES:
                reading.cancel()  # to break off here would leave httpx's generators open
    if len(body) > MOST_BYTES:
        raise IndexFailed(index, f"its answer has more than {MOST_BYTES:,} bytes.")
    return bytes(body)


def parsed(index: str, kind: str, body: bytes) -> list[OfferedFile]:
    """Return the files that a page of an index lists.

    Raises:
        IndexFailed: it is no such page.
    """
    if kind == JSON_PAGE:
        try:
            page = msgspec.json.decode(body, type=_Page)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise IndexFailed(index, f"its answer is no page of an index ({error}).") from error
        if page.meta.api_version.partition(".")[0] != "1":
            raise IndexFailed(index, f"it speaks version {page.meta.api_version[:20]!r}.")
        files = page.files
    elif kind in HTML_PAGES:
        if len(body) > MOST_HTML_BYTES:
            raise IndexFailed(index, f"its answer has more than {MOST_HTML_BYTES:,} bytes of HTML.")
        reader = _Links()
        reader.feed(body.decode("utf-8", "replace"))
        files = reader.files
    else:
        raise IndexFailed(index, f"its answer is {kind[:60]!r}, and no page of an index.")
    if len(files) > MOST_FILES:
        raise IndexFailed(index, f"it lists more than {MOST_FILES:,} files.")
    return files


class _Links(HTMLParser):
    """Reads the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[OfferedFile] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a link to a file."""
        told = dict(attrs)
        if tag == "a" and (link := told.get("href")) and len(self.files) <= MOST_FILES:
            self.files.append(
                OfferedFile(
                    filename=unquote(urlsplit(link).path.rpartition("/")[2]),
                    requires_python=told.get("data-requires-python"),
                    yanked="data-yanked" in told,
                )
            )
