"""Rows to test with, and a store in a system of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import attrs
import trio
import trio.testing

from command_center.actors.contracts.hosts import Hosts
from command_center.actors.core.events import EventHub, Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.core.writer import Store
from command_center.actors.ledger.placing import RunPlaces
from command_center.actors.rules.errors import Unavailable
from command_center.runtime import ChildSpec, SupervisorSpec, System, open_system
from command_center.store import (
    Readers,
    Repository,
    Session,
    Task,
    Transaction,
    open_database,
    repositories,
    sessions,
    tasks,
)

NO_PLACES: Final = RunPlaces(Hosts({}), limit=4)
"""No host that could be chosen."""


def make_database(path: Path) -> None:
    """Have a database at the path, as `open_database` makes one, and open one that is there.

    One that is new is a copy of the first of this process, for a twentieth of the time.
    """
    if path.exists():
        open_database(path).close()
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(_new_database())


@cache
def _new_database() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        open_database(path).close()
        return path.read_bytes()


@attrs.frozen
class Rig:
    """A running store, and what else the test put beside it."""

    system: System
    storage: Storage
    fanout: Fanout


@asynccontextmanager
async def rig(
    path: Path, *others: ChildSpec | SupervisorSpec, hub: bool = True
) -> AsyncIterator[Rig]:
    """`/store` and `/events`, then `others`."""
    make_database(path)
    found: list[System] = []
    fanout = Fanout()
    storage = Storage(
        Readers(path), lambda: found[0].lookup("/store"), lambda: found[0].lookup("/events")
    )
    children: Sequence[ChildSpec | SupervisorSpec] = (
        ChildSpec(id="store", start=lambda: Store(path, storage.hub)),
        *((ChildSpec(id="events", start=lambda: EventHub(fanout, storage.readers)),) * hub),
        *others,
    )
    found.append(open_system(SupervisorSpec(id="", children=children)))
    try:
        async with found[0] as system:
            yield Rig(system, storage, fanout)
    finally:
        storage.readers.close()


async def settle(rig: Rig) -> None:
    """Let the messages that are on their way be handled, by the store's threads, too."""
    for _ in range(5):
        with suppress(Unavailable, sqlite3.Error):  # where a test has it so
            await rig.storage.write(lambda _tx: None)
            await rig.storage.read(lambda _db: None)
        await trio.testing.wait_all_tasks_blocked(0.02)


def insert_repository(tx: Transaction, **fields: Any) -> Repository:
    """A repository in which writing is allowed."""
    wanted = {"name": "r", "local_path": "/srv/r", "allow_write": True, **fields}
    return repositories.insert(tx, **wanted)


def insert_task(tx: Transaction, repository: Repository, **fields: Any) -> Task:
    """A task of it."""
    wanted = {
        "repository_id": repository.id,
        "title": "T",
        "prompt": "P",
        "requested_by": "test",
        "correlation_id": "c",
        **fields,
    }
    return tasks.insert(tx, **wanted)


def insert_session(tx: Transaction, task: Task, **fields: Any) -> Session:
    """A session of it, as `created` by the stub unless said."""
    wanted = {
        "task_id": task.id,
        "repository_id": task.repository_id,
        "title": task.title,
        "runner": "stub",
        "sandbox": "workspace-write",
        "cwd": "/srv/r",
        "prompt": task.prompt,
        "requested_by": "test",
        "correlation_id": task.correlation_id,
        **fields,
    }
    return sessions.insert(tx, **wanted)
