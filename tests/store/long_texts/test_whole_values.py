"""Values that are too long for a row: shortened there, whole beside it, read piece by piece."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from sqlite_utils import Database

from command_center.store import (
    InvalidCursor,
    Item,
    Readers,
    RecordNotFound,
    Session,
    Transaction,
    Writer,
    items,
    search_texts,
    sessions,
)
from command_center.store.lists.pages import PAGE_BYTES
from command_center.store.long_texts.shortening import LONGEST
from command_center.store.long_texts.whole_values import PART
from command_center.store.queries.removal import remove_repository
from tests.store.units import add_repository, add_session, run

LONG = "é" + "0123456789" * 300_000


def add_item(tx: Transaction, session_id: int, **fields: Any) -> Item:
    given = {"turn_id": "t", "item_id": "i", "type": "commandExecution", "status": "completed"}
    return items.insert(tx, session_id=session_id, **{**given, **fields})


def whole(db: Database, session: Session, field: str) -> str:
    found = sessions.piece(db, session.id, field)
    text = found.text
    while found.next_cursor is not None:
        assert len(found.text.encode()) <= PAGE_BYTES
        found = sessions.piece(db, session.id, field, found.next_cursor)
        text += found.text
    assert len(text.encode()) == found.size
    return text


def kept(readers: Readers) -> int:
    with readers.connection() as db:
        number: int = db.execute("SELECT count(*) FROM whole_values WHERE part = 0").fetchone()[0]
    return number


def test_a_long_text_is_shortened_in_its_row_and_kept_whole(
    writer: Writer, readers: Readers
) -> None:
    made = run(writer, lambda tx: add_session(tx, diff=LONG, last_message="short"))
    assert ["diff"] == made.shortened
    assert len(made.diff or "") < LONGEST + 100
    with readers.connection() as db:
        assert made == sessions.get(db, made.id)
        assert LONG == sessions.whole(db, made, "diff") == whole(db, made, "diff")
        assert (
            "short" == sessions.whole(db, made, "last_message") == whole(db, made, "last_message")
        )
        assert not whole(db, made, "plan")


def test_a_character_is_never_cut_between_two_pieces(writer: Writer, readers: Readers) -> None:
    text = "€" * PAGE_BYTES
    made = run(writer, lambda tx: add_session(tx, diff=text))
    with readers.connection() as db:
        assert text == whole(db, made, "diff")


def test_plain_json_is_shortened_and_kept_as_json(writer: Writer, readers: Readers) -> None:
    body = {"id": "i", "aggregatedOutput": LONG, "exitCode": 1}
    made = run(writer, lambda tx: add_item(tx, add_session(tx).id, body=body))
    assert ["body"] == made.shortened
    assert 1 == made.body["exitCode"]
    with readers.connection() as db:
        assert body == items.whole(db, made, "body")
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        assert text[:PART] == items.piece(db, made.id, "body").text


def test_the_fields_that_are_shortened_follow_each_change(writer: Writer, readers: Readers) -> None:
    made = run(writer, lambda tx: add_session(tx, diff=LONG, last_message=LONG))
    assert ["diff", "lastMessage"] == made.shortened

    def change(**fields: Any) -> Session:
        return run(writer, lambda tx: sessions.update(tx, made.id, **fields))

    assert ["diff", "lastMessage"] == change(status="running").shortened
    changed = change(diff=LONG[1:])
    assert ["diff", "lastMessage"] == changed.shortened
    assert 2 == kept(readers)
    with readers.connection() as db:
        assert LONG[1:] == whole(db, changed, "diff")
    assert ["lastMessage"] == change(diff="short").shortened
    assert [] == change(last_message=None, result={"text": "short"}).shortened
    assert 0 == kept(readers)


def test_a_change_that_is_not_made_leaves_the_whole(writer: Writer, readers: Readers) -> None:
    made = run(writer, lambda tx: add_session(tx, diff=LONG))
    swapped = run(
        writer,
        lambda tx: sessions.swap(tx, made.id, expected={"status": "failed"}, diff="short"),
    )
    assert swapped is None
    with readers.connection() as db:
        assert LONG == whole(db, made, "diff")


def test_the_whole_goes_with_its_row(writer: Writer, readers: Readers) -> None:
    def unit(tx: Transaction) -> int:
        session = add_session(tx, diff=LONG)
        add_item(tx, session.id, body={"text": LONG})
        add_session(tx, repository_id=add_repository(tx).id)
        return session.repository_id

    place = run(writer, unit)
    assert 2 == kept(readers)
    run(writer, lambda tx: remove_repository(tx, place))
    assert 0 == kept(readers)


def test_a_cursor_is_of_one_value(writer: Writer, readers: Readers) -> None:
    made = run(writer, lambda tx: add_session(tx, diff=LONG))
    with readers.connection() as db:
        cursor = sessions.piece(db, made.id, "diff").next_cursor
    run(writer, lambda tx: sessions.update(tx, made.id, diff=LONG + "!"))
    with readers.connection() as db:
        for of in (cursor, "!"):
            with pytest.raises(InvalidCursor):
                sessions.piece(db, made.id, "diff", of)
        with pytest.raises(InvalidCursor):
            sessions.piece(db, made.id, "plan", cursor)
        with pytest.raises(RecordNotFound):
            sessions.piece(db, 99, "diff")


def test_no_more_is_read_than_a_piece(writer: Writer, readers: Readers) -> None:
    made = run(writer, lambda tx: add_session(tx, diff=LONG * 4))
    with readers.connection() as db:
        cursor = sessions.piece(db, made.id, "diff").next_cursor
        tracemalloc.start()
        try:
            sessions.piece(db, made.id, "diff", cursor)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 3 * PAGE_BYTES


def test_what_is_shown_of_a_long_text_is_found(writer: Writer, readers: Readers) -> None:
    text = "alpha " + "filler " * 100_000 + "omega"
    middle = text.replace("filler filler omega", "middle filler omega", 1)

    def unit(tx: Transaction) -> None:
        add_item(tx, add_session(tx).id, body={"id": "i", "text": middle})

    run(writer, unit)
    with readers.connection() as db:
        assert 1 == len(search_texts(db, "alpha omega", limit=5).items)


def test_of_many_records_the_long_texts_are_left_out(writer: Writer, readers: Readers) -> None:
    made = run(writer, lambda tx: add_session(tx, diff=LONG, plan={"steps": []}))
    with readers.connection() as db:
        (outline,) = sessions.every(db, {"status": "created"}, texts=False)
    assert ("", None, None) == (outline.prompt, outline.diff, outline.plan)
    assert (made.id, made.cwd) == (outline.id, outline.cwd)
