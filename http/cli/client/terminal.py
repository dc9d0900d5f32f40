"""Text for a terminal: without what a terminal would obey, and with colour only where it is liked.

What agents, repositories and other clients say is foreign. No control character of it reaches the
terminal, nor does one that turns the order of letters around.
"""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any, Final

import click

from command_center.http.config.colours import is_coloured

COLOURS: Final = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
}

STATUSES: Final = {
    "completed": "green",
    "approved": "green",
    "running": "cyan",
    "starting": "cyan",
    "waiting_approval": "yellow",
    "waiting_limit": "yellow",
    "blocked": "yellow",
    "pending": "yellow",
    "failed": "red",
    "interrupted": "red",
    "rejected": "red",
    "expired": "red",
    "stopped": "dim",
    "cancelled": "dim",
}
"""Colours of what has such a status."""

TURNING: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
GAP: Final = "  "
NARROWEST: Final = 16
"""Cells below which a column of a table says too little, such as a moment."""

USUAL_COLUMNS: Final = 80


def painted(text: str, colour: str, stream: IO[str] | None = None) -> str:
    """Return the text in a colour, if the stream (stdout) shows colours."""
    code = COLOURS.get(colour)
    if code is None or not is_coloured(stream or sys.stdout):
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


_OWN: Final = re.compile("(\x1b\\[(?:" + "|".join(("0", *COLOURS.values())) + ")m)")


def echo(text: object, stream: IO[str] | None = None, *, nl: bool = True) -> None:
    """Print a text to the stream (stdout); of all that commands a terminal, colours alone pass."""
    parts = _OWN.split(str(text))
    parts[::2] = map(cleaned, parts[::2])
    click.echo("".join(parts), file=stream or sys.stdout, nl=nl, color=True)


def complain(text: object) -> None:
    """Print a text to stderr, as `echo` does."""
    echo(text, sys.stderr)


def cleaned(text: object) -> str:
    """Return a foreign text with its lines and tabs, and all other controls spelled out."""
    whole = str(text)
    if whole.isascii() and whole.isprintable():
        return whole
    return "".join(_harmless(c) for c in whole.replace("\r\n", "\n"))


def moment_of(text: str, form: str = "%Y-%m-%d %H:%M") -> str:
    """Return a moment in the time of who sits at the terminal; in a pipe it stays as it is."""
    if not sys.stdout.isatty():
        return text
    from datetime import datetime  # noqa: PLC0415 - many commands tell no moment

    try:
        return datetime.fromisoformat(text).astimezone().strftime(form)
    except (ValueError, OverflowError, OSError):  # it is none, or no zone knows it
        return text


def json_of(value: object, *, indent: int | None = 2) -> str:
    """Return JSON in which the controls are escaped that JSON itself lets stand."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return "".join(c if _harmless(c) == c else f"\\u{ord(c):04x}" for c in text)


def line_of(text: object) -> str:
    """Return a foreign text as one line."""
    return " ".join(cleaned(text).split())


def _harmless(letter: str) -> str:
    if letter in "\n\t":
        return letter
    if letter in TURNING or unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}:
        return ascii(letter)[1:-1]
    return letter


def width_of(text: str) -> int:
    """Return how many cells a terminal takes for it."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def cut(text: str, width: int) -> str:
    """Return the text in that many cells, with an ellipsis where it is longer."""
    if width_of(text) <= width:
        return text
    kept, used = [], 1
    for letter in text:
        used += width_of(letter)
        if used > width:
            break
        kept.append(letter)
    return "".join(kept) + "…"


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    paint: Callable[[int, str], str | None] = lambda _column, _text: None,
) -> Iterator[str]:
    """Yield the lines of a table that fits the terminal; in a pipe, columns between tabs.

    The widest column gives way first, and the first one last, since it names things. Where all of
    them are too narrow then, those before the last one are left out. `paint` names the colour of a
    cell, by its column and text.
    """
    if not sys.stdout.isatty():
        for row in rows:
            yield "\t".join(line_of(cell) for cell in row)
        return
    cells = [[line_of(cell) for cell in row] for row in rows]
    whole = [max(map(width_of, column)) for column in zip(heads, *cells, strict=True)]
    kept = [*range(len(heads))]
    while len(kept) > 1 and _least([whole[at] for at in kept]) > _columns():
        del kept[-2 if len(kept) > 2 else -1]  # noqa: PLR2004 - the first and the last stay longest
    widths = _fitting([whole[at] for at in kept], _columns())
    yield painted(_row([heads[at] for at in kept], widths), "bold")
    for row in cells:
        colours = [paint(at, row[at]) for at in kept]
        yield _row([row[at] for at in kept], widths, colours)


def _least(widths: Sequence[int]) -> int:
    """Return how many cells columns take that have given way as far as they do."""
    first, *others = widths
    return first + sum(len(GAP) + min(width, NARROWEST) for width in others)


def _fitting(widths: Sequence[int], room: int) -> list[int]:
    """Return widths of which the widest have given way, until they have room."""
    first, *others = widths
    first = min(first, room)
    room -= first + len(GAP) * len(others)
    while sum(others) > room and max(others, default=0) > NARROWEST:
        widest = others.index(max(others))
        second = max([w for i, w in enumerate(others) if i != widest] or [0])
        excess = sum(others) - room
        others[widest] = max(NARROWEST, others[widest] - excess, min(second, others[widest]) - 1)
    return [first, *others]


def _row(
    cells: Sequence[str], widths: Sequence[int], colours: Sequence[str | None] | None = None
) -> str:
    told = []
    for column, (text, width) in enumerate(zip(cells, widths, strict=True)):
        shown = cut(text, width)
        padding = " " * (width - width_of(shown)) if column < len(cells) - 1 else ""
        colour = colours[column] if colours else None
        told.append((painted(shown, colour) if colour else shown) + padding)
    return GAP.join(told).rstrip()


def _columns() -> int:
    """Return how wide the terminal is; shutil knows it, too, but loads much that it needs not."""
    told = os.environ.get("COLUMNS", "")
    try:
        return int(told) if told.isdecimal() else os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return USUAL_COLUMNS


_HUNK: Final = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


def diff_lines(patch: str) -> Iterator[str]:
    """Yield the lines of a unified diff, coloured where that is liked.

    A hunk's head counts its lines: among them `--- a` is a line `-- a` that was removed.
    """
    old = new = 0
    for line in cleaned(patch).splitlines():
        first = line[:1]
        if old > 0 or new > 0:
            colour = {"+": "green", "-": "red"}.get(first, "")
            old -= first in {"-", " ", ""}
            new -= first in {"+", " ", ""}
        elif hunk := _HUNK.match(line):
            old, new = (1 if count is None else int(count) for count in hunk.groups())
            colour = "cyan"
        elif line.startswith(("diff ", "index ", "--- ", "+++ ")):
            colour = "bold"
        else:
            colour = {"+": "green", "-": "red", "@": "cyan"}.get(first, "")
        yield painted(line, colour)


def said(value: Any) -> str:
    """Return a value of JSON as a person reads it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case [*items]:
            return ", ".join(said(item) for item in items)
        case dict():
            return json_of(value, indent=None)
        case _:
            return str(value)
