"""The change from an app-server of our own to a terminal's: who asks meanwhile is not refused."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from command_center.actors.codex.messages import (
    Detach,
    ReachWriter,
)
from command_center.actors.codex.settings import Transport
from command_center.actors.contracts.bridges import (
    AppServer,
    ProbeHealth,
)
from command_center.actors.hosts.local.codex.codex import LocalCodex
from tests.codex.app_servers import SharedAppServer
from tests.codex.bridging import open_bridge, real
from tests.codex.script import Say
from tests.codex.scripted_model import ScriptedModel, write_codex_home

if os.name == "nt":
    pytest.skip("Windows has no detached app-server", allow_module_level=True)


class HeldChange:
    """Holds a change in the moment when our own app-server has been ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached = trio.Event()
        self.go_on = trio.Event()
        end_own = LocalCodex.end_own

        async def held(codex: LocalCodex) -> None:
            with trio.move_on_after(10, shield=True):
                await end_own(codex)
                self.reached.set()
                await self.go_on.wait()

        monkeypatch.setattr(LocalCodex, "end_own", held)


@pytest.fixture
def home(scripted_model: ScriptedModel) -> Iterator[Path]:
    """A `CODEX_HOME` whose path leaves room for that of the control socket."""
    with tempfile.TemporaryDirectory(prefix="cc-") as folder:
        yield write_codex_home(Path(folder) / "home", scripted_model, called=None)


async def test_who_asks_while_it_is_changed_waits_for_the_other_one(
    codex_binary: Path,
    home: Path,
    scripted_model: ScriptedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripted_model.script = (Say.text("Here I am."),)
    change = HeldChange(monkeypatch)
    own = real(codex_binary, home, transport=Transport.AUTO, state_folder=tmp_path / "data")
    control = home / "app-server-control"
    async with open_bridge(own) as ours:
        left = await ours.begin(tmp_path)
        assert AppServer.DETACHED is (await ours.bridge.ask(ProbeHealth())).app_server
        control.mkdir(mode=0o700, exist_ok=True)
        socket = control / "app-server-control.sock"
        with SharedAppServer(codex_binary, home, Transport.PROXY, socket) as shared:
            async with open_bridge(shared.settings) as terminal:
                thread_id = await terminal.begin(tmp_path)
                await terminal.prompt(thread_id, "Where are you?")
                await terminal.until_told("turn/completed")
                answers: list[Any] = []

                async def read() -> None:
                    answers.append(await ours.call("thread/read", {"threadId": thread_id}))

                async with trio.open_nursery() as nursery:
                    for _ in range(2):  # both wait for the session that has ended to leave
                        reach = partial(ours.bridge.ask, ReachWriter(thread_id), timeout=40)
                        nursery.start_soon(reach)
                        await wait_all_tasks_blocked(0.02)
                    await ours.bridge.ask(Detach(left, ours.session))
                    await change.reached.wait()
                    nursery.start_soon(read)
                    await wait_all_tasks_blocked(0.02)
                    change.go_on.set()
                assert [thread_id] == [answer["thread"]["id"] for answer in answers]
                assert AppServer.JOINED is (await ours.bridge.ask(ProbeHealth())).app_server
