"""A page of a list, as the API shows it, and the rule by which every page ends.

A page has a limit of items and a budget of bytes, so that what it costs does not depend on what is
stored. It ends early where its items come to ``PAGE_BYTES``, or where ``SCANNED_BYTES`` were gone
through to find them. Rows are read one by one, so nothing is read that is not given.
"""

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

T = TypeVar("T")

MAX_LIMIT = 500
"""The most that one page holds."""

PAGE_BYTES = 1024 * 1024
"""A page ends with the item by which its items come to this many bytes, as they are stored."""

SCANNED_BYTES = 32 * 1024 * 1024
"""A page ends where this many bytes were looked through for its items."""


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True, rename="camel"):
    """Some of a list's items, and the cursor that gives the next ones; None after the last.

    Where there is a cursor there may be fewer items than were asked for, or none.

    Attributes:
        damaged: the ids of those that are left out, as they are not as they were written.
    """

    items: list[T]
    next_cursor: str | None = None
    damaged: list[int] | UnsetType = UNSET


class Row(NamedTuple, Generic[T]):
    """A row that was read for a page.

    Attributes:
        size: the bytes that the item takes.
        item: None where the row was looked through, and is not wanted.
        scanned: the bytes that were looked through.
    """

    id: int
    size: int
    item: T | None
    scanned: int = 0


def check_limit(limit: int) -> None:
    """Refuse a page of a size that no page has.

    Raises:
        ValueError: not in 1 to ``MAX_LIMIT``.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"A page holds 1 to {MAX_LIMIT} items, not {limit}.")


def fill(rows: Iterable[Row[T]], limit: int) -> tuple[list[T], int | None]:
    """Take the items of one page, and no row after them but one.

    Returns:
        the items, and the id after which the next page goes on; None where no row is left.
    """
    items: list[T] = []
    last: int | None = None
    held = scanned = 0
    for row in rows:
        if len(items) == limit or held >= PAGE_BYTES or scanned >= SCANNED_BYTES:
            return items, last
        last = row.id
        scanned += row.scanned
        if row.item is not None:
            held += row.size
            items.append(row.item)
    return items, None


def size_of(values: Iterable[object]) -> int:
    """Return the bytes that values take as they are stored; a number counts as eight."""
    return sum(_size(value) for value in values)


def _size(value: object) -> int:
    match value:
        case str():
            return len(value) if value.isascii() else len(value.encode())
        case bytes():
            return len(value)
        case _:
            return 8
