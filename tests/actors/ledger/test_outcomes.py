"""A session's end reaches its automation in the transaction that ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest

from command_center.actors.contracts.automations import AutomationPayload, CreateAutomation
from command_center.actors.ledger import approvals as settlement
from command_center.actors.ledger import firing as claims
from command_center.actors.ledger import successors as sequels
from command_center.actors.ledger.automations import Terms, create_automation
from command_center.actors.ledger.outcomes import FAILURES
from command_center.store import (
    Automation,
    AutomationRun,
    Done,
    Transaction,
    Writer,
    automation_runs,
    automations,
    repositories,
)
from command_center.store.records import SessionStatus
from command_center.store.tables import approvals
from tests.actors.rows import NO_PLACES

T = TypeVar("T")

TERMS = Terms(places=NO_PLACES, runner="stub", approval_seconds=60.0, zone=ZoneInfo("UTC"))
NOW = datetime(2025, 6, 2, 8, 30, tzinfo=UTC)


class Book:
    """A database, its writer, and an automation that is due each hour."""

    def __init__(self, folder: Path, **payload: object) -> None:
        self.writer = Writer(folder / "center.sqlite3")
        self.now = NOW

        def unit(tx: Transaction) -> Automation:
            repository = repositories.insert(tx, name="r", local_path=str(folder))
            wanted = CreateAutomation(
                repository_id=repository.id,
                title="Look",
                schedule_expr="hourly",
                payload=AutomationPayload(prompt="Look.", **payload),  # type: ignore[arg-type]
            )
            return create_automation(tx, wanted, TERMS, NOW)

        self.id = self.do(unit).id

    def do(self, unit: Callable[[Transaction], T]) -> T:
        (outcome,) = self.writer.commit([unit]).outcomes
        assert isinstance(outcome, Done), outcome
        value: T = outcome.value
        return value

    def fire(self) -> int:
        """Let the next hour come; the session that it made."""
        self.now += timedelta(hours=1)
        session = self.do(lambda tx: claims.claim(tx, self.id, TERMS, self.now)).session_id
        assert session is not None
        return session

    def end(self, session: int, status: SessionStatus) -> int | None:
        """End the session; the one that follows it."""
        _, sequel = self.do(
            lambda tx: sequels.end(tx, session, status, reason="So it was.", approval_seconds=60.0)
        )
        return None if sequel is None else sequel.id

    def automation(self) -> Automation:
        return self.do(lambda tx: automations.get(tx.db, self.id))

    def last_run(self) -> AutomationRun:
        found = self.do(lambda tx: automation_runs.find(tx.db, {}, newest_first=True))
        assert found is not None
        return found


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = Book(tmp_path)
    yield made
    made.writer.close()


@pytest.mark.parametrize(("status", "failures"), [("failed", 1), ("stopped", 0)])
def test_a_run_ends_as_its_session_does(book: Book, status: SessionStatus, failures: int) -> None:
    session = book.fire()
    assert ("started", session) == (book.last_run().outcome, book.last_run().session_id)
    book.end(session, status)
    run, automation = book.last_run(), book.automation()
    assert (status, "So it was.") == (run.outcome, run.reason)
    assert run.finished_at is not None
    assert (status, failures) == (automation.last_outcome, automation.consecutive_failures)


def test_what_a_person_stops_neither_counts_nor_ends_a_row_of_failures(book: Book) -> None:
    book.end(book.fire(), "failed")
    book.end(book.fire(), "stopped")
    assert 1 == book.automation().consecutive_failures


def test_the_last_of_too_many_failures_pauses_in_the_same_transaction(book: Book) -> None:
    for n in range(FAILURES):
        assert book.automation().enabled
        session = book.fire()
        assert n == book.automation().consecutive_failures
        book.end(session, "failed")
    automation = book.automation()
    assert (False, None, FAILURES) == (
        automation.enabled,
        automation.next_run_at,
        automation.consecutive_failures,
    )
    assert automation.paused_reason is not None
    assert "So it was." in automation.paused_reason
    later = book.now + timedelta(days=1)
    assert book.do(lambda tx: claims.claim(tx, book.id, TERMS, later)).session_id is None


def test_a_run_goes_on_while_it_is_tried_again(tmp_path: Path) -> None:
    book = Book(tmp_path, max_attempts=2)
    first = book.fire()
    second = book.end(first, "failed")
    assert second is not None
    run, automation = book.last_run(), book.automation()
    assert ("started", second) == (run.outcome, run.session_id)
    assert (second, 0) == (automation.last_session_id, automation.consecutive_failures)
    book.now += timedelta(hours=1)
    claim = book.do(lambda tx: claims.claim(tx, book.id, TERMS, book.now))
    assert (None, "skipped") == (claim.session_id, claim.automation.last_outcome)
    assert book.end(second, "failed") is None
    assert 1 == book.automation().consecutive_failures
    book.writer.close()


def test_a_refused_approval_is_no_failure(tmp_path: Path) -> None:
    book = Book(tmp_path, approval_required=True)
    book.fire()

    def refuse(tx: Transaction) -> None:
        (asked,) = approvals.every(tx.db, {"status": "pending"})
        settlement.settle_approval(tx, asked.id, status="rejected", actor="anna")

    book.do(refuse)
    assert "refused" == book.last_run().outcome
    assert ("refused", 0) == (
        book.automation().last_outcome,
        book.automation().consecutive_failures,
    )
    assert book.fire()
    book.writer.close()
