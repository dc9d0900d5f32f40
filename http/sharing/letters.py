"""Foreign letters in a document: a terminal's colours go, what hides or turns text is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_COLOURS: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_STRANGE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Controls, marks that turn the direction, and what takes no room; emoji keep their joiners."""


def plain(text: object) -> str:
    """Return a text with its lines and tabs, and every other control spelled out."""
    return _STRANGE.sub(_spelled, _COLOURS.sub("", str(text).replace("\r\n", "\n")))


def plain_in(value: Any) -> Any:
    """Return plain JSON with each of its texts as `plain` gives it."""
    match value:
        case str():
            return plain(value)
        case Mapping():
            return {plain(name): plain_in(part) for name, part in value.items()}
        case list() | tuple():
            return [plain_in(part) for part in value]
        case _:
            return value


def one_line(text: object) -> str:
    """Return a text as one line."""
    return " ".join(plain(text).split())


def _spelled(found: re.Match[str]) -> str:
    return ascii(found[0])[1:-1]
