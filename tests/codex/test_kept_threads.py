"""A thread that is left idle is kept loaded, as long as nothing happens in it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.codex import bridge, kept_threads, requests
from command_center.actors.codex.connection import Connection
from command_center.actors.codex.kept_threads import MOST, KeptThreads
from command_center.actors.codex.messages import (
    Attach,
    CodexNotification,
    Detach,
    LoadedThread,
    Rejoin,
)
from tests.codex.bridging import Bridged, faked, open_bridge

SETTINGS: Mapping[str, Any] = {"config": {"features.goals": False}, "layers": [{"name": "user"}]}
KEPT = LoadedThread(SETTINGS, "gpt", "/repository")
SAYS_NOTHING = json.dumps([])


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that were left, of which Codex is to tell no more."""
    seen: list[str] = []
    call_soon = Connection.call_soon

    def noted(self: Connection, method: str, params: Mapping[str, Any]) -> None:
        if method == "thread/unsubscribe":
            seen.append(params["threadId"])
        call_soon(self, method, params)

    monkeypatch.setattr(Connection, "call_soon", noted)
    return seen


async def rejoin(bridged: Bridged, thread_id: str, **settings: Any) -> LoadedThread | None:
    asked = Rejoin(thread_id, bridged.session, {**SETTINGS, **settings})
    found: LoadedThread | None = await bridged.bridge.ask(asked)
    return found


async def kept(bridged: Bridged, cwd: Path) -> str:
    """Begin a thread, and leave it to be kept."""
    thread_id = await bridged.begin(cwd)
    await bridged.bridge.ask(Detach(thread_id, bridged.session, KEPT))
    return thread_id


async def test_who_goes_on_in_a_kept_thread_is_told_of_it_though_nobody_resumed_it(
    tmp_path: Path, left: list[str]
) -> None:
    async with open_bridge(faked()) as bridged:
        thread_id = await kept(bridged, tmp_path)
        # To be looked at changes nothing.
        await bridged.bridge.ask(requests.thread_read(thread_id))
        assert KEPT is await rejoin(bridged, thread_id)
        told = json.dumps([{"notify": "item/completed", "params": {"item": {"id": "i"}}}])
        await bridged.prompt(thread_id, told)
        await bridged.until_told("item/completed")
        assert [] == left
        # Taken once, it is kept no more; left without a word of how, it is left for good.
        assert await rejoin(bridged, thread_id) is None
        await bridged.bridge.ask(Detach(thread_id, bridged.session))
        assert [thread_id] == left


async def test_a_thread_that_is_wanted_with_other_settings_is_left_to_be_resumed(
    tmp_path: Path, left: list[str]
) -> None:
    async with open_bridge(faked()) as bridged:
        thread_id = await kept(bridged, tmp_path)
        assert await rejoin(bridged, thread_id, layers=[]) is None
        assert [thread_id] == left
        assert await rejoin(bridged, thread_id) is None


async def attached(bridged: Bridged, thread_id: str) -> None:
    await bridged.bridge.ask(Attach(thread_id, bridged.session))


async def prompted(bridged: Bridged, thread_id: str) -> None:
    await bridged.prompt(thread_id, SAYS_NOTHING)


async def told_by_an_agent(bridged: Bridged, thread_id: str) -> None:
    """Another thread works: first of its own, then as a sub-agent of the kept one."""
    other = await bridged.begin(Path.cwd())
    agent = {"threadId": "agent", "item": {"id": "i"}}
    parent = {"thread": {"id": "agent", "parentThreadId": thread_id}, "threadId": "agent"}
    said = [{"notify": "thread/started", "params": parent}]
    await bridged.prompt(other, json.dumps([*said, {"notify": "item/started", "params": agent}]))
    await bridged.until(
        lambda one: isinstance(one, CodexNotification) and one.method == "turn/completed"
    )


async def asked_by_codex(bridged: Bridged, thread_id: str) -> None:
    other = await bridged.begin(Path.cwd())
    question = {"id": "q", "header": "h", "question": "Which?", "options": [{"label": "a"}]}
    params = {"threadId": thread_id, "itemId": "i", "questions": [question]}
    asks = {"ask": "item/tool/requestUserInput", "params": params, "goOn": True}
    await bridged.prompt(other, json.dumps([asks]))
    await bridged.until_told("turn/completed")


@pytest.mark.parametrize("happens", [attached, prompted, told_by_an_agent, asked_by_codex])
async def test_a_thread_in_which_something_happens_is_kept_no_longer(
    tmp_path: Path, left: list[str], happens: Callable[[Bridged, str], Awaitable[None]]
) -> None:
    async with open_bridge(faked()) as bridged:
        thread_id = await kept(bridged, tmp_path)
        await happens(bridged, thread_id)
        assert [thread_id] == left
        assert await rejoin(bridged, thread_id) is None


async def test_a_thread_is_kept_for_a_while(
    tmp_path: Path, left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "KEEP_SECONDS", 0.0)
    async with open_bridge(faked()) as bridged:
        thread_id = await kept(bridged, tmp_path)
        with trio.fail_after(30):
            while thread_id not in left:
                await bridged.bridge.ask(requests.thread_read("other"))
        assert await rejoin(bridged, thread_id) is None


async def test_no_thread_is_kept_beyond_its_connection(tmp_path: Path) -> None:
    async with open_bridge(faked()) as bridged:
        thread_id = await kept(bridged, tmp_path)
        bridged.routes.lost("It broke.")
        assert await rejoin(bridged, thread_id) is None


def test_the_threads_that_were_left_last_are_kept() -> None:
    threads = KeptThreads()
    gone = [left for number in range(MOST + 2) for left in threads.keep(str(number), KEPT)]
    assert (["0", "1"], MOST) == (gone, len(threads))
    assert threads.take("0") is None
    assert KEPT is threads.take("2")
    assert kept_threads.LOOKS.isdisjoint({"turn/start", "thread/resume", "thread/revert"})
