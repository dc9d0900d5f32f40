"""The tokens that a session and its task may use."""

from __future__ import annotations

from typing import Any

import pytest

from command_center.actors.ledger.budgets import (
    check_limits,
    count_agent,
    overspent,
    tokens_before,
    used_tokens,
)
from command_center.actors.rules.errors import Conflict
from command_center.store import Transaction, Writer
from tests.actors.rows import insert_session
from tests.actors.sessions.units import done, running, writer

__all__ = ["writer"]


def used(total: int, *, before: int = 0) -> dict[str, Any]:
    """The fields of a session in whose thread so many tokens were used, some of them before it."""
    return {"token_usage": {"total": {"totalTokens": total}}, "token_baseline": before}


def test_a_task_that_has_used_its_turns_gets_no_more(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        task, _ = running(tx, turn_limit=1)
        with pytest.raises(Conflict, match="1 of 1 turns"):
            check_limits(tx, task)

    done(writer, unit)


def test_a_task_that_has_used_its_tokens_gets_no_more(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        task, _ = running(tx, token_budget=50, session=used(70, before=10))
        with pytest.raises(Conflict, match="60 of 50 tokens"):
            check_limits(tx, task)

    done(writer, unit)


def test_what_was_used_in_the_thread_before_is_not_the_sessions(writer: Writer) -> None:
    _, session = done(writer, lambda tx: running(tx, session=used(70, before=10)))
    assert 60 == used_tokens(session)


def test_what_a_sub_agent_uses_is_counted_once_however_often_it_is_told(writer: Writer) -> None:
    def unit(tx: Transaction) -> list[int]:
        _, session = running(tx, session=used(70, before=10))
        counted = []
        for agent, total, last in (("a", 300, 30), ("a", 300, 30), ("b", 5, 5), ("a", 340, 40)):
            usage = {"total": {"totalTokens": total}, "last": {"totalTokens": last}}
            counted.append(used_tokens(count_agent(tx, session.id, agent, usage)))
        return counted

    assert [90, 90, 95, 135] == done(writer, unit)


def test_a_turn_over_its_sessions_tokens_has_to_end(writer: Writer) -> None:
    def unit(tx: Transaction) -> str | None:
        return overspent(tx, running(tx, session={"token_budget": 50, **used(51)})[1].id)

    assert "The session used 51 of 50 tokens." == done(writer, unit)


def test_a_turn_that_has_used_all_its_tokens_may_end_by_itself(writer: Writer) -> None:
    def unit(tx: Transaction) -> str | None:
        return overspent(tx, running(tx, session={"token_budget": 50, **used(50)})[1].id)

    assert done(writer, unit) is None


def test_a_turn_has_to_end_when_the_tasks_sessions_together_have_used_too_much(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> str | None:
        task, session = running(tx, token_budget=100, session=used(60))
        insert_session(tx, task, status="completed", **used(60))
        return overspent(tx, session.id)

    assert "Task 1 used 120 of 100 tokens." == done(writer, unit)


def test_a_total_alone_counts_from_where_the_threads_sessions_before_had_come_to(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> int:
        task, _ = running(tx, session=used(70))
        failed = insert_session(tx, task, status="failed", codex_thread_id="t1")
        insert_session(tx, task, status="completed", codex_thread_id="t2", **used(900))
        return tokens_before(tx, failed, {"total": {"totalTokens": 100}})

    assert 70 == done(writer, unit)


def test_a_total_beside_the_last_calls_tokens_tells_what_others_used_in_the_thread(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> int:
        usage = {"total": {"totalTokens": 100}, "last": {"totalTokens": 20}}
        return tokens_before(tx, running(tx)[1], usage)

    assert 80 == done(writer, unit)
