"""Events, and those that led to them."""

from __future__ import annotations

from typing import Any, cast

import pytest

from command_center.store import Transaction, Writer
from command_center.store.queries import causes
from command_center.store.queries.causes import last_event, was_led_to_by, without_outcome
from tests.made_up import made_up
from tests.store.units import add_session, run


def emit(tx: Transaction, kind: str, session_id: int, cause: int | None = None) -> int:
    return tx.emit(made_up(kind), actor="test", session_id=session_id, causation_id=cause)


def skip(
    tx: Transaction, automation_id: int, session_id: int | None, cause: int | None = None
) -> int:
    return tx.emit(
        made_up("automation.skipped"),
        actor="test",
        automation_id=automation_id,
        session_id=session_id,
        causation_id=cause,
    )


def test_the_last_event_is_the_newest_of_that_subject_alone(writer: Writer) -> None:
    def unit(tx: Transaction) -> tuple[int, int | None, int | None]:
        one, other = add_session(tx).id, 99
        emit(tx, "thing.began", one)
        newest = emit(tx, "thing.ended", one)
        emit(tx, "thing.began", other)
        return newest, last_event(tx.db, "session_id", one), last_event(tx.db, "task_id", one)

    newest, of_session, of_task = run(writer, unit)
    assert newest == of_session
    assert of_task is None


def test_only_a_subject_is_looked_up(writer: Writer) -> None:
    subject = cast("Any", "id = 1 OR id")
    with pytest.raises(ValueError, match="id = 1 OR id"):
        run(writer, lambda tx: last_event(tx.db, subject, 1))


def test_what_was_asked_for_is_without_an_outcome_until_an_event_names_it_as_its_cause(
    writer: Writer,
) -> None:
    outcomes = ("thing.done", "thing.refused")

    def unit(tx: Transaction) -> tuple[list[int], list[int]]:
        session = add_session(tx).id
        done, refused, open_, open_too = (emit(tx, "thing.asked", session) for _ in range(4))
        emit(tx, "thing.asked", 99)
        emit(tx, "thing.done", session, done)
        emit(tx, "thing.refused", session, refused)
        emit(tx, "thing.seen", session, open_)
        emit(tx, "thing.done", 99, open_too)
        return [open_, open_too], without_outcome(tx.db, session, "thing.asked", outcomes)

    expected, found = run(writer, unit)
    assert expected == found


def test_a_story_goes_back_by_what_an_event_names_and_by_what_its_session_was_made_for(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> dict[str, bool]:
        mine, other = 7, 8
        busy, busy_too = add_session(tx).id, add_session(tx).id
        first = skip(tx, mine, busy)
        theirs = skip(tx, other, busy_too, first)
        alone = skip(tx, other, busy_too)
        made = emit(tx, "session.created", busy, theirs)
        item = made
        for _ in range(3):
            item = emit(tx, "session.item", busy, item)
        return {
            "by the event's own cause": was_led_to_by(tx.db, theirs, mine),
            "by the session's making": was_led_to_by(tx.db, item, mine),
            "by none": was_led_to_by(tx.db, alone, mine),
        }

    expected = {
        "by the event's own cause": True,
        "by the session's making": True,
        "by none": False,
    }
    assert expected == run(writer, unit)


def test_a_damaged_event_ends_the_search_and_one_that_is_too_long_is_taken_for_a_circle(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unit(tx: Transaction) -> list[bool]:
        session = add_session(tx).id
        made = emit(tx, "session.created", session, skip(tx, 7, None))
        item = emit(tx, "session.item", session, made)
        whole = was_led_to_by(tx.db, item, 7)
        tx.db.execute("DROP TRIGGER events_are_never_changed")
        tx.db.execute("UPDATE events SET body = substr(body, 2) WHERE id = ?", [made])
        torn = was_led_to_by(tx.db, item, 7)
        monkeypatch.setattr(causes, "LONGEST_STORY", 1)
        return [whole, torn, was_led_to_by(tx.db, item, 7)]

    assert [True, False, True] == run(writer, unit)


def test_what_led_to_an_event_is_found_without_the_other_events_of_its_task_and_session(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> list[str]:
        asked: list[tuple[str, Any]] = []
        with tx.db.tracer(lambda sql, values: asked.append((sql, values))):
            was_led_to_by(tx.db, emit(tx, "session.item", add_session(tx).id), 7)
        (sql, values) = next(one for one in asked if "story" in one[0])
        plan = tx.db.conn.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        return [detail for *_, detail in plan]

    told = run(writer, unit)
    assert {"events_of_made_tasks", "events_of_made_sessions"} == {
        word for step in told for word in step.split() if word.startswith("events_")
    }
