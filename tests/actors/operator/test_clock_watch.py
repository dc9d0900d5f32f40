"""A machine that slept, and a clock that was set, are noticed and told of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from command_center.actors.core.storage import Storage
from command_center.actors.core.writer import Store
from command_center.actors.operator.clock_watch import GAP_SECONDS, ClockWatch
from command_center.runtime import ChildSpec, SupervisorSpec, System, open_system
from command_center.store import EventFilter, Readers, events
from tests.actors.rows import make_database

LOOK = 0.02


class Wall:
    """A wall clock that follows trio's, and can be set."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return trio.current_time() + self.ahead


@asynccontextmanager
async def watching(path: Path, wall: Wall) -> AsyncIterator[Storage]:
    """The watch over a real store."""
    make_database(path)
    found: list[System] = []
    storage = Storage(
        Readers(path), lambda: found[0].lookup("/store"), lambda: found[0].lookup("/store")
    )
    spec = SupervisorSpec(
        id="",
        children=(
            ChildSpec(id="store", start=lambda: Store(path, storage.hub)),
            ChildSpec(id="clock", start=lambda: ClockWatch(storage, wall=wall, look_seconds=LOOK)),
        ),
    )
    found.append(open_system(spec))
    async with found[0]:
        yield storage
    storage.readers.close()


async def told(storage: Storage) -> list[Any]:
    """The gaps that were told of, in seconds."""
    wanted = EventFilter(types=("clock.jumped",))
    found, _ = await storage.read(lambda db: events.after(db, 0, limit=10, wanted=wanted))
    return [msgspec.json.decode(event.body)["data"]["seconds"] for event in found]


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
async def test_a_gap_between_the_clocks_is_told_of_once(tmp_path: Path, seconds: float) -> None:
    wall = Wall()
    async with watching(tmp_path / "db.sqlite3", wall) as storage:
        wall.ahead += seconds
        with trio.fail_after(30):
            while not await told(storage):  # noqa: ASYNC110 - the database is what is looked at
                await trio.sleep(LOOK)
        assert [pytest.approx(seconds, abs=1)] == await told(storage)


async def test_clocks_that_agree_are_not_told_of(tmp_path: Path) -> None:
    wall = Wall()
    async with watching(tmp_path / "db.sqlite3", wall) as storage:
        wall.ahead += GAP_SECONDS - 1
        await trio.sleep(10 * LOOK)
        assert [] == await told(storage)
