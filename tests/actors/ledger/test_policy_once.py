"""Policy is asked once in a unit of work, however many parts of it go by the answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from command_center.actors.contracts.tasks import ThreadPrompt
from command_center.actors.ledger.admission import admit, why_not_go_on
from command_center.actors.ledger.successors import end, queue_followup, say_next
from command_center.actors.ledger.tasks import create_session, prompt_thread, run_task
from command_center.actors.rules import policy
from command_center.actors.rules.policy import RunInput
from command_center.store import Transaction, Writer, repositories, sessions
from tests.actors.rows import NO_PLACES, insert_repository, insert_session, insert_task
from tests.actors.sessions.units import done, running, writer

__all__ = ["writer"]


def a_run(tx: Transaction) -> None:
    task = insert_task(tx, insert_repository(tx))
    run_task(tx, task.id, RunInput(), places=NO_PLACES, runner="stub", approval_seconds=60)


def a_run_that_needs_an_approval(tx: Transaction) -> None:
    task = insert_task(tx, insert_repository(tx), approval_required=True)
    assert run_task(
        tx, task.id, RunInput(), places=NO_PLACES, runner="stub", approval_seconds=60
    ).blocked


def a_session_that_begins_later(tx: Transaction) -> None:
    task = insert_task(tx, insert_repository(tx))
    create_session(tx, task.id, RunInput(), runner="stub")


def a_prompt(tx: Transaction) -> None:
    wanted = ThreadPrompt(repository_id=insert_repository(tx).id, prompt="Go on.")
    prompt_thread(tx, "t", wanted, preview="", runner="app-server", approval_seconds=60)


def a_session_that_begins(tx: Transaction) -> None:
    session = insert_session(tx, insert_task(tx, insert_repository(tx)), status="queued")
    admit(tx, session.id, actor="test", approval_seconds=60, begin="this", limit=4)


def a_follow_up(tx: Transaction) -> None:
    _, session = running(tx)
    queue_followup(tx, session.id, message="More.", actor="ada")
    assert end(tx, session.id, "completed", reason=None, approval_seconds=60)[1] is not None


def a_retry(tx: Transaction) -> None:
    _, session = running(tx, max_attempts=2)
    assert end(tx, session.id, "failed", reason="Because.", approval_seconds=60)[1] is not None


def a_message_to_what_has_ended(tx: Transaction) -> None:
    _, session = running(tx)
    sessions.update(tx, session.id, status="completed", finished_at=tx.now)
    say_next(tx, session.id, message="More.", actor="ada", approval_seconds=60)


def a_further_turn_for_a_goal(tx: Transaction) -> None:
    _, session = running(tx)
    assert why_not_go_on(tx, session.id) is None


@pytest.mark.parametrize(
    "unit",
    [
        a_run,
        a_run_that_needs_an_approval,
        a_session_that_begins_later,
        a_prompt,
        a_session_that_begins,
        a_follow_up,
        a_retry,
        a_message_to_what_has_ended,
        a_further_turn_for_a_goal,
    ],
)
def test_policy_is_asked_once(
    unit: Callable[[Transaction], None], writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[RunInput] = []
    check = policy.check_run

    def counted(run: RunInput, host: str | None = None) -> None:
        asked.append(run)
        check(run, host)

    monkeypatch.setattr(policy, "check_run", counted)  # what each evaluation begins with
    done(writer, unit)
    assert 1 == len(asked)


def test_a_run_is_blocked_by_what_policy_said_as_it_was_made(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        repository = insert_repository(tx)
        repositories.update(tx, repository.id, allow_network=True, allow_commit=True)
        task = insert_task(tx, repository)
        run = RunInput(sandbox="danger-full-access")
        outcome = run_task(tx, task.id, run, places=NO_PLACES, runner="stub", approval_seconds=60)
        codes = [reason.code for reason in outcome.policy.approvals]
        assert ["full_access_needs_approval"] == codes
        assert codes == [approval.details["code"] for approval in outcome.approvals]

    done(writer, unit)
