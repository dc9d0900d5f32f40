"""The numbers of a span of time, counted against what was put into it."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.store import (
    Readers,
    Transaction,
    Writer,
    approvals,
    automations,
    telemetry,
    to_timestamp,
)
from command_center.store.records import SessionStatus
from command_center.store.telemetry import StoreNumbers, numbers, percentile
from tests.store.units import add_repository, add_session, run, tell

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
OUTCOMES = ("completed", "failed", "stopped", "interrupted")


def at(**before: float) -> str:
    return to_timestamp(NOW - timedelta(**before))


def ended(tx: Transaction, status: str, seconds: float, tokens: int, **before: float) -> None:
    end = NOW - timedelta(**before)
    add_session(
        tx,
        status=status,
        started_at=to_timestamp(end - timedelta(seconds=seconds)),
        finished_at=to_timestamp(end),
        token_usage={"total": {"totalTokens": tokens + 10}},
        token_baseline=10,
    )


def counted(writer: Writer, readers: Readers, span: timedelta = DAY) -> StoreNumbers:
    assert writer is not None
    with readers.connection() as db:
        return numbers(db, NOW - span, NOW)


def test_nothing_is_counted_as_nothing(writer: Writer, readers: Readers) -> None:
    found = counted(writer, readers)
    assert {} == found.tasks
    assert found.sessions.success_rate is None
    assert found.sessions.duration_seconds.p50 is None
    assert (0, 0, 0.0) == (found.tokens.total, found.events.count, found.events.per_minute)
    assert (0, None) == (found.approvals.pending, found.approvals.oldest_pending_at)


def test_sessions_count_for_the_span_in_which_they_ended(writer: Writer, readers: Readers) -> None:
    def unit(tx: Transaction) -> None:
        ended(tx, "completed", 10, 100, hours=1)
        ended(tx, "completed", 20, 200, hours=2)
        ended(tx, "failed", 30, 300, hours=3)
        ended(tx, "stopped", 40, 400, hours=4)
        ended(tx, "completed", 50, 500, hours=30)
        add_session(tx, status="running", token_usage={"total": {"totalTokens": 7}})
        add_session(tx, status="queued")

    run(writer, unit)
    found = counted(writer, readers)
    assert {"completed": 2, "failed": 1, "stopped": 1, "interrupted": 0} == found.sessions.outcomes
    assert (1, 1) == (found.sessions.active, found.sessions.waiting)
    assert found.sessions.success_rate == pytest.approx(2 / 3, abs=1e-4)
    assert (20.0, 40.0) == (
        found.sessions.duration_seconds.p50,
        found.sessions.duration_seconds.p95,
    )
    assert 1007 == found.tokens.total
    assert 1507 == counted(writer, readers, 2 * DAY).tokens.total
    assert {"open": 7} == found.tasks


def test_tokens_are_told_by_day_and_by_repository(writer: Writer, readers: Readers) -> None:
    def unit(tx: Transaction) -> None:
        for days in (0, 0, 1, 2):
            ended(tx, "completed", 1, 5, days=days)

    run(writer, unit)
    found = counted(writer, readers, timedelta(days=1.5)).tokens
    assert [(at(days=1)[:10], 5), (at()[:10], 10)] == [(d.day, d.tokens) for d in found.by_day]
    assert [("a", 5)] * 3 == [(r.name, r.tokens) for r in found.by_repository]


def test_what_waits_on_people_and_clocks_is_told(writer: Writer, readers: Readers) -> None:
    def unit(tx: Transaction) -> None:
        place = add_repository(tx).id
        approvals.insert(tx, title="a", requested_by="web")
        for status, before in (("approved", 1), ("rejected", 2), ("approved", 30)):
            approvals.insert(
                tx, title="b", requested_by="web", status=status, resolved_at=at(hours=before)
            )
        for hours, enabled in ((-3, True), (-1, True), (-2, False)):
            automations.insert(
                tx,
                repository_id=place,
                title=f"{-hours}",
                schedule_expr="hourly",
                requested_by="web",
                enabled=enabled,
                next_run_at=at(hours=hours) if enabled else None,
                paused_reason=None if enabled else "failed",
            )

    run(writer, unit)
    found = counted(writer, readers)
    assert 1 == found.approvals.pending
    assert found.approvals.oldest_pending_at is not None
    assert {"approved": 1, "rejected": 1} == found.approvals.settled
    assert (2, 1) == (found.automations.enabled, found.automations.paused)
    assert ["1", "3"] == [automation.title for automation in found.automations.next]


def test_events_are_counted_by_their_ids(writer: Writer, readers: Readers) -> None:
    run(writer, lambda tx: [tell(tx) for _ in range(30)])
    found = counted(writer, readers, timedelta(minutes=10)).events
    assert (30, 30, 3.0) == (found.last_id, found.count, found.per_minute)


def scatter(tx: Transaction, chance: random.Random) -> None:
    """Add sessions of every status and age, some of which never started, ended or used anything."""
    places = [add_repository(tx).id for _ in range(4)]
    for _ in range(300):
        made = NOW - timedelta(hours=chance.uniform(0, 24 * 9))
        start = made + timedelta(seconds=chance.uniform(0, 600))
        end = start + timedelta(seconds=chance.choice([-5, 0, 0.5, 7, 7, 90, 4000]))
        status = chance.choice(get_args(SessionStatus))
        used = {"total": {"totalTokens": chance.randint(0, 500)}}
        session = add_session(
            tx,
            repository_id=chance.choice(places),
            status=status,
            started_at=chance.choice([None, to_timestamp(start), to_timestamp(start)]),
            finished_at=to_timestamp(end) if status in OUTCOMES else None,
            token_usage=chance.choice([None, {}, used, used]),
            token_baseline=chance.choice([0, 100]),
        )
        tx.db.execute(
            "UPDATE sessions SET created_at = ? WHERE id = ?", [to_timestamp(made), session.id]
        )


def plainly(rows: list[dict[str, Any]], start: str) -> dict[str, Any]:
    """What the numbers say of sessions, counted one by one."""
    ended = [row for row in rows if (row["finished_at"] or "") >= start]
    ran = sorted(
        max(0.0, round((at_end - at_start).total_seconds(), 3))
        for row in ended
        if row["started_at"] is not None
        for at_end in [datetime.fromisoformat(row["finished_at"])]
        for at_start in [datetime.fromisoformat(row["started_at"])]
    )
    tokens: Counter[tuple[str, int]] = Counter()
    for row in rows:
        if row in ended or row["finished_at"] is None:
            usage = json.loads(row["token_usage"] or "{}")
            used = usage.get("total", {}).get("totalTokens", 0) - row["token_baseline"]
            day = (row["finished_at"] or to_timestamp(NOW))[:10]
            tokens[day, row["repository_id"]] += max(0, used)
    by_day: Counter[str] = Counter()
    by_repository: Counter[int] = Counter()
    for (day, place), used in tokens.items():
        by_day[day] += used
        by_repository[place] += used
    return {
        "byStatus": Counter(row["status"] for row in rows if row["created_at"] >= start),
        "outcomes": Counter({**dict.fromkeys(OUTCOMES, 0), **Counter(r["status"] for r in ended)}),
        "p50": percentile(ran, 0.5),
        "p95": percentile(ran, 0.95),
        "byDay": sorted((+by_day).items()),
        "byRepository": +by_repository,
    }


@pytest.mark.parametrize("many", [0, 12, 10**9], ids=["sorted", "as it is", "looked up"])
@pytest.mark.parametrize("seed", range(4))
def test_the_numbers_are_those_of_the_rows(
    writer: Writer, readers: Readers, monkeypatch: pytest.MonkeyPatch, seed: int, many: int
) -> None:
    monkeypatch.setattr(telemetry, "MANY", many)
    chance = random.Random(seed)  # noqa: S311 - the same rows each time
    run(writer, lambda tx: scatter(tx, chance))
    with readers.connection() as db:
        rows = list(db["sessions"].rows)
    for hours in (1, 5, 24, 60, 24 * 4, 24 * 8, 24 * 30):
        span = timedelta(hours=hours)
        found = counted(writer, readers, span)
        assert plainly(rows, to_timestamp(NOW - span)) == {
            "byStatus": found.sessions.by_status,
            "outcomes": found.sessions.outcomes,
            "p50": found.sessions.duration_seconds.p50,
            "p95": found.sessions.duration_seconds.p95,
            "byDay": [(day.day, day.tokens) for day in found.tokens.by_day],
            "byRepository": {r.repository_id: r.tokens for r in found.tokens.by_repository},
        }
        most = [each.tokens for each in found.tokens.by_repository]
        assert sorted(most, reverse=True) == most


@given(st.lists(st.floats(0, 1e6), min_size=1).map(sorted), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= math.floor(share * len(values))
    assert sum(value < found for value in values) < math.ceil(share * len(values))
