"""The cost of a cluster: commits beside those of a server alone, and a centre that joins.

Run it with `uv run python -m tests.benchmarks.cluster [commits] [seconds] [megabytes]`: 500, 10 and
1,024 unless given. It starts three real NATS servers that flush all that they acknowledge. Commits
of a server alone, replicated ones, and bare messages of 4 KB to the same NATS servers take turns:
so a busy machine harms all alike. No replicated commit can be faster than a bare message. Then 32
callers write at once for so many seconds. Then the database grows by so many megabytes, the leader
keeps a snapshot, and a new centre joins.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median

import structlog
import trio

from command_center.actors.core.writer import Store, Write
from command_center.actors.nats.jetstream import JetStream
from command_center.runtime import ActorRef, ChildSpec, SupervisorSpec, System, open_system
from command_center.store import DataFolderLock, Transaction, open_database, take_claim
from tests.actors.cluster.centres import Centre, centre, settings_of
from tests.actors.rows import rig
from tests.nats_servers import three_keeping
from tests.store.units import add_task, tell

CALLERS = 32
MEGABYTE = 1024 * 1024
STEADY = {"silence": 3.0, "grace": 2.0, "beat": 1.0, "allows_single": False}


@asynccontextmanager
async def writing(leader: Centre) -> AsyncIterator[ActorRef[Write]]:
    """Lend the store of a centre that leads."""
    leadership = leader.leadership
    assert leadership is not None
    found: list[System] = []
    with DataFolderLock(leader.settings.data_dir) as lock:
        claim = await trio.to_thread.run_sync(
            partial(take_claim, leadership.database, lock, replica=leadership.replica())
        )
        store = ChildSpec(
            id="store",
            start=lambda: Store(
                leadership.database,
                lambda: found[0].lookup("/events"),
                claim=claim,
                replica=leadership.replica,
            ),
        )
        found.append(open_system(SupervisorSpec(id="", children=(store,))))
        async with found[0] as system:
            yield system.lookup("/store")


async def seconds_of(store: ActorRef[Write]) -> float:
    """Commit a task, and return how long that took."""
    began = time.perf_counter()
    await store.ask(Write(add_task), timeout=60)
    return time.perf_counter() - began


async def seconds_bare(jetstream: JetStream) -> float:
    """Publish a message that three servers flush, and return how long that took."""
    began = time.perf_counter()
    await jetstream.publish("ready.bare", os.urandom(4096))
    return time.perf_counter() - began


async def events_in(store: ActorRef[Write], seconds: float) -> int:
    """Have the callers write events, each the next one once it has its answer; count them."""
    written = 0

    async def call() -> None:
        nonlocal written
        while True:
            await store.ask(Write(tell), timeout=60)
            written += 1

    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for _ in range(CALLERS):
                nursery.start_soon(call)
    return written


def grow(tx: Transaction) -> None:
    """Add a megabyte that no compression makes shorter."""
    tx.db.execute("CREATE TABLE IF NOT EXISTS ballast (content BLOB)")
    tx.db.execute("INSERT INTO ballast VALUES (?)", [os.urandom(MEGABYTE)])


async def until_following(joining: Centre, leader: Centre) -> None:
    """Wait until a centre has all that the leader has published."""
    assert leader.leadership is not None
    last = leader.leadership.log.last
    while joining.membership.view.role != "standby" or joining.membership.view.sequence < last:  # noqa: ASYNC110 - another system does it
        await trio.sleep(0.02)


async def measure(folder: Path, commits: int, seconds: float, megabytes: int) -> None:
    """Print the figures."""
    async with three_keeping(folder / "nats", "ready", max_file="8GB") as (servers, jetstream):
        snapshots = {"snapshot_bytes": max(1, megabytes // 2) * MEGABYTE, "look_seconds": 1.0}
        one = settings_of(folder / "one", *servers, **STEADY, **snapshots)
        open_database(folder / "local").close()
        async with centre(one) as leader, rig(folder / "local") as alone:
            await leader.lead()
            async with writing(leader) as store:
                local = alone.system.lookup("/store")
                turns = [
                    (
                        await seconds_of(local),
                        await seconds_of(store),
                        await seconds_bare(jetstream),
                    )
                    for _ in range(commits)
                ]
                ours, theirs, bare = (median(times) * 1000 for times in zip(*turns, strict=True))
                print(
                    f"commit, p50: {ours:.2f} ms alone, {theirs:.2f} ms replicated"
                    f" ({theirs / ours:.1f} times); a bare message {bare:.2f} ms"
                    f" ({bare / ours:.1f} times)"
                )
                for name, place in (("alone", local), ("replicated", store)):
                    count = await events_in(place, seconds)
                    print(f"events a second with {CALLERS} callers: {count / seconds:,.0f} {name}")
                for _ in range(megabytes):
                    await store.ask(Write(grow), timeout=60)
                size = one.database.stat().st_size / MEGABYTE
                began = time.perf_counter()
                two = settings_of(folder / "two", *servers, **STEADY)
                async with centre(two) as joining:
                    await until_following(joining, leader)
                    took = time.perf_counter() - began
                print(f"a new centre follows a database of {size:,.0f} MB after {took:.1f} s")


def main() -> None:
    """Measure in a folder for temporary files."""
    commits, seconds, megabytes = [int(word) for word in sys.argv[1:]] + [500, 10, 1024][
        len(sys.argv) - 1 :
    ]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        trio.run(measure, Path(folder), commits, seconds, megabytes)


if __name__ == "__main__":
    main()
