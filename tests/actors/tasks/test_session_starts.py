"""`/tasks`: each live session has its actor, and one that cannot start harms no other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.contracts.addresses import TASKS
from command_center.actors.contracts.tasks import CreateTask
from command_center.actors.sessions.runner import Runner
from command_center.actors.sessions.runners.codex.threads import CodexThreads
from command_center.actors.sessions.runners.stub import StubRunner
from command_center.actors.sessions.services import SessionServices
from command_center.actors.tasks import session_starts
from command_center.actors.tasks.actor import Tasks
from command_center.runtime import ActorRef, ChildSpec, SupervisorSpec
from command_center.store import Session, Transaction
from tests.actors.rows import NO_PLACES, Rig, insert_repository, insert_session, insert_task, rig


class Broken(Exception):
    """The runner cannot be made."""


@asynccontextmanager
async def tasks_over(path: Path, broken: set[int]) -> AsyncIterator[Rig]:
    """`/tasks` over two blocked sessions, of which those in `broken` cannot start."""
    async with rig(path, SupervisorSpec(id="sessions")) as made:

        def insert(tx: Transaction) -> None:
            repository = insert_repository(tx)
            for _ in range(2):
                insert_session(tx, insert_task(tx, repository), status="blocked")

        await made.storage.write(insert)

        def make_runner(_session: Session, ref: ActorRef[Any]) -> Runner:
            if int(ref.path.rpartition("/")[2]) in broken:
                raise Broken
            return StubRunner(ref)

        services = SessionServices(
            storage=made.storage,
            instance_id="this",
            setup_seconds=60.0,
            approval_seconds=60,
            stall_seconds=0,
            max_sessions=4,
            places=NO_PLACES,
            make_runner=make_runner,
            absence=lambda _session: None,
        )
        threads = CodexThreads(made.system.lookup)
        await made.system.start_child(
            "/", ChildSpec(id="tasks", start=lambda: Tasks(services, threads, runner="stub"))
        )
        yield made


async def test_every_live_session_gets_its_actor_again(tmp_path: Path) -> None:
    async with tasks_over(tmp_path / "db.sqlite3", set()) as made:
        assert made.system.find("/sessions/1") is not None
        assert made.system.find("/sessions/2") is not None


async def test_a_session_that_cannot_start_harms_no_other_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_starts, "RESCAN_SECONDS", 0.1)
    broken = {1}
    async with tasks_over(tmp_path / "db.sqlite3", broken) as made:
        assert made.system.find("/sessions/1") is None
        assert made.system.find("/sessions/2") is not None
        wanted = CreateTask(repository_id=1, title="T", prompt="P")
        created = await made.system.lookup(TASKS).ask(wanted)
        assert "T" == created.title
        broken.clear()
        with trio.fail_after(30):
            while made.system.find("/sessions/1") is None:  # noqa: ASYNC110 - a registry
                await trio.sleep(0.05)
