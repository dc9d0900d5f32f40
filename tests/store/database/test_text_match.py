"""Words are found by SQL as the function finds them, whatever the letters are."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from command_center.store.database.text_match import (
    holds_words,
    teach_words,
    trigrams_of,
    words_held,
)

LETTERS = "aAbB1#\0 %_'?é\u0130\u212aß"
texts = st.text(LETTERS, max_size=6)


@given(words=texts, number=st.integers(1, 30), title=texts, prompt=texts)
@example(words="k", number=1, title="\u212a", prompt="")
@example(words="A #1", number=12, title="", prompt="xay")
def test_words_are_found_in_any_row_as_the_function_finds_them(
    words: str, number: int, title: str, prompt: str
) -> None:
    sql, values = words_held(words, "'#' || id", ["title", "prompt"])
    with closing(sqlite3.connect(":memory:")) as conn:
        teach_words(conn)
        row = "(SELECT ? AS id, ? AS title, ? AS prompt)"
        found = conn.execute(f"SELECT {sql} FROM {row}", [*values, number, title, prompt])  # noqa: S608 - constants
        assert holds_words(words, f"#{number}", title, prompt) == found.fetchone()[0]


@pytest.mark.parametrize("words", ["plain", "plain two"])
def test_a_row_of_ascii_is_not_asked_about_by_a_function(words: str) -> None:
    sql, values = words_held(words, "'#' || id", ["title"])
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.create_function("holds_words", -1, lambda *_: 1 / 0)
        row = "(SELECT 1 AS id, 'Plain or TWO' AS title)"
        assert (1,) == conn.execute(f"SELECT {sql} FROM {row}", values).fetchone()  # noqa: S608 - constants


@given(words=st.text(LETTERS, max_size=8), title=st.text(LETTERS, max_size=12), prompt=texts)
@example(words="k\u0130xy", title="a\u212a\u0130XY", prompt="")
@example(words="a\0bcd", title="a\0bcd", prompt="")
@example(words='a"b', title='xa"by', prompt="")
def test_a_row_that_holds_words_has_all_of_their_trigrams(
    words: str, title: str, prompt: str
) -> None:
    if not holds_words(words, "", title, prompt) or not (trigrams := trigrams_of(words)):
        return
    with closing(sqlite3.connect(":memory:")) as conn:
        teach_words(conn)
        conn.execute(
            "CREATE VIRTUAL TABLE s USING fts5 (text, content = '', columnsize = 0, "
            "detail = none, tokenize = 'trigram case_sensitive 1')"
        )
        put = "INSERT INTO s (rowid, text) VALUES (1, lowered(CAST(? AS BLOB), CAST(? AS BLOB)))"
        conn.execute(put, [title, prompt])
        found = "SELECT rowid FROM s WHERE s MATCH ?"
        assert [(1,)] == conn.execute(found, [trigrams]).fetchall()
