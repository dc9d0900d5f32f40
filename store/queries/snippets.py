"""Show the part of a text that was found in which the words are.

FTS5's `highlight` and `snippet` take a time that grows with the square of the matches in a text: of
200,000 characters with a match at every other one, five seconds. So they mark short texts alone. A
longer one is looked through part by part, by an FTS5 in memory that takes the same words for a
match, and only the first part with one is marked.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final, Protocol, TypeVar

import msgspec

from command_center.store.lists.cursors import encode_cursor
from command_center.store.lists.pages import Page, Row, fill

F = TypeVar("F", bound=msgspec.Struct)

BEFORE, AFTER = 60, 180
"""Characters of a snippet before its first match, and from there on."""

SHORT: Final = 2048
"""Characters of a text that is marked at once, and about those of a part of a longer one."""

OVERLAP: Final = 512
"""Characters that a part shares with the next one, so that one of them has a phrase whole."""

BEGIN, END = "\N{START OF TEXT}", "\N{END OF TEXT}"
"""Stand around a match in what SQLite answers. A text that has them itself only shows odd marks."""

_BREAK: Final = re.compile(r"[\W_]")


class Piece(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A piece of a text; `isMatch` where it is what was searched for."""

    text: str
    is_match: bool = False


class SnippetOf(Protocol):
    """Makes snippets for one search."""

    def __call__(self, text: str, *, is_marked: bool) -> list[Piece]:
        """Return where the words are in a text, in pieces; of one that is marked, by its marks."""
        ...


def page_of_found(
    found: sqlite3.Cursor, words: str, kind: type[F], *, limit: int, listing: str
) -> Page[F]:
    """Make a page of what a search has found, of the structs of that kind.

    Args:
        found: rows of the kind's fields in their order, its `snippet` left out, and behind them
            what `marked_text` selects; the first field is the rowid that a cursor goes on below.
        words: the search.
        kind: a struct with a `snippet` of pieces.
        limit: the rows of a page; `found` may have one more.
        listing: the list's name in its cursors.
    """
    names = [name for name in kind.__struct_encode_fields__ if name != "snippet"]
    with snippets(words) as snippet_of, closing(found) as rows:

        def made(row: tuple[Any, ...]) -> F:
            *values, is_marked, text = row
            told = dict(zip(names, values, strict=True))
            told["snippet"] = snippet_of(text, is_marked=is_marked)
            return msgspec.convert(told, kind, strict=False)  # SQLite has no truth values

        read = (Row(row[0], 0, made(row), scanned=len(row[-1])) for row in rows)
        items, last_id = fill(read, limit)
    if last_id is None:
        return Page(items=items)
    following = encode_cursor(listing, newest_first=True, last_id=last_id)
    return Page(items=items, next_cursor=following)


def match_expression(words: str) -> str:
    """Return the query for FTS5: every word and phrase quoted, all of which must be there."""
    return " ".join(_terms(words.replace("\0", " ")))


def _terms(words: str) -> Iterator[str]:
    for phrase, word in re.findall(r'"([^"]*)"|([^\s"]+)', words):
        text = phrase or word.rstrip("*")
        # A phrase without letters or digits has no token, and would be met by nothing or by all.
        if any(character.isalnum() for character in text):
            yield f'"{text}"' + ("*" if word.endswith("*") else "")


def marked_text(index: str) -> str:
    """Return the SQL for two columns: that a found text `t.text` is marked by the index; and it."""
    is_short = f"length(t.text) <= {SHORT}"
    marks = f"char({ord(BEGIN)}), char({ord(END)})"
    return f"{is_short}, CASE WHEN {is_short} THEN highlight({index}, 0, {marks}) ELSE t.text END"


@contextmanager
def snippets(words: str) -> Iterator[SnippetOf]:
    """Give what makes snippets of texts in which these words were found."""
    any_term = " OR ".join(_terms(words.replace("\0", " ")))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as parts:
        parts.execute(
            "CREATE VIRTUAL TABLE part USING fts5 "
            "(text, tokenize = 'unicode61 remove_diacritics 2')"
        )

        def snippet_of(text: str, *, is_marked: bool) -> list[Piece]:
            marked = text if is_marked else _mark_first(parts, any_term, text)
            return list(_pieces(_around_first_match(marked)))

        yield snippet_of


def _mark_first(parts: sqlite3.Connection, any_term: str, text: str) -> str:
    """Return a text with the matches marked that are in the first of its parts with one."""
    start = 0
    while start < len(text):
        following = _break_after(text, start + SHORT)
        end = _break_after(text, following + OVERLAP)
        marked = _mark(parts, any_term, text[start:end])
        if marked is not None and (start + marked.find(BEGIN) < following or end == len(text)):
            return text[:start] + marked + text[end:]
        start = following
    return text


def _break_after(text: str, at: int) -> int:
    """Return where a word ends, from there on."""
    found = _BREAK.search(text, at)
    return found.start() if found else len(text)


def _mark(parts: sqlite3.Connection, any_term: str, part: str) -> str | None:
    parts.execute("BEGIN")
    try:
        parts.execute("INSERT INTO part (text) VALUES (?)", [part])
        found = parts.execute(
            "SELECT highlight(part, 0, ?, ?) FROM part WHERE part MATCH ?", [BEGIN, END, any_term]
        ).fetchone()
    finally:
        parts.execute("ROLLBACK")
    return found[0] if found else None


def _around_first_match(marked: str) -> str:
    """Return the part of a text in which its first match is, from a word's beginning to an end."""
    match = max(marked.find(BEGIN), 0)
    begin, end = max(0, match - BEFORE), match + AFTER
    if begin > 0:
        begin = next((at + 1 for at in range(begin, match) if marked[at].isspace()), match)
    if end < len(marked):
        end = next((at for at in range(end, match + AFTER // 2, -1) if marked[at].isspace()), end)
    return ("…" if begin else "") + marked[begin:end] + ("…" if end < len(marked) else "")


def _pieces(snippet: str) -> Iterator[Piece]:
    for part in re.split(f"({BEGIN}[^{END}]*(?:{END}|$))", snippet):
        text = part.strip(BEGIN + END)
        if text:
            yield Piece(text=text, is_match=part.startswith(BEGIN))
