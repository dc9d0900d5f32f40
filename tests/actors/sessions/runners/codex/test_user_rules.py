"""The files of Codex's user, asked for at once."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from command_center.actors.codex.errors import BridgeUnavailable
from command_center.actors.codex.messages import Call
from command_center.actors.sessions.runners.codex.user_rules import read_user_files

LAYERS: list[dict[str, Any]] = [
    {"name": {"type": kind, "file": f"/{kind}/config.toml"}, "config": {}}
    for kind in ("user", "system")
]
FOLDERS = {"/user", "/user/rules", "/system", "/system/rules"}


async def test_all_folders_are_asked_for_before_any_has_answered(autojump_clock: MockClock) -> None:
    asked: set[str] = set()
    all_are = trio.Event()

    async def ask(call: Call) -> dict[str, Any]:
        path = call.params["path"]
        if call.method == "fs/readFile":
            return {"dataBase64": base64.b64encode(f"# {path}".encode()).decode()}
        asked.add(path)
        if asked == FOLDERS:
            all_are.set()
        await all_are.wait()
        name = "default.rules" if path.endswith("rules") else "AGENTS.md"
        return {"entries": [{"fileName": name, "isFile": True}]}

    with trio.fail_after(1):
        found = await read_user_files(ask, LAYERS)
    rules = {f"/{kind}/rules/default.rules" for kind in ("user", "system")}
    assert {path: f"# {path}" for path in rules} == found.rules
    assert {"/user/AGENTS.md", "/system/AGENTS.md"} == found.others.keys()


async def test_a_connection_that_is_lost_is_told_as_it_is() -> None:
    async def ask(_call: Call) -> dict[str, Any]:
        raise BridgeUnavailable("Codex is gone.")

    with pytest.raises(BridgeUnavailable, match=r"^Codex is gone\.$"):
        await read_user_files(ask, LAYERS)
