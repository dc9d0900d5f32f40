"""A launch that crosses with the end of an app-server, or with itself, prompts Codex once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

from command_center.actors.codex.errors import CodexError
from command_center.actors.contracts.sessions import WorkplaceReady
from command_center.actors.contracts.turns import ConnectionBack, ConnectionLost
from command_center.actors.contracts.worktrees import Prepared
from command_center.actors.rules.errors import Unavailable
from command_center.actors.sessions.runners.codex import turn_start
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
