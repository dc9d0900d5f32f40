"""Lines of a file that have a text, and the part of each that is shown.

The work grows with the length of the file alone, whatever it and the query say: each line is found
once, however often it has the text.
"""

from __future__ import annotations

from typing import Final

SHOWN_LINE: Final = 240
"""Characters of a line that are shown, from a little before what was looked for."""

BEFORE_IT: Final = 60

LOOKED_AT: Final = 8000
"""Bytes in which a zero byte says that a file is no text; git goes by as many."""


def is_binary(content: bytes) -> bool:
    """Return True if the beginning of a file is no text's."""
    return b"\0" in content[:LOOKED_AT]


def lines_with(content: bytes, query: str, limit: int) -> list[tuple[int, str]]:
    r"""Return the first lines that have a text: their numbers from 1, and what is shown of them.

    The text is one line at most. Its capital letters count, if it has any.

    >>> lines_with(b"One two\nthree\r\ntwo one one", "one", 9)
    [(1, 'One two'), (3, 'two one one')]
    """
    folded = _folded(content, query) if query.islower() else content
    needle = query.encode()
    found: list[tuple[int, str]] = []
    begin = number = 0
    at = folded.find(needle)
    while at >= 0 and len(found) < limit:
        number += folded.count(b"\n", begin, at) + 1
        if query.isascii():
            line = _line_around(content, at)
        else:  # characters that were folded may have had other lengths
            line = content.split(b"\n", number)[number - 1]
        found.append((number, _part_of(line, query)))
        begin = folded.find(b"\n", at) + 1
        at = folded.find(needle, begin) if begin else -1
    return found


def _line_around(content: bytes, at: int) -> bytes:
    end = content.find(b"\n", at)
    return content[content.rfind(b"\n", 0, at) + 1 : len(content) if end < 0 else end]


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
