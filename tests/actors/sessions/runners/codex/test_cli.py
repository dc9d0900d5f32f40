"""A session of the `cli` runner prompts Codex once, however many lives its actor has."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import trio
from sqlite_utils import Database

from command_center.actors.codex.confinement import Confinement
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.worktrees import Prepared, PrepareWorkplace
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.sessions.actor import SessionActor
from command_center.actors.sessions.prompts import Assignment
from command_center.actors.sessions.runners.codex.cli import CliRunner
from command_center.actors.sessions.services import SessionServices
from command_center.runtime import Actor, ActorRef, ChildSpec, handles
from command_center.store import Session, Transaction, sessions
from tests.actors.rows import NO_PLACES, insert_repository, insert_session, insert_task, rig
from tests.codex.confining import confined

MUTE = """
import pathlib, sys, time
with pathlib.Path("prompts").open("a") as prompts:
    prompts.write(sys.stdin.read() + "\\n")
pathlib.Path("taken").touch()
time.sleep(600)
"""
"""A Codex that takes its prompt, and says nothing of it."""


async def test_an_actor_that_is_restarted_before_its_process_has_said_a_word_starts_no_other(
    tmp_path: Path,
) -> None:
    class Neighbour(Actor):
        """Stands for `/slots` and `/repositories`."""

        @handles(PrepareWorkplace)
        async def prepare(self, message: PrepareWorkplace) -> Prepared:
            found_now = await found.storage.read(lambda db: sessions.get(db, message.session_id))
            return Prepared(session=found_now)

        @handles(object)
        async def taken(self, message: object) -> None:
            """Take it in."""

    def insert(tx: Transaction) -> Session:
        return insert_session(
            tx,
            insert_task(tx, insert_repository(tx)),
            runner="cli",
            status="starting",
            runner_instance="this",
            cwd=str(tmp_path),
        )

    async def assign(session: Session) -> Assignment:
        return Assignment(session.prompt)

    async def confine(session: Session) -> Confinement:
        return confined(session.cwd)

    codex = BridgeSettings(command=(sys.executable, "-c", MUTE))
    prompted: set[int] = set()

    def make_runner(_session: Session, ref: ActorRef[Any]) -> CliRunner:
        return CliRunner(ref, LocalCodex(codex), assign, confine, prompted)

    neighbours = [ChildSpec(id=name, start=Neighbour) for name in ("slots", "repositories")]
    async with rig(tmp_path / "db.sqlite3", *neighbours) as found:
        session = await found.storage.write(insert)

        def row(db: Database) -> Session:
            return sessions.get(db, session.id)

        services = SessionServices(
            storage=found.storage,
            instance_id="this",
            setup_seconds=60.0,
            approval_seconds=60,
            stall_seconds=0,
            max_sessions=4,
            places=NO_PLACES,
            make_runner=make_runner,
            absence=lambda _session: None,
        )
        await found.system.start_child(
            "/", ChildSpec(id="session", start=lambda: SessionActor(session.id, services))
        )
        with trio.fail_after(20):
            while not (tmp_path / "taken").exists():  # noqa: ASYNC110 - another process makes it
                await trio.sleep(0.01)
        await found.system.restart("/session", reason="To see.")
        with trio.fail_after(20):
            while (ended := await found.storage.read(row)).finished_at is None:  # noqa: ASYNC110 - a row says nothing of itself
                await trio.sleep(0.01)
    assert "interrupted" == ended.status
    assert "P\n" == (tmp_path / "prompts").read_text()
