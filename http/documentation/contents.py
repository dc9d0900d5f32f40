"""The pages of the documentation, their kinds and their order.

`docs/README.md` declares them: a part for each kind, and in it a list of pages, each with a note.
The decisions are listed by `docs/decisions/README.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import attrs

DOCS: Final = Path(__file__).parent.parent.parent / "docs"
"""The folder, which lies beside `http/` in a checkout and in an installation."""

START: Final = "README.md"
DECISIONS: Final = "decisions/README.md"

_KIND: Final = re.compile(r"^## (.+)$")
_ENTRY: Final = re.compile(r"^- \[(?P<title>[^]]+)\]\((?P<name>[^)#]+\.md)\)(?:: (?P<note>.+))?$")


@attrs.frozen
class Entry:
    """A page in the contents."""

    name: str
    title: str
    note: str = ""


@attrs.frozen
class Kind:
    """Pages of one kind, such as how-tos, in their order."""

    name: str
    entries: tuple[Entry, ...]


@cache
def kinds() -> tuple[Kind, ...]:
    """Read the contents."""
    found: dict[str, list[Entry]] = {}
    kind = ""
    for line in text_of(START).splitlines():
        if heading := _KIND.match(line):
            kind = heading[1]
        elif entry := _ENTRY.match(line):
            found.setdefault(kind, []).append(Entry(**entry.groupdict(default="")))
    return tuple(Kind(name, tuple(entries)) for name, entries in found.items())


@cache
def names() -> tuple[str, ...]:
    """List every page in the order of the contents, by its path in the folder."""
    listed = [START, *(entry.name for kind in kinds() for entry in kind.entries)]
    decisions = re.findall(r"\]\((\d[^)]+\.md)\)", text_of(DECISIONS))
    return (*listed, *(f"decisions/{name}" for name in decisions))


@cache
def kind_of() -> Mapping[str, str]:
    """Return the kind of each page that has one."""
    told = {entry.name: kind.name for kind in kinds() for entry in kind.entries}
    return {name: told.get(name, told[DECISIONS]) for name in names() if name != START}


def text_of(name: str) -> str:
    """Read a page."""
    return (DOCS / name).read_text(encoding="utf-8")


def address_of(name: str) -> str:
    """Return the address of a page below `/docs/`."""
    return name.removesuffix(".md").replace("README", "index") + ".html"


def files() -> Iterator[str]:
    """Yield the names of pictures, programs and other files that pages lead to."""
    for folder, suffixes in (
        ("examples", {".py"}),
        ("images", {".png", ".svg", ".webp"}),
        ("monitoring", {".json", ".yaml"}),
    ):
        for path in sorted((DOCS / folder).glob("*")):
            if path.suffix in suffixes:
                yield f"{folder}/{path.name}"
