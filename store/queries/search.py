"""Search in transcripts: prompts, and every finished item of a session's turn.

SQLite's FTS5 does it, over texts that triggers keep in step with what is stored. The index has the
session and the repository of each text as words, so that both narrow what is gone through.
Whatever somebody types is a search for those words: nothing of it is read as FTS5's own language,
except that words in double quotes are a phrase and that a star at the end of a word stands for any
ending.
"""

import msgspec
from sqlite_utils import Database

from command_center.store.lists.cursors import decode_cursor
from command_center.store.lists.pages import Page, check_limit
from command_center.store.lists.where import Conditions
from command_center.store.queries.snippets import (
    Piece,
    marked_text,
    match_expression,
    page_of_found,
)
from command_center.store.timestamps import Timestamp

_LISTING = "search"

_NAME = "\ue000"
"""Begins the words of the index that name a text's session and repository; nobody types it."""


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
    conditions.true("(t.item IS NULL OR s.transcript_removed_at IS NULL)")
    if cursor is not None:
        conditions.below("texts_search.rowid", decode_cursor(cursor, _LISTING, newest_first=True))
    if session_id is not None:
        conditions.equal("t.session_id", session_id)
    if repository_id is not None:
        conditions.equal("s.repository_id", repository_id)
    asked = match_expression(words.replace(_NAME, " "))
    if not asked:
        return Page(items=[])
    # So the matches of other sessions and repositories are not gone through one by one.
    names = (("s", session_id), ("r", repository_id))
    named = (f'"{_NAME}{kind}{id_}"' for kind, id_ in names if id_ is not None)
    conditions.meets("texts_search MATCH ?", " ".join((asked, *named)))
    sql = (
        "SELECT t.id, t.session_id, s.task_id, s.repository_id, t.kind, i.turn_id, i.item_id, "  # noqa: S608 - names that the program wrote
        f"t.at, {marked_text('texts_search')} "
        "FROM texts_search JOIN texts t ON t.id = texts_search.rowid "
        "JOIN sessions s ON s.id = t.session_id LEFT JOIN items i ON i.id = t.item"
        f"{conditions.sql} ORDER BY texts_search.rowid DESC LIMIT ?"
    )
    found = db.execute(sql, [*conditions.arguments, limit + 1])
    return page_of_found(found, words, Found, limit=limit, listing=_LISTING)
