"""Goals: one session with many turns, with the real Codex."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from command_center.actors.codex.settings import Transport
from tests.codex.script import CallTool, Gate, Hold, Run, Say, Script
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, client_of
from tests.end_to_end.test_transports import Reached, reached_by

GOAL_TURN = 'source="goal"'
"""Stands in the prompt with which Codex begins a turn for its thread's goal."""


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture(params=[Transport.SPAWN, Transport.PROXY], ids=lambda one: one.value)
def reached(
    request: pytest.FixtureRequest, tmp_path: Path, codex_binary: Path, model: ScriptedModel
) -> Iterator[Reached]:
    with reached_by(request.param, tmp_path, codex_binary, model) as reached:
        yield reached


@pytest.fixture
async def client(reached: Reached) -> AsyncIterator[Client]:
    async with client_of(reached.server) as client:
        yield client


def working(*turns: Script) -> Callable[[str], Script]:
    """A model that takes these scripts in the turns for the goal, one after the other."""
    left = list(turns)

    def choose(prompt: str) -> Script:
        if GOAL_TURN in prompt:
            return left.pop(0)
        return (Say.text("I begin."),)

    return choose


DONE = (CallTool("update_goal", {"status": "complete"}), Say.text("All is done."))


async def goal_of(client: Client, session: Any) -> Any:
    return (await client.get(f"/api/sessions/{session['id']}/goal"))["goal"]


async def test_a_session_has_turn_after_turn_until_its_goal_is_reached(
    client: Client, model: ScriptedModel, repository: Path
) -> None:
    model.choose = working((Run("echo one > one.txt"), Say.text("One.")), DONE)
    goal = {"objective": "A file", "tokenBudget": 50_000}
    registered = await client.register(repository, workplace="worktree")
    session = await client.run(registered, "Make a file.", goal=goal)
    async with client.watch(after=0, sessionId=session["id"]) as stream:
        began = await stream.until("session.turn.started", number=3)
        ended = await client.until_session(session, "completed")
    assert (3, "Its goal is reached.", "All is done.") == (
        ended["turns"],
        ended["exitReason"],
        ended["lastMessage"],
    )
    assert f"app-server:{ended['codexThreadId']}:{began['data']['turnId']}" == ended["codexRef"]
    kept = await goal_of(client, session)
    assert ("A file", "complete", 50_000) == (
        kept["objective"],
        kept["status"],
        kept["tokenBudget"],
    )
    assert "one\n" == (Path(ended["worktreePath"]) / "one.txt").read_text()
    items = (await client.get(f"/api/sessions/{session['id']}/items"))["items"]
    assert 3 == len({item["turnId"] for item in items})
    assert 1 == len((await client.get("/api/sessions"))["items"])


async def test_a_stop_ends_the_turn_and_the_goal_goes_no_further(
    client: Client, model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    model.choose = working((Hold(gate, Say.text("On and on.")),))
    session = await client.run(await client.register(repository), "Go on.", goal={})
    gate.wait_until_reached()
    stopped = await client.post(f"/api/sessions/{session['id']}/stop")
    assert "stopped" == stopped["session"]["status"]
    gate.open()
    assert "paused" == (await goal_of(client, session))["status"]
    (thread,) = (await client.get("/api/codex/threads"))["items"]
    assert "idle" == thread["status"]["type"]


async def test_a_goal_is_paused_by_a_person_and_its_turn_is_the_last_one(
    client: Client, model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    model.choose = working((Hold(gate, Say.text("The last one.")),))
    session = await client.run(await client.register(repository), "Go on.", goal={})
    gate.wait_until_reached()
    path = f"/api/sessions/{session['id']}/goal"
    wish = {"status": "paused", "requestedBy": "ada"}
    Client.expect(200, await client.http.put(path, json=wish))
    gate.open()
    ended = await client.until_session(session, "completed")
    assert ("Its goal is paused.", "The last one.") == (ended["exitReason"], ended["lastMessage"])
    late = await client.http.put(path, json={"status": "active"})
    assert 409 == late.status_code
    assert "prompt its thread with a goal" in late.json()["error"]["message"]


async def test_it_goes_no_further_once_its_repository_allows_less(
    client: Client, model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    hold = Gate()
    model.choose = working((Hold(gate, Say.text("One.")),), (Hold(hold, Say.text("Never.")),))
    registered = await client.register(repository)
    session = await client.run(registered, "Go on.", goal={})
    gate.wait_until_reached()
    await client.patch(f"/api/repos/{registered['id']}", {"allowWrite": False})
    gate.open()
    ended = await client.until_session(session, "interrupted")
    assert "does not allow writing" in ended["exitReason"]
    assert "paused" == (await goal_of(client, session))["status"]
    hold.open()


async def test_a_budget_bounds_all_turns_together(
    client: Client, model: ScriptedModel, repository: Path
) -> None:
    model.choose = working(*[(Run("echo on"), Say.text("On."))] * 40)
    registered = await client.register(repository)
    session = await client.run(registered, "Go on.", goal={}, tokenBudget=700)
    ended = await client.until_session(session, "interrupted")
    assert "of 700 tokens" in ended["exitReason"]
    assert "paused" == (await goal_of(client, session))["status"]


async def test_a_goal_is_found_again_when_the_server_was_killed(
    reached: Reached, client: Client, model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    model.choose = working((Hold(gate, Say.text("One.")),), DONE)
    session = await client.run(await client.register(repository), "Go on.", goal={})
    gate.wait_until_reached()
    async with client.watch(after=0, sessionId=session["id"]) as stream:
        await stream.until("session.turn.started", number=2)
    reached.server.kill()
    gate.open()
    reached.server.start()
    async with client_of(reached.server) as again:
        ended = await again.until_session(session)
        if reached.shared is None:
            assert "interrupted" == ended["status"]
            return
        assert ("completed", 3, "All is done.") == (
            ended["status"],
            ended["turns"],
            ended["lastMessage"],
        )
        assert 1 == len((await again.get("/api/sessions"))["items"])


async def test_a_goal_that_was_paused_is_pursued_again_by_a_prompt_with_a_goal(
    client: Client, model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    model.choose = working((Hold(gate, Say.text("One.")),), DONE)
    registered = await client.register(repository, workplace="worktree")
    session = await client.run(registered, "Go on.", goal={"objective": "Files"})
    gate.wait_until_reached()
    wish = {"status": "paused"}
    await client.http.put(f"/api/sessions/{session['id']}/goal", json=wish)
    gate.open()
    first = await client.until_session(session, "completed")
    again = await client.post(
        f"/api/codex/threads/{first['codexThreadId']}/prompt",
        {"repositoryId": registered["id"], "prompt": "Go on.", "goal": {}},
        status=201,
    )
    second = await client.until_session(again["session"], "completed")
    assert ("Its goal is reached.", 2) == (second["exitReason"], second["turns"])


async def test_a_goal_is_taken_away_and_the_turn_is_the_last_one(
    client: Client, model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    model.choose = working((Hold(gate, Say.text("The last one.")),))
    session = await client.run(await client.register(repository), "Go on.", goal={})
    gate.wait_until_reached()
    Client.expect(200, await client.http.delete(f"/api/sessions/{session['id']}/goal"))
    gate.open()
    ended = await client.until_session(session, "completed")
    assert "The last one." == ended["lastMessage"]
    assert await goal_of(client, session) is None


async def test_a_goal_is_refused_where_nothing_can_pursue_it(
    client: Client, repository: Path
) -> None:
    task = await client.task(await client.register(repository), "Look at it.", type="review_task")
    answer = await client.http.post(f"/api/tasks/{task['id']}/run", json={"goal": {}})
    assert 409 == answer.status_code
    assert "is a review" in answer.json()["error"]["message"]
