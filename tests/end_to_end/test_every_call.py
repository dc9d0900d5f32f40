"""Each call of the system that a server makes while it answers fails once; nothing is lost by it.

A usual run tries some of the calls, `-m chaos` each of them.
"""

from __future__ import annotations

import errno
import random
import shutil
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import attrs
import httpx
import pytest

from tests.end_to_end.server import Client, Server, client_of
from tests.faults.faults import ERRORS, Call, Faults

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has LD_PRELOAD and /proc"
)
STUB = {"CC_CODEX_RUNNER_MODE": "stub"}
TITLES = tuple(f"Approval {number}" for number in range(4))
SAMPLE = 5
NEVER = 10**8
ALLOCATIONS_APART = 12
"""There are some thousand: every twelfth is tried."""


@attrs.define
class Account:
    """The answers of a server on each approval that it was asked to make and to settle."""

    acknowledged: set[str] = attrs.field(factory=set)
    settled: set[str] = attrs.field(factory=set)
    refused: set[str] = attrs.field(factory=set)
    ended: bool = False

    async def ask(self, client: Client) -> None:
        """Make approvals and settle them, as far as the server does so."""
        for title in TITLES:
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
            except httpx.TransportError:  # it ended, and says nothing of what was under way
                self.ended = True
                return

    async def check(self, client: Client) -> None:
        """Compare it with what is there after a restart."""
        listed = (await client.get("/api/approvals"))["items"]
        times = Counter(approval["title"] for approval in listed)
        there = {approval["title"]: approval["status"] for approval in listed}
        assert set(times.values()) <= {1}, times
        assert self.acknowledged <= there.keys()
        assert self.refused.isdisjoint(there)
        assert self.settled <= {title for title, status in there.items() if status == "approved"}
        events = (await client.get("/api/events", limit=500))["items"]
        ids = sorted(event["id"] for event in events)
        assert [*range(1, len(ids) + 1)] == ids
        told = Counter(event["type"] for event in events)
        assert len(there) == told["approval.requested"]
        approved = [status for status in there.values() if status == "approved"]
        assert len(approved) == told["approval.resolved"]


@attrs.define
class Disk:
    """A data folder as it is after a first start, and copies of it to fail on."""

    template: Path
    folder: Path

    def fresh(self) -> Path:
        """A data folder as after a first start."""
        data = self.folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(self.template, data)
        return data

    async def calls(self) -> Counter[Call]:
        """Return how many calls of each kind the script makes."""
        data = self.fresh()
        faults = Faults.beneath(data)
        server = Server(data, {**STUB, **faults.environment}, is_fresh=True).start()
        try:
            faults.begin()
            faults.fail(Call.ALLOCATE, errno.ENOMEM, after=NEVER)
            async with client_of(server) as client:
                await Account().ask(client)
            return Counter({call: faults.seen(call) for call in ERRORS})
        finally:
            server.end()

    async def survives(self, call: Call, error: int, after: int) -> bool:
        """Fail that call, kill and start the server, and compare; say whether a call failed."""
        data = self.fresh()
        faults = Faults.beneath(data)
        server = Server(data, {**STUB, **faults.environment}, is_fresh=True).start()
        account = Account()
        try:
            faults.begin()
            faults.fail(call, error, after=after, times=1)
            async with client_of(server) as client:
                await account.ask(client)
            failed = faults.failed
            server.kill()
            faults.stop()
            with closing(sqlite3.connect(data / "command-center.sqlite3")) as db:
                assert [("ok",)] == db.execute("PRAGMA integrity_check").fetchall()
            server.is_fresh = False
            server.settings = STUB
            server.start()
            async with client_of(server) as client:
                await account.check(client)
        finally:
            faults.stop()
            server.end()
        return failed > 0


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    server = Server(tmp_path / "template", STUB).start()
    server.end()
    return Disk(tmp_path / "template", tmp_path)


async def test_of_the_calls_that_answer_requests_any_may_fail(disk: Disk) -> None:
    cases = await cases_of(disk)
    chance = random.Random(23)  # noqa: S311 - the same ones each time
    for case in chance.sample(cases, SAMPLE):
        await disk.survives(*case)


@pytest.mark.chaos
@pytest.mark.timeout(7200)
async def test_of_the_calls_that_answer_requests_each_may_fail(disk: Disk) -> None:
    outcomes: Counter[str] = Counter()
    for call, error, after in await cases_of(disk):
        failed = await disk.survives(call, error, after)
        name = errno.errorcode.get(error, "cut short")
        outcomes[f"{call.name} {name}: {'failed' if failed else 'not reached'}"] += 1
    print(dict(outcomes))  # noqa: T201 - figures for who asks for them


async def cases_of(disk: Disk) -> list[tuple[Call, int, int]]:
    calls = await disk.calls()
    assert min(calls[Call.WRITE], calls[Call.SYNC]) > len(TITLES)
    return [
        (call, error, after)
        for call, count in sorted(calls.items())
        for error in ERRORS[call]
        for after in range(0, count, ALLOCATIONS_APART if call is Call.ALLOCATE else 1)
    ]
