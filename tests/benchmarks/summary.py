"""The cost of the numbers of a span and of a search, over a large database.

Run it with `python -m tests.benchmarks.summary [database]`; one that is there is used again.

The database has a million events, 20,000 sessions that ended evenly over 100 days, as many
approvals, and as many items of 80 words. What is told is the median processor time of a summary,
the first one right after the file was opened apart, and of searches for words and for beginnings.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from command_center.store import (
    Transaction,
    Writer,
    approvals,
    event_notes,
    items,
    open_database,
    repositories,
    sessions,
    tasks,
    to_timestamp,
)
from command_center.store.database.opening import open_for_reading
from command_center.store.queries.search import search_texts
from command_center.store.queries.telemetry import numbers

EVENTS = 1_000_000
SESSIONS = 20_000
REPOSITORIES = 20
DAYS = 100
BATCH = 1_000
ROUNDS = 21
SYLLABLES = ("ba", "con", "de", "fi", "ge", "in", "la", "mo", "pre", "re", "st", "the", "un")
SPANS = (1, 30, 90)
SUBJECTS = {"all": None, "half of it": 1, "a small part": 2}
SEARCHES = ("bacon", "bacon*", "ba*", "b*", "b* c*", '"ba con"', "nowhere")
ENDS = ("completed", "completed", "completed", "failed", "stopped", "interrupted")


def fill(path: Path) -> None:
    """Make the database."""
    chance = random.Random(1)  # noqa: S311 - nothing here is secret
    now = datetime.now(UTC)
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(20_000)]

    def moment(number: int, count: int) -> datetime:
        return now - timedelta(days=DAYS * (1 - number / count))

    def places(tx: Transaction) -> None:
        for number in range(REPOSITORIES):
            repositories.insert(tx, name=f"r{number}", local_path=f"/r{number}")

    def runs(numbers: range) -> Callable[[Transaction], None]:
        def unit(tx: Transaction) -> None:
            for number in numbers:
                add_run(tx, moment(number, SESSIONS), number, chance, words)

        return unit

    open_database(path).close()
    writer = Writer(path)
    writer.commit([places])
    for first in range(0, SESSIONS, BATCH):
        writer.commit([runs(range(first, first + BATCH))])
    writer.close()
    db = open_database(path)
    db.execute("BEGIN IMMEDIATE")
    db.conn.executemany(
        "INSERT INTO events (type, ts, repository_id, session_id, body)"
        " VALUES ('session.item', ?, ?, ?, ?)",
        (
            (to_timestamp(moment(number, EVENTS)), place_of(session), session + 1, "x" * 300)
            for number in range(EVENTS)
            for session in [number * SESSIONS // EVENTS]
        ),
    )
    for last in range(1000, EVENTS + 1, 1000):
        event_notes.note_thousand(db, last)
    db.execute("COMMIT")
    db.close()


def place_of(number: int) -> int:
    """The repository of a session: the first has half of them, the others share the rest."""
    return 1 if number % 2 else number // 2 % (REPOSITORIES - 1) + 2


def add_run(
    tx: Transaction, end: datetime, number: int, chance: random.Random, words: list[str]
) -> None:
    """Add a task, its session that has ended, and what was approved and said in it."""
    place = place_of(number)
    said = {"requested_by": "benchmark", "correlation_id": str(number)}
    prompt = " ".join(chance.choices(words, k=20))
    task = tasks.insert(
        tx, repository_id=place, title=f"Task {number}", prompt=prompt, status="completed", **said
    )
    seconds = chance.uniform(5, 3000)
    session = sessions.insert(
        tx,
        task_id=task.id,
        repository_id=place,
        status=chance.choice(ENDS),
        runner="app-server",
        sandbox="workspace-write",
        cwd="/r",
        prompt=prompt,
        started_at=to_timestamp(end - timedelta(seconds=seconds)),
        finished_at=to_timestamp(end),
        token_usage={"total": {"totalTokens": chance.randint(1_000, 900_000)}},
        token_baseline=0,
        **said,
    )
    tx.db.execute(
        "UPDATE sessions SET created_at = ? WHERE id = ?",
        [to_timestamp(end - timedelta(seconds=seconds + 60)), session.id],
    )
    approvals.insert(
        tx,
        title="a",
        status=chance.choice(("approved", "rejected")),
        repository_id=place,
        session_id=session.id,
        resolved_at=to_timestamp(end),
        **said,
    )
    items.insert(
        tx,
        session_id=session.id,
        turn_id="1",
        item_id="1",
        type="agentMessage",
        status="completed",
        body={"text": " ".join(chance.choices(words, k=80))},
    )


def milliseconds(act: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median processor time that it takes."""
    taken = []
    for _ in range(rounds):
        began = time.thread_time()
        act()
        taken.append((time.thread_time() - began) * 1e3)
    return statistics.median(taken)


def main(path: Path) -> None:
    """Fill, measure, tell."""
    if not path.exists():
        fill(path)
    now = datetime.now(UTC)

    def summary(db: Database, days: int, repository_id: int | None) -> None:
        numbers(db, now - timedelta(days=days), now, repository_id)

    for name, repository_id in SUBJECTS.items():
        for days in SPANS:
            opened = open_for_reading(path)
            first = milliseconds(partial(summary, opened, days, repository_id), 1)
            later = milliseconds(partial(summary, opened, days, repository_id))
            opened.close()
            print(f"{days:2} days of {name:16} first {first:6.1f} ms, then {later:6.1f} ms")
    db = open_for_reading(path)
    for text in SEARCHES:
        found = milliseconds(partial(search_texts, db, text, limit=50), 5)
        print(f"search for {text:12} {found:7.1f} ms")
    db.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder, "summary.sqlite3"))
