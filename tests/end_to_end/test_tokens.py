"""Tokens, which Codex tells as totals of a thread, are counted once, whichever runner has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.codex.fixtures import both_models
from tests.codex.script import Choose, Gate, Hold, Run, Say, Script, SpawnAgent
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of

CALL = 120
"""The tokens of one call of the scripted model."""


@pytest.fixture(params=["app-server", "cli"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, codex_binary: Path, codex_home: Path
) -> Iterator[Server]:
    """A server with the real Codex, once with each runner."""
    settings = {
        "CC_CODEX_RUNNER_MODE": request.param,
        "CC_CODEX_COMMAND": str(codex_binary),
        "CODEX_HOME": str(codex_home),
    }
    made = Server(tmp_path / "data", settings).start()
    yield made
    made.end()


@both_models
async def test_each_turn_of_a_thread_counts_for_what_it_used_itself(
    server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Run("echo hello"), Hold(gate, Say.text("It said hello.")))
    async with client_of(server) as client:
        first = await client.run(await client.register(repository), "Say hello.")
        gate.wait_until_reached()
        path = f"/api/sessions/{first['id']}/followups"
        followup = await client.post(path, {"message": "And again."}, status=201)
        gate.open()
        first = await client.until_session(first, "completed")
        sent = await client.get(f"/api/followups/{followup['id']}")
        await client.until_session({"id": sent["sentSessionId"]}, "completed")
        assert [4 * CALL] * 3 == await used(client)
    server.stop()
    server.start()
    async with client_of(server) as client:
        assert [4 * CALL] * 3 == await used(client)
        if server.settings["CC_CODEX_RUNNER_MODE"] == "app-server":
            prompt = f"/api/codex/threads/{first['codexThreadId']}/prompt"
            said = {"repositoryId": first["repositoryId"], "prompt": "And now?"}
            outcome = await client.post(prompt, said, status=201)
            await client.until_session(outcome["session"], "completed")
            assert [6 * CALL] * 3 == await used(client)


async def used(client: Client) -> list[Any]:
    """Return what the summary counts: in all, over the days, and over the repositories."""
    tokens = (await client.get("/api/telemetry/summary", window="1h"))["tokens"]
    parts = [tokens["byDay"], tokens["byRepository"]]
    return [tokens["total"], *(sum(part["tokens"] for part in each) for each in parts)]


def with_an_agent(calls: int) -> Choose:
    """A turn of three calls, with a sub-agent that makes so many while it waits."""

    def choose(prompt: str) -> Script:
        if "agent" in prompt:
            return (*(Run(f"echo {number}") for number in range(1, calls)), Say.text("Done."))
        return (SpawnAgent("You are the agent."), Run("sleep 5"), Say.text("Done."))

    return choose


@both_models
async def test_what_a_sub_agent_uses_counts_for_the_session_that_started_it(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.choose = with_an_agent(calls=3)
    session = await codex_client.run(await codex_client.register(repository), "Begin.")
    await codex_client.until_session(session, "completed")
    assert [6 * CALL] * 3 == await used(codex_client)


@both_models
async def test_a_sub_agent_that_uses_more_than_its_session_may_is_ended_with_it(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.choose = with_an_agent(calls=20)
    registered = await codex_client.register(repository)
    session = await codex_client.run(registered, "Begin.", tokenBudget=6 * CALL)
    ended = await codex_client.until_session(session, "interrupted")
    assert f"The session used {7 * CALL} of {6 * CALL} tokens." == ended["exitReason"]
