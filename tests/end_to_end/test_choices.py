"""A run's choices, as the real Codex passes them on to the model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.codex.script import Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of


def efforts_of(model: ScriptedModel) -> list[Any]:
    """Return how much the model was to think, in each call."""
    return [(call.body.get("reasoning") or {}).get("effort") for call in model.requests]


async def chosen(client: Client) -> tuple[str, str]:
    """Return two efforts of the model that Codex takes by itself, neither of them its default."""
    models = (await client.get("/api/codex/models"))["items"]
    default = next(model for model in models if model["isDefault"])
    offered = [option["reasoningEffort"] for option in default["supportedReasoningEfforts"]]
    first, second, *_ = [one for one in offered if one != default["defaultReasoningEffort"]]
    return first, second


async def test_a_run_says_how_much_the_model_is_to_think_and_the_thread_keeps_it(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("One."), Say.text("Two."), Say.text("Three."))
    first, second = await chosen(codex_client)
    place = await codex_client.register(repository)
    session = await codex_client.run(place, "Go.", effort=first)
    ended = await codex_client.until_session(session, "completed")
    assert first == ended["effort"]
    prompt = {"repositoryId": place["id"], "prompt": "Go on."}
    path = f"/api/codex/threads/{ended['codexThreadId']}/prompt"
    kept = await codex_client.post(path, prompt, status=201)
    await codex_client.until_session(kept["session"], "completed")
    changed = await codex_client.post(path, {**prompt, "effort": second}, status=201)
    await codex_client.until_session(changed["session"], "completed")
    assert [first, first, second] == efforts_of(scripted_model)


@pytest.fixture
async def exec_client(
    tmp_path: Path, codex_binary: Path, codex_home: Path
) -> AsyncIterator[Client]:
    """A client of a server that runs `codex exec`."""
    settings = {
        "CC_CODEX_COMMAND": str(codex_binary),
        "CODEX_HOME": str(codex_home),
        "CC_CODEX_RUNNER_MODE": "cli",
    }
    server = Server(tmp_path / "data", settings).start()
    try:
        async with client_of(server) as client:
            yield client
    finally:
        await trio.to_thread.run_sync(server.end)


async def test_codex_exec_is_told_as_well(
    exec_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("Done."),)
    place = await exec_client.register(repository)
    session = await exec_client.run(place, "Go.", effort="low")
    await exec_client.until_session(session, "completed")
    assert ["low"] == efforts_of(scripted_model)


@pytest.mark.parametrize("effort", ["", "HIGH", "high; rm -rf", "x" * 33, 3, 'high"\nmodel="m'])
async def test_an_effort_that_is_no_word_is_refused(stub_client: Client, effort: object) -> None:
    refused = await stub_client.http.post("/api/tasks/1/run", json={"effort": effort})
    assert 400 == refused.status_code, refused.text
    assert "effort" in refused.text
