"""Limits of an agent's account: when they reset, who is told, and who waits."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import attrs
import msgspec
import pytest

from command_center.actors.contracts.usage_limits import LimitWindow, UsageLimit
from command_center.actors.core.clock import later
from command_center.actors.ledger.admission import admit
from command_center.actors.ledger.automations import Terms
from command_center.actors.ledger.budgets import check_limits
from command_center.actors.ledger.firing import claim
from command_center.actors.ledger.spending import CapIsReached
from command_center.actors.ledger.successors import end
from command_center.actors.ledger.usage_limits import (
    PATIENCE,
    LimitSkipped,
    await_reset,
    learn,
    park,
    release,
    reset_of,
)
from command_center.actors.rules.errors import Conflict
from command_center.store import (
    Automation,
    EventFilter,
    Session,
    Transaction,
    Writer,
    automation_runs,
    automations,
    events,
    from_timestamp,
    repositories,
    sessions,
    tasks,
    usage_limits,
)
from command_center.store.usage_limits import KnownLimits
from tests.actors.rows import NO_PLACES, insert_session
from tests.actors.sessions.units import done, running, writer

__all__ = ["writer"]

NOW = "2025-06-02T09:00:00.000Z"
DUE = "2025-06-02T09:00:00.000Z"
FAR = "2999-01-01T00:00:00.000Z"
SOON, LATE = "2025-06-02T10:00:00.000Z", "2025-06-05T10:00:00.000Z"


def limit(*windows: tuple[float, str | None], name: str = "codex") -> UsageLimit:
    """A limit of windows: how much of each is used, and when it resets."""
    return UsageLimit(
        id=name,
        windows=[LimitWindow(used_percent=used, minutes=300, resets_at=at) for used, at in windows],
    )


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([], None),
        ([limit((99, SOON))], None),
        ([limit((100, SOON), (7, LATE))], SOON),
        ([limit((100, SOON), (100, LATE))], LATE),
        ([limit((100, LATE)), limit((100, SOON), name="other")], SOON),
        ([limit((100, "2025-06-02T08:00:00.000Z"))], None),
        ([limit((100, None))], None),
    ],
)
def test_a_limit_has_reset_once_all_its_windows_have(
    limits: list[UsageLimit], expected: str | None
) -> None:
    assert expected == reset_of(limits, NOW)


def told(tx: Transaction) -> list[str]:
    """The events of limits so far."""
    kinds = ("limits.changed", "limits.near", "limits.reached", "limits.reset")
    found, _ = events.after(tx.db, 0, limit=100, wanted=EventFilter(types=kinds))
    return [event.type for event in found]


def meet(tx: Transaction, session: Session) -> Session | None:
    """End it as a turn does that met a limit; the session that follows."""
    return end(tx, session.id, "failed", reason="Limit.", approval_seconds=9, is_limited=True)[1]


def test_people_are_told_once_that_a_window_is_almost_used_up(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        for used, at in ((89.0, SOON), (90.0, SOON), (95.0, SOON), (3.0, LATE), (92.0, LATE)):
            learn(tx, "local", [limit((used, at))])
            learn(tx, "local", [limit((used, at))])
        assert 5 == told(tx).count("limits.changed")
        assert 2 == told(tx).count("limits.near")

    done(writer, unit)


def test_a_reset_that_nobody_names_is_awaited_for_a_while_and_then_the_run_fails(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx)
        for attempt in range(PATIENCE):
            following = meet(tx, session)
            assert following is not None
            assert "waiting_limit" == following.status
            known = await_reset(tx, "local")
            assert later(tx.now, min(900 * 2**attempt, 14_400)) == known.held_until
            usage_limits.keep(tx, "local", attrs.evolve(known, held_until=tx.now))
            assert [following.id] == release(tx, "local")
            assert [] == release(tx, "local")
            session = sessions.update(tx, following.id, status="running", codex_turn_id="t")
        assert meet(tx, session) is None
        assert "failed" == sessions.get(tx.db, session.id).status

    done(writer, unit)


def test_an_automation_that_skips_has_no_run_waiting(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        task, session = running(tx)
        automation = automations.insert(
            tx,
            repository_id=task.repository_id,
            title="A",
            schedule_expr="hourly",
            requested_by="ada",
            when_limited="skip",
        )
        tasks.update(tx, task.id, automation_id=automation.id)
        assert meet(tx, session) is None
        assert "interrupted" == sessions.get(tx.db, session.id).status
        # What a person says in its thread waits all the same.
        said = insert_session(
            tx, task, runner="app-server", status="running", origin="followup", codex_turn_id="t"
        )
        waits = meet(tx, said)
        assert waits is not None
        assert "waiting_limit" == waits.status
        queued = insert_session(
            tx, task, runner="app-server", status="queued", origin="followup", cwd="/srv/b"
        )
        assert "waiting_limit" == begin(tx, queued).status
        again = insert_session(
            tx,
            task,
            runner="app-server",
            status="queued",
            previous_session_id=session.id,
            origin="retry",
            cwd="/srv/c",
        )
        with pytest.raises(LimitSkipped):
            begin(tx, again)

    done(writer, unit)


def test_a_later_word_of_a_limit_leaves_what_it_does_not_say(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        named = msgspec.structs.replace(limit((5, SOON)), name="Codex", plan="pro")
        learn(tx, "local", [named])
        known = learn(tx, "local", [limit((6, SOON)), limit((1, SOON), name="other")])
        assert ["codex", "other"] == [one["id"] for one in known.limits]
        assert ("Codex", "pro") == (known.limits[0]["name"], known.limits[0]["plan"])

    done(writer, unit)


def skipping(tx: Transaction, repository_id: int) -> Automation:
    """An automation that is due, and leaves runs out while a limit is reached."""
    return automations.insert(
        tx,
        repository_id=repository_id,
        title="A",
        schedule_expr="hourly",
        payload={"prompt": "Go."},
        next_run_at=DUE,
        requested_by="ada",
        when_limited="skip",
    )


def test_an_automation_that_skips_passes_its_due_time_over_while_a_limit_is_reached(
    writer: Writer,
) -> None:
    terms = Terms(places=NO_PLACES, runner="app-server", approval_seconds=9, zone=ZoneInfo("UTC"))

    def unit(tx: Transaction) -> None:
        task, session = running(tx)
        automation = skipping(tx, task.repository_id)
        meet(tx, session)
        claimed = claim(tx, automation.id, terms, from_timestamp(DUE))
        assert (None, "skipped") == (claimed.session_id, claimed.automation.last_outcome)
        (run,) = automation_runs.every(tx.db, {"automation_id": automation.id})
        assert "A limit of Codex is reached." == run.reason
        known = usage_limits.known(tx.db, "local")
        usage_limits.keep(tx, "local", attrs.evolve(known, held_until=tx.now))
        release(tx, "local")
        following = from_timestamp(claimed.automation.next_run_at or "")
        claimed = claim(tx, automation.id, terms, following)
        assert claimed.session_id is not None
        meet(tx, sessions.update(tx, session.id, finished_at=None, status="running"))
        with pytest.raises(LimitSkipped):
            park(tx, claimed.session_id, actor="test")

    done(writer, unit)


def full(tx: Transaction) -> None:
    """Have Codex tell that all is used up."""
    learn(tx, "local", [limit((100, FAR))])


def begin(tx: Transaction, session: Session) -> Session:
    """Have it begin, if it may."""
    return admit(tx, session.id, actor="test", approval_seconds=9, begin="this", limit=9)


def test_a_run_that_meets_a_limit_waits_though_its_turns_and_its_window_are_used_up(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> None:
        task, session = running(tx, turn_limit=2, session={"turns": 2})
        repositories.update(tx, task.repository_id, caps={"windowPercent": 80})
        full(tx)
        for _ in range(3):
            following = meet(tx, session)
            assert following is not None
            assert "waiting_limit" == following.status
            session = sessions.update(tx, following.id, status="running", codex_turn_id="t")
        repositories.update(tx, task.repository_id, caps={})
        with pytest.raises(Conflict, match="2 of 2 turns"):
            check_limits(tx, task)

    done(writer, unit)


def test_over_a_cap_of_the_window_a_run_waits_while_the_limit_holds_and_begins_when_it_is_over(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> None:
        task, session = running(tx, session={"cwd": "/srv/a"})
        repositories.update(tx, task.repository_id, caps={"windowPercent": 80})
        full(tx)
        meet(tx, session)
        second = insert_session(tx, task, runner="app-server", status="queued", cwd="/srv/b")
        assert "waiting_limit" == begin(tx, second).status
        learn(tx, "local", [limit((85, FAR))])
        usage_limits.keep(tx, "local", KnownLimits(usage_limits.known(tx.db, "local").limits))
        sessions.update(tx, second.id, status="queued")
        with pytest.raises(CapIsReached, match="85"):
            begin(tx, second)

    done(writer, unit)


def test_a_hold_ends_once_codex_tells_that_no_window_is_used_up_any_more(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx)
        full(tx)
        following = meet(tx, session)
        assert following is not None
        learn(tx, "local", [limit((100, FAR), (99, SOON))])
        assert [] == release(tx, "local")
        learn(tx, "local", [limit((2, FAR))])
        assert [following.id] == release(tx, "local")
        assert [] == release(tx, "local")
        assert 1 == told(tx).count("limits.reset")

    done(writer, unit)


def test_a_hold_of_which_codex_tells_nothing_is_not_ended_by_what_it_tells_of_others(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx)
        meet(tx, session)
        held_until = await_reset(tx, "local").held_until
        assert held_until == learn(tx, "local", [limit((40, FAR))]).held_until

    done(writer, unit)


def test_a_hold_ends_when_a_run_that_was_sent_on_completes(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        task, session = running(tx)
        older = insert_session(
            tx, task, runner="app-server", status="running", started_at="2020-01-01T00:00:00.000Z"
        )
        full(tx)
        following = meet(tx, session)
        assert following is not None
        end(tx, older.id, "completed", reason=None, approval_seconds=9)
        assert [] == release(tx, "local")
        sent_on = insert_session(
            tx, task, runner="app-server", status="running", started_at=later(tx.now, 1)
        )
        end(tx, sent_on.id, "completed", reason=None, approval_seconds=9)
        assert [following.id] == release(tx, "local")

    done(writer, unit)


def test_a_moment_that_nobody_told_comes_though_the_clock_was_set_back(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        _, session = running(tx)
        meet(tx, session)
        known = await_reset(tx, "local")
        assert known == await_reset(tx, "local")
        usage_limits.keep(tx, "local", attrs.evolve(known, held_until=FAR))
        assert known == await_reset(tx, "local")
        full(tx)
        assert FAR == await_reset(tx, "local").held_until

    done(writer, unit)


def test_an_answer_that_has_all_limits_takes_the_place_of_what_was_known(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        learn(tx, "local", [limit((100, FAR), name="former"), limit((5, FAR))])
        known = learn(tx, "local", [limit((5, FAR))], is_whole=True)
        assert ["codex"] == [one["id"] for one in known.limits]
        assert known == learn(tx, "local", [], is_whole=True)

    done(writer, unit)


def test_a_window_that_never_resets_holds_no_run_to_a_cap(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        task, _ = running(tx)
        repositories.update(tx, task.repository_id, caps={"windowPercent": 80})
        learn(tx, "local", [limit((90, None))])
        check_limits(tx, task)
        learn(tx, "local", [limit((90, FAR))])
        with pytest.raises(CapIsReached):
            check_limits(tx, task)

    done(writer, unit)
