"""An update while a turn runs, as installed: the turn goes on, and the new version joins it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from command_center.actors.hosts.local.codex import detached
from tests.codex.script import Gate, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Server, client_of
from tests.installing.releases import MIGRATES, VERSION, serving_index
from tests.installing.test_updates import NEXT, Home, home_of
from tests.installing.wheel import build

UPDATE_SECONDS = 280.0
"""Seconds for which the turn waits: longer than an update takes, and shorter than Codex waits."""

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]


@pytest.fixture
def home(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The program of before, installed by uv from an index that offers the next one."""
    (wheel,) = build(tmp_path_factory).glob("*.whl")
    (tmp_path / "home").mkdir()
    with serving_index() as index:
        home = home_of("uv", wheel, index, tmp_path / "home")
        home.offers(NEXT, MIGRATES)
        yield home


def begin_update(home: Home) -> subprocess.Popen[str]:
    """Begin an update, and return once it waits for the server to end."""
    updating = subprocess.Popen(
        [*map(str, home.command), "update", "--yes"],
        env=home.environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert updating.stderr is not None
    assert any("Stop it now" in line for line in updating.stderr)
    return updating


@pytest.mark.parametrize("goes_back", [False, True])
async def test_neither_an_update_nor_going_back_interrupts_a_turn(
    codex_binary: Path,
    codex_home: Path,
    scripted_model: ScriptedModel,
    repository: Path,
    home: Home,
    *,
    goes_back: bool,
) -> None:
    gate = Gate(seconds=UPDATE_SECONDS)
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    settings = {"CC_CODEX_COMMAND": str(codex_binary), "CODEX_HOME": str(codex_home)}
    settings |= {"CC_CODEX_RUNNER_MODE": "app-server", "CC_CONFIG": home.variables["CC_CONFIG"]}
    home = attrs.evolve(home, variables={**home.variables, **settings})
    server = Server(home.data, settings, program=(*map(str, home.command), "serve", "--no-open"))
    server.start()
    try:
        async with client_of(server) as client:
            registered = await client.register(repository, workplace="worktree")
            session = await client.run(registered, "Work.")
            gate.wait_until_reached()
            await client.until_session(session, "running")
        before = detached.read(detached.folder_of(home.data))
        assert before is not None
        updating = begin_update(home)
        server.stop()
        updating.communicate(timeout=300)
        assert (0, NEXT) == (updating.returncode, home.version())
        server.start()
        async with client_of(server) as client:
            assert NEXT == (await client.get("/health"))["version"]
            await client.until_session(session, "running")
        if goes_back:
            server.stop()
            code, told = home.types("rollback", "--yes")
            assert (0, VERSION) == (code, home.version()), told
            server.start()
        async with client_of(server) as client:
            await client.until_session(session, "running")
            gate.open()
            ended = await client.until_session(session, "completed")
            assert "Working." == ended["lastMessage"]
        assert before == detached.read(detached.folder_of(home.data))
    finally:
        server.end()
