"""The end of a session that somebody wanted to end."""

from __future__ import annotations

import pytest

from command_center.actors.ledger.sessions import request_stop
from command_center.actors.sessions.interruption import OVERDUE, ended_by_request
from command_center.store import Session, Writer
from command_center.store.records import SessionStatus
from tests.actors.sessions.units import done, running, writer

__all__ = ["writer"]


@pytest.fixture
def session(writer: Writer) -> Session:
    """One that Ada wants to end."""
    return done(
        writer, lambda tx: request_stop(tx, running(tx)[1].id, reason="Enough.", actor="ada")
    )


@pytest.mark.parametrize("status", ["failed", "interrupted", "stopped"])
def test_whatever_ended_a_turn_that_was_to_end_it_was_stopped(
    session: Session, status: SessionStatus
) -> None:
    assert ("stopped", "Stopped by ada: Enough.") == ended_by_request(session, status, "Because.")


def test_a_turn_that_completed_first_has_completed(session: Session) -> None:
    assert ("completed", None) == ended_by_request(session, "completed", None)


def test_a_turn_that_had_to_be_given_up_says_so(session: Session) -> None:
    assert ("stopped", f"Stopped by ada: Enough. {OVERDUE}") == ended_by_request(
        session, "interrupted", OVERDUE
    )


def test_a_turn_that_a_limit_ended_was_interrupted_by_it(writer: Writer) -> None:
    session = done(
        writer,
        lambda tx: request_stop(
            tx, running(tx)[1].id, reason="Too much.", actor="budget", outcome="interrupted"
        ),
    )
    assert ("interrupted", "Too much.") == ended_by_request(session, "failed", "Because.")
