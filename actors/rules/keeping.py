"""Bounds of what is kept: by age, by size, or by both."""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeAlias

import attrs
import msgspec

ALL: Final = "all"
"""The word for no bound at all."""

_AGE_TEXT: Final = "[1-9][0-9]{0,4}d"
_SIZE_TEXT: Final = "[1-9][0-9]{0,5}(?:MB|GB|TB)"
_BOUND: Final = f"{_AGE_TEXT}|{_SIZE_TEXT}|{_AGE_TEXT},{_SIZE_TEXT}"

Bound: TypeAlias = Annotated[str, msgspec.Meta(max_length=16, pattern=rf"^(?:{_BOUND})$(?!\n)")]
BoundOrAll: TypeAlias = Annotated[
    str, msgspec.Meta(max_length=16, pattern=rf"^(?:all|{_BOUND})$(?!\n)")
]

_UNITS: Final = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_AGE: Final = re.compile(r"([1-9][0-9]{0,4})d")
_SIZE: Final = re.compile(r"([1-9][0-9]{0,5})(MB|GB|TB)")


@attrs.frozen
class Keeping:
    """A bound of what is kept; nothing is removed without one.

        assert parse_keeping("90d,2GB") == Keeping(days=90, size=2_000_000_000)

    Attributes:
        days: what is older is removed.
        size: bytes; where there is more, the oldest is removed.
    """

    days: int | None = None
    size: int | None = None

    def __bool__(self) -> bool:
        """Say whether anything is ever removed."""
        return self.days is not None or self.size is not None


def parse_size(text: str) -> int | None:
    """Return the bytes of a size such as 2GB; None for `off`.

    Raises:
        ValueError: it is none.
    """
    if text == "off":
        return None
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text} is no size")
    return int(found[1]) * _UNITS[found[2]]


def parse_keeping(text: str | None) -> Keeping:
    """Return the bound that a text tells: an age such as 90d, a size such as 2GB, or both.

    None bounds nothing.

    Raises:
        ValueError: it tells none.
    """
    if text is None:
        return Keeping()
    days: int | None = None
    size: int | None = None
    for word in text.replace(",", " ").split():
        age, much = _AGE.fullmatch(word), _SIZE.fullmatch(word)
        if age and days is None:
            days = int(age[1])
        elif much and size is None:
            size = parse_size(word)
        else:
            raise ValueError(f"{word} is neither an age nor a size")
    if days is None and size is None:
        raise ValueError("there is neither an age nor a size")
    return Keeping(days, size)
