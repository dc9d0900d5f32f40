"""Goals that sub-agents set for themselves, which Codex lets nobody change, with the real Codex."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from command_center.actors.codex.settings import Transport
from command_center.actors.ledger import sessions as ledger
from tests.codex.bridging import Bridged, open_bridge
from tests.codex.script import CallTool, Gate, Hold, Run, Say, Script, SpawnAgent
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, client_of
from tests.end_to_end.test_foreign_turns import until_interrupted
from tests.end_to_end.test_transports import Reached, reached_by

MODEL = "gpt-6.1-sol"
"""A model whose sub-agents are of the newer kind."""


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture(params=[Transport.PROXY, Transport.WEBSOCKET], ids=lambda one: one.value)
def reached(
    request: pytest.FixtureRequest, tmp_path: Path, codex_binary: Path, model: ScriptedModel
) -> Iterator[Reached]:
    with reached_by(request.param, tmp_path, codex_binary, model) as reached:
        yield reached


async def test_a_goal_that_a_sub_agent_sets_for_itself_ends_with_its_session(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    """Codex would go on with it, turn after turn, and nobody would be asked what that asks."""
    gate = Gate()
    own = (Run("echo beat >> heart", justification="May I?"), Say.text("Again."))
    of_session = [(CallTool("update_goal", {"status": "complete"}), Say.text("All is done."))]

    def choose(prompt: str) -> Script:
        if 'source="goal"' in prompt:  # the session's, and only then the sub-agent's
            return of_session.pop() if of_session else own
        if "agent" in prompt:
            begin = CallTool("create_goal", {"objective": "Zebras."})
            return (begin, Hold(gate, Say.text("I go on by myself.")))
        return (SpawnAgent("You are the agent."), Say.text("I begin."))

    model.choose = choose
    assert reached.shared is not None
    async with client_of(reached.server) as client, open_bridge(reached.shared.settings) as other:
        registered = await client.register(repository, workplace="worktree")
        session = await client.run(registered, "Begin.", goal={}, model="gpt-6.1-sol")
        async with client.watch(after=0, sessionId=session["id"]) as stream:
            started = await stream.until("session.agent.started")
            await stream.until("session.goal.updated", status="complete")
            gate.wait_until_reached()
            gate.open()
            while (await stream.next())["type"] not in {"session.completed", "approval.requested"}:
                pass
        # Where its next turn began before the session had ended, a person was asked instead.
        await client.post(f"/api/sessions/{session['id']}/stop")
        await until_interrupted(other, started["data"]["threadId"])
        assert [] == (await client.get("/api/approvals", status="pending"))["items"]


@attrs.define
class Pursuing:
    """A model whose sub-agent sets a goal for itself, and works on it turn after turn.

    Each of those turns waits at a gate of its own; so does the one that sets the goal, at `begun`.
    """

    begun: Gate = attrs.field(factory=Gate)
    gates: list[Gate] = attrs.field(factory=list)
    is_done: bool = False

    def choose(self, prompt: str) -> Script:
        if 'source="goal"' not in prompt:
            if "agent" not in prompt:
                return (SpawnAgent("You are the agent."), Say.text("I begin."))
            begin = CallTool("create_goal", {"objective": "Zebras."})
            return (begin, Hold(self.begun, Say.text("I go on by myself.")))
        if not self.is_done:  # the session's own goal
            self.is_done = True
            return (CallTool("update_goal", {"status": "complete"}), Say.text("All is done."))
        self.gates.append(Gate())
        ask = Run("echo beat >> heart", justification="May I?")
        return (Hold(self.gates[-1], ask), Say.text("Again."))

    async def until_turns(self, count: int) -> None:
        """Wait until so many turns for the sub-agent's goal have begun."""
        with trio.fail_after(30):
            while len(self.gates) < count:  # noqa: ASYNC110 - the model runs in threads
                await trio.sleep(0.02)


async def newest_turn(other: Bridged, thread_id: str) -> Any:
    """Return the newest turn of the thread, as Codex lists it."""
    asked = {"threadId": thread_id, "limit": 1}
    (turn,) = (await other.call("thread/turns/list", asked))["data"]
    return turn


@pytest.mark.parametrize("reached", [Transport.PROXY], ids=["proxy"], indirect=True)
async def test_a_sub_agent_s_goal_goes_no_further_after_kills_of_the_servers(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    """A turn begins while the server is down, and another when the app-server loads the thread."""
    pursuing = Pursuing()
    model.choose = pursuing.choose
    assert reached.shared is not None
    server = reached.server
    async with client_of(server) as client:
        registered = await client.register(repository, workplace="worktree")
        session = await client.run(registered, "Begin.", goal={}, model=MODEL)
        async with client.watch(after=0, sessionId=session["id"]) as stream:
            started = await stream.until("session.agent.started")
            await stream.until("session.goal.updated", status="complete")
        pursuing.begun.wait_until_reached()
    thread_id = started["data"]["threadId"]
    server.kill()
    pursuing.begun.open()
    await pursuing.until_turns(1)
    server.write(lambda tx: ledger.move(tx, session["id"], "completed"))
    async with open_bridge(reached.shared.settings) as other, client_of(server) as client:
        refused = await until_refused(client, thread_id)
        assert f"session {session['id']}, for which that worked, has ended" in refused["reason"]
        await until_interrupted(other, thread_id)
        assert refused["turnId"] == (await newest_turn(other, thread_id))["id"]
    server.kill()
    reached.shared.kill()
    with reached.shared:
        server.start()
        async with open_bridge(reached.shared.settings) as other, client_of(server) as client:
            for loaded in ((await client.session(session))["codexThreadId"], thread_id):
                await other.call("thread/resume", {"threadId": loaded, "excludeTurns": True})
            goal = (await other.call("thread/goal/get", {"threadId": thread_id}))["goal"]
            if goal["status"] == "active":  # an older Codex lets it be paused
                later = await until_refused(client, thread_id, refused["turnId"])
                await until_interrupted(other, thread_id)
                assert later["turnId"] == (await newest_turn(other, thread_id))["id"]
            assert [] == (await client.get("/api/approvals", status="pending"))["items"]
            assert 1 == len((await client.get("/api/sessions"))["items"])
    assert not (repository / "heart").exists()


async def until_refused(client: Client, thread_id: str, *besides: str) -> Any:
    """Return what is told of a turn of the thread that is refused, and is none of these."""
    async with client.watch(after=0) as stream:
        while True:
            told = (await stream.until("session.turn.refused", threadId=thread_id))["data"]
            if told["turnId"] not in besides:
                return told
