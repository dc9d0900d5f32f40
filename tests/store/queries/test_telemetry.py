"""The numbers of a span of time, counted against what was put into it."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from sqlite_utils import Database

from command_center.store import (
    Event,
    Readers,
    RecordNotFound,
    Transaction,
    Writer,
    approvals,
    automations,
    event_notes,
    events,
    open_database,
    tasks,
    to_timestamp,
)
from command_center.store.database.migrations import MIGRATIONS
from command_center.store.queries.telemetry import StoreNumbers, nearest_rank, numbers
from command_center.store.records import ApprovalStatus, SessionStatus, TaskStatus
from tests.made_up import made_up
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


def counted(
    writer: Writer, readers: Readers, span: timedelta = DAY, repository_id: int | None = None
) -> StoreNumbers:
    assert writer is not None
    with readers.connection() as db:
        return numbers(db, NOW - span, NOW, repository_id)


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
    """Add what is counted, in every state, of every age and of each of four repositories.

    Some sessions never started, ended or used anything.
    """
    places = [add_repository(tx, name=f"r{n}").id for n in range(4)]
    for _ in range(300):
        made = NOW - timedelta(hours=chance.uniform(0, 24 * 9))
        start = made + timedelta(seconds=chance.uniform(0, 600))
        end = start + timedelta(seconds=chance.choice([-5, 0, 0.5, 7, 7, 90, 4000]))
        status = chance.choice(get_args(SessionStatus))
        used = {"total": {"totalTokens": chance.randint(0, 500)}}
        place = chance.choice(places)
        session = add_session(
            tx,
            repository_id=place,
            status=status,
            started_at=chance.choice([None, to_timestamp(start), to_timestamp(start)]),
            finished_at=to_timestamp(end) if status in OUTCOMES else None,
            token_usage=chance.choice([None, {}, used, used]),
            token_baseline=chance.choice([0, 100]),
        )
        tx.db.execute(
            "UPDATE sessions SET created_at = ? WHERE id = ?", [to_timestamp(made), session.id]
        )
        tasks.update(
            tx,
            session.task_id,
            repository_id=place,
            status=chance.choice(get_args(TaskStatus)),
        )
        settled = chance.choice(get_args(ApprovalStatus))
        approvals.insert(
            tx,
            title="a",
            requested_by="web",
            repository_id=chance.choice([None, *places]),
            status=settled,
            resolved_at=None if settled == "pending" else to_timestamp(end),
        )
    for _ in range(30):
        automation = automations.insert(
            tx,
            repository_id=chance.choice(places),
            title="a",
            schedule_expr="hourly",
            requested_by="web",
            enabled=chance.random() < 0.7,
            next_run_at=chance.choice([None, at(hours=-chance.randint(1, 5))]),
            paused_reason=chance.choice([None, "failed"]),
        )
        if chance.random() < 0.2:
            automations.update(tx, automation.id, deleted_at=at())
    moments = sorted(chance.uniform(0, 24 * 9) for _ in range(chance.randint(2_000, 4_000)))
    for number, hours in enumerate(reversed(moments), 1):
        about = UNSET if chance.random() < 0.1 else chance.choice(places)
        event = Event(
            id=number,
            type="thing.happened",
            ts=at(hours=hours),
            repository_id=about,
            actor="test",
            correlation_id=None,
            causation_id=None,
            data={},
        )
        events.append(tx.db, event)


def percentile(values: Sequence[float], share: float) -> float | None:
    return values[nearest_rank(len(values), share)] if values else None


def rows_of(db: Database, place: int | None) -> dict[str, list[dict[str, Any]]]:
    """All that is counted, or what of it is of a repository."""
    names = ("tasks", "sessions", "approvals", "automations", "events")
    return {
        name: [row for row in db[name].rows if place in {None, row["repository_id"]}]
        for name in names
    }


def plainly(rows: dict[str, list[dict[str, Any]]], start: str) -> dict[str, Any]:
    """Return what the numbers say, counted one by one."""
    approved, planned = rows["approvals"], rows["automations"]
    waiting = [row["created_at"] for row in approved if row["status"] == "pending"]
    there = [row for row in planned if row["deleted_at"] is None]
    due = [(r["next_run_at"], r["id"]) for r in there if r["enabled"] and r["next_run_at"]]
    return {
        **plainly_of_sessions(rows["sessions"], start),
        "tasks": Counter(row["status"] for row in rows["tasks"]),
        "pending": (len(waiting), min(waiting, default=None)),
        "settled": Counter(r["status"] for r in approved if (r["resolved_at"] or "") >= start),
        "enabled": sum(row["enabled"] for row in there),
        "paused": sum(row["paused_reason"] is not None for row in there),
        "next": [id_ for _, id_ in sorted(due)[:5]],
        "lastEvent": max((row["id"] for row in rows["events"]), default=0),
        "events": sum(row["ts"] >= start for row in rows["events"]),
    }


def plainly_of_sessions(rows: list[dict[str, Any]], start: str) -> dict[str, Any]:
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
    now = Counter(row["status"] for row in rows if row["finished_at"] is None)
    return {
        "byStatus": Counter(row["status"] for row in rows if row["created_at"] >= start),
        "outcomes": Counter({**dict.fromkeys(OUTCOMES, 0), **Counter(r["status"] for r in ended)}),
        "active": now["starting"] + now["running"] + now["waiting_approval"],
        "waiting": now["queued"] + now["blocked"] + now["waiting_limit"],
        "p50": percentile(ran, 0.5),
        "p95": percentile(ran, 0.95),
        "byDay": sorted((+by_day).items()),
        "byRepository": +by_repository,
    }


@attrs.frozen
class Scattered:
    """A store with rows of all kinds, and those rows, of all and of some repositories."""

    writer: Writer
    readers: Readers
    rows: Mapping[int | None, dict[str, list[dict[str, Any]]]]


@pytest.fixture(scope="module", params=range(4))
def scattered(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scattered]:
    """A store that the tests of this file only read."""
    chance = random.Random(request.param)  # noqa: S311 - the same rows each time
    path = tmp_path_factory.mktemp("scattered") / "command-center.db"
    with closing(Writer(path)) as writer, closing(Readers(path)) as readers:
        run(writer, lambda tx: scatter(tx, chance))
        with readers.connection() as db:
            places = [None, *(row["id"] for row in db["repositories"].rows)][:6]
            rows = {place: rows_of(db, place) for place in places}
        yield Scattered(writer, readers, rows)


def test_the_numbers_are_those_of_the_rows_of_all_or_of_a_repository(scattered: Scattered) -> None:
    spans = [timedelta(hours=hours) for hours in (1, 5, 24, 60, 24 * 4, 24 * 8, 24 * 30)]
    for (place, rows), span in itertools.product(scattered.rows.items(), spans):
        found = counted(scattered.writer, scattered.readers, span, place)
        assert plainly(rows, to_timestamp(NOW - span)) == {
            "byStatus": found.sessions.by_status,
            "outcomes": found.sessions.outcomes,
            "active": found.sessions.active,
            "waiting": found.sessions.waiting,
            "p50": found.sessions.duration_seconds.p50,
            "p95": found.sessions.duration_seconds.p95,
            "byDay": [(day.day, day.tokens) for day in found.tokens.by_day],
            "byRepository": {r.repository_id: r.tokens for r in found.tokens.by_repository},
            "tasks": found.tasks,
            "pending": (found.approvals.pending, found.approvals.oldest_pending_at),
            "settled": found.approvals.settled,
            "enabled": found.automations.enabled,
            "paused": found.automations.paused,
            "next": [automation.id for automation in found.automations.next],
            "lastEvent": found.events.last_id,
            "events": found.events.count,
        }
        most = [each.tokens for each in found.tokens.by_repository]
        assert sorted(most, reverse=True) == most


def test_the_numbers_of_a_repository_that_does_not_exist_are_refused(
    writer: Writer, readers: Readers
) -> None:
    with pytest.raises(RecordNotFound):
        counted(writer, readers, repository_id=1)


def test_the_events_of_a_repository_are_counted_whatever_was_rolled_back(
    writer: Writer, readers: Readers
) -> None:
    def told(tx: Transaction, times: int) -> None:
        for _ in range(times):
            tx.emit(made_up("thing.happened"), actor="test", repository_id=1)

    def failing(tx: Transaction) -> None:
        told(tx, 1_500)
        raise LookupError

    run(writer, add_repository)
    for _ in range(2):
        with pytest.raises(LookupError):
            run(writer, failing)
        run(writer, lambda tx: told(tx, 1_250))
    found = counted(writer, readers, timedelta(minutes=10), 1).events
    assert (2_500, 2_500, 250.0) == (found.last_id, found.count, found.per_minute)


def test_the_events_that_were_there_before_a_repository_was_counted_are_counted(
    path: Path,
) -> None:
    path.parent.mkdir()
    with closing(Database(path)) as db:
        MIGRATIONS.apply(db, stop_before="0010_numbers_of_a_repository")
        table = db.table("events")
        rows = ({"type": "t", "ts": at(), "repository_id": n % 3 or None} for n in range(3_500))
        table.insert_all({"id": n, **row, "body": "{}"} for n, row in enumerate(rows, 1))
    with closing(open_database(path)) as db:
        told = [row["id"] for row in db["events"].rows_where("repository_id = 1")]
        for up_to in range(0, 3_501, 250):
            there = sum(id_ <= up_to for id_ in told)
            assert there == event_notes.count_of_repository(db, 1, up_to)


@given(st.lists(st.floats(0, 1e6), min_size=1).map(sorted), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found is not None
    assert sum(value <= found for value in values) >= math.floor(share * len(values))
    assert sum(value < found for value in values) < math.ceil(share * len(values))
