"""Totals are what the rows say, whatever was done to these; and a wrong one is made anew."""

from __future__ import annotations

import io
import itertools
import os
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from command_center.store import (
    Readers,
    Transaction,
    Writer,
    approvals,
    items,
    open_database,
    repositories,
    search_texts,
    sessions,
    tasks,
    to_timestamp,
    totals,
    uploads,
)
from command_center.store.database.checksums import (
    seal_rows,
    sealed_tables,
    teach_checksums,
)
from command_center.store.database.migrations import MIGRATIONS
from command_center.store.database.text_match import teach_words
from command_center.store.portable.exporting import export_database
from command_center.store.portable.importing import import_file
from command_center.store.queries.attachments import remove_upload, stored
from command_center.store.queries.compacting import compact_database
from command_center.store.queries.removal import remove_repository
from command_center.store.queries.telemetry import numbers
from command_center.store.records import ApprovalStatus, SessionStatus, TaskStatus
from tests.checkout import ROOT
from tests.store.queries.test_telemetry import plainly, rows_of
from tests.store.units import add_repository, add_session, run

Act = Callable[[Transaction, random.Random], object]

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
OTHERS = 150
NUMBERS = itertools.count()
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0)
ZONES = ("UTC", "Pacific/Kiritimati", "America/St_Johns", "Pacific/Pago_Pago")


def wrong(db: Database) -> list[tuple[Any, ...]]:
    return [(kind, *one) for kind in totals.KINDS for one in totals.differences(db, kind)]


def plain(db: Database) -> dict[tuple[str, int, str, str], tuple[int, int]]:
    """Count the rows one by one, as they are and without SQL."""
    counted: Counter[tuple[str, int, str, str]] = Counter()
    amounts: Counter[tuple[str, int, str, str]] = Counter()

    def add(kind: str, day: str, word: str, place: int | None = None, amount: int = 0) -> None:
        for repository in {totals.EVERYWHERE, place} - {None}:
            counted[kind, repository or 0, day, word] += 1
            amounts[kind, repository or 0, day, word] += amount

    for row in ended_rows(db):
        place, end, status = row["repository_id"], row["finished_at"], row["status"]
        add("sessions", "", status)
        add("made", row["created_at"][:10], status, place)
        add("ended", end[:10], status, place)
        if row["started_at"] is not None:
            ran = datetime.fromisoformat(end) - datetime.fromisoformat(row["started_at"])
            least = totals.class_of_duration(round(ran.total_seconds(), 3))
            add("ran", end[:10], str(least), place)
        usage = msgspec.json.decode(row["token_usage"] or "{}").get("total", {})
        used = max(0, usage.get("totalTokens", 0) - row["token_baseline"])
        add("tokens", end[:10], str(place), amount=used)
    for row in db["tasks"].rows:
        add("tasks", "", row["status"], row["repository_id"])
    for row in db["approvals"].rows:
        add("approvals", "", row["status"])
        if row["resolved_at"] is not None:
            add("settled", row["resolved_at"][:10], row["status"], row["repository_id"])
    for row in db["uploads"].rows:
        add("uploads", "", "", amount=row["size"])
    return {key: (count, amounts[key]) for key, count in counted.items()}


def ended_rows(db: Database) -> Iterator[dict[str, Any]]:
    return (row for row in db["sessions"].rows if row["finished_at"] is not None)


def kept(db: Database) -> dict[tuple[str, int, str, str], tuple[int, int]]:
    found = db.execute("SELECT kind, repository_id, day, word, count, amount FROM totals")
    return {(kind, place, day, word): (n, amount) for kind, place, day, word, n, amount in found}


def some(tx: Transaction, chance: random.Random, table: str) -> int:
    ids = [id_ for (id_,) in tx.db.execute(f"SELECT id FROM {table}")]  # noqa: S608 - a constant
    return chance.choice(ids) if ids else 0


def run_of(chance: random.Random) -> dict[str, Any]:
    """Return fields that a session may have; one has ended where it has a moment for that."""
    border = MIDNIGHT + timedelta(days=-chance.randint(0, 8), milliseconds=chance.randint(-1, 1))
    end = chance.choice([NOW - timedelta(days=chance.uniform(0, 9)), border])
    ran = timedelta(seconds=chance.choice([-5, 0, 0.5, 14.9996, 59, 61, 700, 4000, 90_000]))
    return {
        "status": chance.choice(get_args(SessionStatus)),
        "started_at": chance.choice([None, to_timestamp(end - ran)]),
        "finished_at": chance.choice([None, to_timestamp(end)]),
        "token_usage": chance.choice([None, {}, {"total": {"totalTokens": chance.randint(0, 99)}}]),
        "token_baseline": chance.choice([0, 50]),
    }


def begin(tx: Transaction, chance: random.Random) -> None:
    place = some(tx, chance, "repositories") or add_repository(tx).id
    session = add_session(tx, **run_of(chance))
    tasks.update(tx, session.task_id, repository_id=place)
    tx.db.execute("UPDATE sessions SET repository_id = ? WHERE id = ?", [place, session.id])


def go_on(tx: Transaction, chance: random.Random) -> None:
    if session_id := some(tx, chance, "sessions"):
        sessions.update(tx, session_id, **run_of(chance))
        task = some(tx, chance, "tasks")
        tasks.update(tx, task, status=chance.choice(get_args(TaskStatus)))


def ask(tx: Transaction, chance: random.Random) -> None:
    place = chance.choice([None, some(tx, chance, "repositories") or None])
    approvals.insert(tx, title="a", requested_by="web", repository_id=place)
    settled: ApprovalStatus = chance.choice(get_args(ApprovalStatus))
    moment = None if settled == "pending" else to_timestamp(NOW)
    one = some(tx, chance, "approvals")
    approvals.update(tx, one, status=settled, resolved_at=moment)


def attach(tx: Transaction, chance: random.Random) -> None:
    said = {"media_type": "text/plain", "sha256": "s", "requested_by": "web"}
    uploads.insert(tx, name="n", file=f"{next(NUMBERS)}", size=chance.randint(1, 9), **said)
    if chance.random() < 0.3:
        remove_upload(tx, some(tx, chance, "uploads"))


def remove(tx: Transaction, chance: random.Random) -> None:
    if place := some(tx, chance, "repositories"):
        remove_repository(tx, place)


def give_up(tx: Transaction, chance: random.Random) -> None:
    for act in (begin, go_on, ask, remove):
        act(tx, chance)
    raise LookupError


ACTS: list[Act] = [begin, go_on, ask, attach, remove, give_up]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=st.lists(st.sampled_from(ACTS), max_size=12), seed=st.integers(0, 2**32))
@example(acts=[begin, begin, go_on, ask, attach, go_on, remove, give_up, begin], seed=1)
def test_totals_are_what_the_rows_say_whatever_is_done(
    writer: Writer, acts: list[Act], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same acts each time
    for act in acts:
        if act is give_up:
            with pytest.raises(LookupError):
                run(writer, lambda tx, act=act: act(tx, chance))  # type: ignore[misc]
        else:
            run(writer, lambda tx, act=act: act(tx, chance))  # type: ignore[misc]

    def look(tx: Transaction) -> None:
        assert [] == wrong(tx.db)
        assert 0 == tx.db.execute("SELECT count(*) FROM totals WHERE count = 0").fetchone()[0]
        plain = tx.db.execute("SELECT count(*), ifnull(sum(size), 0) FROM uploads").fetchone()
        assert plain == stored(tx.db)

    run(writer, look)


def acts_until_killed(path: Path, chance: random.Random, zone: str) -> int:
    """Have another process act, kill it at any moment, and return how much it acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.counted_writer", path, str(chance.random())],
        cwd=ROOT,
        env={**os.environ, "TZ": zone},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process.stdout as told:
        done = [told.readline() for _ in range(chance.randint(1, 400))]
        process.kill()
        done += told.readlines()
    process.wait()
    assert b"done\n" == done[0]
    return len(done)


def check_plainly(path: Path, chance: random.Random) -> int:
    """Compare the totals, and the numbers of some spans, with the rows; return how many rows."""
    with closing(Readers(path)) as readers, readers.connection() as db:
        assert plain(db) == kept(db)
        assert [] == wrong(db)
        rows = rows_of(db, None)
        borders = [MIDNIGHT - timedelta(days=3, milliseconds=n) for n in (-1, 0, 1)]
        for since in (*borders, NOW - timedelta(days=chance.uniform(0, 12))):
            found = numbers(db, since, datetime.now(UTC))
            told = plainly(rows, to_timestamp(since))
            spent = [(day.day, day.tokens) for day in found.tokens.by_day]
            assert (told["byStatus"], told["outcomes"], told["settled"], told["tasks"]) == (
                found.sessions.by_status,
                found.sessions.outcomes,
                found.approvals.settled,
                found.tasks,
            )
            ended_days = {row["finished_at"][:10] for row in ended_rows(db)}
            assert [(day, n) for day, n in told["byDay"] if day in ended_days] == [
                (day, n) for day, n in spent if day in ended_days
            ]
    return len(rows["sessions"])


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_totals_are_a_plain_count_after_kills_imports_and_compactions_in_any_zone(
    path: Path, tmp_path: Path
) -> None:
    chance = random.Random(23)  # noqa: S311 - it only has to vary
    other = tmp_path / "other" / "command-center.db"
    done = 0
    for zone in 3 * ZONES:
        for database in (path, other):
            done += acts_until_killed(database, chance, zone)
            Writer(database).close()
            check_plainly(database, chance)
        with closing(io.BytesIO()) as written:
            export_database(other, written, ())
            (tmp_path / "export.jsonl").write_bytes(written.getvalue())
        before = check_plainly(path, chance)
        import_file(tmp_path / "export.jsonl", path.parent, path)
        assert before + check_plainly(other, chance) == check_plainly(path, chance)
        compact_database(path.parent, path)
        check_plainly(path, chance)
    assert done > 24


@given(st.floats(-1e5, 1e6).map(lambda seconds: round(seconds, 3)))
@example(59.9995)
@example(86_400.0)
def test_a_duration_is_within_the_bounds_of_its_class(seconds: float) -> None:
    least = totals.class_of_duration(seconds)
    first, end = totals.bounds_of_class(least)
    assert first <= seconds < end
    assert least == totals.class_of_duration(least)


def test_the_triggers_have_the_classes_of_the_program(writer: Writer) -> None:
    def unit(tx: Transaction) -> tuple[set[str], set[str]]:
        expected = set()
        for number in range(60):
            seconds = round(1.3**number, 3)
            if seconds > 1e6:
                break
            end = NOW + timedelta(seconds=seconds)
            add_session(tx, started_at=to_timestamp(NOW), finished_at=to_timestamp(end))
            expected.add(str(totals.class_of_duration(seconds)))
        return expected, set(totals.counts_since(tx.db, "ran", "2026", 0))

    expected, found = run(writer, unit)
    assert expected == found


def test_what_an_older_version_kept_is_counted_and_searched_by_session(path: Path) -> None:
    """Rows that were there before there were totals are in them."""
    chance = random.Random(3)  # noqa: S311 - the same rows each time

    def unit(tx: Transaction) -> int:
        for act in (begin, begin, begin, ask, ask, attach):
            act(tx, chance)
        session = add_session(tx, prompt="the elephant")
        said = {"turn_id": "u", "item_id": "i", "type": "agentMessage", "status": "completed"}
        items.insert(tx, session_id=session.id, body={"text": "An elephant."}, **said)
        return session.id

    with closing(Writer(path)) as writer:
        session_id = run(writer, unit)
    older = path.with_name("older.sqlite3")
    conn = sqlite3.connect(older, isolation_level=None)
    teach_words(conn)
    teach_checksums(conn)
    with closing(Database(conn)) as db:
        MIGRATIONS.apply(db, stop_before="0081_totals")
        db.execute("ATTACH ? AS newer", [str(path)])
        for table in ("repositories", "tasks", "sessions", "items", "approvals", "uploads"):
            names = ", ".join(name for _, name, *_ in db.execute(f"PRAGMA table_info({table})"))
            copy = f"INSERT INTO main.{table} ({names}) SELECT {names} FROM newer.{table}"  # noqa: S608 - constants
            db.execute(copy)
            if table in sealed_tables(db):
                seal_rows(db, table)
    with closing(open_database(older)) as db:
        assert {"sessions", "tasks", "approvals", "uploads"} < {
            kind for (kind,) in db.execute("SELECT DISTINCT kind FROM totals")
        }
        assert [] == wrong(db)
        assert 2 == len(search_texts(db, "elephant", limit=5, session_id=session_id).items)
        db.execute("DELETE FROM totals")
        assert wrong(db)
        for kind in totals.KINDS:
            totals.make_anew(db, kind)
        assert [] == wrong(db)


def test_one_session_is_searched_without_going_through_what_others_said(
    writer: Writer,
) -> None:
    def steps(tx: Transaction, where: dict[str, Any]) -> int:
        taken = 0

        def step() -> int:
            nonlocal taken
            taken += 1
            return 0

        tx.db.conn.set_progress_handler(step, 1)
        try:
            assert 1 == len(search_texts(tx.db, "word", limit=50, **where).items)
        finally:
            tx.db.conn.set_progress_handler(None, 1)
        return taken

    def unit(tx: Transaction) -> list[int]:
        one = add_session(tx, prompt="A word of it.")
        for _ in range(OTHERS):
            add_session(tx, prompt="A word of another.")
        of_one = {"session_id": one.id}, {"repository_id": one.repository_id}
        return [steps(tx, where) for where in of_one]

    assert max(run(writer, unit)) < 5 * OTHERS  # an index that is read anew takes some hundreds


def test_a_name_of_the_index_that_is_typed_or_said_finds_nothing_of_others(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> None:
        one = add_session(tx, prompt="plain")
        other = add_session(tx, prompt=f"\ue000s{one.id} plain")
        assert [] == search_texts(tx.db, f"\ue000s{one.id}", limit=5).items
        found = search_texts(tx.db, "plain", limit=5, session_id=one.id).items
        assert [one.id] == [text.session_id for text in found]
        assert [other.id, one.id] == [
            text.session_id for text in search_texts(tx.db, "plain", limit=5).items
        ]

    run(writer, unit)


def test_repositories_that_are_gone_are_in_no_total(writer: Writer) -> None:
    def unit(tx: Transaction) -> list[Any]:
        place = repositories.insert(tx, name="r", local_path="/r").id
        session = add_session(tx, repository_id=place, finished_at=to_timestamp(NOW))
        tasks.update(tx, session.task_id, repository_id=place)
        remove_repository(tx, place)
        found = tx.db.execute("SELECT kind, word FROM totals WHERE repository_id = ?", [place])
        return [*found]

    assert [] == run(writer, unit)


def test_sessions_end_whatever_one_says_that_it_has_used(writer: Writer) -> None:
    used = {"total": {"totalTokens": 2**63 - 1}}

    def unit(tx: Transaction) -> list[Any]:
        place = add_session(tx).repository_id
        for _ in range(2):
            ended = {"repository_id": place, "finished_at": to_timestamp(NOW)}
            add_session(tx, token_usage=used, **ended)
        assert [] == wrong(tx.db)
        return [*tx.db.execute("SELECT amount FROM totals WHERE kind = 'tokens'")]

    assert [(2 * 10**12,)] == run(writer, unit)
