"""Each call of the system that a server makes fails once, and nothing is lost by it.

There are two scripts: a server that answers requests, and the whole life of one, from a start that
copies the database before a migration to its orderly end. A usual run tries one call of each kind,
`-m chaos` each of them.
"""

from __future__ import annotations

import errno
import random
import re
import shutil
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import attrs
import httpx
import pytest

from command_center.store.database.opening import COPIES_KEPT
from tests.end_to_end.server import Client, Server, client_of
from tests.faults.faults import ERRORS, Call, Faults

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has LD_PRELOAD and /proc"
)
STUB = {"CC_CODEX_RUNNER_MODE": "stub"}
TITLES = tuple(f"Approval {number}" for number in range(4))
DATABASE = "command-center.sqlite3"
MIGRATION = "0023_events_of_kept_answers"
"""The one that a life begins with."""
NEVER = 10**8
SECONDS = 30.0
"""The longest that a start, a request, or an end may take, on a machine that has much to do."""
OF_REQUESTS = frozenset({Call.WRITE, Call.SYNC, Call.OPEN, Call.ALLOCATE})
"""The kinds of calls that answers to requests need; a life has all of them."""


@attrs.define
class Account:
    """The answers of a server on each approval that it was asked to make and to settle."""

    acknowledged: set[str] = attrs.field(factory=set)
    settled: set[str] = attrs.field(factory=set)
    refused: set[str] = attrs.field(factory=set)
    ended: bool = False

    async def ask(self, client: Client, prefix: str = "") -> None:
        """Make approvals and settle them, as far as the server does so."""
        for title in (f"{prefix}{title}" for title in TITLES):
            try:
                made = await client.http.post("/api/approvals", json={"title": title})
                assert made.status_code in {201, 503}, made.text
                if made.status_code == 201:
                    self.acknowledged.add(title)
                elif made.status_code == 503 and "facts" not in made.json()["error"]:
                    self.refused.add(title)
                if made.status_code == 201:
                    path = f"/api/approvals/{made.json()['id']}/resolve"
                    settled = await client.http.post(path, json={"status": "approved"})
                    assert settled.status_code in {200, 503}, settled.text
                    if settled.status_code == 200:
                        self.settled.add(title)
            except httpx.TimeoutException as error:
                raise AssertionError(f"no answer within {SECONDS} s on {title}") from error
            except httpx.TransportError:  # it ended, and says nothing of what was under way
                self.ended = True
                return

    async def check(self, client: Client, before: Account) -> None:
        """Compare it, and that of a life before, with what is there after a restart."""
        listed = (await client.get("/api/approvals"))["items"]
        times = Counter(approval["title"] for approval in listed)
        there = {approval["title"]: approval["status"] for approval in listed}
        assert set(times.values()) <= {1}, times
        assert self.acknowledged | before.acknowledged <= there.keys()
        assert self.refused.isdisjoint(there)
        assert self.settled | before.settled <= {
            title for title, status in there.items() if status == "approved"
        }
        events = (await client.get("/api/events", limit=500))["items"]
        ids = sorted(event["id"] for event in events)
        assert [*range(1, len(ids) + 1)] == ids
        told = Counter(event["type"] for event in events)
        assert len(there) == told["approval.requested"]
        approved = [status for status in there.values() if status == "approved"]
        assert len(approved) == told["approval.resolved"]


@attrs.define
class Disk:
    """A data folder as a former life left it, and copies of it to fail on.

    Attributes:
        is_whole_life: the calls of the start and of the end may fail, too.
        allocations_apart: one in so many is made to fail: they are some ten thousand.
        log_id: the log's, which stays whatever fails.
        before: what was acknowledged in the former life.
    """

    template: Path
    folder: Path
    is_whole_life: bool = False
    allocations_apart: int = 11
    log_id: str = ""
    before: Account = attrs.field(factory=Account)

    def fresh(self) -> Path:
        """A data folder as the former life left it."""
        data = self.folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        Server(data, STUB).log.unlink(missing_ok=True)
        shutil.copytree(self.template, data)
        # It is no copy to the server: its mark knows the database.
        mark, inode = data / f"{DATABASE}-mark", (data / DATABASE).stat().st_ino
        mark.write_text(re.sub(r'"inode":\d+', f'"inode":{inode}', mark.read_text()))
        return data

    async def calls(self) -> Counter[Call]:
        """Return how many calls of each kind the script makes."""
        data = self.fresh()
        faults = Faults.beneath(data)
        server = Server(data, {**STUB, **faults.environment})
        order = partial(faults.fail, Call.ALLOCATE, errno.ENOMEM, after=NEVER)
        try:
            account = await self.carry_out(server, faults, order)
            assert {*TITLES} == account.acknowledged
            return Counter({call: faults.seen(call) for call in ERRORS})
        finally:
            server.end()

    async def carry_out(self, server: Server, faults: Faults, order: Callable[[], None]) -> Account:
        """Let the server live, failing as ordered; what it has acknowledged."""
        account = Account()
        if not self.is_whole_life:
            start_soon(server)
        faults.begin()
        order()
        if self.is_whole_life:
            try:
                start_soon(server)
            except pytest.fail.Exception:  # it is started again
                assert server.log.read_text(), "it does not say why it cannot start"
                return account
        async with client_of(server) as client:
            client.http.timeout = httpx.Timeout(SECONDS)
            await account.ask(client)
        if account.ended:
            assert server.process is not None
            server.process.wait(timeout=SECONDS)
            assert server.log.read_text(), "it does not say why it ended"
        elif self.is_whole_life:
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < SECONDS
        return account

    async def survives(self, call: Call, error: int, after: int) -> bool:
        """Fail that call, kill and start the server, and compare; say whether a call failed."""
        data = self.fresh()
        faults = Faults.beneath(data)
        server = Server(data, {**STUB, **faults.environment})
        order = partial(faults.fail, call, error, after=after, times=1)
        try:
            account = await self.carry_out(server, faults, order)
            failed = faults.failed
            server.kill()
            faults.stop()
            assert "Traceback" not in server.log.read_text()
            with closing(sqlite3.connect(data / DATABASE)) as db:
                assert [("ok",)] == db.execute("PRAGMA integrity_check").fetchall()
            server.settings = STUB
            start_soon(server)
            async with client_of(server) as client:
                await account.check(client, self.before)
                assert self.log_id == (await client.get("/health"))["logId"]
            self.check_copies(data / "backups")
        finally:
            faults.stop()
            server.end()
        return failed > 0

    def check_copies(self, folder: Path) -> None:
        """The copy from before the migration is whole, and none is left that is not."""
        if not self.is_whole_life:
            return
        copies = [*folder.iterdir()]
        assert {".db"} == {copy.suffix for copy in copies}
        (copy,) = [copy for copy in copies if MIGRATION in copy.name]
        with closing(sqlite3.connect(copy)) as db:
            assert [("ok",)] == db.execute("PRAGMA integrity_check").fetchall()
            kept = {title for (title,) in db.execute("SELECT title FROM approvals")}
            assert self.before.acknowledged <= kept
        # One that could not be removed goes with the next migration.
        assert len(copies) <= COPIES_KEPT + 1


def start_soon(server: Server) -> None:
    """Start it within some seconds; one that hangs is killed."""

    def kill() -> None:
        if server.process is not None:
            server.process.kill()

    began = time.monotonic()
    limit = threading.Timer(SECONDS, kill)
    limit.start()
    try:
        server.start()
    finally:
        limit.cancel()
        assert time.monotonic() - began < SECONDS, "it hangs as it starts"


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    # The first start behind the library loads what others are forked from, and takes its time.
    server = Server(tmp_path / "template", {**STUB, **Faults.beneath(tmp_path).environment}).start()
    log_id = httpx.get(f"{server.url}/health").json()["logId"]
    server.end()
    return Disk(tmp_path / "template", tmp_path, log_id=log_id)


@pytest.fixture
async def old_disk(disk: Disk) -> Disk:
    """One of a version before, with as many copies as are kept."""
    server = Server(disk.template, STUB).start()
    async with client_of(server) as client:
        await disk.before.ask(client, "before")
    server.end()
    with closing(sqlite3.connect(disk.template / DATABASE)) as db:
        db.execute("ALTER TABLE kept_answers DROP COLUMN event_id")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = ?", [MIGRATION])
        db.commit()
    folder = disk.template / "backups"
    for number in range(COPIES_KEPT):
        (folder / f"{Path(DATABASE).stem}-before-000{number}.db").write_text("old")
    return attrs.evolve(disk, is_whole_life=True, allocations_apart=61)


@pytest.mark.timeout(600)
async def test_of_the_calls_that_answer_requests_any_may_fail(disk: Disk) -> None:
    await fail_some(disk)


@pytest.mark.timeout(600)
async def test_of_the_calls_of_a_life_any_may_fail(old_disk: Disk) -> None:
    await fail_some(old_disk)


async def fail_some(disk: Disk) -> None:
    cases = await cases_of(disk)
    chance = random.Random(23)  # noqa: S311 - the same ones each time
    kinds = {call for call, _, _ in cases}
    if disk.is_whole_life:
        assert {*ERRORS} == kinds
    for kind in sorted(kinds):
        await disk.survives(*chance.choice([case for case in cases if case[0] is kind]))


PARTS = 4
"""The cases of a kind are tried in so many parts, which may run side by side."""
KINDS = [
    (call, error, part)
    for call, errors in ERRORS.items()
    for error in errors
    for part in range(PARTS if call in {Call.WRITE, Call.ALLOCATE} else 1)
]


@pytest.mark.chaos
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("call", "error", "part"), [kind for kind in KINDS if kind[0] in OF_REQUESTS]
)
async def test_of_the_calls_that_answer_requests_each_may_fail(
    disk: Disk, call: Call, error: int, part: int
) -> None:
    await fail_each(disk, call, error, part)


@pytest.mark.chaos
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("call", "error", "part"), KINDS)
async def test_of_the_calls_of_a_life_each_may_fail(
    old_disk: Disk, call: Call, error: int, part: int
) -> None:
    await fail_each(old_disk, call, error, part)


async def fail_each(disk: Disk, call: Call, error: int, part: int) -> None:
    """Fail those of one kind, one after the other, and print what came of them; all are tried."""
    cases = [case for case in await cases_of(disk) if case[:2] == (call, error)]
    parts = sum((call, error) == kind[:2] for kind in KINDS)
    cases = cases[part::parts]
    assert cases
    outcomes: Counter[str] = Counter()
    lost: list[str] = []
    for _, _, after in cases:
        try:
            outcome = "failed" if await disk.survives(call, error, after) else "not reached"
        except (Exception, pytest.fail.Exception) as loss:  # noqa: BLE001 - whatever it is, it is told at the end
            outcome = "LOST"
            lost.append(f"after {after}: {loss!r}")
        outcomes[outcome] += 1
        if outcome == "LOST" or not sum(outcomes.values()) % 50 or after == cases[-1][2]:
            told = f"{call.name} {errno.errorcode.get(error, 'cut short')} {dict(outcomes)}"
            print(told, *lost[-1:], flush=True)  # noqa: T201 - figures for who asks for them
    assert [] == lost


async def cases_of(disk: Disk) -> list[tuple[Call, int, int]]:
    calls = await disk.calls()
    assert min(calls[Call.WRITE], calls[Call.SYNC]) > len(TITLES)
    if disk.is_whole_life:
        assert min(calls[Call.RENAME], calls[Call.TRUNCATE], calls[Call.UNLINK]) > 0
    return [
        (call, error, after)
        for call, count in sorted(calls.items())
        for error in ERRORS[call]
        for after in range(0, count, disk.allocations_apart if call is Call.ALLOCATE else 1)
    ]
