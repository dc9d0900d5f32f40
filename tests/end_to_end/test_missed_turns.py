"""Turns that begin and end past Command Center in a thread of ours are kept as they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.codex.messages import Attach
from command_center.actors.codex.settings import Transport
from tests.codex.bridging import Bridged, open_bridge, real
from tests.codex.script import Gate, Run, Say, Script, SpawnAgent, WaitForAgents
from tests.codex.scripted_model import OLD_MODEL, ScriptedModel
from tests.end_to_end.server import Client, client_of
from tests.end_to_end.test_foreign_turns import beside
from tests.end_to_end.test_transports import Reached, reached_by


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def reached(tmp_path: Path, codex_binary: Path, model: ScriptedModel) -> Iterator[Reached]:
    with reached_by(Transport.PROXY, tmp_path, codex_binary, model) as reached:
        yield reached


async def say(other: Bridged, thread_id: str, text: str) -> str:
    """Say it past Command Center; the turn's id, once that has ended."""
    await other.call("thread/resume", {"threadId": thread_id, "excludeTurns": True})
    turn_id = await other.prompt(thread_id, text)
    await other.until(
        lambda told: (
            getattr(told, "method", "") == "turn/completed" and told.params["turn"]["id"] == turn_id
        )
    )
    return turn_id


async def sessions_of(client: Client) -> list[Any]:
    """Return all sessions, the oldest first."""
    found = (await client.get("/api/sessions"))["items"]
    return sorted(found, key=lambda one: int(one["id"]))


async def until_open(client: Client) -> None:
    """Wait until a turn was found that another process may carry on."""
    with trio.fail_after(30):
        while True:
            actor = await client.get("/api/runtime/actors/foreign-turns/local")
            if actor["description"].get("open"):
                return
            await trio.sleep(0.05)


async def told_of(other: Bridged, thread_id: str) -> None:
    """Have the other client told what goes on in the thread."""
    await other.bridge.ask(Attach(thread_id, other.session))


async def test_a_turn_that_began_and_ended_while_the_server_was_down_is_a_session_that_has_ended(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    async with beside(reached, repository) as at:
        reached.server.kill()
        model.script = (Run("echo made > made.txt"), Say.text("Made."))
        await told_of(at.other, at.thread_id)
        turn_id = await say(at.other, at.thread_id, "Go on here.")
        reached.server.start()
        async with client_of(reached.server) as client:
            async with client.watch(after=0) as stream:
                found = await stream.until("session.turn.found")
                told = {"turnId": turn_id, "cause": "message", "outcome": "completed"}
                assert told.items() <= found["data"].items()
                await stream.until("session.completed")
            first, kept = await sessions_of(client)
            assert (found["sessionId"], first["taskId"]) == (kept["id"], kept["taskId"])
            assert ("completed", "codex", "Go on here.", "Made.") == (
                kept["status"],
                kept["origin"],
                kept["prompt"],
                kept["lastMessage"],
            )
            assert "ended past Command Center" in kept["exitReason"]
            assert f"app-server:{at.thread_id}:{turn_id}" == kept["codexRef"]
            items = (await client.get(f"/api/sessions/{kept['id']}/items"))["items"]
            assert ["userMessage", "commandExecution", "agentMessage"] == [
                item["type"] for item in items
            ]
        reached.server.kill()
        reached.server.start()
        model.script = (Say.text("Third."),)
        async with client_of(reached.server) as client:
            prompt = {"repositoryId": at.repository["id"], "prompt": "And now?"}
            path = f"/api/codex/threads/{at.thread_id}/prompt"
            third = (await client.post(path, prompt, status=201))["session"]
            await client.until_session(third, "completed")
            assert 3 == len(await sessions_of(client))


async def test_a_turn_that_is_over_as_soon_as_it_began_is_a_session_all_the_same(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    async with beside(reached, repository) as at, at.client.watch(after=0) as stream:
        model.script = (Say.text("At once."),)
        turn_id = await at.say("Go on here.")
        while True:
            event = await stream.next()
            if event["type"] in {"session.turn.found", "session.turn.adopted"}:
                break
        assert turn_id == event["data"]["turnId"]
        ended = await at.client.until_session({"id": event["sessionId"]}, "completed")
        assert ("Go on here.", "At once.") == (ended["prompt"], ended["lastMessage"])
        assert 2 == len(await sessions_of(at.client))


async def test_a_command_that_somebody_ran_by_hand_meanwhile_is_told_as_that(
    reached: Reached, repository: Path
) -> None:
    async with beside(reached, repository) as at:
        reached.server.kill()
        await told_of(at.other, at.thread_id)
        await at.other.call("thread/resume", {"threadId": at.thread_id, "excludeTurns": True})
        by_hand = {"threadId": at.thread_id, "command": "echo hand > made.txt"}
        await at.other.call("thread/shellCommand", by_hand)
        await at.other.until_told("turn/completed")
        reached.server.start()
        async with client_of(reached.server) as client, client.watch(after=0) as stream:
            found = await stream.until("session.turn.found", cause="command")
            told = await stream.until("session.command.elsewhere")
            assert found["sessionId"] == told["sessionId"]
            assert "echo hand > made.txt" in told["data"]["command"]


async def test_a_turn_of_another_process_of_codex_is_found(
    tmp_path: Path, codex_binary: Path, model: ScriptedModel, repository: Path
) -> None:
    """A terminal that shares no app-server has one, and its turn is kept once that has ended."""
    with reached_by(Transport.SPAWN, tmp_path, codex_binary, model) as reached:
        async with client_of(reached.server) as client:
            registered = await client.register(repository, workplace="worktree")
            first = await client.until_session(await client.run(registered, "First."), "completed")
        reached.server.stop()
        home = Path(reached.server.settings["CODEX_HOME"])
        gate = Gate()
        model.script = (Say.text("In a ", gate, "terminal."),)
        async with open_bridge(real(codex_binary, home)) as other:
            thread_id = first["codexThreadId"]
            await told_of(other, thread_id)
            await other.call("thread/resume", {"threadId": thread_id, "excludeTurns": True})
            await other.prompt(thread_id, "Go on here.")
            await trio.to_thread.run_sync(gate.wait_until_reached)
            reached.server.start()
            async with client_of(reached.server) as client:
                await until_open(client)
                assert [first["id"]] == [one["id"] for one in await sessions_of(client)]
            gate.open()
            await other.until_told("turn/completed")
        reached.server.kill()
        reached.server.start()
        async with client_of(reached.server) as client, client.watch(after=0) as stream:
            found = await stream.until("session.turn.found", outcome="completed")
            kept = await client.session({"id": found["sessionId"]})
            assert ("Go on here.", "In a terminal.") == (kept["prompt"], kept["lastMessage"])


async def test_a_sub_agent_s_turn_that_was_over_is_told_in_the_session_that_it_worked_for(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    """Only those of the older sub-agents can be prompted by another client."""

    def choose(prompt: str) -> Script:
        if "Begin" in prompt:
            return (SpawnAgent("You are the agent."), WaitForAgents(), Say.text("Done."))
        return (Say.text("I am the agent."),) if "agent" in prompt else (Say.text("Later."),)

    model.choose = choose
    assert reached.shared is not None
    async with open_bridge(reached.shared.settings) as other:
        async with client_of(reached.server) as client:
            registered = await client.register(repository, workplace="worktree")
            session = await client.run(registered, "Begin.", model=OLD_MODEL)
            async with client.watch(after=0, sessionId=session["id"]) as stream:
                agent = await stream.until("session.agent.started")
                await stream.until("session.completed")
        reached.server.kill()
        thread_id = agent["data"]["threadId"]
        await told_of(other, thread_id)
        turn_id = await say(other, thread_id, "Go on here.")
        reached.server.start()
        async with client_of(reached.server) as client:
            async with client.watch(after=0, sessionId=session["id"]) as stream:
                found = await stream.until("session.turn.found", turnId=turn_id)
                assert agent["data"]["agentId"] == found["data"]["agentId"]
                said = await stream.until("session.item", type="agentMessage", turnId=turn_id)
                assert "Later." == said["data"]["item"]["text"]
            assert [session["id"]] == [one["id"] for one in await sessions_of(client)]
