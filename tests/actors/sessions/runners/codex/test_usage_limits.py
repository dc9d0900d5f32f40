"""Tests that waits for a limit end, whatever is damaged, refused or not told."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from command_center.actors.sessions.runners.codex import usage_limits as limits_actor
from command_center.store import Transaction, repositories, sessions, usage_limits
from command_center.store.usage_limits import KnownLimits
from tests.actors.automations.rig import WAIT_SECONDS, Rig, folder, opened
from tests.actors.rows import insert_session, insert_task

__all__ = ["folder"]

PAST = "2020-01-01T00:00:00.000Z"


def hold(rig: Rig, tx: Transaction, *, until: str | None) -> list[int]:
    """Hold the host and tell nobody; which sessions wait for it."""
    usage_limits.keep(tx, "local", KnownLimits(held_since=PAST, held_until=until))
    task = insert_task(tx, repositories.get(tx.db, rig.repository_id))
    return [insert_session(tx, task, status="waiting_limit").id for _ in range(3)]


async def test_a_hold_of_which_nobody_was_told_ends_though_rows_are_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits_actor, "LOOK_SECONDS", 0.1)
    async with opened(folder) as rig:

        def damage(tx: Transaction) -> list[int]:
            waiting = hold(rig, tx, until=PAST)
            tx.db.execute("UPDATE sessions SET checksum = 0 WHERE id = ?", [waiting[0]])
            lost = insert_task(tx, repositories.get(tx.db, rig.repository_id)).id
            sessions.update(tx, waiting[1], task_id=lost)
            tx.db.execute("UPDATE tasks SET checksum = 0 WHERE id = ?", [lost])
            return waiting

        *_, sound = await rig.center.storage.write(damage)
        (reset,) = await rig.until_event("limits.reset")
        assert [sound] == reset["data"]["sessions"]


@pytest.mark.parametrize("until", [PAST, None])
async def test_what_the_store_refuses_of_a_hold_is_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, until: str | None
) -> None:
    monkeypatch.setattr(limits_actor, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(limits_actor, "PAUSE_SECONDS", 0.1)
    tried = 0

    def refuse() -> None:
        nonlocal tried
        tried += 1

    async with opened(folder) as rig:

        def refused(tx: Transaction) -> None:
            hold(rig, tx, until=until)
            tx.db.conn.create_function("refuse", 0, refuse)
            tx.db.execute(
                "CREATE TEMP TRIGGER refuses BEFORE INSERT ON usage_limits "
                "BEGIN SELECT refuse(), RAISE(ABORT, 'Not now.'); END"
            )

        await rig.center.storage.write(refused)
        began = trio.current_time()
        while tried < 3:
            await trio.sleep(0.05)
            assert trio.current_time() < began + WAIT_SECONDS
        assert trio.current_time() > began + 0.2
        await rig.center.storage.write(
            lambda tx: tx.db.conn.execute("DROP TRIGGER refuses").close()
        )
        began = trio.current_time()
        while (known := await read(rig)).held_since is not None and known.held_until == until:
            await trio.sleep(0.05)
            assert trio.current_time() < began + WAIT_SECONDS


async def read(rig: Rig) -> KnownLimits:
    """Return what is known of the limits now."""
    return await rig.center.storage.read(lambda db: usage_limits.known(db, "local"))
