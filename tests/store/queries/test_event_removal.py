"""Old events go from the beginning of the log on, and what is left of it stays whole."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from os import urandom
from pathlib import Path
from typing import Any

import pytest

from command_center.store import (
    EventFilter,
    Readers,
    Transaction,
    Writer,
    approvals,
    event_cut,
    event_notes,
    events,
    sessions,
)
from command_center.store.errors import DamagedRecord
from command_center.store.queries import event_removal, transcript_removal
from command_center.store.queries.summaries import finished_worktrees
from command_center.store.queries.turns import turns_of_items
from command_center.store.timestamps import to_timestamp
from tests.made_up import made_up
from tests.store.test_event_segments import compress_all
from tests.store.test_integrity import checked
from tests.store.units import add_session, run

OLD, NEW, FAR = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"
BEFORE, NOW = "2026-01-15T00:00:00.000Z", datetime(2026, 2, 1, 1, tzinfo=UTC)
OF_TURNS = ("session.turn.started",)


def tell(tx: Transaction, count: int, ts: str = OLD) -> None:
    """Tell so many events, a few of which are long."""
    tx.now = ts
    for number in range(count):
        text = "x" * (200_000 if number % 700 == 5 else 200)
        tx.emit(made_up("session.item", {"text": text}), actor="test", repository_id=1)


def remove(writer: Writer, up_to: int) -> int | None:
    """Move the cut, and remove all rows below it; where it was moved to."""
    moved = run(writer, lambda tx: event_removal.cut(tx.db, up_to))
    while run(writer, lambda tx: event_removal.remove_next(tx.db, OF_TURNS)).has_more:
        pass
    return moved


def test_what_is_left_begins_behind_the_cut_and_stays_whole(
    path: Path, writer: Writer, readers: Readers
) -> None:
    def first(tx: Transaction) -> None:
        session = add_session(tx, status="completed", finished_at=OLD)
        turn = {"turnId": "t-1"}
        tx.now = OLD
        tx.emit(made_up("session.turn.started", turn), actor="t", session_id=session.id)
        made = made_up("worktree.created", {"path": "/w"})
        tx.emit(made, actor="t", session_id=session.id, repository_id=1)
        tell(tx, 2500)

    run(writer, first)
    assert 12 < compress_all(writer, BEFORE)
    run(writer, lambda tx: tell(tx, 498, NEW))
    with readers.connection() as db:
        kept = events.after(db, 2000, limit=500)
        turns, worktrees = turns_of_items(db, [1]), {*finished_worktrees(db, 1)}
        counted = event_notes.count_of_repository(db, 1, 3000)
    assert (set(), {"/w"}) == (turns, worktrees)
    assert 2000 == remove(writer, 2999)
    with readers.connection() as db:
        assert kept == events.after(db, 0, limit=500)
        page = events.page(db, limit=500, cursor=None, newest_first=True)
        assert 500 == len(page.items)
        assert 2001 == db.execute("SELECT min(id) FROM events").fetchone()[0]
        assert ({"t-1"}, {"/w"}) == (turns_of_items(db, [1]), {*finished_worktrees(db, 1)})
        assert counted - 1998 - 1 == event_notes.count_of_repository(db, 1, 3000)
        whole = "SELECT min(record_id) > 2000 FROM whole_values"
        assert 1 == db.execute(whole).fetchone()[0]
        wanted = EventFilter(since=NEW)
        assert 2503 == events.after(db, 0, wanted=wanted)[0][0].id
    assert ([], []) == checked(path)
    with pytest.raises(sqlite3.IntegrityError, match="never removed above the cut"):
        run(writer, lambda tx: tx.db.execute("DELETE FROM events WHERE id = 2999"))
    assert None is remove(writer, 2999)


def test_a_removal_that_is_cut_off_shows_nothing_below_the_cut_and_can_go_on(
    path: Path, writer: Writer, readers: Readers
) -> None:
    run(writer, lambda tx: tell(tx, 2100))
    check_of_before = checked(path)
    assert 2000 == run(writer, lambda tx: event_removal.cut(tx.db, 2099))
    step = run(writer, lambda tx: event_removal.remove_next(tx.db, OF_TURNS))
    assert (True, True) == (step.has_more, 0 < step.events <= event_removal.STEP)
    with readers.connection() as db:
        assert [*range(2001, 2101)] == [event.id for event in events.after(db, 0)[0]]
        assert 100 == len(events.page(db, limit=500, newest_first=True).items)
        assert db.execute("SELECT min(id) FROM events").fetchone()[0] < 200
    assert check_of_before == checked(path) == ([], [])


def test_what_open_work_rests_on_is_not_removed(writer: Writer) -> None:
    run(writer, lambda tx: tell(tx, 1500))

    def begin(tx: Transaction) -> None:
        parent = add_session(tx, status="completed", finished_at=OLD)
        asked = tx.emit(made_up("session.item"), actor="t", session_id=1, task_id=parent.task_id)
        tell(tx, 1000)
        child = add_session(tx)
        about: Any = {"session_id": child.id, "task_id": child.task_id}
        tx.emit(made_up("session.created"), actor="t", causation_id=asked, **about)
        approval = approvals.insert(tx, title="t", requested_by="c", correlation_id="c")
        tell(tx, 1000)
        tx.emit(made_up("approval.created"), actor="t", approval_id=approval.id)
        tell(tx, 2000)

    run(writer, begin)
    assert 1000 == remove(writer, 5000)  # the event that led to an open session is 1501
    run(writer, lambda tx: sessions.update(tx, 2, status="completed", finished_at=OLD))
    assert 3000 == remove(writer, 5000)  # the approval's is 3503
    run(writer, lambda tx: approvals.update(tx, 1, status="rejected"))
    assert 5000 == remove(writer, 5000)


def tell_daily(writer: Writer, days: int, *, until: datetime = NOW) -> None:
    """Tell an event on each of so many days, the last of them just before `until`."""

    def daily(tx: Transaction) -> None:
        for ago in reversed(range(days)):
            tx.now = to_timestamp(until - timedelta(days=ago, minutes=1))
            tx.emit(made_up("a.day"), actor="test")

    run(writer, daily)


def test_what_is_older_than_the_bound_by_clock_and_by_log_is_old(
    writer: Writer, readers: Readers
) -> None:
    run(writer, lambda tx: tell(tx, 2500))
    tell_daily(writer, 8)
    with readers.connection() as db:
        assert 0 == event_removal.old_up_to(db, 7, NOW)
        assert 2000 == event_removal.old_up_to(db, 6, NOW)
        assert 0 == event_removal.old_up_to(db, 6, NOW - timedelta(days=26))


@pytest.mark.parametrize("years", [-30, -1, 1, 73])
def test_a_clock_that_jumps_makes_nothing_old(writer: Writer, readers: Readers, years: int) -> None:
    tell_daily(writer, 6)
    run(writer, lambda tx: tell(tx, 2500, to_timestamp(NOW)))
    wrong = NOW + timedelta(days=365 * years)
    tell_daily(writer, 7, until=wrong)
    for now in (wrong, NOW):
        with readers.connection() as db:
            assert 0 == event_removal.old_up_to(db, 7, now)
            assert 0 == event_removal.old_up_to(db, 1, NOW)


def test_what_a_clock_put_into_the_future_holds_nothing_up_once_days_were_told_behind_it(
    writer: Writer, readers: Readers
) -> None:
    for moment in (OLD, FAR, NEW, OLD):
        run(writer, lambda tx: tell(tx, 1000, moment))  # noqa: B023 - run at once
    for days, up_to in ((3, 0), (30, 4000)):
        tell_daily(writer, days, until=NOW + timedelta(days=days))
        with readers.connection() as db:
            assert up_to == event_removal.old_up_to(db, 4, NOW + timedelta(days=days))


def test_a_session_that_ended_by_a_wrong_clock_keeps_its_transcript(
    writer: Writer, readers: Readers
) -> None:
    def end(tx: Transaction, when: str) -> None:
        ended = add_session(tx, status="completed", finished_at=when)
        tx.emit(made_up("session.completed"), actor="t", session_id=ended.id)

    tell_daily(writer, 20)
    run(writer, lambda tx: end(tx, "1970-01-01T00:00:00.000Z"))
    with readers.connection() as db:
        assert [] == [*transcript_removal.old_sessions(db, None, 3, NOW)]
        assert [] == [*transcript_removal.old_sessions(db, None, 3, NOW + timedelta(days=9000))]
    tell_daily(writer, 6, until=NOW + timedelta(days=6))
    with readers.connection() as db:
        assert [1] == [*transcript_removal.old_sessions(db, None, 3, NOW + timedelta(days=6))]


def test_a_removal_that_is_cut_off_makes_no_more_too_large(
    writer: Writer, readers: Readers
) -> None:
    def say(tx: Transaction) -> None:
        tx.now = OLD
        for _ in range(3000):
            tx.emit(made_up("session.item", {"text": urandom(1000).hex()}), actor="t")

    run(writer, say)
    compress_all(writer, BEFORE)
    run(writer, lambda tx: event_removal.cut(tx.db, 2999))
    with readers.connection() as db:
        cut_off = event_removal.log_bytes(db)
    while run(writer, lambda tx: event_removal.remove_next(tx.db, OF_TURNS)).has_more:
        pass
    with readers.connection() as db:
        assert abs(cut_off - event_removal.log_bytes(db)) < cut_off / 10


def test_the_size_of_a_log_is_estimated_by_some_of_its_rows(
    writer: Writer, readers: Readers
) -> None:
    run(writer, lambda tx: tell(tx, 5000))
    with readers.connection() as db:
        sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        file = db.execute(sql).fetchone()[0]
        taken = event_removal.log_bytes(db)
        assert file * 0.6 < taken < file * 1.3
        beyond = event_removal.beyond_size(db, taken // 4)
        assert 3700 < beyond < 3800
        assert 0 == event_removal.beyond_size(db, taken)


def test_the_history_of_a_repository_goes_from_within_the_log_and_ids_keep_no_gaps(
    path: Path, writer: Writer, readers: Readers
) -> None:
    def tell_of_two(tx: Transaction) -> None:
        tx.now = OLD
        for number in range(1250):
            text = "secret plan " * (20_000 if number == 9 else 20)
            said = made_up("session.item", {"text": text})
            tx.emit(said, actor="t", repository_id=number % 3 + 1, session_id=7)

    run(writer, tell_of_two)
    assert 10 < compress_all(writer, BEFORE)
    with readers.connection() as db:
        before = {event.id: event for event in events.after(db, 0, limit=500)[0]}
    refused = "DELETE FROM events WHERE id = 4"
    with pytest.raises(sqlite3.IntegrityError, match="never removed"):
        run(writer, lambda tx: tx.db.execute(refused))
    run(writer, lambda tx: event_removal.forget_history(tx.db, 1, 1250))
    steps = 0
    while (step := run(writer, lambda tx: event_removal.forget_next(tx.db, OF_TURNS))).has_more:
        assert 0 < step.events <= event_removal.STEP
        steps += 1
        if steps == 3:
            assert ([], []) == checked(path)
    assert 10 < steps
    with readers.connection() as db:
        for id_, event in before.items():
            (now,), _ = events.after(db, id_ - 1, limit=1)
            assert id_ == now.id
            assert now == event if event.repository_id != 1 else now.type == "event.removed"
            assert event.ts == now.ts
        assert [] == events.after(db, 0, wanted=EventFilter(repository_id=1))[0]
        assert 0 == event_notes.count_of_repository(db, 1, 1250)
        assert 417 == event_notes.count_of_repository(db, 2, 1250)
        assert 0 == db.execute("SELECT count(*) FROM whole_values").fetchone()[0]
    assert ([], []) == checked(path)
    with pytest.raises(sqlite3.IntegrityError, match="never removed"):
        run(writer, lambda tx: tx.db.execute("DELETE FROM events WHERE id = 5"))


@pytest.mark.parametrize("table", ["removed_events", "removed_histories"])
def test_nothing_goes_by_a_bound_that_is_damaged(writer: Writer, table: str) -> None:
    def prepare(tx: Transaction) -> None:
        tell(tx, 1200)
        event_removal.forget_history(tx.db, 1, 1100)
        event_cut.move(tx.db, 1000)

    def damage(tx: Transaction) -> None:
        tx.db.execute(f"UPDATE {table} SET checksum = checksum + 1")  # noqa: S608 - of this test

    run(writer, prepare)
    run(writer, damage)
    step = event_removal.remove_next if table == "removed_events" else event_removal.forget_next
    with suppress(DamagedRecord):
        while run(writer, lambda tx: step(tx.db, OF_TURNS)).has_more:
            pass
    left = "SELECT count(*) FROM events WHERE repository_id = 1"
    assert 1200 == run(writer, lambda tx: tx.db.execute(left).fetchone()[0])


def test_a_cut_that_is_damaged_hides_nothing_and_is_put_right_when_it_is_moved(
    writer: Writer, readers: Readers
) -> None:
    def shown() -> tuple[int, int, bool]:
        with readers.connection() as db:
            first = events.after(db, 0, limit=1)[0][0].id
            items = events.page(db, limit=1).items
            assert bytes(items[0]).startswith(b'{"id":%d,' % first)
            return first, event_cut.removed_up_to(db), event_cut.is_sound(db)

    def damage(tx: Transaction) -> None:
        tx.db.execute("UPDATE removed_events SET up_to = 4000")
        tx.db.execute("UPDATE removed_events SET checksum = checksum + 1")

    run(writer, lambda tx: tell(tx, 3100))
    run(writer, damage)
    assert (1, 0, False) == shown()
    assert 1000 == run(writer, lambda tx: event_removal.cut(tx.db, 1500))
    assert (1001, 1000, True) == shown()
    run(writer, lambda tx: event_removal.remove_next(tx.db, OF_TURNS))
    run(writer, damage)  # amid the removal: what was cut off is not shown again
    assert (1001, 1000, False) == shown()


def test_a_bound_that_is_damaged_keeps_no_other_history_from_its_removal(writer: Writer) -> None:
    def prepare(tx: Transaction) -> None:
        tx.now = OLD
        for number in range(60):
            said = made_up("session.item", {"text": str(number) * 20})
            tx.emit(said, actor="t", repository_id=number % 3 + 1)
        deleted = made_up("repo.deleted", {"historyRemoved": True})
        tx.emit(deleted, actor="t", repository_id=1)
        for repository_id in (1, 2, 3):
            event_removal.forget_history(tx.db, repository_id, 60)

    def damage(tx: Transaction) -> None:
        tx.db.execute("UPDATE removed_histories SET checksum = checksum + 1 WHERE up_to < 99")

    def left() -> list[tuple[int, int]]:
        while run(writer, lambda tx: event_removal.forget_next(tx.db, OF_TURNS)).has_more:
            pass
        sql = "SELECT repository_id, count(*) FROM events WHERE repository_id > 0 GROUP BY 1"
        return run(writer, lambda tx: [tuple(row) for row in tx.db.execute(sql)])

    run(writer, prepare)
    run(writer, damage)
    assert not run(writer, lambda tx: event_removal.is_pending(tx.db))
    assert 60 == run(writer, lambda tx: event_removal.shorten_history(tx.db, 3, 60))
    assert [(1, 21), (2, 20)] == left()
    assert [(1, 60)] == run(writer, lambda tx: event_removal.lost_bounds(tx.db))
    run(writer, lambda tx: event_removal.forget_history(tx.db, 1, 60))
    assert [(1, 1), (2, 20)] == left()


def test_a_segment_that_is_damaged_keeps_no_history_from_its_removal(
    writer: Writer, readers: Readers
) -> None:
    run(writer, lambda tx: tell(tx, 300))
    compress_all(writer, BEFORE)
    damaged = "UPDATE event_segments SET checksum = checksum + 1 WHERE last_event < 150"
    run(writer, lambda tx: tx.db.execute(damaged).rowcount)
    run(writer, lambda tx: event_removal.forget_history(tx.db, 1, 300))
    while run(writer, lambda tx: event_removal.forget_next(tx.db, OF_TURNS)).has_more:
        pass
    with readers.connection() as db:
        assert {"event.removed"} == {event.type for event in events.after(db, 0)[0]}


def test_the_oldest_events_of_a_repository_go_that_are_beyond_its_size(
    writer: Writer, readers: Readers
) -> None:
    def fill(tx: Transaction) -> None:
        tx.now = OLD
        for number in range(4000):
            text = "x y " * (60 if number % 4 else 600)
            tx.emit(made_up("session.item", {"text": text}), actor="t", repository_id=number % 4)

    run(writer, fill)
    taken = 1000 * (240 + 180 + event_removal.ROW_BYTES)
    with readers.connection() as db:
        assert 2000 == event_removal.beyond_size_of(db, 1, taken * 11 // 20)
        assert 0 == event_removal.beyond_size_of(db, 1, taken * 11 // 10)
        assert 4000 == event_removal.beyond_size_of(db, 1, 1)
        assert 0 == event_removal.beyond_size_of(db, 9, 1)
    compress_all(writer, BEFORE)
    with readers.connection() as db:
        assert event_removal.beyond_size_of(db, 1, taken * 11 // 20) < 2000


def test_the_log_is_not_read_to_find_that_nothing_is_to_go(
    writer: Writer, readers: Readers
) -> None:
    run(writer, lambda tx: tell(tx, 3000))
    run(writer, lambda tx: event_removal.forget_history(tx.db, 9, 3000))
    with readers.connection() as db:
        steps: list[None] = []
        db.conn.set_progress_handler(lambda: steps.append(None), 100)
        assert not event_removal.is_pending(db)
        assert [] == event_removal.lost_bounds(db)
        db.conn.set_progress_handler(None, 0)
        assert len(steps) < 60
