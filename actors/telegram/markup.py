"""Styled text, and how Telegram wants it.

A text is a list of pieces, each plain text with a style. Only `to_html` makes markup of it, so
what people, repositories and Codex wrote is escaped once and in one place, and lengths are those
that Telegram counts: UTF-16 units of what is left when the markup is taken away, 4096 at most
(https://core.telegram.org/bots/api#sendmessage).
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias
from unicodedata import category

import msgspec

LONGEST: Final = 4096
"""UTF-16 units of the longest message."""

LONGEST_CAPTION: Final = 1024
"""UTF-16 units of the longest text beside a file."""

Style: TypeAlias = Literal["plain", "bold", "italic", "code", "block"]

_TAGS: Final[dict[str, tuple[str, str]]] = {
    "plain": ("", ""),
    "bold": ("<b>", "</b>"),
    "italic": ("<i>", "</i>"),
    "code": ("<code>", "</code>"),
    "block": ("<pre>", "</pre>"),
}


class StyledText(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of text in one style."""

    style: Style
    text: str


Text: TypeAlias = tuple[StyledText, ...]


def text(*parts: str | StyledText | Text) -> Text:
    """Put parts together; what is no piece yet is plain."""
    return tuple(piece for part in parts for piece in _pieces_of(part) if piece.text)


def _pieces_of(part: str | StyledText | Iterable[StyledText]) -> Iterable[StyledText]:
    if isinstance(part, str):
        return (StyledText("plain", part),)
    return (part,) if isinstance(part, StyledText) else part


def bold(said: str) -> StyledText:
    """Heavy."""
    return StyledText("bold", said)


def italic(said: str) -> StyledText:
    """Slanted."""
    return StyledText("italic", said)


def code(said: str) -> StyledText:
    """Monospaced, within a line, and `spelled_out`."""
    return StyledText("code", spelled_out(said))


def block(said: str) -> StyledText:
    """Monospaced, as lines of its own, and `spelled_out`."""
    return StyledText("block", spelled_out(said))


def spelled_out(said: str) -> str:
    """Code, with the number of what cannot be seen in it: it may hide, or turn writing round."""
    if said.isascii():
        return said
    return "".join(f"\\u{ord(c):04x}" if category(c) == "Cf" else c for c in said)


def lines(*parts: Iterable[StyledText] | str | StyledText | None) -> Text:
    """Put each part on a line of its own; None is no line, an empty text an empty line."""
    pieces: list[StyledText] = []
    for part in parts:
        if part is None:
            continue
        if pieces:
            pieces.append(StyledText("plain", "\n"))
        pieces.extend(_pieces_of(part))
    return tuple(piece for piece in pieces if piece.text)


def length(said: str) -> int:
    """Return the length of a text as Telegram counts it."""
    return len(said.encode("utf-16-le", "surrogatepass")) // 2


def length_of(pieces: Sequence[StyledText]) -> int:
    """Return the length of a styled text as Telegram counts it."""
    return sum(length(piece.text) for piece in pieces)


def shorten(said: str, limit: int) -> str:
    """Cut the end off what is longer than `limit`, and say so with an ellipsis."""
    if length(said) <= limit:
        return said
    return _cut(said, limit - 1).rstrip() + "…"


def shorten_middle(said: str, limit: int) -> str:
    """Keep whole lines of the beginning and the end of a long text, and say how many are missing.

    The first two thirds of the room go to the beginning. A line that alone is too long is cut.
    """
    if length(said) <= limit:
        return said
    all_lines = said.splitlines()
    note_room = 32
    head = _whole_lines(all_lines, (limit - note_room) * 2 // 3)
    tail = _whole_lines(all_lines[: len(head) - 1 : -1], (limit - note_room) // 3)[::-1]
    if not head:
        return shorten(said, limit)
    missing = len(all_lines) - len(head) - len(tail)
    return "\n".join([*head, f"… {missing} lines left out …", *tail])


def _whole_lines(candidates: Sequence[str], room: int) -> list[str]:
    kept: list[str] = []
    for line in candidates:
        room -= length(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def _cut(said: str, limit: int) -> str:
    """Return the longest beginning of at most `limit` UTF-16 units, never half a character."""
    return said.encode("utf-16-le", "replace")[: max(0, limit) * 2].decode("utf-16-le", "ignore")


def fit(pieces: Sequence[StyledText], limit: int = LONGEST) -> Text:
    """Cut a styled text that is too long; a net under whoever planned its length."""
    kept: list[StyledText] = []
    for piece in pieces:
        size = length(piece.text)
        if size > limit:
            if limit > 0:
                kept.append(StyledText(piece.style, shorten(piece.text, limit)))
            break
        kept.append(piece)
        limit -= size
    return tuple(kept)


def to_html(pieces: Sequence[StyledText]) -> str:
    """Write as Telegram's HTML (https://core.telegram.org/bots/api#html-style)."""
    written = []
    for piece in pieces:
        before, after = _TAGS[piece.style]
        written.append(f"{before}{html.escape(_clean(piece.text), quote=False)}{after}")
    return "".join(written)


def to_plain(pieces: Sequence[StyledText]) -> str:
    """Write without any style."""
    return _clean("".join(piece.text for piece in pieces))


def _clean(said: str) -> str:
    """Without what no message can carry: control characters, and halves of pairs."""
    kept = "".join(c if c in "\n\t" or c >= " " else "\N{REPLACEMENT CHARACTER}" for c in said)
    return kept.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
