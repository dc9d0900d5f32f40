"""Turns that a turn has begun are found, and ended."""

from __future__ import annotations

from typing import Any

from command_center.actors.codex.errors import CodexError
from command_center.actors.codex.messages import Call
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.hosts.local.codex.orphans import is_alive
from command_center.actors.sessions.runners.codex.agent_threads import find_agents
from command_center.actors.sessions.runners.codex.turns import end_what_is_left
from command_center.store import Writer
from tests.actors.hosts.local.codex.test_orphans import sleeper
from tests.actors.sessions.units import done, running, writer

__all__ = ["writer"]

IDLE = {"status": {"type": "idle"}}


async def test_a_command_that_codex_has_lost_sight_of_is_ended(writer: Writer) -> None:
    asked: list[str] = []

    async def ask(call: Call) -> dict[str, Any]:
        asked.append(call.method)
        return {"data": [], "nextCursor": None}

    _, session = done(writer, running)
    with sleeper(CODEX_THREAD_ID="t1") as command:
        await end_what_is_left(ask, LocalCodex(BridgeSettings()), session, "t1")
        assert not is_alive(command)
    assert ["thread/backgroundTerminals/clean", "thread/list"] == asked


async def test_only_what_works_for_the_thread_is_its_sub_agent() -> None:
    async def ask(_call: Call) -> dict[str, Any]:
        parents = {"child": "t", "grandchild": "child", "another": "elsewhere", "alone": None}
        listed = [{"id": name, "parentThreadId": of, **IDLE} for name, of in parents.items()]
        return {"data": listed, "nextCursor": None}

    assert ["child", "grandchild"] == [agent["id"] for agent in await find_agents(ask, "t")]


async def test_a_codex_that_cannot_list_sub_agents_has_none() -> None:
    async def ask(call: Call) -> dict[str, Any]:
        raise CodexError(call.method, -32600, "unknown variant")

    assert [] == await find_agents(ask, "t")
