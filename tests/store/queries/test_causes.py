"""Events, and those that led to them."""

from __future__ import annotations

from typing import Any, cast

import pytest

from command_center.store import Transaction, Writer
from command_center.store.queries.causes import last_event, without_outcome
from tests.made_up import made_up
from tests.store.units import add_session, run


def emit(tx: Transaction, kind: str, session_id: int, cause: int | None = None) -> int:
    return tx.emit(made_up(kind), actor="test", session_id=session_id, causation_id=cause)


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
