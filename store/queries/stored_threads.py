"""Keep what was said in an agent's threads that nobody began here, so that it can be searched.

It is a copy: the agent has the threads. Each is kept as it was when it last changed. It is added
and forgotten in parts, so that nobody waits long for the one writer. One that is not whole is not
found, and a look that was cut off goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

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
from command_center.store.transaction import Transaction

_LISTING = "threads"

PART_CHARACTERS: Final = 50_000
"""Characters that one transaction adds or forgets, since everybody else waits for it."""

PART_TEXTS: Final = 200
"""Texts that one transaction adds or forgets."""

T = TypeVar("T")


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


def known_threads(db: Database, host: str) -> dict[str, StoredThread | None]:
    """Return the threads that are kept as they were; None for one that is not whole."""
    rows = db.execute(
        "SELECT thread_id, title, cwd, changed, is_archived, is_whole FROM stored_threads "
        "WHERE host = ?",
        [host],
    )
    return {
        thread_id: StoredThread(
            host=host,
            thread_id=thread_id,
            title=title,
            cwd=cwd,
            changed=changed,
            is_archived=bool(is_archived),
        )
        if is_whole
        else None
        for thread_id, title, cwd, changed, is_archived, is_whole in rows.fetchall()
    }


def hosts_of_threads(db: Database) -> set[str]:
    """Return the hosts of which threads are kept."""
    rows = db.execute("SELECT DISTINCT host FROM stored_threads")
    return {host for (host,) in rows.fetchall()}


def kept_texts(db: Database, host: str, thread_id: str) -> list[tuple[int, ThreadText]]:
    """Return what is kept of a thread, each text with its id."""
    rows = db.execute(
        "SELECT t.id, t.turn_id, t.kind, t.at, t.text FROM thread_texts t "
        "JOIN stored_threads s ON s.id = t.thread WHERE s.host = ? AND s.thread_id = ? "
        "ORDER BY t.id",
        [host, thread_id],
    )
    return [
        (id_, ThreadText(turn_id=turn_id, kind=kind, at=at, text=text))
        for id_, turn_id, kind, at, text in rows.fetchall()
    ]


def note_forgotten(tx: Transaction, repository_id: int) -> None:
    """Have what the sessions of a repository said never be copied, before they are removed.

    What is kept of their threads is found no more.
    """
    tx.db.execute(
        "INSERT OR IGNORE INTO forgotten_turns (host, thread_id, turn_id) "
        "SELECT host, codex_thread_id, coalesce(codex_turn_id, '') FROM sessions "
        "WHERE repository_id = ?1 AND codex_thread_id IS NOT NULL "
        "UNION SELECT s.host, s.codex_thread_id, i.turn_id FROM items i "
        "JOIN sessions s ON s.id = i.session_id "
        "WHERE s.repository_id = ?1 AND s.codex_thread_id IS NOT NULL AND i.turn_id IS NOT NULL",
        [repository_id],
    )
    tx.db.execute(
        "UPDATE stored_threads SET is_whole = 0 WHERE (host, thread_id) IN "
        "(SELECT host, codex_thread_id FROM sessions WHERE repository_id = ?)",
        [repository_id],
    )


def forgotten_threads(db: Database, host: str) -> set[str]:
    """Return the threads in which sessions of deleted repositories worked."""
    rows = db.execute("SELECT DISTINCT thread_id FROM forgotten_turns WHERE host = ?", [host])
    return {thread_id for (thread_id,) in rows.fetchall()}


def turns_of_sessions(db: Database, host: str, thread_id: str) -> set[str]:
    """Return the turns of a thread that are in the transcripts of sessions already, or were.

    Among them are those of other threads, since a fork has the turns of its past.
    """
    rows = db.execute(
        "SELECT s.codex_turn_id FROM sessions s WHERE s.host = ?1 "
        "UNION SELECT i.turn_id FROM items i JOIN sessions s ON s.id = i.session_id "
        "WHERE s.host = ?1 AND s.codex_thread_id = ?2 "
        "UNION SELECT turn_id FROM forgotten_turns WHERE host = ?1",
        [host, thread_id],
    )
    return {turn for (turn,) in rows.fetchall() if turn is not None}


def keep_thread(
    tx: Transaction,
    thread: StoredThread,
    *,
    texts: Iterable[ThreadText] = (),
    gone: Iterable[int] = (),
    is_last: bool = True,
) -> None:
    """Add texts to a thread, and forget those of these ids.

    The rest of it is kept with the last part alone, and a new thread is found from then on. All is
    kept as it is given: secrets are taken out before texts are cut.
    """
    tx.db.execute(
        "INSERT INTO stored_threads (host, thread_id, title, cwd, changed, is_archived, is_whole) "
        "VALUES (?, ?, '', '', 0, 0, 0) ON CONFLICT DO NOTHING",
        [thread.host, thread.thread_id],
    )
    _forget_texts(tx, gone)
    for one in texts:
        tx.db.execute(
            "INSERT INTO thread_texts (thread, turn_id, kind, at, text) "
            "SELECT id, ?, ?, ?, ? FROM stored_threads WHERE host = ? AND thread_id = ?",
            [one.turn_id, one.kind, one.at, one.text, thread.host, thread.thread_id],
        )
    if is_last:
        tx.db.execute(
            "UPDATE stored_threads SET title = ?, cwd = ?, changed = ?, is_archived = ?, "
            "is_whole = 1 WHERE host = ? AND thread_id = ?",
            [
                thread.title,
                thread.cwd,
                thread.changed,
                int(thread.is_archived),
                thread.host,
                thread.thread_id,
            ],
        )


def hide_threads(tx: Transaction, host: str, thread_ids: Iterable[str]) -> None:
    """Have nothing of these threads be found; `forget_part` then forgets them."""
    for thread_id in thread_ids:
        tx.db.execute(
            "UPDATE stored_threads SET is_whole = 0 WHERE host = ? AND thread_id = ?",
            [host, thread_id],
        )


def forget_part(tx: Transaction, host: str, thread_id: str) -> bool:
    """Forget some of what is kept of a thread, and answer whether there is more of it."""
    rows = tx.db.execute(
        "SELECT t.id, length(t.text) FROM thread_texts t JOIN stored_threads s ON s.id = t.thread "
        "WHERE s.host = ? AND s.thread_id = ? ORDER BY t.id LIMIT ?",
        [host, thread_id, PART_TEXTS],
    ).fetchall()
    part = next(in_parts(rows, lambda row: int(row[1])), [])
    _forget_texts(tx, (id_ for id_, _ in part))
    if part:
        return True
    tx.db.execute("DELETE FROM stored_threads WHERE host = ? AND thread_id = ?", [host, thread_id])
    return False


def _forget_texts(tx: Transaction, ids: Iterable[int]) -> None:
    for id_ in ids:
        tx.db.execute("DELETE FROM thread_texts WHERE id = ?", [id_])


def in_parts(entries: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield the entries in parts, each of what one transaction may take."""
    part: list[T] = []
    left = PART_CHARACTERS
    for entry in entries:
        left -= size_of(entry)
        if part and (left < 0 or len(part) == PART_TEXTS):
            yield part
            part, left = [], PART_CHARACTERS - size_of(entry)
        part.append(entry)
    if part:
        yield part


def search_threads(
    db: Database, words: str, *, limit: int, cursor: str | None = None, host: str | None = None
) -> Page[FoundThread]:
    """Give the texts of stored threads that have all of the words, those kept last first.

    Raises:
        InvalidCursor: the cursor is not one of such a search.
    """
    check_limit(limit)
    conditions = Conditions()
    conditions.equal("s.is_whole", value=True)
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
    found = db.execute(sql, [*conditions.arguments, limit + 1])
    return page_of_found(found, words, FoundThread, limit=limit, listing=_LISTING)
