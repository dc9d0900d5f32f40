"""Commands that the user's rules let out of the sandbox are told, as nobody is asked."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import attrs
import pytest

from tests.codex.fixtures import both_models
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.hostile import allow
from tests.end_to_end.server import Client, Server, client_of


@attrs.frozen
class Allowed:
    """A client, and a place outside of every sandbox that rules let a command write to."""

    client: Client
    outside: Path


@pytest.fixture
def outside() -> Iterator[Path]:
    """A place that no sandbox may write to, as temporary folders are."""
    with tempfile.TemporaryDirectory(prefix=".command-center-test-", dir=Path.home()) as folder:
        yield Path(folder) / "written"


@pytest.fixture(params=["app-server", "cli"])
async def allowed(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    codex_binary: Path,
    codex_home: Path,
    outside: Path,
) -> AsyncIterator[Allowed]:
    (codex_home / "rules").mkdir()
    (codex_home / "rules" / "default.rules").write_text(allow("touch"))
    server = Server(
        tmp_path / "data",
        {
            "CC_CODEX_RUNNER_MODE": request.param,
            "CC_CODEX_COMMAND": str(codex_binary),
            "CODEX_HOME": str(codex_home),
        },
    ).start()
    try:
        async with client_of(server) as client:
            yield Allowed(client, outside)
    finally:
        server.stop()


@both_models
async def test_a_command_that_rules_let_out_is_told_of_and_codex_exec_ignores_rules(
    allowed: Allowed, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Run("echo in"), Run(f"touch {allowed.outside}"), Say.text("Done."))
    client = allowed.client
    session = await client.run(await client.register(repository), "Write outside.")
    await client.until_session(session, "completed")
    told = (await client.get("/api/events", type="session.command.unasked"))["items"]
    if client.server.settings["CC_CODEX_RUNNER_MODE"] == "app-server":
        assert allowed.outside.exists()
        (event,) = told
        assert ["touch"] == event["data"]["rules"]
        assert str(allowed.outside) in event["data"]["command"]
    else:
        assert not allowed.outside.exists()
        assert [] == told
