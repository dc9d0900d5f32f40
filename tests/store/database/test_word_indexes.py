"""An index of words that is damaged is made anew; nobody loses a row for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from command_center.store import (
    StoreUnavailable,
    Transaction,
    Writer,
    open_database,
    search_texts,
    tasks,
)
from command_center.store.database.checksums import teach_checksums
from command_center.store.database.migrations import MIGRATIONS
from command_center.store.database.text_match import teach_words
from command_center.store.database.word_indexes import WORD_INDEXES, damaged_index
from command_center.store.integrity import FileCheck
from command_center.store.queries.removal import remove_repository
from tests.store.units import add_session, add_task, run


def say(tx: Transaction) -> None:
    for word in ("elephant", "camel"):
        add_session(tx, prompt=f"the {word}", title=f"its {word}")
        add_task(tx, title=f"a {word} of it")


LISTS, STRUCTURE = "id > 10", "id = 10"


def damage(path: Path, index: str, rows: str = LISTS) -> None:
    """Have the disk change the lists of an index or their order, in a page that looks sound."""
    with closing(sqlite3.connect(path)) as conn, conn:
        blocks = conn.execute(f"SELECT id, block FROM {index}_data WHERE {rows}").fetchall()  # noqa: S608 - constants
        assert blocks
        for id_, block in blocks:
            conn.execute(
                f"UPDATE {index}_data SET block = ? WHERE id = ?",  # noqa: S608 - a constant
                [b"\xff" * len(block), id_],
            )


@pytest.fixture
def filled(path: Path) -> Path:
    path.parent.mkdir()
    with closing(Writer(path)) as writer:
        run(writer, say)
    return path


@pytest.mark.parametrize("rows", [LISTS, STRUCTURE])
@pytest.mark.parametrize("index", ["tasks_search", "sessions_search", "texts_search"])
def test_a_start_makes_an_index_anew_that_is_damaged(filled: Path, index: str, rows: str) -> None:
    damage(filled, index, rows)
    with closing(open_database(filled)) as db:
        found = search_texts(db, "elephant", limit=5).items
        assert ["prompt"] == [one.kind for one in found]
        held = tasks.page(db, {}, limit=5, words="camel of").items
        assert ["a camel of it"] == [task.title for task in held]
        assert [("ok",)] == db.execute("PRAGMA quick_check").fetchall()


@pytest.mark.parametrize(
    ("index", "rows"),
    [("tasks_search", LISTS), ("tasks_search", STRUCTURE), ("texts_search", STRUCTURE)],
)
def test_an_update_makes_an_index_anew_before_it_changes_anything(
    path: Path, index: str, rows: str
) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        teach_words(conn)
        teach_checksums(conn)
        MIGRATIONS.apply(Database(conn), stop_before="0081_totals")
        conn.execute("INSERT INTO tasks_search (rowid, text) VALUES (1, 'an elephant')")
    damage(path, index, rows)
    with closing(open_database(path)) as db:
        assert not MIGRATIONS.pending(db)
        assert [("ok",)] == db.execute("PRAGMA quick_check").fetchall()


def test_a_check_tells_of_the_index_and_not_of_damage(filled: Path) -> None:
    damage(filled, "texts_search")
    with closing(FileCheck(filled)) as check:
        pieces = [*iter(check.next_piece, None)]
    assert ["texts_search"] == [name for piece in pieces for name in piece.derived]
    assert [] == [line for piece in pieces for line in (*piece.structure, *piece.damaged)]


def test_a_write_that_an_index_refuses_fails_once(filled: Path) -> None:
    with closing(Writer(filled)) as writer:
        damage(filled, "tasks_search", STRUCTURE)
        with pytest.raises(StoreUnavailable):
            run(writer, lambda tx: remove_repository(tx, 2))
        assert 1 == run(writer, lambda tx: remove_repository(tx, 2)).tasks
        run(writer, say)


def test_a_damaged_task_with_more_words_than_its_index_has_can_be_removed(filled: Path) -> None:
    with closing(Writer(filled)) as writer:
        with closing(sqlite3.connect(filled)) as conn, conn:
            conn.execute("UPDATE tasks SET prompt = ? WHERE id = 2", ["other words " * 2000])
        with pytest.raises(StoreUnavailable):
            run(writer, lambda tx: remove_repository(tx, 2))
        assert 1 == run(writer, lambda tx: remove_repository(tx, 2)).tasks


def test_only_lines_of_our_indexes_are_taken_for_theirs() -> None:
    told = "malformed inverted index for FTS5 table main.{}"
    assert [*WORD_INDEXES] == [damaged_index(told.format(name)) for name in WORD_INDEXES]
    assert damaged_index(told.format("others")) is None
    assert damaged_index("row 3 missing from index texts_search") is None
