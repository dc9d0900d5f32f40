"""Lines of a file that have a text, and the part of each that is shown.

The work grows with the length of the file alone, whatever it and the query say. It is done by
blocks: of whole lines, or of a part of one that is longer, with enough before and after it that
nothing is missed at the seam. No step of it keeps the interpreter for longer than a block takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

SHOWN_LINE: Final = 240
"""Characters of a line that are shown, from a little before what was looked for."""

BEFORE_IT: Final = 60

BLOCK: Final = 16 * 1024
"""Bytes that are looked through in one step."""

LOOKED_AT: Final = 8000
"""Bytes in which a zero byte says that a file is no text; git goes by as many."""


def is_binary(content: bytes) -> bool:
    """Return True if the beginning of a file is no text's."""
    return b"\0" in content[:LOOKED_AT]


def lines_with(content: bytes, query: str, limit: int) -> Iterator[list[tuple[int, str]]]:
    r"""Find the first lines that have a text: their numbers from 1, and what is shown of them.

    Each step looks through a block and takes a moment, so that who asks may stop between two. The
    text is one line at most. Its capital letters count, if it has any.

    >>> [*lines_with(b"One two\nthree\r\ntwo one one", "one", 9)]
    [[(1, 'One two'), (3, 'two one one')]]
    """
    margin = 4 * (SHOWN_LINE + len(query))  # a letter has four bytes at most
    begin, number, last = 0, 1, 0
    is_inside = False
    while begin < len(content) and limit > 0:
        end = min(begin + BLOCK, len(content))
        cut = 0 if end == len(content) else content.rfind(b"\n", begin, end) + 1
        goes_on = end < len(content) and not cut
        end = cut or end
        block = content[max(0, begin - margin * is_inside) : end + margin * goes_on]
        hits = (hit for hit in _hits(block, query, number) if hit[0] > last)
        found = [*islice(hits, limit)]
        if found:
            last = found[-1][0]
            limit -= len(found)
        yield found
        number += content.count(b"\n", begin, end)
        begin, is_inside = end, goes_on


def _hits(block: bytes, query: str, number: int) -> Iterator[tuple[int, str]]:
    """Find the lines of a block that begins with the line of that number, or inside of it."""
    needle = query.encode()
    folded = _folded(block, query) if query.islower() else block
    at = folded.find(needle)
    # What was folded may have another length, but it has as many lines.
    lines = block.split(b"\n") if at >= 0 else []
    begin = index = 0
    while at >= 0:
        index += folded.count(b"\n", begin, at)
        yield number + index, _part_of(lines[index], query)
        begin = folded.find(b"\n", at) + 1
        index += 1
        at = folded.find(needle, begin) if begin else -1


def _folded(content: bytes, query: str) -> bytes:
    if query.isascii():
        return content.lower()
    text = content.decode("utf-8", errors="surrogateescape")
    return text.lower().encode("utf-8", errors="surrogateescape")


def _part_of(line: bytes, query: str) -> str:
    text = line.decode("utf-8", errors="backslashreplace").rstrip("\r")
    at = (text.lower() if query.islower() else text).find(query)
    begin = max(0, at - BEFORE_IT)
    return text[begin : begin + SHOWN_LINE]
