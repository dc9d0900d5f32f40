"""Turns that were over before they were looked at: which are known, and how one is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from command_center.actors.ledger.adoption import Thread, changed_since
from command_center.actors.ledger.missed_turns import KnownTurns, began_at, keep, known_turns
from command_center.actors.rules.errors import Unavailable
from command_center.store import Session, Transaction, from_timestamp, items, sessions
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig

THREAD = Thread("local", "t")
BEGAN = 1_900_000_000.123
DAY = 86_400.0
V7 = f"{int(BEGAN * 1000):012x}70008000000000000000"
"""The id of a turn that began then, as Codex makes them."""

MISSED: dict[str, Any] = {
    "id": V7,
    "rootTurnId": V7,
    "status": "failed",
    "error": {"message": "The model is away."},
    "startedAt": int(BEGAN),
    "completedAt": int(BEGAN) + 2,
    "items": [
        {"id": "p", "type": "userMessage", "content": [{"type": "text", "text": "Go on."}]},
        {"id": "m", "type": "agentMessage", "text": "I tried."},
    ],
}


def known(**more: Any) -> KnownTurns:
    """The turns of a thread of which nothing else is known."""
    nothing: dict[str, Any] = {
        "since": 0.0,
        "ids": frozenset(),
        "messages": frozenset(),
        "spans": (),
        "is_agent": False,
    }
    return KnownTurns(**{**nothing, **more})


def test_the_moment_of_a_turn_is_read_in_its_id_where_that_tells() -> None:
    assert pytest.approx(BEGAN) == began_at(MISSED)
    assert int(BEGAN) == began_at({**MISSED, "id": "odd"})
    assert int(BEGAN) == began_at({**MISSED, "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7"})
    assert 0 == began_at({"id": "odd"})


@pytest.mark.parametrize(
    ("is_known", "of_thread"),
    [
        (False, known()),
        (True, known(since=BEGAN + 0.01)),
        (False, known(since=BEGAN - DAY + 0.01)),
        (True, known(since=BEGAN - DAY + 0.01, ahead=DAY)),
        (True, known(spans=((BEGAN + DAY - 1, BEGAN + DAY + 1),), ahead=-DAY)),
        (True, known(ids=frozenset({V7}))),
        (False, known(ids=frozenset({"root"}))),
        (True, known(ids=frozenset({"root"}), is_agent=True)),
        (True, known(messages=frozenset({"command-center-3"}))),
        (True, known(spans=((BEGAN - 1, BEGAN + 1),))),
        (False, known(spans=((BEGAN + 1, BEGAN + 2),))),
    ],
)
def test_a_turn_is_known_by_its_id_its_message_or_who_worked_then(
    is_known: bool,  # noqa: FBT001 - a column of the table
    of_thread: KnownTurns,
) -> None:
    said = {"id": "p", "type": "userMessage", "clientId": "command-center-3"}
    assert is_known == of_thread.has({**MISSED, "rootTurnId": "root", "items": [said]})


async def begin(at: Rig, **fields: object) -> Session:
    """A session of the thread."""

    def unit(tx: Transaction) -> Session:
        task = insert_task(tx, insert_repository(tx))
        given = {"codex_thread_id": "t", "codex_turn_id": "ours", "sandbox": "read-only"}
        return insert_session(tx, task, **{**given, **fields})

    return await at.storage.write(unit)


async def test_it_is_kept_once_as_a_session_that_has_ended(tmp_path: Path) -> None:
    async with rig(tmp_path / "db") as at:
        last = await begin(at, status="completed", finished_at="2026-01-01T00:00:00.000Z")

        def unit(tx: Transaction) -> int:
            return keep(tx, THREAD, THREAD, {"model": "gpt-5.4"}, [MISSED], instance="this")

        assert [1, 0] == [await at.storage.write(unit), await at.storage.write(unit)]
        (kept,) = await at.storage.read(lambda db: sessions.every(db, {"origin": "codex"}))
        assert ("failed", last.id, "Go on.", "I tried.") == (
            kept.status,
            kept.previous_session_id,
            kept.prompt,
            kept.last_message,
        )
        assert str(kept.exit_reason).endswith("or refused. The model is away.")
        assert ("2030-03-17T17:46:40.123Z", "2030-03-17T17:46:42.000Z") == (
            kept.started_at,
            kept.finished_at,
        )
        found = await at.storage.read(lambda db: items.every(db, {"session_id": kept.id}))
        assert [V7, V7] == [item.turn_id for item in found]


@pytest.mark.parametrize(("ahead", "began"), [(DAY, "2030-03-16"), (-DAY, "2030-03-18")])
async def test_one_of_a_machine_whose_clock_is_wrong_is_kept_by_ours(
    tmp_path: Path, ahead: float, began: str
) -> None:
    async with rig(tmp_path / "db") as at:
        await begin(at, status="completed", finished_at="2026-01-01T00:00:00.000Z")
        turns = [MISSED]
        kept = await at.storage.write(
            lambda tx: keep(tx, THREAD, THREAD, {}, turns, instance="this", ahead=ahead)
        )
        assert 1 == kept
        (found,) = await at.storage.read(lambda db: sessions.every(db, {"origin": "codex"}))
        times = (f"{began}T17:46:40.123Z", f"{began}T17:46:42.000Z")
        assert times == (found.started_at, found.finished_at)


@pytest.mark.parametrize("ahead", [DAY, 0.0, -DAY])
async def test_a_thread_has_changed_by_the_clock_of_its_own_machine(
    tmp_path: Path, ahead: float
) -> None:
    async with rig(tmp_path / "db") as at:
        ended = await begin(at, status="completed", finished_at="2030-03-17T17:46:41.500Z")
        at_end = int(from_timestamp(ended.finished_at or "").timestamp() + ahead)
        threads = [{"id": "t", "updatedAt": at_end}, {"id": "t", "updatedAt": at_end - 1}]
        changed = await at.storage.read(
            lambda db: changed_since(db, host=THREAD.host, threads=threads, ahead=ahead)
        )
        assert threads[:1] == changed


async def test_nothing_is_kept_while_a_session_works_in_the_thread(tmp_path: Path) -> None:
    async with rig(tmp_path / "db") as at:
        await begin(at, status="running")
        with pytest.raises(Unavailable):
            await at.storage.write(
                lambda tx: keep(tx, THREAD, THREAD, {}, [MISSED], instance="this")
            )


async def test_of_a_thread_of_nobody_s_nothing_is_known(tmp_path: Path) -> None:
    async with rig(tmp_path / "db") as at:
        assert await at.storage.read(lambda db: known_turns(db, THREAD, THREAD)) is None


async def test_what_codex_exec_did_is_known_by_when_it_did_it(tmp_path: Path) -> None:
    async with rig(tmp_path / "db") as at:
        began, ended = "2030-03-17T17:46:39.000Z", "2030-03-17T17:46:41.000Z"
        times = {"started_at": began, "finished_at": ended, "status": "completed"}
        await begin(at, runner="cli", codex_turn_id="1", **times)
        found = await at.storage.read(lambda db: known_turns(db, THREAD, THREAD))
        assert found is not None
        assert found.has(MISSED)
