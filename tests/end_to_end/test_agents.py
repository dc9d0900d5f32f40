"""Sub-agents of both kinds: what they ask, say, change and use is their session's, to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from command_center.actors.codex.settings import Transport
from tests.codex.fixtures import both_models, models_over
from tests.codex.script import (
    AddFile,
    Gate,
    Hold,
    Run,
    Say,
    Script,
    SpawnAgent,
    Step,
    WaitForAgents,
)
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of
from tests.end_to_end.test_transports import SHARED, Reached, approve, beats, reached_by

OUTSIDE = "May I?"


@attrs.frozen
class Team:
    """A server that reaches Codex somehow, a model that delegates, and a repository."""

    reached: Reached
    model: ScriptedModel
    model_name: str | None
    repository: Path

    @property
    def server(self) -> Server:
        return self.reached.server

    async def start(self, client: Client, scripts: Mapping[str, Script], **run: object) -> Any:
        """A session whose turn, and each sub-agent by a word of its task, takes these steps."""

        def choose(prompt: str) -> Script:
            return next(
                (steps for word, steps in scripts.items() if word in prompt), (Say.text("-"),)
            )

        self.model.choose = choose
        registered = await client.register(self.repository, workplace="worktree")
        return await client.run(registered, "Begin.", model=self.model_name, **run)

    async def delegate(self, client: Client, *steps: Step, **run: object) -> Any:
        """A session with one sub-agent that takes these steps, and a turn that waits for it."""
        begin = (SpawnAgent("You are the agent."), WaitForAgents(600), Say.text("All done."))
        return await self.start(client, {"agent": steps, "Begin": begin}, **run)


@pytest.fixture(params=list(Transport), ids=lambda one: one.value)
def team(
    request: pytest.FixtureRequest,
    codex_binary: Path,
    codex_model: str | None,
    repository: Path,
    tmp_path: Path,
) -> Iterator[Team]:
    with (
        ScriptedModel() as model,
        reached_by(request.param, tmp_path, codex_binary, model) as reached,
    ):
        yield Team(reached, model, codex_model, repository)


@pytest.fixture
async def client(team: Team) -> AsyncIterator[Client]:
    async with client_of(team.server) as client:
        yield client


default_model = pytest.mark.parametrize("codex_model", [None], ids=["default-model"])
over_each_way = models_over("team", list(Transport))
alone = pytest.mark.parametrize("team", [Transport.SPAWN], indirect=True, ids=["spawn"])


async def until_made(made: Path) -> None:
    """Wait until the file is there."""
    with trio.fail_after(30):
        while not made.exists():  # noqa: ASYNC110 - another process makes it
            await trio.sleep(0.02)


async def agents_of(client: Client, session: Any) -> list[Any]:
    listed: list[Any] = (await client.get(f"/api/sessions/{session['id']}/agents"))["items"]
    return listed


async def items_of(client: Client, session: Any, **query: object) -> list[Any]:
    path = f"/api/sessions/{session['id']}/items"
    listed: list[Any] = (await client.get(path, **query))["items"]
    return listed


@over_each_way
async def test_what_a_sub_agent_asks_and_changes_is_shown_and_waits_for_a_person(
    team: Team, client: Client, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    session = await team.delegate(
        client,
        Run(f"echo made > {outside}", justification="May I?"),
        AddFile("made.txt", "hello\n"),
        Say.text("I made two files."),
    )
    async with client.watch(after=0, sessionId=session["id"]) as stream:
        started = await stream.until("session.agent.started")
        asked = await stream.until("approval.requested", kind="command")
        assert not outside.exists()
        details = asked["data"]["details"]
        assert (True, started["data"]["agentId"]) == (details["subAgent"], details["agentId"])
        await approve(client, asked["approvalId"])
        await stream.until("session.item", type="commandExecution", agentId=details["agentId"])
        assert "made\n" == outside.read_text()
        delta = await stream.until("session.output.delta", agentId=details["agentId"])
        assert delta["data"]["delta"] in "I made two files."
        ended = await stream.until("session.agent.ended")
        assert ("completed", "I made two files.") == (
            ended["data"]["status"],
            ended["data"]["lastMessage"],
        )
        await stream.until("session.completed")
    (agent,) = await agents_of(client, session)
    assert ("completed", None) == (agent["status"], agent["parentId"])
    assert 3 * 120 == agent["tokenUsage"]["total"]["totalTokens"]
    assert agent["finishedAt"] is not None
    own = await items_of(client, session)
    assert "All done." in [item["body"].get("text") for item in own]
    assert not [item for item in own if item["type"] in {"commandExecution", "fileChange"}]
    assert "+hello" in agent["diff"]
    assert (await client.session(session))["diff"] is None
    of_agent = await items_of(client, session, agentId=agent["id"])
    types = [item["type"] for item in of_agent]
    assert ["commandExecution", "fileChange", "agentMessage"] == types[-3:]
    assert "hello" in str(of_agent[-2]["body"]["changes"])
    found = await client.get("/api/search", q="two files", sessionId=session["id"])
    assert of_agent[-1]["itemId"] in [text["itemId"] for text in found["items"]]


@over_each_way
async def test_a_stop_ends_the_sub_agents_too(team: Team, client: Client) -> None:
    session = await team.delegate(client, Run("while true; do echo > heart; sleep 0.05; done"))
    heart = Path(session["cwd"]) / "heart"
    assert await beats(heart, within=30)
    stopped = await client.post(f"/api/sessions/{session['id']}/stop")
    assert "stopped" == stopped["session"]["status"]
    (agent,) = await agents_of(client, session)
    assert "interrupted" == agent["status"]
    with trio.fail_after(30):
        while await beats(heart, within=1):
            pass


@models_over("team", SHARED)
async def test_what_sub_agents_ask_and_say_outlives_the_server_where_the_app_server_does(
    team: Team, tmp_path: Path
) -> None:
    outside, gate = tmp_path / "outside.txt", Gate()
    async with client_of(team.server) as client, client.watch(after=0) as stream:
        session = await team.delegate(
            client,
            Run(f"echo made > {outside}", justification="May I?"),
            Hold(gate, Run("echo meanwhile")),
            Run("echo still", justification="And this?"),
            Say.text("I am back."),
        )
        asked = await stream.until("approval.requested", kind="command")
    team.server.kill()
    team.server.start()
    async with client_of(team.server) as client, client.watch(after=0) as stream:
        for _ in range(2):
            await stream.until("bridge.connected")
        await approve(client, asked["approvalId"])
        await until_made(outside)
        gate.wait_until_reached()
    team.server.kill()
    gate.open()
    team.server.start()
    async with client_of(team.server) as client, client.watch(after=asked["id"]) as stream:
        again = await stream.until("approval.requested", kind="command")
        await approve(client, again["approvalId"])
        await stream.until("session.completed")
        (agent,) = await agents_of(client, session)
        assert ("completed", "I am back.") == (agent["status"], agent["lastMessage"])
        commands = [
            item["body"]["aggregatedOutput"]
            for item in await items_of(client, session, agentId=agent["id"])
            if item["type"] == "commandExecution"
        ]
        # A login shell may have said something of its own first.
        said = [(output or "").splitlines()[-1:] for output in commands]
        assert [[], ["meanwhile"], ["still"]] == said
        used = (await client.session(session))["tokenUsage"]["agents"]
        assert [4 * 120] == list(used.values())


@both_models
@alone
async def test_a_session_does_not_end_before_the_sub_agents_that_it_did_not_wait_for(
    team: Team, client: Client
) -> None:
    gate = Gate()
    scripts: dict[str, Script] = {
        "agent": (Hold(gate, Run("echo late", justification="May I, late?")), Say.text("Late.")),
        "Begin": (SpawnAgent("You are the agent."), Say.text("I do not wait.")),
    }
    session = await team.start(client, scripts)
    async with client.watch(after=0, sessionId=session["id"]) as stream:
        await stream.until("session.item", type="agentMessage")
        gate.wait_until_reached()
        assert "running" == (await client.session(session))["status"]
        gate.open()
        asked = await stream.until("approval.requested", kind="command")
        await approve(client, asked["approvalId"])
        await stream.until("session.completed")
    ended = await client.session(session)
    assert "I do not wait." == ended["lastMessage"]
    (agent,) = await agents_of(client, session)
    assert ("completed", "Late.") == (agent["status"], agent["lastMessage"])


@both_models
@alone
async def test_a_stop_ends_a_sub_agent_that_outlives_its_turn(team: Team, client: Client) -> None:
    scripts: dict[str, Script] = {
        "agent": (Run("while true; do echo > heart; sleep 0.05; done"),),
        "Begin": (SpawnAgent("You are the agent."), Say.text("I do not wait.")),
    }
    session = await team.start(client, scripts)
    heart = Path(session["cwd"]) / "heart"
    async with client.watch(after=0, sessionId=session["id"]) as stream:
        await stream.until("session.item", type="agentMessage")
    assert await beats(heart, within=30)
    stopped = await client.post(f"/api/sessions/{session['id']}/stop", {"requestedBy": "ada"})
    assert "Stopped by ada." == stopped["session"]["exitReason"]
    with trio.fail_after(30):
        while await beats(heart, within=1):
            pass


@default_model
@alone
async def test_sub_agents_of_sub_agents_ask_and_are_stopped_like_any(
    team: Team, client: Client, tmp_path: Path
) -> None:
    """Only sub-agents of multi-agent v2 may start others."""
    outside = tmp_path / "outside.txt"
    scripts: dict[str, Script] = {
        "grandchild": (
            Run(f"echo made > {outside}", justification="May I?"),
            Run("while true; do echo > heart; sleep 0.05; done"),
        ),
        "child": (SpawnAgent("You are the grandchild.", "deep"), WaitForAgents(600)),
        "Begin": (SpawnAgent("You are the child.", "outer"), WaitForAgents(600)),
    }
    session = await team.start(client, scripts)
    heart = Path(session["cwd"]) / "heart"
    async with client.watch(after=0, sessionId=session["id"]) as stream:
        asked = await stream.until("approval.requested", kind="command")
        assert asked["data"]["details"]["agent"].endswith("/outer/deep")
        await approve(client, asked["approvalId"])
    await until_made(outside)
    outer, deep = await agents_of(client, session)
    assert ("outer", None) == (outer["name"], outer["parentId"])
    assert ("deep", outer["id"]) == (deep["name"], deep["parentId"])
    assert await beats(heart, within=30)
    await client.post(f"/api/sessions/{session['id']}/stop")
    with trio.fail_after(30):
        while await beats(heart, within=1):
            pass
    assert ["interrupted"] * 2 == [one["status"] for one in await agents_of(client, session)]
