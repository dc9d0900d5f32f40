"""Search in transcripts: what is found, and that nothing typed is a syntax error."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from command_center.store import (
    Found,
    InvalidCursor,
    Page,
    Readers,
    Session,
    Transaction,
    Writer,
    items,
    open_database,
    search_texts,
)
from command_center.store.database.migrations import MIGRATIONS
from command_center.store.queries.snippets import match_expression
from tests.store.units import add_session, run


def add_item(tx: Transaction, session: Session, number: int, **fields: Any) -> int:
    given = {"type": "agentMessage", "status": "completed", **fields}
    made = items.insert(tx, session_id=session.id, turn_id="u", item_id=f"i{number}", **given)
    return made.id


def found(readers: Readers, words: str, **arguments: Any) -> Page[Found]:
    with readers.connection() as db:
        return search_texts(db, words, **{"limit": 50, **arguments})


def kinds(readers: Readers, words: str, **arguments: Any) -> list[str]:
    return [one.kind for one in found(readers, words, **arguments).items]


def test_prompts_and_finished_items_are_found_with_the_words_marked(
    writer: Writer, readers: Readers
) -> None:
    def unit(tx: Transaction) -> Session:
        session = add_session(tx, prompt="Mend the parser of dates.")
        command = {"type": "commandExecution", "id": "i1", "command": "pytest tests/dates"}
        add_item(tx, session, 1, type="commandExecution", body=command)
        text = "The café is mended: the parser now takes leap years."
        add_item(tx, session, 2, body={"type": "agentMessage", "id": "i2", "text": text})
        return session

    session = run(writer, unit)
    assert ["agentMessage", "prompt"] == kinds(readers, "PARSER")
    assert ["commandExecution", "prompt"] == kinds(readers, "dates")
    (one,) = found(readers, "cafe leap").items
    assert (session.id, session.task_id, "i2") == (one.session_id, one.task_id, one.item_id)
    assert ["café", "leap"] == [piece.text for piece in one.snippet if piece.is_match]
    assert "The café is mended: the parser now takes leap years." == "".join(
        piece.text for piece in one.snippet
    )
    assert [] == kinds(readers, "parser absent")
    assert [] == kinds(readers, "agentMessage")


@pytest.mark.parametrize("words", ["c*", "ca*", "caf*", "CAFÉ*", "é*", "c* l* years"])
def test_beginnings_of_any_length_are_found(writer: Writer, readers: Readers, words: str) -> None:
    texts = ("The café, élan, in leap years.", "Nothing of it.")
    run(writer, lambda tx: [add_session(tx, prompt=text) for text in texts])
    assert [1] == [one.session_id for one in found(readers, words).items]


def test_a_sessions_texts_are_found_among_those_of_others(writer: Writer, readers: Readers) -> None:
    def unit(tx: Transaction) -> list[int]:
        both = [add_session(tx, prompt="word"), add_session(tx, prompt="word")]
        for number in range(6):
            add_item(tx, both[number % 2], number, body={"text": f"word {number}"})
        return [session.id for session in both]

    for place, session_id in enumerate(run(writer, unit)):
        texts = found(readers, "w*", session_id=session_id).items
        assert [f"i{place + 4}", f"i{place + 2}", f"i{place}", None] == [t.item_id for t in texts]


def test_what_an_older_version_kept_is_found_by_short_beginnings(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with Database(sqlite3.connect(path, isolation_level=None)) as db:
        MIGRATIONS.apply(db, stop_before="0009_long_spans_and_short_beginnings")
    writer = Writer(path)
    run(writer, lambda tx: add_session(tx, prompt="Mend the parser."))
    writer.close()
    with open_database(path) as db:
        assert [1] == [one.session_id for one in search_texts(db, "p*", limit=5).items]
        writer = Writer(path)
        run(writer, lambda tx: add_session(tx, prompt="Praise the parser."))
        writer.close()
        assert [2, 1] == [one.session_id for one in search_texts(db, "pa*", limit=5).items]


def test_an_item_is_found_by_its_last_words_and_only_when_it_is_finished(
    writer: Writer, readers: Readers
) -> None:
    def begin(tx: Transaction) -> int:
        return add_item(tx, add_session(tx), 1, status="in_progress", body={"text": "draft"})

    item = run(writer, begin)
    assert [] == kinds(readers, "draft")
    run(writer, lambda tx: items.update(tx, item, status="completed", body={"text": "whole"}))
    assert ["agentMessage"] == kinds(readers, "whole")
    run(writer, lambda tx: items.update(tx, item, body={"text": "another"}))
    assert [] == kinds(readers, "whole")
    assert ["agentMessage"] == kinds(readers, "another")


def test_what_is_forgotten_is_no_longer_found(writer: Writer, readers: Readers) -> None:
    def unit(tx: Transaction) -> None:
        session = add_session(tx, prompt="Forget the elephant.")
        add_item(tx, session, 1, body={"text": "An elephant was here."})
        tx.db.execute("DELETE FROM items WHERE session_id = ?", [session.id])
        tx.db.execute("DELETE FROM sessions WHERE id = ?", [session.id])

    run(writer, unit)
    assert [] == kinds(readers, "elephant")


def test_a_secret_is_not_found(writer: Writer, readers: Readers) -> None:
    token = "ghp_" + "a1B2" * 9
    run(writer, lambda tx: add_session(tx, prompt=f"Push with {token} please."))
    assert [] == kinds(readers, token)
    assert ["prompt"] == kinds(readers, "please")


def test_pages_and_filters_lead_through_all_that_is_found(writer: Writer, readers: Readers) -> None:
    def unit(tx: Transaction) -> list[Session]:
        return [add_session(tx, prompt=f"word {number}") for number in range(5)]

    made = run(writer, unit)
    seen: list[int] = []
    cursor = None
    while True:
        page = found(readers, "word", limit=2, cursor=cursor)
        seen += [one.session_id for one in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [session.id for session in reversed(made)] == seen
    only = made[1]
    assert [only.id] == [one.session_id for one in found(readers, "word", session_id=only.id).items]
    assert [only.id] == [
        one.session_id for one in found(readers, "word", repository_id=only.repository_id).items
    ]
    with pytest.raises(InvalidCursor):
        found(readers, "word", cursor="nonsense")


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("two words", '"two" "words"'),
        ('"a phrase" and', '"a phrase" "and"'),
        ("pars*", '"pars"*'),
        ("NEAR(a b) OR col:x ^y", '"NEAR(a" "b)" "OR" "col:x" "^y"'),
        ('"never closed', '"never" "closed"'),
        ("*** - ()", ""),
    ],
)
def test_what_is_typed_is_words_phrases_and_beginnings(typed: str, asked: str) -> None:
    assert asked == match_expression(typed)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_nothing_that_is_typed_is_an_error(writer: Writer, readers: Readers, typed: str) -> None:
    assert writer is not None
    found(readers, typed)


@pytest.mark.parametrize("after", ["", "word " * 40, "w" * 300])
@pytest.mark.parametrize("before", ["", "word " * 40, "w" * 300 + " "])
def test_a_snippet_is_the_part_around_the_first_match(
    writer: Writer, readers: Readers, before: str, after: str
) -> None:
    text = f"{before}sought {after}sought and found"

    def unit(tx: Transaction) -> None:
        add_item(tx, add_session(tx), 1, body={"text": text})

    run(writer, unit)
    (only,) = found(readers, "sought").items
    shown = "".join(piece.text for piece in only.snippet)
    assert shown.strip("…") in text
    assert (bool(before), bool(after)) == (shown.startswith("…"), shown.endswith("…"))
    assert len(shown) <= 60 + 180 + 2
    assert "sought" == next(piece.text for piece in only.snippet if piece.is_match)


def test_a_word_of_any_length_has_a_short_snippet(writer: Writer, readers: Readers) -> None:
    text = "x" * 50_000

    def unit(tx: Transaction) -> None:
        add_item(tx, add_session(tx), 1, body={"text": text})

    run(writer, unit)
    (only,) = found(readers, "xxx*").items
    assert [True] == [piece.is_match for piece in only.snippet]
    assert len(only.snippet[0].text) < 200


LONG = "word " * 6_000


@pytest.mark.parametrize(
    ("typed", "text", "match"),
    [
        ("sought", f"{LONG}sought and {LONG}", "sought"),
        ("SOUGHT*", f"{LONG}s\u00f2ughtest, {LONG}sought", "s\u00f2ughtest"),
        ('"sought and found"', f"sought {LONG}sought and found {LONG}", "sought and found"),
        ("absent* sought", f"{LONG}sought {LONG}absentee", "sought"),
        ("\u3042", "\u3044\u3001" * 15_000 + "\u3042\u3001" * 15_000, "\u3042"),
        *(
            ("sought", "w" * before + " " + "sought" + " w" * 5_000, "sought")
            for before in (2040, 2047, 2050, 2555, 2560, 2561)
        ),
    ],
)
def test_the_first_match_of_a_long_text_is_marked_wherever_it_is(
    writer: Writer, readers: Readers, typed: str, text: str, match: str
) -> None:
    def unit(tx: Transaction) -> None:
        add_item(tx, add_session(tx), 1, body={"text": text})

    run(writer, unit)
    (only,) = found(readers, typed).items
    shown = "".join(piece.text for piece in only.snippet)
    assert shown.strip("…") in text
    assert (True, True) == (shown.startswith("…"), shown.endswith("…"))
    assert match == next(piece.text for piece in only.snippet if piece.is_match)


def test_a_text_of_matches_alone_costs_no_more_than_its_length(
    writer: Writer, readers: Readers
) -> None:
    def unit(tx: Transaction) -> None:
        session = add_session(tx)
        for number in range(12):
            add_item(tx, session, number, body={"text": "a " * 32_000})

    run(writer, unit)
    began = time.thread_time()
    page = found(readers, "a")
    assert 12 == len(page.items)
    assert 1 > time.thread_time() - began  # half a second each, where the square is paid
