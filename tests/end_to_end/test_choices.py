"""A run's choices, as the real Codex passes them on to the model."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of
from tests.end_to_end.test_shells import HANDSHAKE

PLANS = "Plan Mode"
"""The words by which Codex has a model only plan."""


def developer_texts(body: Mapping[str, Any]) -> list[str]:
    """Return what Codex itself tells the model, in order."""
    return [
        part.get("text", "")
        for item in body["input"]
        if item.get("role") == "developer"
        for part in item.get("content", [])
    ]


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


async def test_defaults_of_repository_and_task_and_a_plan_that_is_carried_out(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("<proposed_plan>\n# Do it\n\n- At once\n</proposed_plan>"),)
    first, second = await chosen(codex_client)
    place = await codex_client.register(repository, runDefaults={"effort": first})
    defaults = {"collaborationMode": "plan"}
    task = await codex_client.task(place, "Plan it.", runDefaults=defaults)
    assert (defaults, {"effort": first}) == (task["runDefaults"], place["runDefaults"])
    policy = await codex_client.post(f"/api/tasks/{task['id']}/policy-check")
    assert (first, "plan") == (policy["run"]["effort"], policy["run"]["collaborationMode"])
    outcome = await codex_client.post(f"/api/tasks/{task['id']}/run", status=201)
    ended = await codex_client.until_session(outcome["session"], "completed")
    assert (first, "plan") == (ended["effort"], ended["collaborationMode"])
    items = (await codex_client.get(f"/api/sessions/{ended['id']}/items"))["items"]
    (plan,) = [item["body"]["text"] for item in items if item["type"] == "plan"]
    assert "# Do it" in plan
    assert plan == ended["lastMessage"]
    patched = {"runDefaults": {"effort": second}}
    assert (
        patched["runDefaults"] == (await codex_client.patch("/api/repos/1", patched))["runDefaults"]
    )
    prompt = {
        "repositoryId": place["id"],
        "prompt": "Carry it out.",
        "collaborationMode": "default",
    }
    path = f"/api/codex/threads/{ended['codexThreadId']}/prompt"
    done = await codex_client.post(path, prompt, status=201)
    await codex_client.until_session(done["session"], "completed")
    planned, carried_out = scripted_model.requests
    assert [first, second] == efforts_of(scripted_model)
    assert PLANS in json.dumps(planned.body["input"])
    last = [text for text in developer_texts(carried_out.body) if "collaboration_mode" in text][-1]
    assert PLANS not in last


async def test_choices_that_do_not_fit_the_model_are_refused_by_name(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    models = (await codex_client.get("/api/codex/models"))["items"]
    model = models[0]["model"]
    taken = [option["reasoningEffort"] for option in models[0]["supportedReasoningEfforts"]]
    place = await codex_client.register(repository)
    task = await codex_client.task(place, "Go.")
    run = {
        "model": model,
        "effort": "endless",
        "serviceTier": "teleport",
        "personality": "friendly",
    }
    for path in (f"/api/tasks/{task['id']}/run", f"/api/tasks/{task['id']}/policy-check"):
        refused = await codex_client.http.post(path, json=run)
        assert 400 == refused.status_code, refused.text
        told = {one["path"]: one["message"] for one in refused.json()["error"]["details"]}
        assert {"effort", "serviceTier"} <= told.keys()
        assert f"Model {model} does not take endless" in told["effort"]
        assert ", ".join(taken) in told["effort"]
    assert [] == scripted_model.requests


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


PROFILES = """
[permissions.shy]
extends = ":workspace"
[permissions.shy.filesystem]
"/etc/hostname" = "deny"

[permissions.wide]
extends = ":workspace"
[permissions.wide.filesystem]
"/srv" = "write"
"""


async def test_a_permission_profile_holds_a_run_and_gives_it_no_more_than_policy_does(
    codex_client: Client, codex_home: Path, scripted_model: ScriptedModel, repository: Path
) -> None:
    with (codex_home / "config.toml").open("a", encoding="utf-8") as configuration:
        configuration.write(PROFILES)
    client = codex_client
    scripted_model.script = (Run("cat /etc/hostname; echo in > inside.txt"), Say.text("Done."))
    place = await client.register(repository, runDefaults={"permissionProfile": "shy"})
    session = await client.run(place, "Look.")
    ended = await client.until_session(session, "completed")
    assert "shy" == ended["permissionProfile"]
    prompt = {"repositoryId": place["id"], "prompt": "Again.", "permissionProfile": "shy"}
    path = f"/api/codex/threads/{ended['codexThreadId']}/prompt"
    again = await client.post(path, prompt, status=201)
    await client.until_session(again["session"], "completed")
    results = scripted_model.requests[-1].tool_outputs
    assert [True, True] == ["hostname: Permission denied" in result for result in results]
    assert "in\n" == (repository / "inside.txt").read_text()

    wide = {**prompt, "permissionProfile": "wide"}
    shut = {"permissionProfile": ":workspace", "sandbox": "read-only"}
    for refused, said in (
        (await client.run(place, "More.", permissionProfile="wide"), "profile wide gives"),
        ((await client.post(path, wide, status=201))["session"], "profile wide gives"),
        (await client.run(place, "Write.", **shut), "profile :workspace gives"),
        (await client.run(place, "What?", permissionProfile="none-such"), "none-such"),
    ):
        assert said in (await client.until_session(refused, "failed"))["exitReason"]
    assert 4 == len(scripted_model.requests)
    await client.patch(f"/api/repos/{place['id']}", {"allowTerminal": True})
    terminal = await client.http.get(f"/api/sessions/{ended['id']}/terminal", headers=HANDSHAKE)
    assert (409, True) == (terminal.status_code, "permission profile shy" in terminal.text)
