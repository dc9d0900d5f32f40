"""Search in transcripts: prompts, and every finished item of a session's turn.

SQLite's FTS5 does it, over texts that triggers keep in step with what is stored. Whatever somebody
types is a search for those words: nothing of it is read as FTS5's own language, except that words
in double quotes are a phrase and that a star at the end of a word stands for any ending.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec
from sqlite_utils import Database

from command_center.store.lists.cursors import decode_cursor, encode_cursor
from command_center.store.lists.pages import Page, Row, check_limit, fill
from command_center.store.lists.where import Conditions
from command_center.store.timestamps import Timestamp

_LISTING = "search"
BEFORE, AFTER = 60, 180
"""Characters of a snippet before its first match, and from there on."""

_BOUNDS_OF_SESSION = (
    "texts_search.rowid >= (SELECT min(id) FROM texts WHERE session_id = ?)",
    "texts_search.rowid <= (SELECT max(id) FROM texts WHERE session_id = ?)",
)
BEGIN, END = "\N{START OF TEXT}", "\N{END OF TEXT}"
"""Stand around a match in what SQLite answers. A text that has them itself only shows odd marks."""


class Piece(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A piece of a text; `isMatch` where it is what was searched for."""

    text: str
    is_match: bool = False


class Found(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A text that has all of the words.

    Attributes:
        kind: ``prompt``, or the type of the item.
        item_id: Codex's id of the item; None for a prompt.
        at: when it was said.
        snippet: where the words are in it, in pieces.
    """

    id: int
    session_id: int
    task_id: int
    repository_id: int
    kind: str
    turn_id: str | None
    item_id: str | None
    at: Timestamp
    snippet: list[Piece]


def search_texts(
    db: Database,
    words: str,
    *,
    limit: int,
    cursor: str | None = None,
    session_id: int | None = None,
    repository_id: int | None = None,
) -> Page[Found]:
    """Give the texts that have all of the words, the newest first; none for no words.

    Raises:
        InvalidCursor: the cursor is not one of a search.
    """
    check_limit(limit)
    conditions = Conditions()
    if cursor is not None:
        conditions.below("texts_search.rowid", decode_cursor(cursor, _LISTING, newest_first=True))
    if session_id is not None:
        conditions.equal("t.session_id", session_id)
        # So the matches of other sessions are not gone through one by one.
        for bound in _BOUNDS_OF_SESSION:
            conditions.meets(bound, session_id)
    if repository_id is not None:
        conditions.equal("s.repository_id", repository_id)
    asked = match_expression(words)
    if not asked:
        return Page(items=[])
    conditions.meets("texts_search MATCH ?", asked)
    sql = (
        "SELECT t.id, t.session_id, s.task_id, s.repository_id, t.kind, i.turn_id, i.item_id, "  # noqa: S608 - names that the program wrote
        "t.at, highlight(texts_search, 0, ?, ?) "
        "FROM texts_search JOIN texts t ON t.id = texts_search.rowid "
        "JOIN sessions s ON s.id = t.session_id LEFT JOIN items i ON i.id = t.item"
        f"{conditions.sql} ORDER BY texts_search.rowid DESC LIMIT ?"
    )
    arguments = [BEGIN, END, *conditions.arguments, limit + 1]
    with closing(db.execute(sql, arguments)) as rows:
        found = (Row(row[0], 0, _found(row), scanned=len(row[-1])) for row in rows)
        items, last = fill(found, limit)
    if last is None:
        return Page(items=items)
    following = encode_cursor(_LISTING, newest_first=True, last_id=last)
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


def _found(row: tuple[Any, ...]) -> Found:
    names = (name for name in Found.__struct_fields__ if name != "snippet")
    *values, marked = row
    return Found(**dict(zip(names, values, strict=True)), snippet=snippet_of(marked))


def snippet_of(marked: str) -> list[Piece]:
    """Return where the words are in a text whose matches are marked, in pieces."""
    return list(_pieces(_around_first_match(marked)))


def _around_first_match(marked: str) -> str:
    """Return the part of a text in which its first match is, from a word's beginning to an end.

    SQLite's own snippet takes a time that grows with the square of the matches in a text.
    """
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
