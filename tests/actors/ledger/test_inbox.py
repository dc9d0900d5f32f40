"""Marks of the inbox: told once, held until their moment, gone with the things they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from command_center.actors.contracts.inbox import NewMarks
from command_center.actors.ledger.inbox import mark, marks_at
from command_center.actors.rules.errors import Conflict
from command_center.store import (
    Done,
    EventFilter,
    Failed,
    InboxMark,
    RecordNotFound,
    Transaction,
    Writer,
    approvals,
    events,
)
from tests.actors.rows import insert_repository, insert_session, insert_task

T = TypeVar("T")
MARKED = EventFilter(types=("inbox.marked",))
NEVER, LONG_AGO = "2999-01-01T00:00:00.000Z", "2001-01-01T00:00:00.000Z"


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "test.db")
    yield writer
    writer.close()


def do(writer: Writer, unit: Callable[[Transaction], T]) -> T:
    (outcome,) = writer.commit([unit]).outcomes
    if isinstance(outcome, Failed):
        raise outcome.error
    assert isinstance(outcome, Done)
    value: T = outcome.value
    return value


def held(marks: list[InboxMark]) -> list[tuple[str, int, str | None]]:
    return [(one.kind, one.record_id, one.until) for one in marks]


def test_a_failed_session_is_dismissed_once(writer: Writer) -> None:
    def run(tx: Transaction) -> None:
        session = insert_session(tx, insert_task(tx, insert_repository(tx)), status="failed")
        for _ in range(2):
            mark(tx, NewMarks(kind="session", ids=(session.id, session.id)))

    do(writer, run)
    assert [("session", 1, None)] == held(do(writer, lambda tx: marks_at(tx.db, tx.now)))
    told, _ = do(writer, lambda tx: events.after(tx.db, 0, wanted=MARKED))
    assert 1 == len(told)
    with pytest.raises(RecordNotFound):
        do(writer, lambda tx: mark(tx, NewMarks(kind="session", ids=(2,))))


def test_an_approval_is_put_off_but_not_dismissed_and_its_mark_goes_with_the_decision(
    writer: Writer,
) -> None:
    def ask(tx: Transaction) -> int:
        return approvals.insert(tx, title="May I?", requested_by="ada").id

    first, second = do(writer, ask), do(writer, ask)
    with pytest.raises(Conflict, match="not dismissed"):
        do(writer, lambda tx: mark(tx, NewMarks(kind="approval", ids=(first,))))
    later = NewMarks(kind="approval", ids=(first, second), until=NEVER)
    assert 2 == len(do(writer, lambda tx: mark(tx, later)).items)
    do(writer, lambda tx: approvals.update(tx, first, status="approved"))
    now = NewMarks(kind="approval", ids=(second,), until=LONG_AGO)
    assert [] == do(writer, lambda tx: mark(tx, now)).items
