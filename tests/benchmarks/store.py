"""The cost of a durable write and a look at a long log, beside the plain library.

Run it with `python -m tests.benchmarks.store [folder]`, the folder on the disk to be measured.

Each unit adds a task and the event that tells of it. Its peer is plain sqlite3 that writes the
same two rows, ready-made, with a commit each, under the same pragmas: no records, no redaction, no
encoding. Rounds of both take turns, and the medians are compared, so that a busy machine harms
both alike. Reading is the newest 100 of a million events, beside the same query as plain SQL.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from command_center.store import (
    EventFilter,
    Readers,
    Task,
    Transaction,
    Writer,
    events,
    repositories,
    tasks,
)
from tests.made_up import made_up

ROUNDS = 15
UNITS = 256
LONG_LOG = 1_000_000
PROMPT = "Inspect the login flow and summarize the main risks."


def add_task(tx: Transaction) -> Task:
    """Do what the API does for a new task."""
    task = tasks.insert(
        tx,
        repository_id=1,
        title="Review the current auth flow",
        prompt=PROMPT,
        requested_by="web",
        correlation_id="6f1c7a52-6d3c-4f0a-9f57-6a3f1f4d2f10",
    )
    tx.emit(
        made_up("task.created", {"task": task}),
        actor="web",
        repository_id=1,
        task_id=task.id,
        correlation_id=task.correlation_id,
    )
    return task


class Plain:
    """The peer: the rows of a unit that ran before, written again with a commit each."""

    def __init__(self, path: Path) -> None:
        """Take a database that has one task and one event."""
        self.conn = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self.conn.execute(f"PRAGMA {pragma}")
        self.task = self.conn.execute("SELECT * FROM tasks").fetchone()[1:]
        self.event = self.conn.execute("SELECT * FROM events").fetchone()[1:]
        self.insert_task = f"INSERT INTO tasks VALUES (NULL{', ?' * len(self.task)})"  # noqa: S608 - question marks
        self.insert_event = f"INSERT INTO events VALUES (NULL{', ?' * len(self.event)})"  # noqa: S608 - question marks

    def write(self) -> None:
        """Write a round of units."""
        for _ in range(UNITS):
            self.conn.execute("BEGIN IMMEDIATE")
            self.conn.execute(self.insert_task, self.task)
            self.conn.execute(self.insert_event, self.event)
            self.conn.execute("COMMIT")


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def prepare(path: Path) -> Writer:
    """Make a database with a repository and one task."""
    writer = Writer(path)
    writer.commit([lambda tx: repositories.insert(tx, name="a", local_path="/srv/a")])
    writer.commit([add_task])
    return writer


def measure_writing(folder: Path) -> None:
    """Print units a second by the size of a batch, and beside the peer."""
    prepare(folder / "plain.db").close()
    plain = Plain(folder / "plain.db")
    writer = prepare(folder / "store.db")

    def in_batches_of(size: int) -> Callable[[], None]:
        def work() -> None:
            for _ in range(UNITS // size):
                writer.commit([add_task] * size)

        return work

    works: dict[str, Callable[[], object]] = {
        "plain sqlite3, a commit each": plain.write,
        "store, alone": in_batches_of(1),
        "store, 8 together": in_batches_of(8),
        "store, 32 together": in_batches_of(32),
        "store, 128 together": in_batches_of(128),
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            taken[name].append(seconds(work))
    peer = statistics.median(taken["plain sqlite3, a commit each"])
    for name, rounds in taken.items():
        median = statistics.median(rounds)
        print(f"{name:30} {UNITS / median:8.0f} units/s   {peer / median:5.2f} x the peer")
    writer.close()
    plain.conn.close()


def measure_reading(folder: Path) -> None:
    """Print how long the newest 100 of a long log take, and beside plain SQL."""
    path = folder / "long.db"
    prepare(path).close()
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute(
        "INSERT INTO events (id, type, ts, repository_id, task_id, correlation_id, body)"
        " SELECT n, CASE n % 1000 WHEN 0 THEN 'session.failed' ELSE type END, ts, n % 5, n / 500,"
        " correlation_id, body FROM events,"
        " (WITH RECURSIVE c (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM c WHERE n < ?)"
        " SELECT n FROM c)",
        [LONG_LOG],
    )
    conn.close()
    readers = Readers(path)
    with readers.connection() as db:
        works: dict[str, Callable[[], object]] = {
            "plain SQL, newest 100": lambda: db.conn.execute(
                "SELECT id, CAST(body AS BLOB) FROM events ORDER BY id DESC LIMIT 101"
            ).fetchall(),
            "store, newest 100": lambda: events.page(db, limit=100, newest_first=True),
            "store, of a task": lambda: events.page(
                db, limit=100, newest_first=True, wanted=EventFilter(task_id=77)
            ),
            "store, of a rare type": lambda: events.page(
                db, limit=100, newest_first=True, wanted=EventFilter(types=("session.failed",))
            ),
            "store, of two types": lambda: events.page(
                db,
                limit=100,
                newest_first=True,
                wanted=EventFilter(types=("session.failed", "never.happened")),
            ),
        }
        taken: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(ROUNDS):
            for name, work in works.items():
                taken[name].append(seconds(work))
    readers.close()
    peer = statistics.median(taken["plain SQL, newest 100"])
    for name, rounds in taken.items():
        median = statistics.median(rounds)
        print(f"{name:30} {median * 1000:8.3f} ms        {median / peer:5.2f} x the peer")
    start = time.perf_counter()
    Writer(path).close()
    size = path.stat().st_size / 1e6
    print(f"opening and checking {size:.0f} MB took {time.perf_counter() - start:.2f} s")


def main() -> None:
    """Measure in the folder that was named, or in one of the system's."""
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=where) as folder:
        measure_writing(Path(folder))
        measure_reading(Path(folder))


if __name__ == "__main__":
    main()
