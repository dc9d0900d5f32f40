"""The successor of a session is made in the transaction that ends it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.successors import (
    CONTINUATIONS,
    RETRY,
    change_followup,
    end,
    queue_followup,
    say_next,
)
from command_center.actors.ledger.uploads import attached, delete_upload, keep_upload
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.uploads import check_upload
from command_center.store import (
    Session,
    Transaction,
    Writer,
    approvals,
    followups,
    sessions,
    tasks,
)
from command_center.store.queries.attachments import remove_upload
from command_center.store.records import SessionStatus
from tests.actors.rows import insert_repository, insert_session, insert_task
from tests.actors.sessions.units import done, running, writer

__all__ = ["writer"]


def ended(tx: Transaction, session: Session, status: SessionStatus) -> Session | None:
    """The sequel of the session's end."""
    return end(tx, session.id, status, reason="Because.", approval_seconds=60)[1]


def test_a_completed_turn_is_followed_by_the_oldest_follow_up_in_the_same_thread(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx)
        shown = [{"id": 1, "name": "a.png"}]
        first = queue_followup(tx, session.id, message="First.", actor="ada", attachments=shown)
        second = queue_followup(tx, session.id, message="Second.", actor="ada")
        sequel = ended(tx, session, "completed")
        assert sequel is not None
        assert ("queued", "followup", "First.", "t1") == (
            sequel.status,
            sequel.origin,
            sequel.prompt,
            sequel.codex_thread_id,
        )
        assert shown == sequel.attachments
        assert sequel.id == followups.get(tx.db, first.id).sent_session_id
        assert "pending" == followups.get(tx.db, second.id).status

    done(writer, unit)


def test_what_is_said_after_the_end_goes_on_in_the_sessions_own_thread(writer: Writer) -> None:
    def say(tx: Transaction, session: Session) -> tuple[int | None, Session]:
        followup, told = say_next(tx, session.id, message="And?", actor="ada", approval_seconds=60)
        return None if followup is None else followup.session_id, told

    def unit(tx: Transaction) -> None:
        task, first = running(tx)
        assert (first.id, first) == say(tx, first)
        first = end(tx, first.id, "stopped", reason="Because.", approval_seconds=60)[0]
        # A turn in another thread of the task is not waited for.
        other = insert_session(tx, task, status="running", codex_thread_id="t2", codex_turn_id="u2")
        waits_for, second = say(tx, first)
        assert (None, "t1", first.id) == (
            waits_for,
            second.codex_thread_id,
            second.previous_session_id,
        )
        assert (second.id, second) == say(tx, first)
        ledger.request_stop(tx, other.id, reason=None, actor="ada")
        with pytest.raises(Conflict, match="being stopped"):
            say(tx, other)

    done(writer, unit)


def shown(tx: Transaction, name: str) -> list[dict[str, Any]]:
    """A text that is kept, as an attachment."""
    return attached(tx, [keep_upload(tx, check_upload(name.encode(), name), actor="ada").id])


def test_what_is_said_to_a_session_that_heard_nothing_is_said_with_its_prompt(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> None:
        task = insert_task(tx, insert_repository(tx))
        kept, deleted, later = (shown(tx, name) for name in ("a.txt", "b.txt", "c.txt"))
        failed = insert_session(
            tx, task, status="failed", finished_at=tx.now, attachments=[*kept, *deleted]
        )
        delete_upload(tx, deleted[0]["id"], actor="ada")
        _, told = say_next(
            tx,
            failed.id,
            message="And?",
            actor="ada",
            approval_seconds=60,
            attachments=[*kept, *later],
        )
        assert (f"{task.prompt}\n\nAnd?", None) == (told.prompt, told.codex_thread_id)
        assert [*kept, *later] == told.attachments

    done(writer, unit)


@pytest.mark.parametrize("status", ["failed", "stopped", "interrupted"])
def test_after_any_other_end_a_follow_up_waits(writer: Writer, status: SessionStatus) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx)
        followup = queue_followup(tx, session.id, message="Then.", actor="ada")
        assert ended(tx, session, status) is None
        assert "pending" == followups.get(tx.db, followup.id).status

    done(writer, unit)


def test_a_follow_up_can_be_changed_and_taken_back_until_it_is_sent(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx)
        followup = queue_followup(tx, session.id, message="Tehn.", actor="ada")
        changed = change_followup(tx, followup.id, message="Then.", actor="ada")
        assert "Then." == changed.message
        ended(tx, session, "completed")
        with pytest.raises(Conflict, match="is sent"):
            change_followup(tx, followup.id, message=None, actor="ada")

    done(writer, unit)


def test_a_failed_turn_is_tried_again_after_a_pause_as_often_as_allowed(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx, max_attempts=2)
        retry = ended(tx, session, "failed")
        assert retry is not None
        assert ("retry", 2, session.id) == (
            retry.origin,
            retry.attempt,
            retry.previous_session_id,
        )
        assert retry.begin_after is not None
        assert retry.begin_after > tx.now
        sessions.update(tx, retry.id, status="running")
        assert ended(tx, retry, "failed") is None

    done(writer, unit)


def test_a_retry_of_a_follow_up_says_the_follow_up_again_however_often(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx, max_attempts=3)
        queue_followup(tx, session.id, message="Then this.", actor="ada")
        following = ended(tx, session, "completed")
        for _ in range(2):
            assert following is not None
            assert "Then this." == following.prompt
            following = sessions.update(
                tx, following.id, status="starting", codex_thread_id=None, codex_turn_id=None
            )
            following = ended(tx, following, "failed")

    done(writer, unit)


def test_an_interrupted_turn_is_continued_where_wanted_but_not_for_ever(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx, on_interrupt="continue")
        for _ in range(CONTINUATIONS):
            following = ended(tx, session, "interrupted")
            assert following is not None
            assert "continue" == following.origin
            assert "Because." in following.prompt
            session = sessions.update(tx, following.id, status="running", codex_turn_id="u")
        assert ended(tx, session, "interrupted") is None

    done(writer, unit)


def test_nothing_follows_what_a_person_stopped(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx, on_interrupt="continue", max_attempts=3)
        queue_followup(tx, session.id, message="Then.", actor="ada")
        ledger.request_stop(tx, session.id, reason=None, actor="ada")
        assert ended(tx, session, "stopped") is None

    done(writer, unit)


def test_nothing_follows_in_a_task_that_is_cancelled(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        task, session = running(tx, max_attempts=3)
        tasks.update(tx, task.id, status="cancelled")
        assert ended(tx, session, "failed") is None

    done(writer, unit)


def test_what_a_person_agreed_to_holds_for_a_retry_of_the_same_run(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx, approval_required=True, max_attempts=2)
        approvals.insert(
            tx,
            kind="run",
            status="approved",
            title="Run?",
            details={"code": "task_requires_approval"},
            session_id=session.id,
            requested_by="test",
        )
        retry = ended(tx, session, "failed")
        assert retry is not None
        assert "queued" == retry.status

    done(writer, unit)


@given(attempt=st.integers(1, 1000))
def test_the_pause_before_a_retry_doubles_up_to_its_cap(attempt: int) -> None:
    pause = RETRY.delay(attempt)
    assert 10 <= pause <= 300
    assert pause <= RETRY.delay(attempt + 1)
    if pause < 300:
        assert 10 * 2 ** (attempt - 1) == pause


def test_a_continuation_in_a_thread_that_never_heard_the_task_says_the_task(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx, on_interrupt="continue")
        kept, gone = shown(tx, "a.txt"), shown(tx, "b.txt")
        session = sessions.update(tx, session.id, attachments=[*kept, *gone])
        following = ended(tx, session, "interrupted")
        assert following is not None
        assert following.prompt.startswith("The last turn was cut off")
        with pytest.raises(Conflict, match="has not ended"):  # it may have to show it, too
            delete_upload(tx, gone[0]["id"], actor="ada")
        remove_upload(tx, gone[0]["id"])
        same = ledger.record_thread(tx, following.id, "t1", codex_ref="app-server:t1")
        assert following.prompt == same.prompt
        anew = ledger.record_thread(tx, following.id, "t2", codex_ref="app-server:t2")
        assert ("t2", session.prompt) == (anew.codex_thread_id, anew.prompt)
        assert kept == anew.attachments
        end(tx, following.id, "stopped", reason=None, approval_seconds=60)
        delete_upload(tx, kept[0]["id"], actor="ada")

    done(writer, unit)


@pytest.mark.parametrize(
    ("status", "is_limited", "origin"),
    [("failed", False, "retry"), ("interrupted", False, "continue"), ("failed", True, "limit")],
)
def test_what_goes_on_with_a_follow_up_of_a_review_is_a_prompt(
    writer: Writer, status: SessionStatus, *, is_limited: bool, origin: str
) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(
            tx,
            type="review_task",
            max_attempts=2,
            on_interrupt="continue",
            session={"type": "prompt_task", "origin": "followup", "prompt": "Mend it."},
        )
        _, sequel = end(
            tx, session.id, status, reason="Because.", approval_seconds=60, is_limited=is_limited
        )
        assert sequel is not None
        assert (origin, "prompt_task", "t1") == (
            sequel.origin,
            sequel.type,
            sequel.codex_thread_id,
        )
        assert "go on" in sequel.prompt or "try the task again" in sequel.prompt

    done(writer, unit)
