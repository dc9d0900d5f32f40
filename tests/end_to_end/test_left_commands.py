"""Commands that go on when their turn has completed: followed, in no other's way, and ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio

from tests.codex.fixtures import both_models
from tests.codex.script import CallTool, Say, Script, SpawnAgent, WaitForAgents
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client


def begin(command: str, **more: str) -> CallTool:
    """A command that Codex waits for a moment only."""
    waits = {"login": False, "yield_time_ms": 250}
    return CallTool("exec_command", {"cmd": command, **waits, **more})


async def completed(client: Client, repository: Any, prompt: str) -> Any:
    """A session whose turn has completed."""
    session = await client.run(repository, prompt)
    return await client.until_session(session, "completed")


async def command_of(client: Client, session: Any, status: str) -> Any:
    """The command of the session, once its item has that status."""
    with trio.fail_after(30):
        while True:
            items = await client.get(f"/api/sessions/{session['id']}/items")
            (item,) = [one for one in items["items"] if one["type"] == "commandExecution"]
            if item["status"] == status:
                return item
            await trio.sleep(0.1)


async def test_a_command_that_outlives_its_turn_is_told_of_when_it_ends(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    scripted_model.script = (
        begin(f"echo begun; until [ -e {gate} ]; do sleep 0.1; done; echo late"),
        Say.text("It goes on."),
    )
    registered = await codex_client.register(repository)
    session = await completed(codex_client, registered, "Begin.")
    await command_of(codex_client, session, "in_progress")
    async with codex_client.watch(after=0, sessionId=session["id"]) as stream:
        left = await stream.until("session.commands.left")
        assert ["late"] == [one["command"][-5:-1] for one in left["data"]["commands"]]
        scripted_model.script = (Say.text("I write, too."),)
        other = await codex_client.run(registered, "Write.")
        answering = await codex_client.run(registered, "Read.", sandbox="read-only")
        await codex_client.until_session(answering, "completed")
        waiting = await codex_client.session(other)
        assert "queued" == waiting["status"]
        thread = await codex_client.http.delete(f"/api/codex/threads/{session['codexThreadId']}")
        kept = f"Commands of session {session['id']} still run"
        assert (409, True) == (thread.status_code, kept in thread.text)
        told = f"session {session['id']}, whose commands still run in"
        assert (True, session["id"]) == (told in waiting["waitReason"], waiting["waitsFor"])
        gate.touch()
        await stream.until("session.item", type="commandExecution")
    ended = await command_of(codex_client, session, "completed")
    assert ("completed", 0) == (ended["body"]["status"], ended["body"]["exitCode"])
    assert "late" in ended["body"]["aggregatedOutput"]
    await codex_client.until_session(other, "completed")


async def test_a_worktree_is_kept_until_the_commands_that_a_turn_left_in_it_have_ended(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    scripted_model.script = (
        begin(f"until [ -e {gate} ]; do sleep 0.1; done; git status > {gate}.said 2>&1"),
        Say.text("It goes on."),
    )
    registered = await codex_client.register(repository, workplace="worktree")
    session = await completed(codex_client, registered, "Begin.")
    await command_of(codex_client, session, "in_progress")
    scripted_model.script = (Say.text("I have nothing to do."),)
    async with codex_client.watch(after=0) as stream:
        other = await completed(codex_client, registered, "Look.")
        await stream.until("worktree.removed", path=other["cwd"])
        assert Path(session["cwd"]).is_dir()
        cleaned = await codex_client.post(f"/api/repos/{registered['id']}/worktrees/clean")
        assert [] == cleaned["items"]
        gate.touch()
        await command_of(codex_client, session, "completed")
        await stream.until("worktree.removed", path=session["cwd"])


async def test_a_command_that_was_approved_goes_on_when_its_shell_is_too_slow_for_the_turn(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    asking = {"sandbox_permissions": "require_escalated", "justification": "May I?"}
    scripted_model.script = (
        begin(f"until [ -e {gate} ]; do sleep 0.1; done; echo done", **asking),
        Say.text("I do not wait for it."),
    )
    session = await codex_client.run(await codex_client.register(repository), "Begin.")
    await codex_client.until_session(session, "waiting_approval")
    (approval,) = (await codex_client.get("/api/approvals", status="pending"))["items"]
    await codex_client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "approved"})
    await codex_client.until_session(session, "completed")
    await command_of(codex_client, session, "in_progress")
    gate.touch()
    ended = await command_of(codex_client, session, "completed")
    assert ("completed", 0) == (ended["body"]["status"], ended["body"]["exitCode"])


async def test_a_command_that_outlives_its_turn_is_ended_by_a_stop_of_its_session(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (begin("echo begun; sleep 600"), Say.text("It goes on."))
    session = await completed(codex_client, await codex_client.register(repository), "Begin.")
    await command_of(codex_client, session, "in_progress")
    stopped = await codex_client.post(f"/api/sessions/{session['id']}/stop")
    assert "completed" == stopped["session"]["status"]
    ended = await command_of(codex_client, session, "completed")
    assert "failed" == ended["body"]["status"]


def leave_to_agent(command: str) -> Callable[[str], Script]:
    """A session whose sub-agent begins the command, and waits for it a moment only."""

    def choose(prompt: str) -> Script:
        if prompt == "Begin in my place.":
            return (begin(command), Say.text("It goes on."))
        if prompt == "Have it begun.":
            return (SpawnAgent("Begin in my place."), WaitForAgents(), Say.text("It is begun."))
        return (Say.text("I write, too."),)

    return choose


@both_models
async def test_a_command_that_outlives_its_sub_agent_is_told_of_when_it_ends(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    scripted_model.choose = leave_to_agent(
        f"until [ -e {gate} ]; do sleep 0.1; done; echo late > late.txt; echo late"
    )
    registered = await codex_client.register(repository)
    session = await completed(codex_client, registered, "Have it begun.")
    async with codex_client.watch(after=0, sessionId=session["id"]) as stream:
        left = await stream.until("session.commands.left")
        assert 1 == len(left["data"]["commands"])
        other = await codex_client.run(registered, "Write.")
        reading = await codex_client.run(registered, "Read.", sandbox="read-only")
        await codex_client.until_session(reading, "completed")
        waiting = await codex_client.session(other)
        assert ("queued", session["id"]) == (waiting["status"], waiting["waitsFor"])
        gate.touch()
        ended = await stream.until("session.item", type="commandExecution")
    assert ("completed", 0) == (ended["data"]["item"]["status"], ended["data"]["item"]["exitCode"])
    assert ended["data"]["agentId"] is not None
    await codex_client.until_session(other, "completed")
    assert (repository / "late.txt").exists()


@both_models
async def test_a_command_that_outlives_its_sub_agent_is_ended_by_a_stop_of_its_session(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.choose = leave_to_agent("echo begun; sleep 600")
    registered = await codex_client.register(repository)
    session = await completed(codex_client, registered, "Have it begun.")
    async with codex_client.watch(after=0, sessionId=session["id"]) as stream:
        await stream.until("session.commands.left")
        other = await codex_client.run(registered, "Write.")
        await codex_client.post(f"/api/sessions/{session['id']}/stop")
        ended = await stream.until("session.item", type="commandExecution")
    assert "failed" == ended["data"]["item"]["status"]
    await codex_client.until_session(other, "completed")


async def test_one_of_several_commands_is_listed_and_ended_alone(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (
        begin("echo first; sleep 600"),
        begin("echo second; sleep 600"),
        Say.text("They go on."),
    )
    session = await completed(codex_client, await codex_client.register(repository), "Begin.")
    path = f"/api/codex/threads/{session['codexThreadId']}/terminals"
    first, second = sorted(
        (await codex_client.get(path))["items"], key=lambda one: "first" not in one["command"]
    )
    assert ("sleep 600" in first["command"], session["cwd"]) == (True, first["cwd"])
    items = (await codex_client.get(f"/api/sessions/{session['id']}/items"))["items"]
    assert {first["itemId"], second["itemId"]} <= {item["itemId"] for item in items}
    left = await codex_client.http.delete(
        f"{path}/{first['processId']}", params={"requestedBy": "ada"}
    )
    assert [second["processId"]] == [one["processId"] for one in left.json()["items"]]
    again = await codex_client.http.delete(f"{path}/{first['processId']}")
    assert 404 == again.status_code
    (told,) = (await codex_client.get("/api/events", type="thread.terminal.ended"))["items"]
    assert ("ada", session["id"], first["command"]) == (
        told["actor"],
        told["sessionId"],
        told["data"]["command"],
    )
    left = await codex_client.http.delete(f"{path}/{second['processId']}")
    assert [] == left.json()["items"]
