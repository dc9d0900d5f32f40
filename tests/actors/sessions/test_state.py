"""The row of a session, and how it is written for people and of facts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from command_center.actors.rules.errors import Unavailable
from command_center.actors.sessions.state import SessionState
from command_center.store import Session, StoreUnavailable, Transaction, sessions
from tests.actors.rows import Rig, rig
from tests.actors.sessions.units import running


async def state_in(made: Rig) -> SessionState:
    """The state of a new session that runs."""
    return SessionState(await made.storage.write(lambda tx: running(tx)[1]), made.storage)


def renamed(session_id: int, faults: list[str]) -> Callable[[Transaction], Session]:
    """A unit that changes the model, once it has met each of the faults."""

    def unit(tx: Transaction) -> Session:
        if faults:
            raise StoreUnavailable(faults.pop())
        return sessions.update(tx, session_id, model="new")

    return unit


async def test_what_a_person_asks_is_refused_at_once_where_nothing_can_be_written(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        state = await state_in(made)
        faults = ["The disk is full."]
        with pytest.raises(Unavailable, match="The disk is full"):
            await state.write(renamed(state.id, faults))
        assert state.session.model is None
        assert "new" == (await state.write(renamed(state.id, faults))).model


async def test_a_fact_is_written_again_until_there_is_room_and_then_the_row_is_the_new_one(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        state = await state_in(made)
        changed = await state.change(renamed(state.id, ["The disk is full."] * 2))
        assert "new" == changed.model == state.session.model


async def test_a_row_that_another_has_changed_is_read_anew(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        state = await state_in(made)
        await made.storage.write(lambda tx: sessions.update(tx, state.id, finished_at=tx.now))
        assert state.is_active
        await state.refresh()
        assert ("ended", False) == (state.phase, state.is_active)
