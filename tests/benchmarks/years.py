"""The cost of a file that was kept for years: starts, lists, filters, searches and memory.

Run it with `python -m tests.benchmarks.years FOLDER [events] [sessions]`. A database that is in the
folder is used again. The events are spread over the sessions, and the sessions over 100 days; what
is written has its checksums, and what the migrations count and search of it.

The product is started on it, as its users start it, after a clean end and after its process was
ended. Told are the seconds until `/health` is answered, its memory, and of each list, filter,
search and summary the first answer and the median of the following ones, over one connection.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import http.client
import random
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
import psutil

from command_center.store import (
    Transaction,
    Writer,
    approvals,
    event_notes,
    log_identity,
    open_database,
    repositories,
    to_timestamp,
)
from command_center.store.backups.contents import DATABASE
from command_center.store.database.checksums import row_checksum
from tests.benchmarks.startup import PATIENCE, PAUSE, contenders, free_port, is_well, running
from tests.benchmarks.summary import REPOSITORIES, SYLLABLES, add_run, place_of

DAYS: Final = 100
BATCH: Final = 500
ROUNDS: Final = 7
COLUMNS: Final = ("id", "type", "ts", "repository_id", "task_id", "session_id", "correlation_id")
KINDS: Final = ("session.created", "session.queued", "session.starting", "session.started")
LAST: Final = ("session.result", "session.completed")
RARE: Final = "backup.created"

LISTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tasks": "/api/tasks?",
        "tasks, of a repository": "/api/tasks?repositoryId=1",
        "tasks, of a small repository": "/api/tasks?repositoryId=2",
        "tasks, completed": "/api/tasks?status=completed",
        "tasks, none so": "/api/tasks?status=failed",
        "tasks, of a type": "/api/tasks?type=prompt_task",
        "tasks, of a rare type": "/api/tasks?type=review_task",
        "tasks, of high priority": "/api/tasks?priority=high",
        "tasks, rare in a repository": "/api/tasks?repositoryId=1&type=review_task",
        "tasks, that hold a rare word": "/api/tasks?query=absent",
        "sessions": "/api/sessions?",
        "sessions, 200": "/api/sessions?limit=200&diff=false",
        "sessions, of a repository": "/api/sessions?repositoryId=1",
        "sessions, failed": "/api/sessions?status=failed",
        "sessions, in two ways": "/api/sessions?status=failed&status=stopped",
        "sessions, running": "/api/sessions?status=running",
        "sessions, failed in a repository": "/api/sessions?repositoryId=2&status=failed",
        "sessions, running in a repository": "/api/sessions?repositoryId=1&status=running",
        "sessions, of a type": "/api/sessions?type=prompt_task",
        "sessions, of a rare type": "/api/sessions?type=review_task",
        "sessions, of a runner": "/api/sessions?runner=app-server",
        "sessions, of a rare runner": "/api/sessions?runner=stub",
        "sessions, rare in a repository": "/api/sessions?repositoryId=1&runner=stub",
        "sessions, of a task": "/api/sessions?taskId=77",
        "sessions, of a task's": "/api/tasks/77/sessions?",
        "a transcript": "/api/sessions/77/items?",
        "approvals": "/api/approvals?",
        "approvals, pending": "/api/approvals?status=pending",
        "approvals, rejected": "/api/approvals?status=rejected",
        "approvals, expired": "/api/approvals?status=expired",
        "approvals, of a kind": "/api/approvals?kind=manual",
        "approvals, of a rare kind": "/api/approvals?kind=merge",
        "approvals, of a repository": "/api/approvals?repositoryId=1",
        "approvals, pending of a repository": "/api/approvals?repositoryId=1&status=pending",
        "approvals, of a session": "/api/approvals?sessionId=77",
        "counts of approvals": "/api/approvals/counts",
        "events": "/api/events?newestFirst=true",
        "events, of a type": "/api/events?newestFirst=true&type=session.item",
        "events, of a rare type": f"/api/events?newestFirst=true&type={RARE}",
        "events, of no type": "/api/events?newestFirst=true&type=never.happened",
        "events, of two types": f"/api/events?newestFirst=true&type={RARE}&type=session.completed",
        "events, of a repository": "/api/events?newestFirst=true&repositoryId=1",
        "events, rare in a repository": f"/api/events?repositoryId=1&type={RARE}",
        "events, of a session": "/api/events?newestFirst=true&sessionId=77",
        "events, of a task": "/api/tasks/77/events?",
        "events, of a correlation": "/api/events?correlationId=77",
        "events, since": "/api/events?since={half}",
        "events, until": "/api/events?newestFirst=true&until={half}",
        "events, rare since": f"/api/events?since={{half}}&type={RARE}",
        "events, of a repository since": "/api/events?repositoryId=1&since={half}",
        "events, rare in a repository since": (
            f"/api/events?repositoryId=1&since={{half}}&type={RARE}"
        ),
        "search, a word": "/api/search?q=bacon",
        "search, two words": "/api/search?q=bacon%20thela",
        "search, a beginning": "/api/search?q=ba*",
        "search, in a repository": "/api/search?q=ba*&repositoryId=2",
        "search, no such word": "/api/search?q=nowhere",
        "search, in a session": "/api/search?q=ba*&sessionId=77",
        "summary of a day": "/api/telemetry/summary?window=1d",
        "summary of 30 days": "/api/telemetry/summary?window=30d",
        "summary of 90 days": "/api/telemetry/summary?window=90d",
        "summary of a repository": "/api/telemetry/summary?window=90d&repositoryId=1",
        "spending": "/api/spending",
        "repositories": "/api/repos?",
        "discarded work": "/api/repos/1/discarded?",
        "pull requests of a session": "/api/sessions/77/pull-requests?",
        "uploads": "/api/uploads?",
        "numbers": "/metrics",
        "health": "/health",
    }
)


def fill(path: Path, count: int, runs: int) -> None:
    """Make the database, of so many events and sessions."""
    chance = random.Random(1)  # noqa: S311 - nothing here is secret
    now = datetime.now(UTC)
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(20_000)]

    def moment(number: float) -> datetime:
        return now - timedelta(days=DAYS * (1 - number / runs))

    def places(tx: Transaction) -> None:
        for number in range(REPOSITORIES):
            repositories.insert(tx, name=f"r{number}", local_path=f"/r{number}")

    def part(first: int) -> Any:
        def unit(tx: Transaction) -> None:
            for number in range(first, min(runs, first + BATCH)):
                add_run(tx, moment(number), number, chance, words)

        return unit

    writer = Writer(path)
    writer.commit([places, wait])
    for first in range(0, runs, BATCH):
        writer.commit([part(first)])
    writer.close()
    fill_log(path, count, runs, [to_timestamp(moment(number)) for number in range(runs)])


def wait(tx: Transaction) -> None:
    """Have some approvals wait for a person."""
    for number in range(20):
        said = {"requested_by": "benchmark", "correlation_id": "w"}
        approvals.insert(tx, title=f"a{number}", repository_id=1, **said)


def fill_log(path: Path, count: int, runs: int, moments: Sequence[str]) -> None:
    """Write the events, with the counts of each thousand, and end as a server ends in order.

    Indexes are made when all rows are there, and nothing is kept that a crash would need.
    """
    db = open_database(path, is_sound=True)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
        db.execute(f"PRAGMA {pragma}").fetchall()
    made = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'events'"
    indexes = db.execute(made).fetchall()
    for name, _ in indexes:
        db.execute(f"DROP INDEX {name}")
    db.execute("BEGIN IMMEDIATE")
    names = ", ".join((*COLUMNS, "body", "checksum"))
    db.conn.executemany(
        f"INSERT INTO events ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants
        rows(count, runs, moments),
    )
    for last in range(1000, count + 1, 1000):
        event_notes.note_thousand(db, last)
    db.execute("COMMIT")
    for _, sql in indexes:
        db.execute(sql)
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    life = log_identity.begin_life(db, path)
    db.close()
    log_identity.note_end(path, life)


def rows(count: int, runs: int, moments: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the log: a session's follow each other, most of them its items."""
    said = msgspec.json.encode(
        {"itemId": "i", "item": {"type": "agentMessage", "text": "A few words of it. " * 12}}
    )
    before, place, about = -1, 0, b""
    for id_ in range(1, count + 1):
        number = (id_ - 1) * runs // count
        repository, session, origin = place_of(number), number + 1, str(number)
        if number != before:
            before, place = number, 0
            about = (
                f'"ts":"{moments[number]}","repositoryId":{repository},"taskId":{session},'
                f'"sessionId":{session},"actor":"/sessions/{session}","correlationId":"{origin}"'
            ).encode()
        else:
            place += 1
        kind = KINDS[place] if place < len(KINDS) else "session.item"
        if id_ < count and id_ * runs // count != number:
            kind = LAST[1]
        if id_ % 100_000 == 0:
            kind = RARE
        body = b'{"id":%d,"type":"%s",%s,"causationId":%d,"data":%s}' % (
            *(id_, kind.encode(), about, max(id_ - 1, 1), said),
        )
        values = (id_, kind, moments[number], repository, session, session)
        checksum = row_checksum(*values, None, None, origin, body)
        yield (*values, origin, body.decode(), checksum)


@contextmanager
def started(home: Path, how: str, *, is_killed: bool = False) -> Iterator[tuple[int, int]]:
    """Start the server and tell how long it took to answer; then its port and its process's id."""
    port = free_port()
    ours = next(one for one in contenders() if one.keeps)
    began = time.perf_counter()
    with running(ours, home, port, home.parent / "bytecode") as process:
        while not is_well(port):
            assert process.poll() is None, "The server ended."
            assert time.perf_counter() < began + PATIENCE, "The server does not answer."
            time.sleep(PAUSE)
        print(f"first answer after {how:26} {time.perf_counter() - began:7.2f} s", flush=True)
        yield port, process.pid
        if is_killed:
            process.kill()
            process.wait(PATIENCE)


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[float, int]:
    """Return the milliseconds of an answer, and its bytes."""
    began = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    taken = (time.perf_counter() - began) * 1e3
    assert answer.status == 200, (path, answer.status, body[:300])
    return taken, len(body)


def look(port: int) -> None:
    """Ask for each list, and tell."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    half = to_timestamp(datetime.now(UTC) - timedelta(days=DAYS / 2))
    for name, path in LISTS.items():
        first, size = ask(connection, path.replace("{half}", half))
        taken = [ask(connection, path.replace("{half}", half))[0] for _ in range(ROUNDS)]
        print(
            f"{name:36} first {first:8.1f} ms, then {statistics.median(taken):8.1f} ms,"
            f" {size:8} bytes",
            flush=True,
        )
    connection.close()


def main(folder: Path, count: int = 1_000_000, runs: int = 10_000) -> None:
    """Fill, start, look, tell."""
    home = folder / "home"
    path = home / DATABASE
    if not path.exists():
        began = time.perf_counter()
        fill(path, count, runs)
        print(f"made in {time.perf_counter() - began:.0f} s")
    print(f"{path.stat().st_size / 2**20:.0f} MiB", flush=True)
    with started(home, "it was made"):  # the modules are compiled, too
        pass
    with started(home, "a clean end") as (port, pid):
        look(port)
        memory = psutil.Process(pid).memory_full_info()
        print(f"RSS {memory.rss / 2**20:.0f} MiB, USS {memory.uss / 2**20:.0f} MiB", flush=True)
    with started(home, "a clean end, once more", is_killed=True):
        pass
    with started(home, "its process was killed"):
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
