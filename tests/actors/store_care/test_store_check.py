"""The whole database is read beside the service; what is wrong with it is told."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from command_center.actors.core.storage import Storage
from command_center.actors.rules.errors import Unavailable
from command_center.actors.store_care import store_check
from command_center.actors.store_care.store_check import StoreCheck
from command_center.runtime import ChildSpec
from command_center.store import DataFolderLock, EventFilter, events, take_claim, totals
from command_center.store.backups.contents import DATABASE
from command_center.store.integrity import FileCheck
from tests.actors.rows import Rig, insert_repository, insert_task, rig


async def until(made: Rig, state: str) -> dict[str, Any]:
    """Wait until the check has found this, and return how it shows itself."""
    with trio.fail_after(20):
        while True:
            shown = made.system.snapshot_of("/store-check").description
            if shown["state"] == state and shown["finishedAt"] is not None:
                return shown
            await trio.sleep(0.01)


async def told(made: Rig) -> list[dict[str, Any]]:
    wanted = EventFilter(types=("store.damaged",))
    found, _ = await made.storage.read(lambda db: events.after(db, 0, wanted=wanted))
    return [msgspec.json.decode(one.body)["data"] for one in found]


async def test_what_the_disk_has_changed_is_told_and_a_sound_file_is_well(tmp_path: Path) -> None:
    path = tmp_path / DATABASE
    with DataFolderLock(tmp_path) as lock:
        claim = take_claim(path, lock)

    def start() -> StoreCheck:
        return StoreCheck(made.storage, path, claim, wait_seconds=0.0)

    async with rig(path) as made:
        await made.storage.write(insert_repository)
        await made.system.start_child("/", ChildSpec(id="store-check", start=start))
        shown = await until(made, "ok")
        assert (2, [], []) == (shown["rows"], shown["structure"], shown["damaged"])
        with sqlite3.connect(path) as other:
            other.execute("UPDATE repositories SET name = 'another'")
        await made.system.restart("/store-check", reason="a test")
        assert ["repositories 1"] == (await until(made, "damaged"))["damaged"]
        while not await told(made):  # noqa: ASYNC110 - the log
            await trio.sleep(0.01)
        assert [{"structure": [], "damaged": ["repositories 1"]}] == await told(made)
        assert not claim.is_damaged  # its structure is whole: the next start need not read it
        forget_page_of(path, "tasks_by_status")
        await made.system.restart("/store-check", reason="a test")
        structure = (await until(made, "damaged"))["structure"]
        assert structure[0].startswith("tasks: ")
        while len(await told(made)) == 1:  # noqa: ASYNC110 - the log
            await trio.sleep(0.01)
        assert structure == (await told(made))[1]["structure"]
        assert claim.is_damaged


async def test_what_is_made_of_other_rows_is_made_anew_where_it_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / DATABASE
    async with rig(path) as made:
        place = await made.storage.write(insert_repository)
        await made.storage.write(lambda tx: insert_task(tx, place))
        with sqlite3.connect(path) as other:
            other.execute("UPDATE totals SET count = 9 WHERE kind = 'tasks'")
        actor = lambda: StoreCheck(made.storage, path, wait_seconds=0.0)  # noqa: E731
        await made.system.start_child("/", ChildSpec(id="store-check", start=actor))
        assert "totals tasks" in (await until(made, "ok"))["madeAnew"]
        await made.system.restart("/store-check", reason="a test")
        assert [] == (await until(made, "ok"))["madeAnew"]
        assert {"open": 1} == await made.storage.read(lambda db: totals.counts(db, "tasks"))
        assert not await told(made)


async def test_a_finding_that_the_store_does_not_take_stays_until_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, refused, checks = tmp_path / DATABASE, trio.Event(), 0
    monkeypatch.setattr(store_check, "AGAIN_SECONDS", 0.01)

    async def refuse(*_: object) -> None:
        await trio.lowlevel.checkpoint()
        refused.set()
        raise Unavailable("The disk is full.", retry_after=1.0)

    def check(database: Path) -> FileCheck:
        nonlocal checks
        checks += 1
        return FileCheck(database)

    monkeypatch.setattr(store_check, "FileCheck", check)
    async with rig(path) as made:
        await made.storage.write(insert_repository)
        with sqlite3.connect(path) as other:
            other.execute("UPDATE repositories SET name = 'another'")
        with monkeypatch.context() as full:
            full.setattr(Storage, "write", refuse)
            actor = lambda: StoreCheck(made.storage, path, wait_seconds=0.0)  # noqa: E731
            await made.system.start_child("/", ChildSpec(id="store-check", start=actor))
            with trio.fail_after(20):
                await refused.wait()
            assert ["repositories 1"] == (await until(made, "damaged"))["damaged"]
        with trio.fail_after(20):
            while not await told(made):  # noqa: ASYNC110 - the log
                await trio.sleep(0.01)
        await until(made, "damaged")
        assert checks == 1


def forget_page_of(path: Path, index: str) -> None:
    """Have the disk forget the page of an index."""
    with sqlite3.connect(path) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        (page,) = conn.execute(sql, [index]).fetchone()
    conn.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(bytes(8))
