"""Warnings and long work of the real Codex, seen over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.codex.script import CallTool, CutOff, Refuse, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of


@pytest.fixture
def patient_home(codex_home: Path) -> Path:
    """A Codex that tries again what is cut off."""
    config = codex_home / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("stream_max_retries = 0", "stream_max_retries = 3"))
    return codex_home


async def test_that_codex_tries_again_is_told_while_it_does(
    patient_home: Path, codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    assert patient_home.is_dir()
    scripted_model.script = (CutOff(), Say.text("There I am."))
    session = await codex_client.run(await codex_client.register(repository), "Go.")
    async with codex_client.watch(after=0, sessionId=session["id"]) as stream:
        told = await stream.until("session.warning", willRetry=True)
    assert "Reconnecting" in told["data"]["message"]
    ended = await codex_client.until_session(session, "completed")
    assert "There I am." == ended["lastMessage"]


@pytest.mark.parametrize("codex_model", ["of-no-catalogue"])
async def test_the_model_is_the_one_that_codex_uses_and_what_it_warns_of_is_told(
    codex_client: Client, repository: Path
) -> None:
    session = await codex_client.run(await codex_client.register(repository), "Go.")
    ended = await codex_client.until_session(session, "completed")
    assert "of-no-catalogue" == ended["model"]
    events = await codex_client.get(f"/api/sessions/{session['id']}/events")
    warnings = [event["data"] for event in events["items"] if event["type"] == "session.warning"]
    assert ["warning"] == [warning["kind"] for warning in warnings]
    assert "of-no-catalogue" in warnings[0]["message"]


async def test_an_error_that_ends_the_turn_is_why_the_session_failed_and_no_warning(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Refuse(400, "Not like this."),)
    session = await codex_client.run(await codex_client.register(repository), "Go.")
    ended = await codex_client.until_session(session, "failed")
    assert "Not like this." in ended["exitReason"]
    events = await codex_client.get(f"/api/sessions/{session['id']}/events")
    told = [event["data"] for event in events["items"] if event["type"] == "session.warning"]
    assert not [warning for warning in told if "Not like this." in warning["message"]]


async def test_a_turn_that_sleeps_by_codexs_own_tool_is_not_silent(
    tmp_path: Path,
    codex_binary: Path,
    codex_home: Path,
    scripted_model: ScriptedModel,
    repository: Path,
) -> None:
    sleep = CallTool("sleep", {"duration_ms": 5000}, "clock")
    scripted_model.script = (sleep, Say.text("I slept well."))
    settings = {
        "CC_CODEX_COMMAND": str(codex_binary),
        "CODEX_HOME": str(codex_home),
        "CC_STALL_SECONDS": "1",
    }
    server = Server(tmp_path / "data", settings).start()
    try:
        async with client_of(server) as client:
            session = await client.run(
                await client.register(repository), "Sleep.", model="gpt-6.1-sol"
            )
            ended = await client.until_session(session)
    finally:
        server.stop()
    assert ("completed", "I slept well.") == (ended["status"], ended["lastMessage"])
