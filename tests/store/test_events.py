"""The event log: order, filters, pages."""

import itertools
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.store import (
    EventFilter,
    InvalidCursor,
    Readers,
    StoredEvent,
    Transaction,
    Writer,
    events,
)
from command_center.store.lists import pages
from tests.made_up import made_up
from tests.store.units import run, tell

SUBJECTS = ("repository_id", "task_id", "session_id", "approval_id", "automation_id")
TYPES = ("task.created", "session.started", "session.failed")


def write(writer: Writer, count: int) -> list[StoredEvent]:
    return list(writer.commit([tell] * count).events)


def ids(readers: Readers, **arguments: object) -> list[int]:
    with readers.connection() as db:
        page = events.page(db, **{"limit": 500, **arguments})  # type: ignore[arg-type]
    return [msgspec.json.decode(item)["id"] for item in page.items]


def test_an_empty_log_has_no_last_id_and_an_empty_page(readers: Readers) -> None:
    with readers.connection() as db:
        assert 0 == events.last_id(db)
        assert ([], None) == events.after(db, 0, limit=5)
        assert b'{"items":[],"nextCursor":null}' == msgspec.json.encode(events.page(db, limit=5))


def test_after_gives_what_follows_oldest_first(writer: Writer, readers: Readers) -> None:
    written = write(writer, 5)
    with readers.connection() as db:
        assert 5 == events.last_id(db)
        assert ([*written[2:4]], 4) == events.after(db, 2, limit=2)
        assert ([*written[3:5]], None) == events.after(db, 3, limit=2)
        assert ([], None) == events.after(db, 5, limit=2)


def test_after_ends_with_the_event_that_fills_its_bytes(
    writer: Writer, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(writer, 5)
    with readers.connection() as db:
        size = len(events.after(db, 0, limit=1)[0][0].body)
        for most, expected in ((1, [1]), (size, [1]), (size + 1, [1, 2]), (99 * size, [1, 2, 3])):
            monkeypatch.setattr(pages, "PAGE_BYTES", most)
            found, following = events.after(db, 0, limit=3)
            assert expected == [event.id for event in found]
            assert expected[-1] == following


def test_a_page_passes_the_stored_text_through(writer: Writer, readers: Readers) -> None:
    written = write(writer, 2)
    with readers.connection() as db:
        page = msgspec.json.encode(events.page(db, limit=5))
    expected = b",".join(event.body for event in written)
    assert b'{"items":[' + expected + b'],"nextCursor":null}' == page


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_give_every_event_once(writer: Writer, readers: Readers, newest_first: bool) -> None:  # noqa: FBT001 - a parameter of the test
    write(writer, 7)
    seen: list[int] = []
    cursor = None
    for _ in range(4):
        with readers.connection() as db:
            page = events.page(db, limit=2, cursor=cursor, newest_first=newest_first)
        seen += [msgspec.json.decode(item)["id"] for item in page.items]
        cursor = page.next_cursor
    assert cursor is None
    assert sorted(range(1, 8), reverse=newest_first) == seen


def test_a_page_that_ends_with_the_list_has_no_next_one(writer: Writer, readers: Readers) -> None:
    write(writer, 2)
    with readers.connection() as db:
        assert events.page(db, limit=2).next_cursor is None
        assert events.page(db, limit=1).next_cursor is not None


def test_a_page_can_begin_after_what_was_seen(writer: Writer, readers: Readers) -> None:
    write(writer, 5)
    assert [4, 5] == ids(readers, last_seen=3)
    assert [5, 4] == ids(readers, last_seen=3, newest_first=True)
    assert [] == ids(readers, last_seen=10**30)


def test_a_cursor_of_the_other_order_is_refused(writer: Writer, readers: Readers) -> None:
    write(writer, 2)
    with readers.connection() as db:
        cursor = events.page(db, limit=1).next_cursor
        with pytest.raises(InvalidCursor):
            events.page(db, limit=1, cursor=cursor, newest_first=True)


@pytest.mark.parametrize("limit", [0, 501])
def test_a_page_has_a_sensible_size(readers: Readers, limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 500"), readers.connection() as db:
        events.page(db, limit=limit)


@pytest.mark.parametrize("statement", ["UPDATE events SET type = 'x'", "DELETE FROM events"])
def test_what_has_happened_cannot_be_changed(writer: Writer, statement: str) -> None:
    write(writer, 1)
    with pytest.raises(sqlite3.IntegrityError, match="events are never"):
        run(writer, lambda tx: tx.db.execute(statement))


@pytest.mark.parametrize(
    ("wanted", "way"),
    [
        (EventFilter(), "SCAN events"),
        (EventFilter(types=("a.b",)), "SEARCH events USING INDEX events_by_type"),
        (EventFilter(task_id=1), "SEARCH events USING INDEX events_by_task"),
        (EventFilter(session_id=1, types=("a.b",)), "SEARCH events USING INDEX events_by_session"),
        (EventFilter(correlation_id="c"), "SEARCH events USING INDEX events_by_correlation"),
        (
            EventFilter(repository_id=1, session_id=1),
            "SEARCH events USING INDEX events_by_session",
        ),
        (EventFilter(repository_id=1, task_id=1), "SEARCH events USING INDEX events_by_task"),
        (
            EventFilter(repository_id=1, task_id=1, approval_id=1, types=("a.b",)),
            "SEARCH events USING INDEX events_by_approval",
        ),
        (
            EventFilter(repository_id=1, automation_id=1),
            "SEARCH events USING INDEX events_by_automation",
        ),
        (EventFilter(types=("a.b", "c.d")), "SEARCH events USING INTEGER PRIMARY KEY"),
        (EventFilter(repository_id=1), "SEARCH events USING INDEX events_by_repository"),
        (
            EventFilter(repository_id=1, types=("a.b",)),
            "SEARCH events USING INDEX events_by_repository_and_type (repository_id=? AND type=?)",
        ),
        (EventFilter(since="2026"), "SEARCH events USING INTEGER PRIMARY KEY"),
        (EventFilter(until="2026"), "SEARCH events USING INTEGER PRIMARY KEY"),
    ],
)
def test_a_long_log_is_neither_sorted_nor_read_whole(
    writer: Writer, wanted: EventFilter, way: str
) -> None:
    said: list[tuple[str, object]] = []

    def plan(tx: Transaction) -> list[str]:
        with tx.db.tracer(lambda sql, arguments: said.append((sql, arguments))):
            events.page(tx.db, limit=100, wanted=wanted, newest_first=True)
        *_, (sql, arguments) = said
        explained = tx.db.execute(f"EXPLAIN QUERY PLAN {sql}", arguments)  # type: ignore[arg-type]
        return [row[3] for row in explained]

    steps = run(writer, plan)
    assert steps[0].startswith(way)
    assert not [step for step in steps if "TEMP B-TREE" in step]


@pytest.mark.parametrize("edge", ["since", "until"])
def test_a_span_of_time_has_its_first_moment_and_not_its_last(
    writer: Writer, readers: Readers, edge: str
) -> None:
    (event,) = write(writer, 1)
    wanted = EventFilter(**{edge: event.ts})  # type: ignore[arg-type]
    with readers.connection() as db:
        found, _ = events.after(db, 0, limit=1, wanted=wanted)
    assert ([event] if edge == "since" else []) == found
    assert (edge == "since") == wanted.matches(event)


@pytest.mark.parametrize("size", [500, 50], ids=["noted", "not noted"])
def test_a_span_of_time_is_found_also_where_the_clock_was_set_back(
    writer: Writer, readers: Readers, size: int
) -> None:
    moments = [f"2026-01-0{day}T00:00:00.000Z" for day in (1, 2, 3, 2, 5, 4, 6)]

    def at(moment: str) -> Callable[[Transaction], None]:
        def unit(tx: Transaction) -> None:
            tx.now = moment
            for _ in range(size):
                tell(tx)

        return unit

    writer.commit([at(moment) for moment in moments])
    all_moments = [moment for moment in moments for _ in range(size)]
    edges = sorted({*moments, "2025-12-31T00:00:00.000Z", "2026-02-01T00:00:00.000Z"})
    with readers.connection() as db:
        noted = db.execute("SELECT count(*) FROM times_of_events").fetchone()[0]
        assert len(all_moments) // 1000 == noted
        for since, until in itertools.product([None, *edges], repeat=2):
            wanted = [
                number
                for number, moment in enumerate(all_moments, 1)
                if (since is None or moment >= since) and (until is None or moment < until)
            ]
            asked = EventFilter(since=since, until=until)
            for newest_first in (False, True):
                page = events.page(db, limit=2, wanted=asked, newest_first=newest_first)
                found = [msgspec.json.decode(item)["id"] for item in page.items]
                assert (wanted[-2:][::-1] if newest_first else wanted[:2]) == found


def test_a_page_of_a_span_of_time_begins_in_it_wherever_the_page_before_ended(
    writer: Writer, readers: Readers
) -> None:
    def at(moment: str) -> Callable[[Transaction], None]:
        def unit(tx: Transaction) -> None:
            tx.now = moment
            for _ in range(1000):
                tell(tx)

        return unit

    writer.commit([at(f"2026-01-0{day}T00:00:00.000Z") for day in range(1, 9)])
    late = EventFilter(since="2026-01-08T00:00:00.000Z")
    early = EventFilter(until="2026-01-02T00:00:00.000Z")
    of_type = EventFilter(types=("thing.happened",), since=late.since)
    with readers.connection() as db:
        last = events.page(db, limit=1, newest_first=True).next_cursor
        steps: list[None] = []
        db.conn.set_progress_handler(lambda: steps.append(None), 100)
        for wanted in (late, of_type):
            for seen in (5, 7001, None):
                page = events.page(db, limit=2, wanted=wanted, last_seen=seen)
                first = max(7001, (seen or 0) + 1)
                assert [first, first + 1] == [msgspec.json.decode(e)["id"] for e in page.items]
        page = events.page(db, limit=2, wanted=early, cursor=last, newest_first=True)
        assert [1000, 999] == [msgspec.json.decode(e)["id"] for e in page.items]
        page = events.page(db, limit=2, wanted=early, cursor=page.next_cursor, newest_first=True)
        assert [998, 997] == [msgspec.json.decode(e)["id"] for e in page.items]
        assert len(steps) < 30


@pytest.mark.parametrize("count", [2, 51, 1000])
def test_any_number_of_types_can_be_asked_for(writer: Writer, readers: Readers, count: int) -> None:
    write(writer, 3)
    types = ("thing.happened", *(f"never.{n}" for n in range(count - 1)))
    with readers.connection() as db:
        assert [1, 2] == [
            e.id for e in events.after(db, 0, limit=2, wanted=EventFilter(types=types))[0]
        ]


some_ids = st.none() | st.integers(1, 3)
emitted = st.fixed_dictionaries(
    {
        "type": st.sampled_from(TYPES),
        "correlation_id": st.sampled_from([None, "a", "b"]),
        **dict.fromkeys(SUBJECTS, some_ids),
    }
)
filters = st.builds(
    EventFilter,
    types=st.lists(st.sampled_from([*TYPES, "never.happens"]), max_size=3).map(tuple),
    correlation_id=st.sampled_from([None, "a", "b", "\ud800"]),
    since=st.sampled_from([None, "2000-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"]),
    until=st.sampled_from([None, "2000-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"]),
    **dict.fromkeys(SUBJECTS, some_ids | st.just(2**70)),
)


@pytest.fixture(scope="module")
def shared_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "command-center.db"


@given(written=st.lists(emitted, max_size=8), wanted=filters)
def test_a_filter_means_the_same_in_the_log_and_live(
    shared_path: Path, written: Sequence[dict[str, object]], wanted: EventFilter
) -> None:
    def emitting(fields: dict[str, object]) -> Callable[[Transaction], int]:
        subjects = {name: value for name, value in fields.items() if name != "type"}
        event = made_up(str(fields["type"]))
        return lambda tx: tx.emit(event, actor="test", **subjects)  # type: ignore[arg-type]

    writer = Writer(shared_path)
    readers = Readers(shared_path)
    with readers.connection() as db:
        start = events.last_id(db)
    live = writer.commit([emitting(fields) for fields in written]).events
    with readers.connection() as db:
        history, _ = events.after(db, start, limit=100, wanted=wanted)
        page = events.page(db, limit=100, wanted=wanted, last_seen=start)
        newest = events.page(db, limit=100, wanted=wanted, last_seen=start, newest_first=True)
    assert [event for event in live if wanted.matches(event)] == history
    assert [event.body for event in history] == [bytes(item) for item in page.items]
    assert [event.body for event in history] == [bytes(item) for item in reversed(newest.items)]
    readers.close()
    writer.close()
