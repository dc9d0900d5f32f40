"""Keep what was said in an agent's threads that nobody began here, so that it can be searched.

It is a copy: the agent has the threads. Each is kept as it was when it last changed, and whole or
not at all, so that a look that was cut off goes on with those that it did not come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

import msgspec
from sqlite_utils import Database

from command_center.store.lists.cursors import decode_cursor, encode_cursor
from command_center.store.lists.pages import Page, Row, check_limit, fill
from command_center.store.lists.where import Conditions
from command_center.store.queries.snippets import (
    Piece,
    SnippetOf,
    marked_text,
    match_expression,
    snippets,
)
from command_center.store.transaction import Transaction

_LISTING = "threads"


class StoredThread(msgspec.Struct, frozen=True, kw_only=True):
    """A thread as the agent lists it.

    Attributes:
        changed: when it last did, by the agent's clock; seconds.
    """

    host: str
    thread_id: str
    title: str
    cwd: str
    changed: int
    is_archived: bool


class ThreadText(msgspec.Struct, frozen=True, kw_only=True):
    """A text that was said in a turn.

    Attributes:
        kind: the type of the item.
        at: when the turn began, by the agent's clock; seconds.
    """

    turn_id: str
    kind: str
    at: int | None
    text: str


class FoundThread(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A text of a stored thread that has all of the words.

    Attributes:
        title: the thread's name, or how it begins.
        kind: the type of the item.
        at: when its turn began; seconds since 1970, None where the agent does not say it.
        snippet: where the words are in it, in pieces.
    """

    id: int
    host: str
    thread_id: str
    title: str
    cwd: str
    is_archived: bool
    turn_id: str
    kind: str
    at: int | None
    snippet: list[Piece]


def known_threads(db: Database, host: str) -> dict[str, int]:
    """Return when each thread that is kept had last changed."""
    rows = db.execute("SELECT thread_id, changed FROM stored_threads WHERE host = ?", [host])
    return dict(rows.fetchall())


def turns_of_sessions(db: Database, host: str, thread_id: str) -> set[str]:
    """Return the turns of a thread that are in the transcripts of sessions already.

    Among them are those of other threads, since a fork has the turns of its past.
    """
    rows = db.execute(
        "SELECT s.codex_turn_id FROM sessions s WHERE s.host = ?1 "
        "UNION SELECT i.turn_id FROM items i JOIN sessions s ON s.id = i.session_id "
        "WHERE s.host = ?1 AND s.codex_thread_id = ?2",
        [host, thread_id],
    )
    return {turn for (turn,) in rows.fetchall() if turn is not None}


def keep_thread(tx: Transaction, thread: StoredThread, texts: Sequence[ThreadText]) -> None:
    """Keep a thread in the place of what was kept of it; secrets are taken out."""
    forget_threads(tx, thread.host, [thread.thread_id])
    row = tx.db.execute(
        "INSERT INTO stored_threads (host, thread_id, title, cwd, changed, is_archived) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [
            thread.host,
            thread.thread_id,
            tx.redact(thread.title),
            tx.redact(thread.cwd),
            thread.changed,
            int(thread.is_archived),
        ],
    )
    for one in texts:
        tx.db.execute(
            "INSERT INTO thread_texts (thread, turn_id, kind, at, text) VALUES (?, ?, ?, ?, ?)",
            [row.lastrowid, one.turn_id, one.kind, one.at, tx.redact(one.text)],
        )


def forget_threads(tx: Transaction, host: str, thread_ids: Iterable[str]) -> None:
    """Forget what is kept of these threads."""
    for thread_id in thread_ids:
        tx.db.execute(
            "DELETE FROM stored_threads WHERE host = ? AND thread_id = ?", [host, thread_id]
        )


def search_threads(
    db: Database, words: str, *, limit: int, cursor: str | None = None, host: str | None = None
) -> Page[FoundThread]:
    """Give the texts of stored threads that have all of the words, those kept last first.

    Raises:
        InvalidCursor: the cursor is not one of such a search.
    """
    check_limit(limit)
    conditions = Conditions()
    if cursor is not None:
        last = decode_cursor(cursor, _LISTING, newest_first=True)
        conditions.below("thread_texts_search.rowid", last)
    if host is not None:
        conditions.equal("s.host", host)
    asked = match_expression(words)
    if not asked:
        return Page(items=[])
    conditions.meets("thread_texts_search MATCH ?", asked)
    sql = (
        "SELECT t.id, s.host, s.thread_id, s.title, s.cwd, s.is_archived, t.turn_id, t.kind, "  # noqa: S608 - names that the program wrote
        f"t.at, {marked_text('thread_texts_search')} "
        "FROM thread_texts_search JOIN thread_texts t ON t.id = thread_texts_search.rowid "
        f"JOIN stored_threads s ON s.id = t.thread{conditions.sql} "
        "ORDER BY thread_texts_search.rowid DESC LIMIT ?"
    )
    arguments = [*conditions.arguments, limit + 1]
    with snippets(words) as snippet_of, closing(db.execute(sql, arguments)) as rows:
        found = (Row(row[0], 0, _found(row, snippet_of), scanned=len(row[-1])) for row in rows)
        items, last_id = fill(found, limit)
    if last_id is None:
        return Page(items=items)
    following = encode_cursor(_LISTING, newest_first=True, last_id=last_id)
    return Page(items=items, next_cursor=following)


def _found(row: tuple[Any, ...], snippet_of: SnippetOf) -> FoundThread:
    names = (name for name in FoundThread.__struct_fields__ if name != "snippet")
    *values, is_marked, text = row
    told = dict(zip(names, values, strict=True))
    snippet = snippet_of(text, is_marked=is_marked)
    return FoundThread(**{**told, "is_archived": bool(told["is_archived"])}, snippet=snippet)
