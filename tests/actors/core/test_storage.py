"""The way to the writer: durable answers, shared commits, and refusals in the actors' words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.core.storage import Storage
from command_center.actors.rules.errors import NotFound
from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorStopped,
    ChildSpec,
    Deferred,
    Request,
    handles,
    working_for,
)
from command_center.store import Transaction, repositories, sessions
from tests.actors.rows import insert_repository, rig


async def test_a_write_is_there_when_it_is_answered(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        written = await made.storage.write(insert_repository)
        assert written == await made.storage.read(lambda db: repositories.get(db, written.id))


async def test_writes_that_come_together_are_committed_together(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(made.storage.write, insert_repository)
        told = made.system.snapshot_of("/store").description
        assert 100 == told["units"]
        assert int(str(told["commits"])) < 50


async def test_a_unit_that_raises_is_undone_alone_and_its_error_is_the_answer(
    tmp_path: Path,
) -> None:
    class Mistake(Exception):
        pass

    def mistaken(tx: Transaction) -> None:
        insert_repository(tx)
        raise Mistake

    async with rig(tmp_path / "db.sqlite3") as made:

        async def fail() -> None:
            with pytest.raises(Mistake):
                await made.storage.write(mistaken)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(made.storage.write, insert_repository)
            nursery.start_soon(fail)
            nursery.start_soon(made.storage.write, insert_repository)
        assert 2 == await made.storage.read(lambda db: repositories.count(db, {}))


async def test_the_stores_own_errors_reach_a_caller_as_refusals(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        with pytest.raises(NotFound, match="Session 7 not found"):
            await made.storage.read(lambda db: sessions.get(db, 7))
        with pytest.raises(NotFound, match="Session 7 not found"):
            await made.storage.write(lambda tx: sessions.get(tx.db, 7))


class Do(Request[Any]):
    """Answer with what the unit gives."""

    def __init__(self, unit: Callable[[Transaction], Any]) -> None:
        self.unit = unit


class Doer(Actor):
    """Leaves its answers to the store."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @handles(Do)
    async def do(self, message: Do) -> Deferred[Any]:
        return self._storage.answer(self.ctx, message.unit)


async def test_an_actor_may_leave_its_answer_to_the_store(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        doer = await made.system.start_child("/", ChildSpec("doer", lambda: Doer(made.storage)))
        written = await doer.ask(Do(insert_repository))
        assert written == await made.storage.read(lambda db: repositories.get(db, written.id))
        with pytest.raises(NotFound, match="Session 7 not found"):
            await doer.ask(Do(lambda tx: sessions.get(tx.db, 7)))
        with working_for("a request"):
            assert "a request" == await doer.ask(Do(lambda tx: tx.origin))


async def test_a_store_that_is_gone_is_told_to_whoever_waits_for_its_answer(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        doer = await made.system.start_child("/", ChildSpec("doer", lambda: Doer(made.storage)))
        await made.system.stop_child("/store", reason="a test")
        with pytest.raises(ActorStopped, match="/store"):
            await doer.ask(Do(insert_repository))


async def test_a_restarted_store_goes_on_and_nothing_that_was_answered_is_missing(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        answered: list[int] = []

        async def write_on() -> None:
            for _ in range(30):
                try:
                    answered.append((await made.storage.write(insert_repository)).id)
                except (ActorCrashed, ActorStopped):
                    continue

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write_on)
            await made.system.restart("/store", reason="a test")
        kept = await made.storage.read(
            lambda db: [found.id for found in repositories.every(db, {})]
        )
        assert set(answered) <= set(kept)
        assert answered
