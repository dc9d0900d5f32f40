"""A database that has more than is wanted is told of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from command_center.actors.store_care.size_watch import TOLD, SizeWatch
from command_center.runtime import ChildSpec
from command_center.store import Transaction, events
from command_center.store.backups.contents import DATABASE
from command_center.store.queries.file_size import used_bytes
from tests.actors.rows import Rig, rig, settle
from tests.http.doctor.looks import look_for_one, subject
from tests.made_up import made_up


def grow(tx: Transaction) -> None:
    for _ in range(40):
        tx.emit(made_up("session.item", {"text": "-" * 60_000}), actor="test")


async def looked(made: Rig, alarm: int | None) -> tuple[object, list[Any]]:
    """Have an actor look once: its state, and all that was ever told."""
    spec = ChildSpec(id="size-watch", start=lambda: SizeWatch(made.storage, alarm))
    await made.system.start_child("/", spec)
    await settle(made)
    state = made.system.snapshot_of("/size-watch").description["state"]
    await made.system.stop_child("/size-watch", reason="it has looked")
    told, _ = await made.storage.read(lambda db: events.after(db, 0, wanted=TOLD))
    return state, [json.loads(event.body)["data"] for event in told]


async def test_a_large_database_is_told_of_once_and_when_it_has_doubled(tmp_path: Path) -> None:
    async with rig(tmp_path / DATABASE) as made:
        size = await made.storage.read(used_bytes)
        assert ("ok", []) == await looked(made, None)
        assert ("ok", []) == await looked(made, size * 2)
        state, told = await looked(made, 100)
        assert ("large", [100]) == (state, [one["alarmBytes"] for one in told])
        assert ("large", told) == await looked(made, 100)
        await made.storage.write(grow)
        _, (_, again) = await looked(made, 100)
        assert told[0]["bytes"] * 2 <= again["bytes"]
        _, three = await looked(made, 200)
        assert 200 == three[2]["alarmBytes"]


@pytest.mark.parametrize(("alarm", "level"), [("1MB", "warning"), ("10GB", "ok"), ("off", "ok")])
async def test_the_doctor_says_what_to_set(tmp_path: Path, alarm: str, level: str) -> None:
    async with rig(tmp_path / "data" / DATABASE) as made:
        await made.storage.write(grow)
        found = await look_for_one("database-size", subject(tmp_path, alarm_size=alarm))
    assert level == found[0]
    assert ("CC_KEEP_EVENTS" in found[2]) == (level == "warning")
