"""The detached app-server, as installed: a restart and a crash of the server leave it alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from command_center.actors.hosts.local.codex import detached
from tests.codex.script import Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of, wait_for_no_process

ROUNDS = 3


async def own(client: Client) -> detached.ServerRecord:
    """The app-server of the server's own, once it is connected."""
    health = await client.get("/api/codex/bridge/health")
    assert ("connected", "detached") == (health["status"], health["appServer"])
    found = detached.read(detached.folder_of(client.server.data_dir))
    assert found is not None
    return found


async def pending(client: Client, session: Any) -> Any:
    """The one approval that the session waits for, but for what is new each time it is asked."""
    listed = await client.get("/api/approvals", sessionId=session["id"])
    assert ["pending"] == [approval["status"] for approval in listed["items"]]
    of_asking = {"codexRequestId", "updatedAt"}
    return {name: value for name, value in listed["items"][0].items() if name not in of_asking}


async def test_a_question_outlives_kills_of_the_server_and_is_answered_once(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    scripted_model.script = (
        Run(f"echo made >> {outside}", justification="May I write outside?"),
        Say.text("It is made."),
    )
    async with client_of(codex_server) as client:
        first = await own(client)
        registered = await client.register(repository, workplace="worktree")
    for number in range(ROUNDS):
        async with client_of(codex_server) as client:
            session = await client.run(registered, "Make a file outside.")
            await client.until_session(session, "waiting_approval")
            asked = await pending(client, session)
        codex_server.kill()
        codex_server.start()
        async with client_of(codex_server) as client:
            assert asked == await pending(client, session)
            path = f"/api/approvals/{asked['id']}/resolve"
            await client.post(path, {"status": "approved", "resolvedBy": "ada"})
            ended = await client.until_session(session, "completed")
            told = await client.get(f"/api/sessions/{session['id']}/events", limit=500)
        assert "It is made." == ended["lastMessage"]
        assert ["made"] * (number + 1) == outside.read_text().splitlines()
        kinds = [event["type"] for event in told["items"]]
        assert [1, 1] == [kinds.count(f"approval.{word}") for word in ("requested", "resolved")]
    async with client_of(codex_server) as client:
        assert first == await own(client)


async def test_a_restart_interrupts_no_turn(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    async with client_of(codex_server) as client:
        session = await client.run(await client.register(repository, workplace="worktree"), "Work.")
        gate.wait_until_reached()
        await client.until_session(session, "running")
    codex_server.stop()
    codex_server.start()
    async with client_of(codex_server) as client:
        gate.open()
        ended = await client.until_session(session, "completed")
        assert "Working." == ended["lastMessage"]


async def test_a_server_that_stops_with_no_turn_leaves_no_process(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    scripted_model.script = (Say.text("Done."),)
    async with client_of(codex_server) as client:
        session = await client.run(await client.register(repository, workplace="worktree"), "Work.")
        await client.until_session(session, "completed")
    codex_server.stop()
    wait_for_no_process(str(tmp_path / "codex-home"))


async def test_an_app_server_of_another_environment_goes_on_with_its_turn_and_is_then_replaced(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    async with client_of(codex_server) as client:
        before = await own(client)
        session = await client.run(await client.register(repository, workplace="worktree"), "Work.")
        gate.wait_until_reached()
        await client.until_session(session, "running")
    codex_server.kill()
    codex_server.settings = {**codex_server.settings, "WORK_WITH": "another value"}
    codex_server.start()
    async with client_of(codex_server) as client, client.watch(after=0) as stream:
        health = await client.get("/api/codex/bridge/health")
        assert "another environment. It is replaced when no turn runs." in health["message"]
        gate.open()
        await client.until_session(session, "completed")
        lost = await stream.until("bridge.lost")
        assert "another environment" in lost["data"]["reason"]
        await stream.until("bridge.connected")
        health = await client.get("/api/codex/bridge/health")
        assert "another environment" not in health["message"]
        assert before.life != (await own(client)).life


async def test_with_another_runner_the_one_that_was_left_is_ended(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    async with client_of(codex_server) as client:
        left = await own(client)
        session = await client.run(await client.register(repository, workplace="worktree"), "Work.")
        gate.wait_until_reached()
        await client.until_session(session, "running")
    codex_server.kill()
    codex_server.settings = {**codex_server.settings, "CC_CODEX_RUNNER_MODE": "stub"}
    codex_server.start()
    async with client_of(codex_server) as client:
        await client.until_session(session, "interrupted")
    wait_for_no_process(left.life)
    gate.open()
