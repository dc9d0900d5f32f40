"""The index of the search: the parts of all pages, for the browser to look through.

The browser searches by itself, so that it does so also where the pages are files on some server.
"""

from __future__ import annotations

from typing import Any

from command_center.http.documentation.contents import address_of, names, text_of
from command_center.http.documentation.markdown import parts_of


def index() -> list[dict[str, Any]]:
    """Return each part of each page: where it is, the page's title, its heading and its words."""
    return [
        {
            "at": f"{address_of(name)}#{part.heading.anchor}" if at else address_of(name),
            "page": parts[0].heading.text,
            "heading": part.heading.text,
            "words": " ".join(part.words.split()),
        }
        for name in names()
        for parts in [parts_of(text_of(name))]
        for at, part in enumerate(parts)
    ]
