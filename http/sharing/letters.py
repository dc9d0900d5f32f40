"""Foreign letters in a document: a terminal's colours go, what hides or turns text is shown."""

from __future__ import annotations

import re
from typing import Final

_COLOURS: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_STRANGE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def plain(text: object) -> str:
    """Return a text with its lines and tabs, and every other control spelled out."""
    return _STRANGE.sub(_spelled, _COLOURS.sub("", str(text).replace("\r\n", "\n")))


def one_line(text: object) -> str:
    """Return a text as one line."""
    return " ".join(plain(text).split())


def _spelled(found: re.Match[str]) -> str:
    return ascii(found[0])[1:-1]
