"""A follow-up in a thread that is kept loaded is prompted there at once, and never twice."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from command_center.actors.codex.confinement import Confinement
from command_center.actors.codex.errors import CodexError
from command_center.actors.codex.messages import Attach, Call, Detach, LoadedThread, Rejoin
from command_center.actors.contracts.sessions import GrantSlot
from command_center.actors.sessions.runners.codex import turn_start
from command_center.runtime import handles
from tests.actors.sessions import live
from tests.actors.sessions.live import THREAD, Live, PlayedBridge, live_session
from tests.codex.confining import confined

SAID_AGAIN: dict[str, Any] = {
    "status": "queued",
    "model": "gpt",
    "codex_thread_id": THREAD,
    "codex_turn_id": None,
    "runner_instance": None,
}
"""The fields of what is said in a thread whose session has ended."""


class Keeping(PlayedBridge):
    """A Codex with an idle thread, that is kept with any settings but those it is `told`."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses = 0
        self.replies["thread/resume"] = lambda _: {"thread": {"id": THREAD}, "model": "gpt"}
        self.replies["thread/start"] = lambda _: {"thread": {"id": THREAD}, "model": "gpt"}
        self.replies["thread/goal/get"] = lambda _: {"goal": None}
        self.replies["turn/start"] = self._begin

    def _begin(self, _params: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.refuses:
            self.refuses -= 1
            raise CodexError("turn/start", -32600, f"thread not found: {THREAD}")
        return {"turn": {"id": live.TURN}}

    @handles(Rejoin)
    def rejoin(self, message: Rejoin[Any]) -> LoadedThread | None:
        """Give the thread as it is kept."""
        self._note(message)
        return LoadedThread(message.settings, "gpt", "/repository")


class Refusing(Keeping):
    """A Codex that has lost the thread that was kept."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses = 1


async def begun(it: Live, turns: int = 1) -> list[str]:
    """The methods that were called until the turn was begun, in order."""
    it.bridge.turns = []
    await it.ref.tell(GrantSlot())
    await it.bridge.until_called("turn/start", turns)
    await it.until(lambda session: session.codex_turn_id)
    return it.bridge.methods()


def started(it: Live) -> Mapping[str, Any]:
    """The parameters by which the last turn was begun."""
    return [
        one.params
        for one in it.bridge.asked
        if isinstance(one, Call) and one.method == "turn/start"
    ][-1]


async def test_a_kept_thread_is_prompted_by_what_a_resumed_one_is_and_is_not_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live_session(tmp_path / "db", **SAID_AGAIN) as it:
        it.bridge.replies["thread/resume"] = lambda _: {"thread": {"id": THREAD}, "model": "gpt"}
        assert "thread/resume" in await begun(it)
        resumed = started(it)
    monkeypatch.setattr(live, "PlayedBridge", Keeping)
    async with live_session(tmp_path / "kept", **SAID_AGAIN) as it:
        methods = await begun(it)
        assert {"thread/queue/list", "config/read", "turn/start"} == set(methods)
        assert resumed == started(it)
        assert {"sandboxPolicy", "approvalPolicy", "approvalsReviewer", "cwd", "model"} <= {
            *resumed
        }
        assert not any(isinstance(one, Attach) for one in it.bridge.asked)
        await it.complete()
        await it.gone()
        (left,) = [one for one in it.bridge.asked if isinstance(one, Detach)]
        assert left.loaded is not None
        assert "gpt" == left.loaded.settings["choices"]["model"]


async def test_a_kept_thread_that_codex_has_lost_is_resumed_and_prompted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PlayedBridge", Refusing)
    async with live_session(tmp_path / "db", **SAID_AGAIN) as it:
        methods = await begun(it, turns=2)
        assert 2 == methods.count("turn/start")
        between = methods[methods.index("turn/start") + 1 :]
        # What the thread lists decides whether the prompt has arrived already.
        assert between.index("thread/resume") < between.index("thread/turns/list")


async def test_a_thread_whose_prompt_may_have_been_sent_is_resumed_and_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PlayedBridge", Keeping)
    starting = {**SAID_AGAIN, "status": "starting", "runner_instance": "this"}
    async with live_session(tmp_path / "db", **starting) as it:
        await it.bridge.until_called("thread/turns/list")
        assert not any(isinstance(one, Rejoin) for one in it.bridge.asked)
        session = await it.until(lambda session: session.codex_turn_id)
        assert live.TURN == session.codex_turn_id
        assert "turn/start" not in it.bridge.methods()


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({"goal": {"objective": "Tidy.", "status": "wanted", "tokenBudget": None}}, {}),
        ({"origin": "compact"}, {}),
        ({"type": "review_task"}, {}),
        ({}, {"profile": "mine"}),
    ],
    ids=["goal", "compact", "review", "profile"],
)
async def test_a_thread_is_resumed_for_what_no_prompt_begins_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    changes: dict[str, Any],
) -> None:
    def otherwise(cwd: str) -> Confinement:
        return attrs.evolve(confined(cwd), **changes)

    monkeypatch.setattr(live, "PlayedBridge", Keeping)
    monkeypatch.setattr(live, "confined", otherwise)
    async with live_session(tmp_path / "db", **{**SAID_AGAIN, **fields}) as it:
        await it.ref.tell(GrantSlot())
        await it.bridge.until_called("thread/resume")
        assert not any(isinstance(one, Rejoin) for one in it.bridge.asked)


CHANGES: tuple[dict[str, Any], ...] = (
    {"servers_off": ("tracker",)},
    {"writable": ("/elsewhere",)},
    {"hidden": ("/secrets",)},
    {"trusts_project": True, "stamp": "1"},
)


async def test_what_no_turn_says_anew_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def settings_with(number: int, change: Mapping[str, Any]) -> Mapping[str, Any]:
        def bounded(cwd: str) -> Confinement:
            return attrs.evolve(confined(cwd), **change)

        monkeypatch.setattr(live, "confined", bounded)
        async with live_session(tmp_path / f"db{number}", **SAID_AGAIN) as it:
            tracker: dict[str, Any] = {"config": {"mcp_servers": {"tracker": {}}}}
            it.bridge.replies["config/read"] = lambda _: {"layers": [tracker]}
            await begun(it)
            (asked,) = [one for one in it.bridge.asked if isinstance(one, Rejoin)]
            return asked.settings

    monkeypatch.setattr(live, "PlayedBridge", Keeping)
    seen = [await settings_with(number, it) for number, it in enumerate(({}, {}, *CHANGES))]
    assert seen[0] == seen[1]
    assert all(seen[0] != other for other in seen[2:])


async def test_files_of_codexs_user_that_only_loading_reads_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that forbids, a hook and what agents are told hold from the next prompt on."""

    async def settings_with(name: str, text: str) -> Mapping[str, Any]:
        folder, _, file = f"/home/.codex/{name}".rpartition("/")
        entry = {"fileName": file, "isFile": True}
        layer = {"name": {"type": "user", "file": "/home/.codex/config.toml"}, "config": {}}
        content = base64.b64encode(text.encode()).decode()
        async with live_session(tmp_path / f"{file}{len(text)}", **SAID_AGAIN) as it:
            it.bridge.replies |= {
                "config/read": lambda _: {"layers": [layer]},
                "fs/readDirectory": lambda asked: {
                    "entries": [entry] if asked["path"] == folder else []
                },
                "fs/readFile": lambda _: {"dataBase64": content},
            }
            await begun(it)
            (asked,) = [one for one in it.bridge.asked if isinstance(one, Rejoin)]
            return asked.settings

    monkeypatch.setattr(live, "PlayedBridge", Keeping)
    forbids = 'prefix_rule(pattern=["rm"], decision="forbidden")'
    for name in ("rules/default.rules", "hooks.json", "AGENTS.md"):
        assert await settings_with(name, "") != await settings_with(name, forbids)


NEW: dict[str, Any] = {
    **SAID_AGAIN,
    "model": None,
    "codex_thread_id": None,
    "workplace": "main_checkout",
}
"""The fields of a run in a new thread, in a folder that is there."""


async def test_a_thread_whose_connection_is_lost_before_it_is_heard_of_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Losing(Keeping):
        """A Codex that is lost and found again just before the thread is attached to."""

        @handles(Attach)
        def attach(self, message: Attach[Any]) -> None:
            """Note it, on another connection."""
            self.connection = "second"
            self._note(message)

        @handles(Rejoin)
        def rejoin(self, message: Rejoin[Any]) -> None:
            """Keep nothing of the connection before."""
            self._note(message)

    monkeypatch.setattr(live, "PlayedBridge", Losing)
    monkeypatch.setattr(turn_start, "PAUSE_SECONDS", 0)
    async with live_session(tmp_path / "db", **NEW) as it:
        methods = await begun(it)
        assert methods.index("thread/resume") < methods.index("turn/start")
        assert (1, 1) == (methods.count("thread/start"), methods.count("turn/start"))
