"""Turns that outlive their sessions are ended once Codex can be reached."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import attrs
import msgspec
import pytest
import trio
import trio.testing

from command_center.actors.codex.errors import BridgeUnavailable, CodexError, CodexTimeout
from command_center.actors.codex.messages import Call
from command_center.actors.contracts.addresses import orphaned_turns_on
from command_center.actors.contracts.sessions import AbandonTurn, StopSession
from command_center.actors.contracts.turns import ConnectionLost, InterruptTurn
from command_center.actors.rules.errors import Conflict
from command_center.actors.sessions import interruption
from command_center.actors.sessions.directory import Sessions
from command_center.actors.sessions.runners.codex import orphaned_turns as turns_module
from command_center.actors.sessions.runners.codex.orphaned_turns import OrphanedTurns
from command_center.runtime import ChildSpec
from command_center.store import Transaction, orphaned_turns, tasks
from tests.actors.hosts.machines import this_machine
from tests.actors.rows import insert_session, rig
from tests.actors.sessions.live import (
    THREAD,
    TURN,
    Live,
    PlayedBridge,
    live_session,
    played,
    running_turn,
)
from tests.actors.sessions.live import (
    orphaned_turns as turns_on,
)

ENDED: dict[str, Any] = {"id": TURN, "status": "completed", "items": []}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less time than in earnest."""
    monkeypatch.setattr(interruption, "STOP_SECONDS", 0.2)
    monkeypatch.setattr(turns_module, "SETTLE_SECONDS", 0.3)
    monkeypatch.setattr(turns_module, "PAUSE_SECONDS", 0.1)


def lose(_params: object) -> NoReturn:
    raise BridgeUnavailable("The connection to Codex was lost.")


async def give_up(live: Live) -> None:
    """Stop the session while Codex cannot be reached: it ends, and its actor is gone."""
    await live.settled()
    live.bridge.is_lost = True
    ended = await live.ref.ask(StopSession())
    assert "Stopped by api. The turn did not end in time." == ended.exit_reason
    await live.gone()


async def left(live: Live) -> list[int]:
    """The sessions whose turns may still run."""
    noted = await live.rig.storage.read(partial(orphaned_turns.every, host="local"))
    return [session.id for session in noted]


async def settled(live: Live, *, interrupted: bool) -> None:
    """Wait until the turn is known to run no more, and see it told so, once."""
    with trio.fail_after(30):
        while await left(live):  # noqa: ASYNC110 - a row says nothing of itself
            await trio.sleep(0.01)
    (told,) = await live.events("session.turn.settled")
    assert {"interrupted": interrupted} == told["data"]


async def test_a_turn_that_was_given_up_is_interrupted_on_the_next_connection(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await give_up(live)
        await live.settled()
        assert 0 == live.bridge.methods().count("turn/interrupt")
        await live.bridge.connect()
        await settled(live, interrupted=True)
        calls = [call for call in live.bridge.asked if isinstance(call, Call)]
        assert {"threadId": THREAD, "turnId": TURN} in [call.params for call in calls]
        ends = ["turn/interrupt", "thread/backgroundTerminals/clean", "thread/list"]
        assert ends == live.bridge.methods()[-3:]
        asked = len(live.bridge.asked)
        await live.bridge.connect()
        await live.settled()
        assert asked == len(live.bridge.asked)


async def test_a_turn_whose_host_is_away_is_stopped_at_once_and_ended_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption, "STOP_SECONDS", 60.0)
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await live.settled()
        live.bridge.is_lost, live.bridge.absence = True, "It sleeps."
        with trio.fail_after(30):
            ended = await live.ref.ask(StopSession(requested_by="ada"))
        away = "Host local is away: It sleeps. The turn is ended when it is back."
        assert ("interrupted", f"Stopped by ada. {away}") == (ended.status, ended.exit_reason)
        await live.gone()
        live.bridge.absence = None
        await live.bridge.connect()
        await settled(live, interrupted=True)
        assert 1 == live.bridge.methods().count("turn/interrupt")


async def test_a_stop_waits_no_longer_once_its_host_goes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption, "STOP_SECONDS", 60.0)
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await live.settled()
        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(live.ref.ask, StopSession())
                await live.bridge.until_called("turn/interrupt")
                live.bridge.is_lost, live.bridge.absence = True, "It sleeps."
                await live.ref.tell(ConnectionLost("It was cut."))
        assert "interrupted" == (await live.session()).status
        assert [live.session_id] == await left(live)


async def test_a_stop_that_a_crash_cut_off_while_the_host_was_away_is_carried_out(
    tmp_path: Path,
) -> None:
    wish = {"reason": None, "requestedBy": "ada", "outcome": "stopped"}
    async with live_session(
        tmp_path / "db", survives_restart=True, is_away="It sleeps.", stop_requested=wish
    ) as live:
        await live.until(lambda session: session.status == "interrupted")
        assert "turn/interrupt" not in live.bridge.methods()
        live.bridge.absence = None
        await live.bridge.connect()
        await settled(live, interrupted=True)


async def test_a_turn_that_ended_by_itself_is_left_alone(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await give_up(live)
        live.bridge.turns = [ENDED]
        await live.bridge.connect()
        await settled(live, interrupted=False)
        assert "turn/interrupt" not in live.bridge.methods()


async def test_a_turn_that_codex_does_not_know_any_more_is_forgotten(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await give_up(live)

        def refuse(_params: object) -> NoReturn:
            raise CodexError("thread/turns/list", -32600, "thread not loaded: t")

        live.bridge.replies["thread/turns/list"] = refuse
        await live.bridge.connect()
        await settled(live, interrupted=False)


async def test_a_turn_that_never_began_is_forgotten(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await give_up(live)
        live.bridge.turns = []
        await live.bridge.connect()
        await settled(live, interrupted=False)


async def test_a_codex_that_is_there_and_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await give_up(live)
        answers = live.bridge.replies["thread/turns/list"]

        def be_late(_params: object) -> NoReturn:
            live.bridge.replies["thread/turns/list"] = answers
            raise CodexTimeout("thread/turns/list", 1.0)

        live.bridge.replies["thread/turns/list"] = be_late
        await live.bridge.connect()
        await settled(live, interrupted=True)


async def test_a_turn_that_codex_does_not_end_keeps_no_other_from_being_ended(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await give_up(live)
        task = (await live.session()).task_id

        def leave(tx: Transaction) -> int:
            given_up = {"status": "stopped", "codex_thread_id": "another", "codex_turn_id": TURN}
            session = insert_session(tx, tasks.get(tx.db, task), finished_at=tx.now, **given_up)
            orphaned_turns.note(tx, session.id)
            return session.id

        def hang(params: Mapping[str, object]) -> dict[str, object]:
            if params["threadId"] == THREAD:
                raise CodexTimeout("turn/interrupt", 1.0)
            return {}

        another = await live.rig.storage.write(leave)
        live.bridge.replies["turn/interrupt"] = hang
        await live.bridge.connect()
        with trio.fail_after(30):
            while another in await left(live):  # noqa: ASYNC110 - a row says nothing of itself
                await trio.sleep(0.01)
        assert [live.session_id] == await left(live)


async def test_a_connection_that_is_lost_again_leaves_the_turn_for_the_next(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await give_up(live)
        live.bridge.replies["turn/interrupt"] = lose
        await live.bridge.connect()
        await live.bridge.until_called("turn/interrupt")
        await live.settled()
        assert [live.session_id] == await left(live)
        del live.bridge.replies["turn/interrupt"]
        await live.bridge.connect()
        await settled(live, interrupted=True)


async def test_what_another_session_of_the_thread_runs_goes_on(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await give_up(live)
        task = (await live.session()).task_id
        await live.rig.storage.write(
            lambda tx: insert_session(tx, tasks.get(tx.db, task), codex_thread_id=THREAD)
        )
        await live.bridge.connect()
        await settled(live, interrupted=True)
        assert "turn/interrupt" == live.bridge.methods()[-1]


async def test_a_turn_is_ended_by_the_next_life_of_the_server(tmp_path: Path) -> None:
    path = tmp_path / "db"
    async with live_session(path, survives_restart=True) as live:
        await give_up(live)
        session_id = live.session_id
    bridge = PlayedBridge()
    bridge.turns = [running_turn(session_id)]
    async with rig(path, played(bridge)) as found:
        await found.system.start_child("/", turns_on(found.storage, tmp_path))
        await bridge.until_called("turn/interrupt")


async def test_a_turn_is_interrupted_on_the_host_of_its_session(tmp_path: Path) -> None:
    far = PlayedBridge()
    async with live_session(tmp_path / "db.sqlite3") as live:
        system = live.rig.system
        await system.start_child("/bridges", ChildSpec("far", lambda: far))
        (here,) = this_machine(tmp_path)
        there = attrs.evolve(here, name="far")
        spec = ChildSpec("far", lambda: OrphanedTurns(live.rig.storage, there))
        await system.start_child("/orphaned-turns", spec)
        session = msgspec.structs.replace(await live.session(), host="far")
        await system.lookup(orphaned_turns_on("far")).tell(InterruptTurn(session))
        await far.until_called("turn/interrupt")
        await live.settled()
        assert "turn/interrupt" not in live.bridge.methods()


async def test_nothing_waits_for_a_turn_that_a_person_gave_up_until_its_host_is_back_and_ends_it(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        every = Sessions(live.rig.system.find, live.rig.storage, 60)
        wish = AbandonTurn(requested_by="ada")
        with pytest.raises(Conflict, match="Nothing waits for a turn"):
            await every.abandon_turn(live.session_id, wish)
        await give_up(live)

        async def waited_for() -> list[int]:
            found = await live.rig.storage.read(orphaned_turns.waited_for)
            return [session.id for session in found]

        assert [live.session_id] == await waited_for()
        for _ in range(2):
            assert live.session_id == (await every.abandon_turn(live.session_id, wish)).id
        assert [] == await waited_for()
        assert [live.session_id] == await left(live)
        (told,) = await live.events("session.turn.abandoned")
        assert ("ada", {"host": "local"}) == (told["actor"], told["data"])
        gate = live.bridge.gate("turn/interrupt")
        await live.bridge.connect()
        await live.bridge.until_called("turn/interrupt")
        assert [live.session_id] == await waited_for()
        gate.set()
        await settled(live, interrupted=True)


async def test_a_goal_that_another_session_pursues_in_its_thread_by_now_is_left_alone(
    tmp_path: Path,
) -> None:
    goal = {"objective": "o", "tokenBudget": None, "status": "active", "tokensUsed": 0}
    goal |= {"timeUsedSeconds": 0}
    async with live_session(tmp_path / "db", survives_restart=True, goal=goal) as live:
        await give_up(live)
        task = (await live.session()).task_id

        def begin(tx: Transaction) -> None:
            follows = {"status": "running", "codex_thread_id": THREAD, "codex_turn_id": "v"}
            insert_session(tx, tasks.get(tx.db, task), **follows)

        await live.rig.storage.write(begin)
        await live.bridge.connect()
        await settled(live, interrupted=False)
        assert not {"turn/interrupt", "thread/goal/set"} & {*live.bridge.methods()}
