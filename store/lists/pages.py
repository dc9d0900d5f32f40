"""A page of a list, as the API shows it."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

MAX_LIMIT = 500
"""The most that one page holds."""


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True, rename="camel"):
    """Some of a list's items, and the cursor that gives the next ones; None after the last."""

    items: list[T]
    next_cursor: str | None = None


def check_limit(limit: int) -> None:
    """Refuse a page of a size that no page has.

    Raises:
        ValueError: not in 1 to ``MAX_LIMIT``.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"A page holds 1 to {MAX_LIMIT} items, not {limit}.")
