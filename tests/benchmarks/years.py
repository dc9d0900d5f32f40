"""The cost of a file that was kept for years: starts, lists, filters, searches and memory.

Run it with `python -m tests.benchmarks.years FOLDER [events] [sessions]`. A database that is in the
folder is used again. The events are spread over the sessions, and the sessions over 100 days; what
is written has its checksums, and what the migrations count and search of it.

The product is started on it and on a hundredth of it, as its users start it, after a clean end and
after its process was ended. Told are the seconds until `/health` is answered, its memory, and of
each list, filter, search and summary that the API declares the milliseconds of an answer, and those
of the processor, which vary by a quarter between rounds on a busy machine. At last all of the log
is replayed to one client.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import http.client
import itertools
import random
import re
import socket
import statistics
import sys
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import attrs
import msgspec
import psutil
from sqlite_utils import Database

from command_center.http.openapi.document import openapi_document
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
PART: Final = 100
MOST_MS: Final = 50.0
MOST_TIMES: Final = 1.5
LEAST_MS: Final = 4.0
"""Milliseconds below which two answers are taken for equally quick."""

COLUMNS: Final = ("id", "type", "ts", "repository_id", "task_id", "session_id", "correlation_id")
KINDS: Final = ("session.created", "session.queued", "session.starting", "session.started")
LAST: Final = ("session.result", "session.completed")
RARE: Final = "backup.created"

ITEMS: Final = 10
MANY_OF: Final[Mapping[str, int]] = MappingProxyType({"automations": 100, "webhooks": 10})
_BY: Final = {"requested_by": "'benchmark'"}
_SHA: Final = "'0123456789012345678901234567890123456789'"
LISTED: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "items": {
            "session_id": "i % {runs} + 1",
            "turn_id": "'1'",
            "item_id": "'i' || i",
            "type": "'agentMessage'",
            "status": "'completed'",
            "body": """'{{"type":"agentMessage","text":"A few words, number ' || i || '."}}'""",
        },
        "automations": {
            "repository_id": "i % 1000 + 1",
            "title": "'a' || i",
            "schedule_expr": "'every@1h'",
            "enabled": "0",
            "missed_runs": "'skip'",
            "payload": """'{{"prompt":"p"}}'""",
            "consecutive_failures": "0",
            **_BY,
        },
        "automation_runs": {
            "automation_id": "1",
            "trigger": "iif(i = 5, 'hook', 'schedule')",
            "fired_at": "'2026-01-01T00:00:00.000Z'",
            "missed": "0",
            "outcome": "iif(i = 5, 'denied', 'completed')",
            "task_id": "i",
            "session_id": "i",
        },
        "discarded": {
            "repository_id": "iif(i = 5, 2, 1)",
            "session_id": "i",
            "head_sha": _SHA,
            "sha": _SHA,
            "files": "1",
            "status": "'kept'",
            "expires_at": "'2099-01-01T00:00:00.000Z'",
            **_BY,
        },
        "pull_requests": {
            "repository_id": "i % 1000 + 1",
            "task_id": "i",
            "session_id": "iif(i % 2, 77, i)",
            "host": "'h'",
            "project": "'p'",
            "branch_name": "'b' || i",
            "base": "'main'",
            "title": "'t'",
            "body": "'b'",
            "is_draft": "0",
            "status": "'merged'",
            "head_sha": _SHA,
            "checks": "'none'",
            "check_runs": "'[]'",
            "review": "'none'",
            "reviews": "'[]'",
            **_BY,
        },
        "pushes": {
            "repository_id": "i % 1000 + 1",
            "session_id": "iif(i % 2, 77, i)",
            "remote": "'origin'",
            "address": "'a'",
            "branch_name": "'b'",
            "sha": _SHA,
            "commits": "1",
            "status": "'pushed'",
            **_BY,
        },
        "snapshots": {
            "repository_id": "i % 1000 + 1",
            "session_id": "iif(i % 2, 77, i)",
            "path": "'/w'",
            "moment": "'turn'",
            "head_sha": _SHA,
            "sha": _SHA,
            "files": "1",
        },
        "followups": {
            "task_id": "i",
            "session_id": "iif(i % 2, 77, i)",
            "status": "'sent'",
            "message": "'m'",
            **_BY,
        },
        "uploads": {
            "name": "'n'",
            "file": "'f' || i",
            "media_type": "'text/plain'",
            "sha256": "'s'",
            "size": "1",
            **_BY,
        },
        "agents": {
            "session_id": "iif(i % 2, 77, i)",
            "thread_id": "'t' || i",
            "parent_thread_id": "'p'",
            "status": "'completed'",
        },
        "rules": {
            "repository_id": "iif(i % 2, 1, i % 1000 + 1)",
            "kind": "'command'",
            "sandbox": "'read-only'",
            "allow_network": "0",
            "allow_commit": "0",
            **_BY,
        },
        "webhooks": {
            "url": "'http://127.0.0.1:9/'",
            "types": "'[]'",
            "secret": "'s'",
            "status": "'paused'",
            "position": "0",
        },
        "webhook_deliveries": {
            "webhook_id": "1",
            "event_id": "i",
            "type": "'session.item'",
            "is_by_hand": "0",
            "status": "'delivered'",
            "attempts": "1",
        },
    }
)
"""The other lists: the columns of their rows, and in SQL what row number `i` has there."""

MADE_AND_CHANGED: Final = ("'2026-01-01T00:00:00.000Z'", "'2099-01-01T00:00:00.000Z'")
"""The moments of these rows: uploads that nobody has changed for a day are removed by a start."""

MORE_REPOSITORIES: Final = 1000 - REPOSITORIES

OUTSIDE: Final = (
    *(
        "/api/codex/",
        "/api/doctor",
        "/api/repos/found",
        "/api/repos/1/files",
        "/api/repos/1/issues",
    ),
    *("/api/repos/1/prompts", "/api/repos/1/worktrees", "/api/sessions/77/changes"),
    *("/api/sessions/77/commit-message", "/api/sessions/77/files", "/api/events/stream"),
    *("/api/sessions/77/goal", "/api/passkeys/challenge"),
)
"""Beginnings of paths whose answers come from git, Codex or the machine, or never end."""

VALUES: Final[Mapping[str, Sequence[object]]] = MappingProxyType(
    {
        "repositoryId": (1, 2, 999),
        "taskId": (77,),
        "sessionId": (77,),
        "approvalId": (77,),
        "automationId": (1, 2),
        "agentId": (77,),
        "correlationId": ("77",),
        "after": (5,),
        "logId": (),
        "type": ("session.item", "session.completed", RARE, "never.happened"),
        "since": ("{half}", "{late}"),
        "until": ("{half}", "{early}"),
        "query": ("absent", "bacon", "baconstde xyz", "ab", "zq", "#77", "a"),
        "q": ("bacon", "bacon thela", "ba*", "b* c*", "words", '"few words"', "nowhere"),
        "window": ("1d", "30d", "90d"),
        "field": (),
        "limit": (200,),
        "name": ("store",),
        "host": (),
        "itemId": (),
        "cursor": (),
        "scheduleExpr": ("every@1h",),
        "timezone": (),
        "count": (),
        "label": (),
        "stack": (),
        "format": (),
    }
)
"""Values for each parameter of a query; a new one has to be added here."""


def requests() -> Iterator[str]:
    """Yield each list, and each of its filters and pairs of filters, that the API declares."""
    for path, operations in openapi_document(secured=False)["paths"].items():
        operation = operations.get("get")
        if operation is None:
            continue
        asked = re.sub(r"{repositoryId}|{automationId}|{webhookId}", "1", path)
        asked = asked.replace("{name}", "store").replace("{hostName}", "local")
        asked = re.sub(r"{\w+Id}", "77", asked)
        if asked.startswith(OUTSIDE):
            continue
        filters = {
            parameter["name"]: [*_values_of(parameter)]
            for parameter in operation.get("parameters", ())
            if parameter["in"] == "query"
        }
        needed = "q=bacon" if "q" in filters else ""
        yield f"{asked}?{needed}"
        for name, values in filters.items():
            yield from (f"{asked}?{quote(name, value, needed)}" for value in values)
        for one, other in itertools.combinations(filters, 2):
            for first, second in zip(
                filters[one][-2:], reversed(filters[other][-2:]), strict=False
            ):
                yield f"{asked}?{quote(one, first, needed)}&{quote(other, second, '')}"


def quote(name: str, value: object, needed: str) -> str:
    """Return a parameter of a query, behind one that is needed."""
    pair = f"{name}={urllib.parse.quote(str(value), safe='{}')}"
    return pair if not needed or name == "q" else f"{needed}&{pair}"


def _values_of(parameter: Mapping[str, Any]) -> Iterator[object]:
    schema = parameter["schema"]
    schema = schema.get("items", schema)
    if "enum" in schema:
        yield from schema["enum"]
    elif schema.get("type") == "boolean":
        yield from ("true", "false")
    else:
        yield from VALUES[parameter["name"]]


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
    fill_lists(path, runs)
    fill_log(path, count, runs, [to_timestamp(moment(number)) for number in range(runs)])


def wait(tx: Transaction) -> None:
    """Have some approvals wait for a person."""
    for number in range(20):
        said = {"requested_by": "benchmark", "correlation_id": "w"}
        approvals.insert(tx, title=f"a{number}", repository_id=1, **said)


def fill_lists(path: Path, runs: int) -> None:
    """Add what stands in the other lists: as many rows as there are sessions in each."""
    db = open_database(path, is_sound=True)
    db.execute("BEGIN IMMEDIATE")
    for number in range(MORE_REPOSITORIES):
        added = ("2026-01-01T00:00:00.000Z", f"m{number}", f"/m{number}")
        columns, place = _row_of(db, "repositories")
        place |= dict(zip(("created_at", "name", "local_path"), added, strict=True))
        _insert(db, "repositories", columns, place)
    for table, told in LISTED.items():
        names = ", ".join(("created_at", "updated_at", *told))
        values = ", ".join((*MADE_AND_CHANGED, *told.values()))
        count = runs * ITEMS - runs if table == "items" else MANY_OF.get(table, runs)
        db.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "  # noqa: S608 - constants
            f"INSERT INTO {table} ({names}) SELECT {values.format(runs=runs)} FROM n"
        )
    db.execute("COMMIT")
    db.close()


def _row_of(db: Database, table: str) -> tuple[list[str], dict[str, Any]]:
    found = db.execute(f"SELECT * FROM {table} WHERE id = 2")  # noqa: S608 - constants
    columns = [one[0] for one in found.description]
    row = dict(zip(columns, found.fetchone(), strict=True))
    del row["id"], row["checksum"]
    return [*row], row


def _insert(db: Database, table: str, columns: Sequence[str], row: Mapping[str, Any]) -> None:
    places = ", ".join("?" * len(columns))
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - constants
    db.execute(sql, [row[name] for name in columns])


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


@attrs.define
class Asked:
    """A server over one connection, and the processor time that it has used."""

    port: int
    pid: int
    connection: http.client.HTTPConnection = attrs.field(init=False)
    half: Mapping[str, str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        now = datetime.now(UTC)
        self.half = {
            name: to_timestamp(now - timedelta(days=DAYS * share))
            for name, share in (("{half}", 0.5), ("{late}", 0.01), ("{early}", 0.99))
        }

    def ask(self, path: str) -> tuple[int, float]:
        """Return the status of an answer, and its milliseconds."""
        for word, moment in self.half.items():
            path = path.replace(word, moment)
        began = time.perf_counter()
        try:
            self.connection.request("GET", path)
            answer = self.connection.getresponse()
        except http.client.RemoteDisconnected:  # it was idle while the other server was asked
            self.connection.close()
            return self.ask(path)
        answer.read()
        return answer.status, (time.perf_counter() - began) * 1e3

    def used(self) -> float:
        """Return the milliseconds of the processor that all threads of the server have used."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6

    def cost(self, path: str, rounds: int) -> tuple[int, float, float]:
        """Return the status of an answer, its median milliseconds, and those of the processor."""
        before, taken, status = self.used(), list[float](), 0
        for _ in range(rounds):
            status, milliseconds = self.ask(path)
            taken.append(milliseconds)
        return status, statistics.median(taken), (self.used() - before) / rounds


def replay(port: int, pid: int, count: int) -> None:
    """Ask for all of the log as server-sent events, as one client does, and tell how fast it came.

    The client looks for the last event alone, so that it does not hold the server up.
    """
    asked = Asked(port, pid)
    before, began = asked.used(), time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(
            b"GET /api/events/stream?after=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Accept: text/event-stream\r\n\r\n"
        )
        last, end, size = b'{"id":%d,' % count, b"", 0
        while last not in end:
            received = connection.recv(1 << 20)
            assert received, "The stream ended."
            end, size = end[-len(last) :] + received, size + len(received)
    seconds = time.perf_counter() - began
    each = (asked.used() - before) * 1e3 / count
    print(
        f"replay of {count:,} events: {count / seconds:,.0f} a second, "
        f"{size / seconds / 2**20:.0f} MiB a second, {each:.1f} us of the processor each",
        flush=True,
    )


def memory_of(pid: int) -> None:
    """Tell the memory of a server, and what holds it."""
    memory = psutil.Process(pid).memory_full_info()
    print(f"RSS {memory.rss / 2**20:.0f} MiB, USS {memory.uss / 2**20:.0f} MiB", flush=True)
    if sys.platform != "darwin":  # which tells nobody
        held: Counter[str] = Counter()
        for mapping in psutil.Process(pid).memory_maps():
            name = Path(mapping.path).name
            kind = name if name.startswith("[") else (Path(name).suffix or name)
            held[kind.split(".so")[0] if ".so" not in name else "libraries"] += mapping.rss
        parts = (f"{name} {size / 2**20:.0f}" for name, size in held.most_common(5))
        print(f"in MiB: {', '.join(parts)}", flush=True)


def look(whole: Asked, part: Asked, rounds: int = ROUNDS) -> None:
    """Ask both servers for each list, in turns, and tell."""
    for path in requests():
        status, first, of_first = whole.cost(path, 1)
        part.cost(path, 1)
        _, median, used = whole.cost(path, rounds)
        _, median_of_part, used_of_part = part.cost(path, rounds)
        is_slow = used > max(LEAST_MS, MOST_TIMES * used_of_part) or used > MOST_MS
        told = (first, of_first, median, used, median_of_part, used_of_part)
        figures = "  ".join(f"{figure:7.1f}" for figure in told)
        print(f"{'SLOW' if is_slow else '    '} {status} {figures}  {path}", flush=True)


def main(folder: Path, count: int = 1_000_000, runs: int = 10_000) -> None:
    """Fill, start, look, tell."""
    homes = [folder / "whole" / "home", folder / "part" / "home"]
    for home, share in zip(homes, (1, PART), strict=True):
        path = home / DATABASE
        if not path.exists():
            began = time.perf_counter()
            fill(path, count // share, runs // share)
            print(f"made in {time.perf_counter() - began:.0f} s")
        print(f"{path.stat().st_size / 2**20:.0f} MiB", flush=True)
    for home in homes:
        with started(home, "it was made"):  # the modules are compiled, too
            pass
    print("in ms: the first answer, and its processor time; the median and the mean processor time")
    print("of the others; and these two of a hundredth of the file")
    with (
        started(homes[0], "a clean end") as whole,
        started(homes[1], "a clean end, of a hundredth") as part,
    ):
        look(Asked(*whole), Asked(*part))
        memory_of(whole[1])
        replay(*whole, count)
        memory_of(whole[1])
    with started(homes[0], "a clean end, once more", is_killed=True):
        pass
    with started(homes[0], "its process was killed"):
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
