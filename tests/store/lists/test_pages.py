"""Pages end by a budget of bytes, and nothing is read that they do not give."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import msgspec
import pytest
from sqlite_utils import Database

from command_center.store import (
    Page,
    Readers,
    Table,
    Transaction,
    Writer,
    automation_runs,
    events,
    items,
    search_texts,
    sessions,
    tasks,
    webhook_deliveries,
)
from command_center.store.lists import pages
from command_center.store.lists.pages import MAX_LIMIT, PAGE_BYTES, Row, fill, size_of
from tests.made_up import made_up
from tests.store.units import add_repository, add_session, add_task, run

LONG = 100_000
COUNT = 30

Turn = Callable[[Database, str | None], Page[Any]]

LISTS: dict[str, Turn] = {
    "tasks": lambda db, cursor: tasks.page(db, {}, limit=MAX_LIMIT, cursor=cursor),
    "tasks of several states": lambda db, cursor: tasks.page(
        db,
        {"status": ["open", "queued", "failed"]},
        limit=MAX_LIMIT,
        cursor=cursor,
        newest_first=True,
    ),
    "tasks that hold words": lambda db, cursor: tasks.page(
        db, {}, limit=MAX_LIMIT, cursor=cursor, newest_first=True, words="xxx"
    ),
    "sessions": lambda db, cursor: sessions.page(
        db, {}, limit=MAX_LIMIT, cursor=cursor, newest_first=True
    ),
    "items": lambda db, cursor: items.page(
        db, {"session_id": 1, "agent_id": None}, limit=MAX_LIMIT, cursor=cursor
    ),
    "events": lambda db, cursor: events.page(db, limit=MAX_LIMIT, cursor=cursor),
    "newest events": lambda db, cursor: events.page(
        db, limit=MAX_LIMIT, cursor=cursor, newest_first=True
    ),
}


def fill_up(tx: Transaction) -> None:
    """Add many long rows to every list."""
    place = add_repository(tx).id
    first = add_session(tx)
    for number in range(COUNT):
        add_task(tx, repository_id=place, prompt="x" * LONG)
        add_session(tx, prompt=f"said {number} " + "é" * (LONG // 2))
        items.insert(
            tx,
            session_id=first.id,
            turn_id="t",
            item_id=str(number),
            type="agentMessage",
            status="in_progress",
            body={"text": "x" * LONG},
        )
        tx.emit(made_up("thing.happened", {"text": "x" * LONG}), actor="test")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database that the tests of this file only read."""
    path = tmp_path_factory.mktemp("full") / "command-center.db"
    with closing(Writer(path)) as writer, closing(Readers(path)) as readers:
        run(writer, fill_up)
        with readers.connection() as db:
            yield db


def turned(db: Database, turn: Turn) -> Iterator[Page[Any]]:
    page = turn(db, None)
    yield page
    while page.next_cursor is not None:
        page = turn(db, page.next_cursor)
        yield page


def shown(item: Any) -> int:
    body = msgspec.json.decode(msgspec.json.encode(item))
    assert isinstance(body["id"], int)
    return body["id"]


@pytest.mark.parametrize("turn", LISTS.values(), ids=LISTS)
def test_a_page_ends_with_the_item_that_fills_its_bytes(full: Database, turn: Turn) -> None:
    found = list(turned(full, turn))
    assert len(found) > 1
    for page in found:
        sizes = [len(msgspec.json.encode(item)) for item in page.items]
        assert sum(sizes[:-1]) < PAGE_BYTES + 1000 * len(sizes)
    ids = [shown(item) for page in found for item in page.items]
    assert len(ids) == len(set(ids)) >= COUNT


@pytest.mark.parametrize("turn", LISTS.values(), ids=LISTS)
def test_reading_a_page_takes_no_more_memory_than_the_page(full: Database, turn: Turn) -> None:
    turn(full, None)
    tracemalloc.start()
    try:
        turn(full, None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Each row is there as SQLite gives it and as a record, and one more than the page holds.
    assert peak < 2 * (PAGE_BYTES + 2 * LONG) + 200_000


def test_a_search_ends_by_its_bytes(full: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "SCANNED_BYTES", 3 * LONG // 2)
    found = list(turned(full, lambda db, cursor: search_texts(db, "said", limit=50, cursor=cursor)))
    assert len(found) > COUNT / 4
    assert COUNT == sum(len(page.items) for page in found)


def test_looking_for_words_ends_by_what_was_looked_through(
    full: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SCANNED_BYTES", 10 * LONG)
    sought = str(COUNT // 2)
    found = list(
        turned(full, lambda db, cursor: tasks.page(db, {}, limit=5, cursor=cursor, words=sought))
    )
    looked: list[int] = []
    monkeypatch.setattr(pages, "SCANNED_BYTES", 10**12)
    expected = tasks.page(full, {}, limit=5, words=sought).items
    looked += [item.id for page in found for item in page.items]
    assert [task.id for task in expected] == looked
    assert len(found) > 2
    assert any(not page.items for page in found)


@pytest.mark.parametrize(
    "where", [{}, {"status": ["open", "failed"]}, {"status": "open", "repository_id": 1}]
)
@pytest.mark.parametrize("words", [None, "x"])
def test_no_page_sorts_whole_rows(full: Database, where: dict[str, Any], words: str | None) -> None:
    asked: list[str] = []
    full.conn.set_trace_callback(asked.append)
    tasks.page(full, where, limit=5, newest_first=True, words=words)
    full.conn.set_trace_callback(None)
    for sql in asked:
        if sql.startswith("--"):  # of SQLite's own, for a query of the schema
            continue
        plan = full.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
        outer = [detail for _, parent, _, detail in plan if parent == 0]
        assert not any("TEMP B-TREE" in detail for detail in outer), plan


@pytest.mark.parametrize(
    ("table", "where"),
    [(automation_runs, {"automation_id": 1}), (webhook_deliveries, {"webhook_id": 1})],
    ids=lambda of: getattr(of, "name", ""),
)
def test_a_page_of_the_rows_of_one_owner_is_read_in_their_order(
    full: Database, table: Table[Any], where: dict[str, Any]
) -> None:
    asked: list[str] = []
    full.conn.set_trace_callback(asked.append)
    table.page(full, where, limit=5, newest_first=True)
    full.conn.set_trace_callback(None)
    (plan,) = (full.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall() for sql in asked)
    assert not any("TEMP B-TREE" in detail for *_, detail in plan), plan


def test_rows_are_read_one_by_one_and_no_further_than_one_behind_the_page() -> None:
    read: list[int] = []

    def rows() -> Iterator[Row[int]]:
        for number in range(1, 100):
            read.append(number)
            yield Row(number, PAGE_BYTES // 4, number)

    assert ([1, 2, 3, 4], 4) == fill(rows(), 50)
    assert [1, 2, 3, 4, 5] == read
    assert ([1, 2], 2) == fill(rows(), 2)


def test_the_last_page_says_that_it_is() -> None:
    assert ([], None) == fill([], 3)
    assert (["a"], None) == fill([Row(1, PAGE_BYTES, "a")], 3)
    assert (["a", "b"], None) == fill([Row(1, 1, "a"), Row(2, 1, "b")], 2)


def test_sizes_are_those_of_what_is_stored() -> None:
    assert 3 + 4 + 2 + 8 + 8 == size_of(["abc", "éé", b"ab", 1, None])
