"""Stored threads are added and forgotten in parts, and nothing is found of what is not whole."""

from __future__ import annotations

import pytest

from command_center.store import Readers, Transaction, Writer
from command_center.store.queries import stored_threads
from command_center.store.queries.stored_threads import (
    PART_TEXTS,
    StoredThread,
    ThreadText,
    forget_part,
    hide_threads,
    in_parts,
    keep_thread,
    search_threads,
)
from tests.store.units import run

THREAD = StoredThread(
    host="local", thread_id="a", title="t", cwd="/w", changed=1, is_archived=False
)


def text(number: int) -> ThreadText:
    return ThreadText(turn_id="t", kind="agentMessage", at=None, text=f"wombat {number}")


def found(readers: Readers) -> int:
    with readers.connection() as db:
        return len(search_threads(db, "wombat", limit=100).items)


def kept(readers: Readers) -> int:
    with readers.connection() as db:
        return len(stored_threads.kept_texts(db, "local", "a"))


def test_a_thread_is_found_once_it_is_whole_and_not_from_when_it_is_hidden(
    writer: Writer, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_threads, "PART_CHARACTERS", 2 * len("wombat 0"))
    said = [text(number) for number in range(5)]
    run(writer, lambda tx: keep_thread(tx, THREAD, texts=said, is_last=False))
    assert (5, 0) == (kept(readers), found(readers))
    run(writer, lambda tx: keep_thread(tx, THREAD))
    assert 5 == found(readers)

    run(writer, lambda tx: hide_threads(tx, "local", ["a"]))
    assert (5, 0) == (kept(readers), found(readers))

    def forget(tx: Transaction) -> bool:
        return forget_part(tx, "local", "a")

    told = [(run(writer, forget), kept(readers)) for _ in range(4)]
    assert [(True, 3), (True, 1), (True, 0), (False, 0)] == told
    with readers.connection() as db:
        assert {} == stored_threads.known_threads(db, "local")


def test_a_part_has_no_more_texts_than_it_may_and_one_that_is_too_long_is_alone() -> None:
    assert [PART_TEXTS, 1] == [len(part) for part in in_parts(range(PART_TEXTS + 1), lambda _: 1)]
    sizes = [30_000, 30_000, 90_000, 1, 2]
    assert [[30_000], [30_000], [90_000], [1, 2]] == [*in_parts(sizes, lambda size: size)]
