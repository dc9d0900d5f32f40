"""Decisions of a hook instead of a person are told, with the real Codex."""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import attrs
import pytest
import trio

from tests.codex.bridging import open_bridge, real
from tests.codex.script import AddFile, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of

HOOK = """\
import json, sys
asked = sys.stdin.read()
behavior = "allow" if "allowed" in asked else "deny" if "denied" in asked else None
decision = {"hookEventName": "PermissionRequest", "decision": {"behavior": behavior}}
print(json.dumps({"hookSpecificOutput": decision}) if behavior else "")
"""
"""It decides by the words in what Codex asks, and leaves the rest to a person."""


@attrs.frozen
class Hooked:
    """A client, a hook that decides what Codex asks, and a folder outside of every sandbox."""

    client: Client
    hook: Path
    outside: Path


@pytest.fixture
def outside() -> Iterator[Path]:
    """A place that no sandbox may write to, as temporary folders are."""
    with tempfile.TemporaryDirectory(prefix=".command-center-test-", dir=Path.home()) as folder:
        yield Path(folder)


async def trust_hook(binary: Path, home: Path) -> None:
    """Have Codex run the hook, as its user does by a look at it."""
    async with open_bridge(real(binary, home)) as bridged:
        listed = await bridged.call("hooks/list", {"cwds": [str(home)]})
    (hook,) = listed["data"][0]["hooks"]
    with (home / "config.toml").open("a") as configuration:
        configuration.write(f'\n[hooks.state."{hook["key"]}"]\n')
        configuration.write(f'trusted_hash = "{hook["currentHash"]}"\n')


@pytest.fixture
async def hooked(
    tmp_path: Path, codex_binary: Path, codex_home: Path, outside: Path
) -> AsyncIterator[Hooked]:
    hook = codex_home / "decide.py"
    hook.write_text(HOOK)
    command = {"type": "command", "command": f"{sys.executable} {hook}"}
    places = {"hooks": {"PermissionRequest": [{"hooks": [command]}]}}
    (codex_home / "hooks.json").write_text(json.dumps(places))
    await trust_hook(codex_binary, codex_home)
    settings = {"CC_CODEX_COMMAND": str(codex_binary), "CODEX_HOME": str(codex_home)}
    server = Server(tmp_path / "data", settings).start()
    try:
        async with client_of(server) as client:
            yield Hooked(client, codex_home / "hooks.json", outside)
    finally:
        server.end()


async def test_what_a_hook_decides_is_told_and_what_it_leaves_to_a_person_is_asked(
    hooked: Hooked, scripted_model: ScriptedModel, repository: Path
) -> None:
    allowed, denied, asked = (hooked.outside / name for name in ("allowed", "denied", "asked"))
    patched = hooked.outside / "allowed.txt"
    scripted_model.script = (
        Run(f"touch {allowed}", justification="May I?"),
        Run(f"touch {denied}", justification="May I?"),
        AddFile(str(patched), "hello\n"),
        Run(f"touch {asked}", justification="May I?"),
        Say.text("I tried."),
    )
    client = hooked.client
    session = await client.run(await client.register(repository), "Try.")
    await client.until_session(session, "waiting_approval")
    (approval,) = (await client.get("/api/approvals"))["items"]
    assert str(asked) in approval["details"]["command"]
    await client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "approved"})
    await client.until_session(session, "completed")
    assert (True, False, True, True) == tuple(
        path.exists() for path in (allowed, denied, patched, asked)
    )
    told = (await client.get("/api/events", type="session.auto_review"))["items"]
    assert ["approved", "denied", "approved"] == [event["data"]["decision"] for event in told]
    assert {str(hooked.hook)} == {event["data"]["hook"] for event in told}


async def until_kept(server: Server) -> None:
    """Wait until the server has kept that a hook answered."""
    (database,) = server.data_dir.glob("*.sqlite3")
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db, trio.fail_after(30):
        while not db.execute("SELECT 1 FROM hook_answers").fetchall():  # noqa: ASYNC110 - a row says nothing of itself
            await trio.sleep(0.02)


async def test_what_a_hook_decides_is_told_also_if_the_server_is_killed_before_it_is_carried_out(
    hooked: Hooked, scripted_model: ScriptedModel, repository: Path
) -> None:
    """The detached app-server goes on meanwhile."""
    server = hooked.client.server
    allowed, go = hooked.outside / "allowed", hooked.outside / "go"
    waiting = f"touch {allowed}; while [ ! -e {go} ]; do sleep 0.05; done"
    scripted_model.script = (Run(waiting, justification="May I?"), Say.text("I did."))
    session = await hooked.client.run(await hooked.client.register(repository), "Try.")
    await until_kept(server)
    server.kill()
    go.touch()
    server.start()
    async with client_of(server) as client:
        await client.until_session(session, "completed")
        (told,) = (await client.get("/api/events", type="session.auto_review"))["items"]
        assert ("approved", str(hooked.hook)) == (told["data"]["decision"], told["data"]["hook"])
    assert allowed.exists()
