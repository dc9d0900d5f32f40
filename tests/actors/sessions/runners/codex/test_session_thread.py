"""A thread that was loaded before is loaded anew where it has more than its run may have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from command_center.actors.codex.confinement import Confinement
from command_center.actors.codex.messages import Call
from command_center.actors.sessions.runners.codex import turn_start
from tests.actors.sessions import live
from tests.actors.sessions.live import THREAD, PlayedBridge, live_session
from tests.codex.confining import confined

LOOSE = {"sandbox": {"type": "workspaceWrite"}, "approvalPolicy": "on-request"}
JOINING: dict[str, Any] = {"status": "starting", "codex_thread_id": THREAD, "codex_turn_id": None}


class Loaded(PlayedBridge):
    """A Codex with a thread in memory, in which no turn runs."""

    def __init__(self) -> None:
        super().__init__()
        self.status = {"type": "idle"}
        idle = {"id": THREAD, "status": self.status}
        layer: dict[str, Any] = {"config": {"mcp_servers": {"tracker": {}, "tickets": {}}}}
        self.replies["config/read"] = lambda _: {"layers": [layer]}
        self.replies["thread/turns/list"] = lambda _: {"data": [], "nextCursor": None}
        self.replies["thread/resume"] = lambda _: {"thread": idle, **LOOSE}


@pytest.mark.parametrize("off", [(), ("tracker",)])
async def test_a_thread_whose_servers_are_off_now_is_loaded_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, off: tuple[str, ...]
) -> None:
    def without(cwd: str) -> Confinement:
        return attrs.evolve(confined(cwd), servers_off=off)

    monkeypatch.setattr(turn_start, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(live, "PlayedBridge", Loaded)
    monkeypatch.setattr(live, "confined", without)
    async with live_session(tmp_path / "db", **JOINING) as it:
        await it.bridge.until_called("turn/start")
        called = it.bridge.methods()
        loads = [call for call in it.bridge.asked if isinstance(call, Call)]
        servers = [
            call.params["config"].get("mcp_servers")
            for call in loads
            if call.method == "thread/resume"
        ]
    wanted = {name: {"enabled": False} for name in off}
    assert ([wanted] * 2 if off else [None]) == servers
    assert bool(off) == ("thread/unsubscribe" in called)


async def test_a_codex_that_names_no_servers_is_let_run_where_only_the_own_one_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Older(Loaded):
        def __init__(self) -> None:
            super().__init__()
            self.replies["config/read"] = lambda _: {}

    def without_own(cwd: str) -> Confinement:
        return attrs.evolve(confined(cwd), servers_off=("command_center",))

    monkeypatch.setattr(turn_start, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(live, "PlayedBridge", Older)
    monkeypatch.setattr(live, "confined", without_own)
    async with live_session(tmp_path / "db", **JOINING) as it:
        await it.bridge.until_called("turn/start")
        loads = [call for call in it.bridge.asked if isinstance(call, Call)]
    assert all("mcp_servers" not in (call.params.get("config") or {}) for call in loads)
