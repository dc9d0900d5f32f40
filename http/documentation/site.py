"""All files of the site, by name below `/docs/`."""

from __future__ import annotations

from collections.abc import Sequence

from command_center.http.documentation.contents import DOCS, address_of, files, names
from command_center.http.documentation.search import index
from command_center.http.documentation.shell import shown
from command_center.http.wire.codec import encode
from command_center.http.wire.problems import JSON

HTML = "text/html; charset=utf-8"
SEARCH = "search.json"

_TYPES = {
    ".json": JSON,
    ".png": "image/png",
    ".py": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".yaml": "text/plain; charset=utf-8",
}


def listed() -> Sequence[str]:
    """List every file."""
    return [*map(address_of, names()), SEARCH, *files()]


def made(name: str, *, is_served: bool = True) -> tuple[bytes, str]:
    """Make a file; return its body and type.

    Raises:
        KeyError: it is not listed.
    """
    if name == SEARCH:
        return encode(index()), JSON
    for page in names():
        if address_of(page) == name:
            return shown(page, is_served=is_served).encode(), HTML
    if name not in files():
        raise KeyError(name)
    path = DOCS / name
    return path.read_bytes(), _TYPES[path.suffix]
