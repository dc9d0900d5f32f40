"""Types of tasks reach Codex: a review is Codex's own, other types end with a report."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from command_center.actors.codex.settings import Transport
from tests.codex.app_servers import SharedAppServer
from tests.codex.script import Gate, Say
from tests.codex.scripted_model import ScriptedModel, write_codex_home
from tests.end_to_end.server import Client, Server, client_of

HEALTH = {
    "status": "needs_attention",
    "summary": "It builds; two tests fail.",
    "checks": [{"name": "tests", "outcome": "fail", "details": "pytest: 2 failed"}],
    "recommendations": ["Mend the two tests."],
}
FAILURE = {
    "summary": "The clock is read twice.",
    "rootCause": "A race at midnight.",
    "confidence": "high",
    "evidence": [{"source": "clock.py:3", "details": "It is read again."}],
    "affectedFiles": ["clock.py"],
    "suggestedFix": "Read it once.",
}


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture(scope="module")
def settings(
    tmp_path_factory: pytest.TempPathFactory, codex_binary: Path, model: ScriptedModel
) -> dict[str, str]:
    home = write_codex_home(tmp_path_factory.mktemp("types") / "codex-home", model, called=None)
    return {"CC_CODEX_COMMAND": str(codex_binary), "CODEX_HOME": str(home)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server") / "data", settings).start()
    yield server
    server.end()


@pytest.fixture(scope="module")
def cli_server(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("cli-server") / "data"
    server = Server(folder, {**settings, "CC_CODEX_RUNNER_MODE": "cli"}).start()
    yield server
    server.end()


@pytest.fixture(params=["server", "cli_server"])
async def either_client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with client_of(request.getfixturevalue(request.param)) as client:
        yield client


async def started(client: Client, repository: Path, kind: str, prompt: str) -> Any:
    """The session of a new task of that type."""
    task = await client.task(await client.register(repository), prompt, type=kind)
    outcome = await client.post(f"/api/tasks/{task['id']}/run", {}, status=201)
    return outcome["session"]


async def test_a_review_is_codexs_own_and_its_text_is_the_result(
    either_client: Client, model: ScriptedModel, repository: Path
) -> None:
    model.script = (Say.text("One finding: the title is too short."),)
    session = await started(either_client, repository, "review_task", "Look at the titles.")
    ended = await either_client.until_session(session, "completed")
    assert "review_task" == ended["type"]
    assert {"review": "One finding: the title is too short."} == ended["result"]
    asked = model.requests[-1].user_texts
    assert any("Look at the titles." in text for text in asked)
    events = await either_client.get(f"/api/sessions/{session['id']}/events")
    assert 1 == [event["type"] for event in events["items"]].count("session.result")


async def test_a_review_can_be_stopped_but_not_steered(
    server: Server, model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    model.script = (Say.text("Looking", gate, "."),)
    async with client_of(server) as client:
        session = await started(client, repository, "review_task", "Review it.")
        gate.wait_until_reached()
        running = await client.until_session(session, "running")
        assert running["codexTurnId"] is not None
        path = f"/api/sessions/{session['id']}/steer"
        steered = await client.http.post(path, json={"message": "Look closer."})
        assert 409 == steered.status_code
        assert "is a review" in steered.json()["error"]["message"]
        stopped = await client.post(f"/api/sessions/{session['id']}/stop", {"requestedBy": "ada"})
        # Before 0.169 Codex ends a review so late that it may be given up first.
        assert stopped["session"]["exitReason"].startswith("Stopped by ada.")
    gate.open()


@pytest.mark.parametrize(
    ("kind", "report"), [("repo_health_check", HEALTH), ("investigate_failure", FAILURE)]
)
async def test_facts_go_into_the_prompt_and_the_report_is_the_result(
    either_client: Client,
    model: ScriptedModel,
    repository: Path,
    kind: str,
    report: dict[str, Any],
) -> None:
    (repository / "untracked.txt").write_text("dirty\n")
    model.script = (Say((json.dumps(report),)),)
    session = await started(either_client, repository, kind, "test_midnight fails in CI.")
    ended = await either_client.until_session(session, "completed")
    assert report == ended["result"]
    assert report["summary"] == ended["lastMessage"]
    asked = model.requests[-1]
    (told,) = [text for text in asked.user_texts if "test_midnight fails in CI." in text]
    assert f"- folder: {repository}" in told
    assert "- branch: main" in told
    assert "- uncommitted changes: there are uncommitted changes" in told
    assert "'Begin'" in told
    wanted = asked.body["text"]["format"]["schema"]
    assert report.keys() == wanted["properties"].keys()
    assert sorted(report) == sorted(wanted["required"])


async def test_an_answer_that_is_no_report_is_no_result(
    server: Server, model: ScriptedModel, repository: Path
) -> None:
    model.script = (Say.text("All is well."),)
    async with client_of(server) as client:
        session = await started(client, repository, "repo_health_check", "How are you?")
        ended = await client.until_session(session, "completed")
    assert (None, "All is well.") == (ended["result"], ended["lastMessage"])


async def test_the_stub_says_that_it_has_no_result(stub_client: Client, repository: Path) -> None:
    session = await started(stub_client, repository, "review_task", "Review it.")
    ended = await stub_client.until_session(session, "completed")
    assert ended["result"] is None
    assert "With Codex a review_task would have a result." in ended["lastMessage"]
    listed = await stub_client.get("/api/sessions", type="review_task")
    assert [session["id"]] == [one["id"] for one in listed["items"]]
    assert [] == (await stub_client.get("/api/sessions", type="prompt_task"))["items"]


async def test_a_follow_up_to_a_review_is_a_prompt_in_its_thread(
    either_client: Client, model: ScriptedModel, repository: Path
) -> None:
    client, gate = either_client, Gate()
    model.script = (Say.text("Nothing", gate, " found."),)
    session = await started(client, repository, "review_task", "Review it.")
    gate.wait_until_reached()
    path = f"/api/sessions/{session['id']}/followups"
    followup = await client.post(path, {"message": "Are you sure?"}, status=201)
    gate.open()
    first = await client.until_session(session, "completed")
    sent = await client.get(f"/api/followups/{followup['id']}")
    second = await client.until_session({"id": sent["sentSessionId"]}, "completed")
    assert ("prompt_task", "Are you sure?") == (second["type"], second["prompt"])
    assert first["codexThreadId"] == second["codexThreadId"]
    assert second["result"] is None


async def test_a_review_on_a_shared_app_server_is_joined_again_after_a_crash(
    tmp_path: Path,
    codex_binary: Path,
    settings: dict[str, str],
    model: ScriptedModel,
    repository: Path,
) -> None:
    gate = Gate()
    model.script = (Say.text("One", gate, " finding."),)
    with SharedAppServer(codex_binary, Path(settings["CODEX_HOME"]), Transport.PROXY) as shared:
        proxied = {"CC_CODEX_TRANSPORT": "proxy", "CC_CODEX_SOCKET": str(shared.socket)}
        server = Server(tmp_path / "data", {**settings, **proxied}).start()
        async with client_of(server) as client:
            session = await started(client, repository, "review_task", "Review it.")
            gate.wait_until_reached()
            await client.until_session(session, "running")
        server.kill()
        server.start()
        async with client_of(server) as client:
            gate.open()
            ended = await client.until_session(session, "completed")
        server.stop()
    assert {"review": "One finding."} == ended["result"]


@pytest.mark.parametrize("network", [True, False])
async def test_model_sandbox_and_network_reach_codex_as_its_own_parameters(
    either_client: Client, model: ScriptedModel, repository: Path, *, network: bool
) -> None:
    model.script = (Say.text("Done."),)
    registered = await either_client.register(repository, allowNetwork=True)
    run = {"model": "gpt-5.4-mini", "sandbox": "workspace-write", "allowNetwork": network}
    session = await either_client.run(registered, "Work.", **run)
    ended = await either_client.until_session(session, "completed")
    assert ("gpt-5.4-mini", "workspace-write", network) == (
        ended["model"],
        ended["sandbox"],
        ended["allowNetwork"],
    )
    asked = model.requests[-1].body
    assert "gpt-5.4-mini" == asked["model"]
    told = json.dumps(asked["input"])
    assert "`sandbox_mode` is `workspace-write`" in told
    assert f"Network access is {'enabled' if network else 'restricted'}." in told
