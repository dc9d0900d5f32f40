"""Old events are removed by themselves where that is wanted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from command_center.actors.contracts.backups import RETENTION, HistoryReleased
from command_center.actors.ledger.repositories import delete_repository
from command_center.actors.rules.keeping import Keeping, parse_keeping
from command_center.actors.store_care.retention import Retention
from command_center.runtime import ChildSpec
from command_center.store import (
    Session,
    StoredEvent,
    Transaction,
    automations,
    event_notes,
    events,
    items,
    repositories,
    sessions,
    tasks,
)
from command_center.store.backups.contents import DATABASE
from command_center.store.queries import transcript_removal
from command_center.store.queries.search import search_texts
from command_center.store.queries.turns import turns_of_items
from command_center.store.timestamps import to_timestamp
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig, settle
from tests.made_up import made_up

NOTHING = Keeping()


def tell(tx: Transaction) -> None:
    for _ in range(2500):
        tx.emit(made_up("session.item", {"text": "word " * 100}), actor="test")


def tell_daily(tx: Transaction, days: int) -> None:
    """Tell an event on each of so many days that follow."""
    for day in range(1, days + 1):
        tx.now = to_timestamp(datetime.now(UTC) + timedelta(days=day))
        tx.emit(made_up("a.day"), actor="test")


async def start(
    made: Rig, keeping: Keeping, later: timedelta, *, transcripts: Keeping = NOTHING
) -> None:
    def actor() -> Retention:
        return Retention(made.storage, keeping, transcripts, now=lambda: datetime.now(UTC) + later)

    await made.system.start_child("/", ChildSpec(id="retention", start=actor))


@pytest.mark.parametrize(
    ("bound", "days", "told", "removed"),
    [
        ("7d", 10, 10, 2000),
        ("7d", 6, 6, 0),
        ("7d", 4000, 6, 0),
        ("1MB", 4, 4, 1000),
        ("1MB", 4000, 0, 0),
        ("7d 1GB", 4, 4, 0),
        (None, 12, 12, 0),
    ],
)
async def test_what_is_beyond_the_bound_is_removed_and_told_and_nothing_else(
    tmp_path: Path, bound: str | None, days: int, told: int, removed: int
) -> None:
    keeping = parse_keeping(bound)
    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(tell)
        await made.storage.write(lambda tx: tell_daily(tx, told))
        await start(made, keeping, timedelta(days=days, minutes=1))
        with trio.fail_after(20):
            while made.system.snapshot_of("/retention").description["removed"] < removed:  # noqa: ASYNC110 - its description
                await trio.sleep(0.01)
        await trio.testing.wait_all_tasks_blocked(0.05)
        ids = "SELECT min(id), count(*) FROM events"
        left = await made.storage.read(lambda db: db.execute(ids).fetchone())
        assert (removed + 1, 2500 + told - removed + bool(removed)) == left
        assert removed + 1 == made.system.snapshot_of("/retention").description["oldestId"]
        wanted = events.EventFilter(types=("store.events.removed",))
        found, _ = await made.storage.read(lambda db: events.after(db, 0, wanted=wanted))
        assert bool(removed) == len(found)
        assert all(b'"first":1,"last":%d,' % removed in event.body for event in found)


async def test_what_an_automation_is_still_to_act_on_is_kept(tmp_path: Path) -> None:
    def follow(tx: Transaction) -> None:
        repository = insert_repository(tx)
        tell(tx)
        automations.insert(
            tx,
            repository_id=repository.id,
            title="After each",
            schedule_expr="on_event@session.completed",
            payload={"prompt": "p"},
            requested_by="web",
            last_event_id=events.last_id(tx.db),
        )
        tx.emit(made_up("session.completed"), actor="t", repository_id=repository.id)
        tell(tx)
        tell_daily(tx, 10)

    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(follow)
        await start(made, Keeping(days=7), timedelta(days=10, minutes=1))
        with trio.fail_after(20):
            while made.system.snapshot_of("/retention").description["removed"] < 2000:  # noqa: ASYNC110 - its description
                await trio.sleep(0.01)
        await settle(made)
        assert 2001 == made.system.snapshot_of("/retention").description["oldestId"]


async def test_what_a_former_life_has_left_is_removed_though_nothing_more_is_due(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(tell)
        await made.storage.write(
            lambda tx: tx.db.execute("UPDATE removed_events SET up_to = 1000").rowcount
        )
        await start(made, Keeping(), timedelta())
        with trio.fail_after(20):
            while made.system.snapshot_of("/retention").description["removed"] < 1000:  # noqa: ASYNC110 - its description
                await trio.sleep(0.01)
        assert 1001 == made.system.snapshot_of("/retention").description["oldestId"]


async def test_the_history_of_a_repository_that_is_deleted_is_removed_at_once(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(insert_repository)
        await made.storage.write(
            lambda tx: [tx.emit(made_up("a.b"), actor="t", repository_id=1) for _ in range(300)]
        )
        await start(made, Keeping(), timedelta())
        await made.storage.write(
            lambda tx: delete_repository(tx, 1, "ada", with_history=True),
        )
        await made.system.lookup(RETENTION).tell(HistoryReleased())
        with trio.fail_after(20):
            while made.system.snapshot_of("/retention").description["removed"] < 300:  # noqa: ASYNC110 - its description
                await trio.sleep(0.01)
        left = events.EventFilter(repository_id=1)
        (told,), _ = await made.storage.read(lambda db: events.after(db, 0, wanted=left))
        assert ("repo.deleted", True) == (told.type, b'"historyRemoved":true' in told.body)


async def test_old_transcripts_go_step_by_step_and_those_of_open_tasks_stay(
    tmp_path: Path,
) -> None:
    def fill(tx: Transaction) -> None:
        repository = insert_repository(tx)
        damaged = insert_session(
            tx, insert_task(tx, repository), status="completed", finished_at=tx.now
        )
        tx.db.execute("UPDATE sessions SET checksum = 1 WHERE id = ?", [damaged.id])
        for is_open in (False, True):
            task = insert_task(tx, repository)
            ended = insert_session(tx, task, status="completed", finished_at=tx.now)
            if is_open:
                insert_session(tx, task)
            for number in range(130):
                items.insert(
                    tx,
                    session_id=ended.id,
                    turn_id="t",
                    item_id=str(number),
                    type="agentMessage",
                    status="completed",
                    body={"type": "agentMessage", "text": f"cucumber {number}"},
                )

    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(fill)
        await made.storage.write(lambda tx: tell_daily(tx, 12))
        await start(made, Keeping(), timedelta(days=12, minutes=1), transcripts=Keeping(days=13))
        await settle(made)
        assert 260 == await made.storage.read(lambda db: items.count(db, {}))
        await made.system.stop_child("/retention", reason="to begin anew")
        await start(made, Keeping(), timedelta(days=12, minutes=1), transcripts=Keeping(days=7))
        (event,) = await told_of_transcripts(made, 1)
        await removed(made, 130)
        session, stays = await made.storage.read(
            lambda db: (sessions.get(db, 2), items.every(db, {}))
        )
        assert (2, event.ts) == (event.session_id, session.transcript_removed_at)
        assert {3} == {item.session_id for item in stays}
        assert {"t"} == await made.storage.read(lambda db: turns_of_items(db, [2]))
        found = await made.storage.read(
            lambda db: db.execute(
                "SELECT count(*) FROM texts WHERE text LIKE 'cucumber%'"
            ).fetchone()
        )
        assert (130,) == tuple(found)


def say(tx: Transaction, session: Session, text: str, count: int = 1) -> None:
    """Have a session say a text so many times."""
    for number in range(count):
        items.insert(
            tx,
            session_id=session.id,
            turn_id="t",
            item_id=str(number),
            type="agentMessage",
            status="completed",
            body={"type": "agentMessage", "text": text},
        )


async def removed(made: Rig, count: int) -> None:
    """Wait until so many rows were removed, and nothing more is."""
    with trio.fail_after(20):
        while made.system.snapshot_of("/retention").description["removed"] < count:  # noqa: ASYNC110 - its description
            await trio.sleep(0.01)
    await settle(made)
    assert count == made.system.snapshot_of("/retention").description["removed"]


async def told_of_transcripts(made: Rig, count: int) -> list[StoredEvent]:
    """Wait until the removal of so many transcripts was told."""
    wanted = events.EventFilter(types=("session.transcript.removed",))
    told: list[StoredEvent] = []
    with trio.fail_after(20):
        while len(told) < count:
            told, _ = await made.storage.read(lambda db: events.after(db, 0, wanted=wanted))
    return told


async def test_a_transcript_goes_whole_though_its_task_goes_on_meanwhile(tmp_path: Path) -> None:
    def fill(tx: Transaction) -> None:
        place = insert_repository(tx)
        for _ in range(3):
            task = insert_task(tx, place)
            ended = insert_session(tx, task, status="completed", finished_at=tx.now)
            say(tx, ended, "cucumber", 230)

    def begin(tx: Transaction) -> Session | None:
        released = transcript_removal.release(tx, 1, None)
        assert 100 == transcript_removal.remove_next(tx.db, 1)
        insert_session(tx, tasks.get(tx.db, 1))
        assert transcript_removal.release(tx, 1, None) is None
        # What cannot be removed of another keeps nothing else.
        tx.db.execute(
            "CREATE TRIGGER kept BEFORE DELETE ON items WHEN old.session_id = 2 "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        return released

    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(fill)
        assert await made.storage.write(begin)
        found = await made.storage.read(lambda db: search_texts(db, "cucumber", limit=500))
        assert {2, 3} == {one.session_id for one in found.items}
        await made.storage.write(lambda tx: tell_daily(tx, 12))
        later = timedelta(days=12, minutes=1)
        await start(made, NOTHING, later, transcripts=Keeping(days=7))
        await removed(made, 130 + 230)
        left = await made.storage.read(lambda db: items.every(db, {}))
        assert {2} == {item.session_id for item in left}
        told = await told_of_transcripts(made, 2)
        assert [2, 3] == [event.session_id for event in told]


async def test_a_repository_may_keep_less_of_its_events_than_the_log(tmp_path: Path) -> None:
    def fill(tx: Transaction) -> None:
        insert_repository(tx, keep_events="7d")
        other = insert_repository(tx, local_path="/srv/o")
        ended = insert_session(
            tx, insert_task(tx, repositories.get(tx.db, 1)), status="completed", finished_at=tx.now
        )
        turn = made_up("session.turn.started", {"turnId": "t-1"})
        tx.emit(turn, actor="t", repository_id=1, session_id=ended.id)
        for number in range(2500):
            tx.emit(made_up("a.b"), actor="t", repository_id=number % 2 + 1)
        # Open work of one repository holds up its own events alone.
        insert_session(tx, insert_task(tx, other))
        tx.emit(made_up("session.created"), actor="t", repository_id=2, task_id=2)

    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(fill)
        await made.storage.write(lambda tx: tell_daily(tx, 10))
        await start(made, NOTHING, timedelta(days=10, minutes=1))
        await removed(made, 1001)
        wanted = events.EventFilter(types=("event.removed", "repo.events.removed"))
        found, _ = await made.storage.read(lambda db: events.after(db, 0, wanted=wanted, limit=5))
        assert [1, 2, 4, 6, 8] == [event.id for event in found]
        wanted = events.EventFilter(repository_id=1)
        left, _ = await made.storage.read(lambda db: events.after(db, 0, wanted=wanted, limit=999))
        assert (2002, "repo.events.removed") == (left[0].id, left[-1].type)
        assert b'"last":2000,"days":7' in left[-1].body
        assert {"t-1"} == await made.storage.read(lambda db: turns_of_items(db, [1]))
        others = await made.storage.read(lambda db: event_notes.count_of_repository(db, 2, 2000))
        assert 999 == others
        # All the rest goes with the repository.
        await made.storage.write(lambda tx: delete_repository(tx, 1, "ada", with_history=True))
        await made.system.lookup(RETENTION).tell(HistoryReleased())
        await removed(made, 1001 + len(left))


async def test_a_repository_may_bound_the_size_of_its_events_and_of_its_transcripts(
    tmp_path: Path,
) -> None:
    def fill(tx: Transaction) -> None:
        for bound in ("1MB", "90d,9GB", None):
            place = insert_repository(
                tx, keep_events=bound, keep_transcripts=bound, local_path=f"/srv/{bound}"
            )
            for _ in range(3):
                task = insert_task(tx, place)
                ended = insert_session(tx, task, status="completed", finished_at=tx.now)
                say(tx, ended, "word " * 40_000)
        for number in range(6000):
            said = made_up("a.b", {"text": "x" * 300})
            tx.emit(said, actor="t", repository_id=number % 3 + 1)

    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(fill)
        await made.storage.write(lambda tx: tell_daily(tx, 4))
        await start(made, NOTHING, timedelta(days=4, minutes=1))
        (event,) = await told_of_transcripts(made, 1)
        assert (1, True) == (event.session_id, b'"days":null,"bytes":1000000' in event.body)
        wanted = events.EventFilter(types=("repo.events.removed",))
        (told,), _ = await made.storage.read(lambda db: events.after(db, 0, wanted=wanted))
        assert (1, True) == (
            told.repository_id,
            b'"last":1999,"days":null,"bytes":1000000' in told.body,
        )
        await removed(made, 667 + 1)


async def test_open_work_of_a_repository_keeps_its_events(tmp_path: Path) -> None:
    def fill(tx: Transaction) -> None:
        for number in range(2):
            insert_repository(tx, keep_events="7d", local_path=f"/srv/{number}")
        for number in range(1500):
            tx.emit(made_up("a.b"), actor="t", repository_id=number % 2 + 1)
        open_ = insert_session(tx, insert_task(tx, repositories.get(tx.db, 1)))
        made = made_up("session.created")
        tx.emit(made, actor="t", repository_id=1, task_id=open_.task_id)
        for number in range(1500):
            tx.emit(made_up("a.b"), actor="t", repository_id=number % 2 + 1)

    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(fill)
        await made.storage.write(lambda tx: tell_daily(tx, 10))
        await start(made, NOTHING, timedelta(days=10, minutes=1))
        await removed(made, 750 + 1499)
        wanted = events.EventFilter(repository_id=1)
        left, _ = await made.storage.read(lambda db: events.after(db, 0, wanted=wanted, limit=999))
        assert 1501 == left[0].id


async def test_the_bound_of_a_repository_wins_for_its_transcripts(tmp_path: Path) -> None:
    def fill(tx: Transaction) -> None:
        for number, bound in enumerate((None, "all", "9d", "20d", "9d", "9?d")):
            place = insert_repository(tx, local_path=f"/srv/{number}", keep_transcripts=bound)
            task = insert_task(tx, place)
            say(tx, insert_session(tx, task, status="completed", finished_at=tx.now), "word", 3)
        # A bound that the disk has changed is nobody's.
        tx.db.execute("UPDATE repositories SET checksum = 1 WHERE id > 4")

    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(fill)
        await made.storage.write(lambda tx: tell_daily(tx, 14))
        later = timedelta(days=14, minutes=1)
        await start(made, NOTHING, later)
        await removed(made, 3)
        assert {1, 2, 4, 5, 6} == {
            item.session_id for item in await made.storage.read(lambda db: items.every(db, {}))
        }
        await made.system.stop_child("/retention", reason="to begin anew")
        await start(made, NOTHING, later, transcripts=Keeping(days=7))
        await removed(made, 3)
        assert {2, 4, 5, 6} == {
            item.session_id for item in await made.storage.read(lambda db: items.every(db, {}))
        }


async def test_the_oldest_transcripts_beyond_a_size_go_and_none_of_an_open_task(
    tmp_path: Path,
) -> None:
    def fill(tx: Transaction) -> None:
        own = insert_repository(tx, local_path="/srv/o", keep_transcripts="all")
        place = insert_repository(tx)
        say(
            tx,
            insert_session(tx, insert_task(tx, own), status="completed", finished_at=tx.now),
            "w " * 200_000,
        )
        for number in range(8):
            task = insert_task(tx, place)
            ended = insert_session(tx, task, status="completed", finished_at=tx.now)
            if not number:
                insert_session(tx, task)
            say(tx, ended, "word " * 4000, 5)

    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(fill)
        await made.storage.write(lambda tx: tell_daily(tx, 4))
        taken = await made.storage.read(transcript_removal.all_bytes)
        assert 8 * 5 * 20_000 < taken < 8 * 5 * 70_000
        await start(
            made,
            NOTHING,
            timedelta(days=4, minutes=1),
            transcripts=Keeping(size=taken - taken * 5 // 16),
        )
        told = await told_of_transcripts(made, 3)
        await removed(made, 15)
        left = {item.session_id for item in await made.storage.read(lambda db: items.every(db, {}))}
        assert {1, 2, 7, 8, 9, 10} == left
        assert [4, 5, 6] == [event.session_id for event in told]
        assert all(b'"days":null,"bytes":' in event.body for event in told)


@pytest.mark.parametrize("wrong", ["", "0d", "9", "2 GB", "1d 2d", "1GB 1GB", "3w", "1.5GB"])
def test_what_is_no_bound_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="neither an age nor a size"):
        parse_keeping(wrong)
