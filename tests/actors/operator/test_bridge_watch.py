"""Connections to Codex that begin and are lost are events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from command_center.actors.codex.bridge import Bridge
from command_center.actors.codex.messages import Call
from command_center.actors.codex.routing import Routes
from command_center.actors.core.storage import Storage
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.operator.bridge_watch import BridgeWatch
from command_center.runtime import ChildSpec, SupervisorSpec
from command_center.store import EventFilter, events
from tests.actors.rows import rig
from tests.codex.bridging import faked

WANTED = EventFilter(types=("bridge.connected", "bridge.lost", "bridge.unavailable"))


async def told(storage: Storage, count: int) -> list[Any]:
    """The events of the connection, once there are so many."""
    with trio.fail_after(20):
        while True:
            found, _ = await storage.read(lambda db: events.after(db, 0, limit=50, wanted=WANTED))
            if len(found) >= count:
                return [msgspec.json.decode(event.body) for event in found]
            await trio.sleep(0.02)


async def test_a_connection_that_is_lost_and_made_again_is_told_of(tmp_path: Path) -> None:
    routes = Routes()
    bridges = SupervisorSpec(
        id="bridges",
        children=[ChildSpec("local", lambda: Bridge(LocalCodex(faked()), routes), shutdown=15)],
    )
    path = tmp_path / "db.sqlite3"
    async with rig(path, bridges) as running:
        watch = lambda: BridgeWatch(running.storage, "local", transport="spawn")  # noqa: E731 - a spec's start
        await running.system.start_child("/", ChildSpec("bridge-watch", watch))
        (first,) = await told(running.storage, 1)
        assert ("bridge.connected", "spawn") == (first["type"], first["data"]["transport"])
        bridge = running.system.lookup("/bridges/local")
        thread = await bridge.ask(Call("thread/start"))
        prompt = [{"type": "text", "text": json.dumps([{"die": 7}])}]
        turn = Call("turn/start", {"threadId": thread["thread"]["id"], "input": prompt})
        await bridge.ask(turn)
        _, lost, again = await told(running.storage, 3)
        assert ("bridge.lost", "bridge.connected") == (lost["type"], again["type"])
        assert "7" in lost["data"]["reason"]
        assert first["data"]["processId"] != again["data"]["processId"]


async def test_a_codex_that_was_never_there_is_told_of_once_however_often_it_is_tried(
    tmp_path: Path,
) -> None:
    bridges = SupervisorSpec(
        id="bridges",
        children=[ChildSpec("local", lambda: Bridge(LocalCodex(faked("crash"))), shutdown=15)],
    )
    async with rig(tmp_path / "db.sqlite3", bridges) as running:
        watch = lambda: BridgeWatch(running.storage, "local", transport="spawn")  # noqa: E731 - a spec's start
        await running.system.start_child("/", ChildSpec("bridge-watch", watch))
        (missing,) = await told(running.storage, 1)
        assert ("bridge.unavailable", "spawn") == (missing["type"], missing["data"]["transport"])
        assert "no such config" in missing["data"]["reason"]
        assert "sk-proj" not in missing["data"]["reason"]
        with pytest.raises(trio.TooSlowError), trio.fail_after(0.5):
            await told(running.storage, 2)  # it is tried again after 0.05 s at the latest
