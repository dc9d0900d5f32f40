"""The same story with every runner and transport, each with the real Codex."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from tests.codex.fixtures import both_models
from tests.codex.script import Gate, Refuse, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import (
    Client,
    Server,
    client_of,
    descendants_of,
    wait_for_no_process,
)
from tests.end_to_end.test_threads import exec_elsewhere


@pytest.fixture
def cli_server(tmp_path: Path, codex_binary: Path, codex_home: Path) -> Iterator[Server]:
    server = Server(
        tmp_path / "data",
        {
            "CC_CODEX_RUNNER_MODE": "cli",
            "CC_CODEX_COMMAND": str(codex_binary),
            "CODEX_HOME": str(codex_home),
        },
    ).start()
    yield server
    server.end()


@both_models
async def test_the_cli_runner_tells_the_same_story_without_approvals(
    cli_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    key = cli_server.data_dir / "sign-in.key"
    scripted_model.script = (Run(f"cat {key}; echo hello"), Say.text("It said hello."))
    async with client_of(cli_server) as client:
        session = await client.run(await client.register(repository), "Say hello.")
        ended = await client.until_session(session, "completed")
        assert ended["codexRef"] == f"cli:{ended['codexThreadId']}"
        assert "It said hello." == ended["lastMessage"]
        assert "sign-in.key: Permission denied" in scripted_model.requests[-1].tool_outputs[-1]
        items = await client.get(f"/api/sessions/{session['id']}/items")
        assert {"commandExecution", "agentMessage"} <= {item["type"] for item in items["items"]}
        steered = await client.http.post(
            f"/api/sessions/{session['id']}/steer", json={"message": "More."}
        )
        assert 409 == steered.status_code
        loaded = await client.http.get("/api/codex/threads/loaded")
        assert 409 == loaded.status_code
        health = await client.get("/api/codex/bridge/health")
        assert "disabled" == health["status"]


async def test_stopping_a_cli_session_ends_its_process(
    cli_server: Server, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Working", gate, "."),)
    async with client_of(cli_server) as client:
        session = await client.run(await client.register(repository), "Work.")
        gate.wait_until_reached()
        stopped = await client.post(f"/api/sessions/{session['id']}/stop", {"requestedBy": "ada"})
        assert "stopped" == stopped["session"]["status"]
    cli_server.stop()
    gate.open()
    wait_for_no_process(str(tmp_path / "codex-home"))


if sys.platform != "win32":

    @contextlib.contextmanager
    def hangups(action: signal.Handlers) -> Iterator[None]:
        """Let what is started here meet the end of its terminal, however the tests run."""
        before = signal.signal(signal.SIGHUP, action)
        try:
            yield
        finally:
            signal.signal(signal.SIGHUP, before)

    async def test_a_terminal_that_is_closed_ends_the_server_in_order_with_all_that_it_runs(
        cli_server: Server, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
    ) -> None:
        gate = Gate()
        scripted_model.script = (Say.text("Working", gate, "."),)
        cli_server.stop()
        cli_server.is_fresh = True
        with hangups(signal.SIG_DFL):
            cli_server.start()
        async with client_of(cli_server) as client:
            await client.run(await client.register(repository), "Work.")
            gate.wait_until_reached()
        assert 0 == cli_server.stop(signal.SIGHUP)
        wait_for_no_process(str(tmp_path / "codex-home"))
        gate.open()

    async def test_a_server_that_was_started_by_nohup_outlives_the_terminal(tmp_path: Path) -> None:
        with hangups(signal.SIG_IGN):
            settings = {"CC_CODEX_RUNNER_MODE": "stub"}
            server = Server(tmp_path / "data", settings, is_fresh=True).start()
        assert server.process is not None
        server.process.send_signal(signal.SIGHUP)
        async with client_of(server) as client:
            assert "ok" == (await client.get("/health"))["status"]
        assert 0 == server.stop()


async def test_what_a_killed_server_left_of_codex_exec_is_ended_at_the_next_start(
    cli_server: Server, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Working", gate, "."),)
    async with client_of(cli_server) as client:
        session = await client.run(await client.register(repository), "Work.")
        gate.wait_until_reached()
    cli_server.kill()
    assert [line for line in descendants_of(str(tmp_path / "codex-home")) if " exec " in line]
    cli_server.start()
    async with client_of(cli_server) as client:
        ended = await client.until_session(session, "interrupted")
        assert "restarted" in ended["exitReason"]
        assert "disabled" == (await client.get("/api/codex/bridge/health"))["status"]
    cli_server.stop()
    wait_for_no_process(str(tmp_path / "codex-home"))
    gate.open()


async def test_a_follow_up_is_said_in_the_same_thread_when_the_turn_has_ended(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("First", gate, "."),)
    session = await codex_client.run(await codex_client.register(repository), "Begin.")
    gate.wait_until_reached()
    path = f"/api/sessions/{session['id']}/followups"
    followup = await codex_client.post(path, {"message": "And tehn?"}, status=201)
    await codex_client.patch(f"/api/followups/{followup['id']}", {"message": "And then?"})
    gate.open()
    first = await codex_client.until_session(session, "completed")
    sent = await codex_client.get(f"/api/followups/{followup['id']}")
    assert "sent" == sent["status"]
    second = await codex_client.until_session({"id": sent["sentSessionId"]}, "completed")
    assert ("followup", "And then?") == (second["origin"], second["prompt"])
    assert first["codexThreadId"] == second["codexThreadId"]
    assert first["codexTurnId"] != second["codexTurnId"]
    assert ["Begin.", "And then?"] == scripted_model.requests[-1].user_texts[-2:]


async def test_a_thread_is_prompted_in_its_folder_or_is_refused_at_once(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    scripted_model.script = (Say.text("Here I am."),)
    registered = await codex_client.register(repository)
    beside = await codex_client.post(
        f"/api/repos/{registered['id']}/worktrees", {"branchName": "cc/beside"}, status=201
    )
    in_a_worktree = await codex_client.run(registered, "Where?", worktreePath=beside["path"])
    first = await codex_client.until_session(in_a_worktree, "completed")
    (repository / "sub").mkdir()
    (tmp_path / "link").symlink_to(repository)
    (tmp_path / "foreign").mkdir()
    path = f"/api/codex/threads/{first['codexThreadId']}/prompt"
    body = {"repositoryId": registered["id"], "prompt": "And now?"}
    for wrong, said in (
        (repository / "sub", "lies inside"),
        (tmp_path / "foreign", "is neither"),
        (tmp_path / "missing", "does not exist"),
    ):
        refused = await codex_client.http.post(path, json={**body, "cwd": str(wrong)})
        assert 400 == refused.status_code, refused.text
        (detail,) = refused.json()["error"]["details"]
        assert "cwd" == detail["path"]
        assert said in detail["message"]
    for cwd, worked_in in (
        ({}, first["cwd"]),
        ({"cwd": str(tmp_path / "link")}, str(repository)),
    ):
        outcome = await codex_client.post(path, {**body, **cwd}, status=201)
        ended = await codex_client.until_session(outcome["session"], "completed")
        assert worked_in == ended["cwd"]
    other = tmp_path / "other"
    await trio.run_process(["git", "clone", "-q", str(repository), str(other)])
    elsewhere = await codex_client.register(other)
    moved = {**body, "repositoryId": elsewhere["id"]}
    refused = await codex_client.http.post(path, json=moved)
    assert 409 == refused.status_code, refused.text
    assert "Name the folder" in refused.text
    outcome = await codex_client.post(path, {**moved, "cwd": str(other)}, status=201)
    assert str(other) == outcome["session"]["cwd"]


async def test_a_thread_of_codex_is_listed_and_prompted_in_its_own_task(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("Here I am."),)
    registered = await codex_client.register(repository)
    session = await codex_client.run(registered, "Where are you?")
    first = await codex_client.until_session(session, "completed")
    thread_id = first["codexThreadId"]
    stored = await codex_client.get("/api/codex/threads", query="Where", limit=20)
    assert thread_id in [thread["id"] for thread in stored["items"]]
    outcome = await codex_client.post(
        f"/api/codex/threads/{thread_id}/prompt",
        {"repositoryId": registered["id"], "prompt": "And now?", "cwd": str(repository)},
        status=201,
    )
    assert first["taskId"] == outcome["task"]["id"]
    second = await codex_client.until_session(outcome["session"], "completed")
    assert (thread_id, "prompt") == (second["codexThreadId"], second["origin"])
    unknown = await codex_client.http.post(
        "/api/codex/threads/01a20fec-ea9f-7712-b785-000000000000/prompt",
        json={"repositoryId": registered["id"], "prompt": "Hello?"},
    )
    assert 404 == unknown.status_code, unknown.text
    named = await codex_client.http.post(
        "/api/codex/threads/thr_123/prompt",
        json={"repositoryId": registered["id"], "prompt": "Hello?"},
    )
    assert 404 == named.status_code, named.text
    health = await codex_client.get("/api/codex/bridge/health")
    assert ("connected", "auto") == (health["status"], health["transport"])
    assert "detached" == health["appServer"]
    loaded = await codex_client.get("/api/codex/threads/loaded")
    assert isinstance(loaded["items"], list)


async def test_codexs_lists_are_turned_by_limit_and_cursor_as_all_lists_are(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("Here I am."),)
    registered = await codex_client.register(repository)
    begun = []
    for _ in range(2):
        session = await codex_client.run(registered, "Where are you?")
        begun.append((await codex_client.until_session(session, "completed"))["codexThreadId"])
    path = "/api/codex/threads"
    assert set(begun) == {each["id"] for each in (await codex_client.get(path, limit=500))["items"]}
    first = await codex_client.get(path, limit=1)
    second = await codex_client.get(path, limit=1, cursor=first["nextCursor"])
    assert set(begun) == {each["id"] for page in (first, second) for each in page["items"]}
    for listed in (path, f"{path}/loaded", "/api/codex/models"):
        refused = await codex_client.http.get(listed, params={"cursor": "none-of-yours"})
        assert 400 == refused.status_code, refused.text
        assert "cursor" == refused.json()["error"]["details"][0]["path"]


async def test_a_failed_turn_is_tried_again_in_the_same_thread_as_often_as_the_task_allows(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Refuse(),)
    registered = await codex_client.register(repository)
    task = await codex_client.task(registered, "Fail.", maxAttempts=2)
    outcome = await codex_client.post(f"/api/tasks/{task['id']}/run", {}, status=201)
    first = await codex_client.until_session(outcome["session"], "failed")
    listed = await codex_client.get(f"/api/tasks/{task['id']}/sessions")
    retry = listed["items"][0]
    assert ("retry", 2, first["id"]) == (
        retry["origin"],
        retry["attempt"],
        retry["previousSessionId"],
    )
    waiting = await codex_client.session(retry)
    assert "queued" == waiting["status"]
    assert "Attempt 2 begins after" in waiting["waitReason"]
    await codex_client.post(f"/api/sessions/{retry['id']}/stop")


@both_models
async def test_a_turn_over_its_token_budget_is_interrupted_with_that_reason(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Run("echo one"), Run("echo two"), Say.text("Much", gate, "."))
    session = await codex_client.run(
        await codex_client.register(repository), "Be brief.", tokenBudget=150
    )
    ended = await codex_client.until_session(session, "interrupted")
    assert "of 150 tokens" in ended["exitReason"]
    gate.open()


async def test_a_thread_of_codex_exec_is_listed_as_such_and_prompted(
    codex_server: Server, codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("Here I am."),)
    exec_elsewhere(codex_server, repository, "Where are you?")
    listed = await codex_client.get("/api/codex/threads")
    ((thread_id, source),) = [(one["id"], one["source"]) for one in listed["items"]]
    assert "exec" == source
    registered = await codex_client.register(repository)
    outcome = await codex_client.post(
        f"/api/codex/threads/{thread_id}/prompt",
        {"repositoryId": registered["id"], "prompt": "And now?"},
        status=201,
    )
    ended = await codex_client.until_session(outcome["session"], "completed")
    assert thread_id == ended["codexThreadId"]
