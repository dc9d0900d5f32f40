"""A launch that crosses with the end of an app-server, or with itself, prompts Codex once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, cast

import attrs
import pytest
import trio

from command_center.actors.codex.errors import CodexError
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.sessions import (
    ChooseHost,
    GrantSlot,
    SetUpEnded,
    WorkplaceReady,
)
from command_center.actors.contracts.turns import ConnectionBack, ConnectionLost
from command_center.actors.contracts.worktrees import Prepared
from command_center.actors.ledger.placing import RunPlaces
from command_center.actors.rules.errors import Unavailable
from command_center.actors.sessions import launch
from command_center.actors.sessions.runners.codex import turn_start
from command_center.store import Transaction, host_states, leases, repositories, sessions
from tests.actors.rows import insert_repository
from tests.actors.sessions.live import STARTING, THREAD, TURN, live_session, running_turn


async def test_an_app_server_that_dies_before_it_is_prompted_costs_no_session(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("turn/start")
        live.bridge.turns = []
        await live.bridge.until_called("turn/start")
        await live.ref.tell(ConnectionLost("The process ended."))
        await live.settled()
        live.bridge.turns = [running_turn(live.session_id)]
        slow.set()
        await live.until(lambda session: session.status == "running")
        await live.bridge.until_called("thread/resume")


async def test_a_folder_that_is_ready_twice_is_launched_in_once(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("turn/start")
        await live.bridge.until_called("turn/start")
        await live.ref.tell(WorkplaceReady(Prepared(session=await live.session())))
        slow.set()
        await live.until(lambda session: session.status == "running")
        assert 1 == live.bridge.methods().count("turn/start")


async def test_a_thread_that_was_opened_is_not_opened_again_before_it_is_committed(
    tmp_path: Path,
) -> None:
    cut_off: dict[str, Any] = {**STARTING, "codex_thread_id": "unused"}
    async with live_session(tmp_path / "db", **cut_off) as live:
        opened: list[str] = []

        def open_another(_: object) -> dict[str, Any]:
            opened.append(f"opened {len(opened)}")
            return {"thread": {"id": opened[-1]}}

        def resume(_: object) -> NoReturn:
            raise CodexError("thread/resume", -32600, "no rollout found")

        live.bridge.replies |= {"thread/start": open_another, "thread/resume": resume}
        slow = live.bridge.gate("thread/start")
        await live.bridge.until_called("thread/start")
        await live.ref.tell(ConnectionBack())
        await live.settled()
        slow.set()
        running = await live.until(lambda session: session.status == "running")
        assert (["opened 0"], "opened 0") == (opened, running.codex_thread_id)


async def test_an_app_server_that_was_replaced_just_before_it_is_prompted_costs_no_session(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        opened: list[str] = []

        def open_another(_: object) -> dict[str, Any]:
            opened.append(f"opened {len(opened)}")
            return {"thread": {"id": opened[-1]}}

        def resume(_: object) -> NoReturn:
            raise CodexError("thread/resume", -32600, "no rollout found")

        def start(params: Mapping[str, Any]) -> dict[str, Any]:
            if params["threadId"] == "opened 0":
                raise CodexError("turn/start", -32600, "thread not found: opened 0")
            return {"turn": {"id": TURN}}

        live.bridge.replies |= {
            "thread/start": open_another,
            "thread/resume": resume,
            "turn/start": start,
        }
        ended = await live.until(lambda session: session.status != "starting")
        assert ("running", "opened 1") == (ended.status, ended.codex_thread_id)


async def test_a_thread_of_which_its_app_server_kept_nothing_is_opened_anew(
    tmp_path: Path,
) -> None:
    def resume(_: object) -> NoReturn:
        raise CodexError("thread/resume", -32600, "rollout at /srv/rollout.jsonl is empty")

    lost: dict[str, Any] = {**STARTING, "codex_thread_id": "lost"}
    async with live_session(tmp_path / "db", **lost) as live:
        live.bridge.replies["thread/resume"] = resume
        running = await live.until(lambda session: session.status != "starting")
        assert ("running", THREAD) == (running.status, running.codex_thread_id)


@pytest.mark.parametrize("fault", [Unavailable("The database is locked."), RuntimeError("Oh.")])
async def test_a_fault_that_passes_while_the_folder_is_made_ready_costs_no_session(
    tmp_path: Path, fault: Exception
) -> None:
    async with live_session(tmp_path / "db", faults=[fault], **STARTING) as live:
        ended = await live.until(lambda session: session.status != "starting")
        assert ("running", None) == (ended.status, ended.exit_reason)


async def test_a_session_whose_host_goes_away_before_its_prompt_waits_in_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "PREPARE_SECONDS", 0.0)
    monkeypatch.setattr(launch, "PAUSE_SECONDS", 0.01)
    away = Unavailable("Host box is away: It has ended.")
    folder = tmp_path / "db"
    async with live_session(folder, is_away="It sleeps.", faults=[away] * 2, **STARTING) as live:
        waits = await live.until(lambda session: session.status != "starting")
        assert ("queued", None) == (waits.status, waits.exit_reason)
        live.bridge.absence, live.bridge.is_lost = None, False
        await live.ref.tell(GrantSlot())
        await live.until(lambda session: session.status == "running")
        assert 1 == live.bridge.methods().count("turn/start")


async def test_a_session_with_a_lease_waits_for_that_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "PREPARE_SECONDS", 0.0)
    monkeypatch.setattr(launch, "PAUSE_SECONDS", 0.01)
    away = Unavailable("Host box is away: It has ended.")
    has_lease = trio.Event()
    async with live_session(
        tmp_path / "db",
        is_away="It sleeps.",
        faults=[away] * 4,
        until_prepared=has_lease,
        **STARTING,
    ) as live:
        session = await live.session()
        await live.rig.storage.write(lambda tx: leases.take(tx, session))
        live.bridge.is_lost = False
        has_lease.set()
        await live.until(lambda session: session.status == "running")
        assert [] == await live.events("session.queued")


async def test_nothing_is_begun_for_a_session_that_waits_in_the_queue_for_its_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_start, "DELAY_SECONDS", 0.01)
    monkeypatch.setattr(turn_start, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(turn_start, "LAUNCH_SECONDS", 0.5)
    async with live_session(tmp_path / "db", is_away="It sleeps.", **STARTING) as live:
        await live.until(lambda session: session.wait_reason or session.status == "queued")
        await live.ref.tell(ConnectionBack())  # for a moment: the launch is tried again
        await live.until(lambda session: session.status == "queued")
        live.bridge.absence, live.bridge.is_lost = None, False
        with trio.move_on_after(0.2):  # a launch that went on would ask within 0.01
            await live.bridge.until_called("thread/start")
        assert [] == live.bridge.methods()


async def test_a_set_up_that_its_host_does_not_end_waits_in_the_queue(tmp_path: Path) -> None:
    at_work = trio.Event()
    async with live_session(
        tmp_path / "db", is_away="It sleeps.", until_prepared=at_work, **STARTING
    ) as live:
        await live.ref.tell(SetUpEnded("Host box is away."))
        waits = await live.until(lambda session: session.status != "starting")
        assert ("queued", None) == (waits.status, waits.exit_reason)
        at_work.set()


async def test_a_launch_without_a_connection_says_what_it_waits_for_and_fails_by_its_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_start, "DELAY_SECONDS", 0.05)
    monkeypatch.setattr(turn_start, "PAUSE_SECONDS", 0.05)
    async with live_session(tmp_path / "db", **STARTING) as live:
        live.bridge.is_lost = True
        waiting = await live.until(lambda session: session.wait_reason)
        assert "The connection to Codex was lost. The session fails if" in str(waiting.wait_reason)
        monkeypatch.setattr(turn_start, "LAUNCH_SECONDS", 0.0)
        failed = await live.until(lambda session: session.finished_at)
        assert ("failed", "The connection to Codex was lost.", None) == (
            failed.status,
            failed.exit_reason,
            failed.wait_reason,
        )


@attrs.frozen
class Machine:
    """A host that is there, as far as it is looked at for a choice."""

    name: str
    absence: str | None = None


async def test_a_session_that_was_given_to_another_host_works_there(tmp_path: Path) -> None:
    known = {name: cast("Host", Machine(name)) for name in ("local", "box")}
    waiting = {**STARTING, "status": "queued", "placement": "any"}
    places = RunPlaces(Hosts(known), limit=4)
    async with live_session(tmp_path / "db", places=places, **waiting) as live:

        def drain(tx: Transaction) -> None:
            host_states.insert(tx, name="local", is_draining=True)
            own = sessions.get(tx.db, live.session_id).repository_id
            repositories.update(tx, own, identity="example.org/acme/app")
            insert_repository(tx, host="box", local_path="/b", identity="example.org/acme/app")

        await live.rig.storage.write(drain)
        await live.ref.tell(ChooseHost())
        placed = await live.until(lambda session: session.host == "box")
        assert ("queued", "/b") == (placed.status, placed.cwd)
        await live.settled()
        assert ["local", "box"] == live.runner_hosts
        await live.ref.tell(GrantSlot())
        await live.until(lambda session: session.status == "running")
        (told,) = await live.events("session.placed")
        reason = "box is the only host that can be chosen (0 of 4 slots taken or waited for)."
        assert f"{reason} local: it is draining." == told["data"]["reason"]
