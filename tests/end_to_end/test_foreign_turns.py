"""Turns that Codex begins in threads of ours without a session, over a shared app-server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from command_center.actors.codex.settings import Transport
from command_center.actors.ledger.repositories import delete_repository
from tests.actors.git.repository import plain_git
from tests.codex.bridging import Bridged, open_bridge
from tests.codex.script import (
    CallTool,
    Gate,
    Hold,
    Run,
    Say,
    Script,
    SpawnAgent,
    WaitForAgents,
)
from tests.codex.scripted_model import OLD_MODEL, ScriptedModel
from tests.end_to_end.server import Client, client_of
from tests.end_to_end.test_transports import Reached, approve, beats, reached_by


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


WORKPLACES = pytest.mark.parametrize("workplace", ["main_checkout", "worktree"])


@attrs.frozen
class Beside:
    """A thread that a session has worked in, and another client of its app-server."""

    client: Client
    other: Bridged
    repository: Any
    first: Any

    @property
    def place(self) -> Path:
        """Return where the thread works."""
        return Path(self.first["cwd"])

    @property
    def thread_id(self) -> str:
        return str(self.first["codexThreadId"])

    async def say(self, text: str) -> str:
        """Say it in the thread, past Command Center; the turn's id."""
        await self.other.call("thread/resume", {"threadId": self.thread_id, "excludeTurns": True})
        return await self.other.prompt(self.thread_id, text)

    async def status(self) -> str:
        """Return whether the thread is active or idle, as Codex has it."""
        answer = await self.other.call("thread/read", {"threadId": self.thread_id})
        return str(answer["thread"]["status"]["type"])

    async def until_idle(self) -> None:
        """Wait until no turn runs in the thread."""
        with trio.fail_after(20):
            while await self.status() != "idle":  # noqa: ASYNC110 - it is asked
                await trio.sleep(0.02)


@asynccontextmanager
async def beside(
    reached: Reached,
    repository: Path,
    *,
    begun_elsewhere: bool = False,
    workplace: str = "main_checkout",
) -> AsyncIterator[Beside]:
    """A first session has ended in a thread; another client is there, which may have begun it.

    In a worktree it has changed nothing, so that its worktree is gone.

    Codex's goals are on in a thread that was begun elsewhere.
    """
    assert reached.shared is not None
    async with client_of(reached.server) as client, open_bridge(reached.shared.settings) as other:
        registered = await client.register(repository, workplace=workplace)
        if begun_elsewhere:
            thread_id = await other.begin(repository)
            await other.prompt(thread_id, "I begin.")
            await other.until_told("turn/completed")
            prompt = {"repositoryId": registered["id"], "prompt": "First."}
            path = f"/api/codex/threads/{thread_id}/prompt"
            session = (await client.post(path, prompt, status=201))["session"]
        else:
            session = await client.run(registered, "First.")
        first = await client.until_session(session, "completed")
        if workplace == "worktree":
            async with client.watch(after=0) as stream:
                await stream.until("worktree.removed")
        yield Beside(client, other, registered, first)


@WORKPLACES
async def test_what_another_client_begins_in_a_thread_of_ours_is_a_session(
    reached: Reached, model: ScriptedModel, repository: Path, tmp_path: Path, workplace: str
) -> None:
    outside = tmp_path / "outside.txt"
    async with beside(reached, repository, workplace=workplace) as at:
        model.script = (Run(f"echo made > {outside}", justification="May I?"), Say.text("Made."))
        async with at.client.watch(after=0) as stream:
            turn_id = await at.say("Go on here.")
            adopted = await stream.until("session.turn.adopted")
            told = {"threadId": at.thread_id, "turnId": turn_id, "cause": "message"}
            assert told == adopted["data"]
            assert at.first["id"] != adopted["sessionId"]
            asked = await stream.until("approval.requested", kind="command")
            assert adopted["sessionId"] == asked["sessionId"]
            await approve(at.client, asked["approvalId"])
            session = await at.client.until_session({"id": adopted["sessionId"]}, "completed")
        assert "made\n" == outside.read_text()
        assert (str(at.place), workplace) == (session["cwd"], session["workplace"])
        assert ("codex", "Go on here.", "Made.") == (
            session["origin"],
            session["prompt"],
            session["lastMessage"],
        )
        assert f"app-server:{at.thread_id}:{turn_id}" == session["codexRef"]
        assert at.first["taskId"] == session["taskId"]


@WORKPLACES
async def test_it_is_stopped_as_any_session(
    reached: Reached, model: ScriptedModel, repository: Path, workplace: str
) -> None:
    async with beside(reached, repository, workplace=workplace) as at:
        heart = at.place / "heart"
        gate = Gate()
        beating = Run("while true; do echo beat > heart; sleep 0.05; done")
        model.script = (Hold(gate, beating),)
        async with at.client.watch(after=0) as stream:
            await at.say("Go on here.")
            adopted = await stream.until("session.turn.adopted")
            gate.open()
            assert await beats(heart, within=20)
            stopped = await at.client.post(f"/api/sessions/{adopted['sessionId']}/stop")
            assert "stopped" == stopped["session"]["status"]
        await at.until_idle()
        with trio.fail_after(30):
            while await beats(heart, within=1):
                pass


async def test_it_is_found_when_the_server_was_killed_meanwhile(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    """Its command runs: Codex's sandbox then holds an empty `.codex` folder in the repository."""
    gate, heart = Gate(), repository / "heart"
    beating = Run("for i in $(seq 1200); do echo beat > heart; sleep 0.05; done")
    async with beside(reached, repository) as at:
        reached.server.kill()
        model.script = (beating, Hold(gate, Say.text("I went on.")))
        turn_id = await at.say("Go on here.")
        assert await beats(heart, within=20)
        reached.server.start()
        async with client_of(reached.server) as client, client.watch(after=0) as stream:
            adopted = await stream.until("session.turn.adopted", turnId=turn_id)
            reached.server.kill()
        reached.server.start()
        async with client_of(reached.server) as client:
            gate.open()
            session = await client.until_session({"id": adopted["sessionId"]}, "completed")
            assert "I went on." == session["lastMessage"]
            listed = await client.get("/api/sessions", taskId=session["taskId"])
            assert 2 == len(listed["items"])


async def test_a_restart_deletes_no_worktree_in_which_a_turn_runs(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    async with beside(reached, repository, workplace="worktree") as at:
        reached.server.kill()
        place, branch = str(at.place), at.first["branchName"]
        plain_git(repository, "worktree", "add", "--quiet", place, branch)
        gate = Gate()
        look = f'[ "$(pwd -P)" = "{at.place.resolve()}" ]'
        model.script = (Hold(gate, Run(look)), Say.text("I went on."))
        turn_id = await at.say("Go on here.")
        reached.server.start()
        async with client_of(reached.server) as client, client.watch(after=0) as stream:
            adopted = await stream.until("session.turn.adopted", turnId=turn_id)
            gate.open()
            ran = await stream.until("session.item", type="commandExecution")
            assert 0 == ran["data"]["item"]["exitCode"]
            ended = await client.until_session({"id": adopted["sessionId"]}, "completed")
            assert (place, branch) == (ended["cwd"], ended["branchName"])
            # Nobody needs it now.
            await stream.until("worktree.removed", path=place)


async def test_what_the_repository_does_not_allow_any_more_is_interrupted_and_told(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    heart = repository / "heart"
    async with beside(reached, repository) as at:
        await at.client.patch(f"/api/repos/{at.repository['id']}", {"allowWrite": False})
        model.script = (Run("while true; do echo beat > heart; sleep 0.05; done"),)
        async with at.client.watch(after=0) as stream:
            turn_id = await at.say("Go on here.")
            refused = await stream.until("session.turn.refused")
        assert at.first["id"] == refused["sessionId"]
        assert turn_id == refused["data"]["turnId"]
        assert "does not allow writing" in refused["data"]["reason"]
        await at.until_idle()
        with trio.fail_after(30):
            while await beats(heart, within=1):
                pass
        listed = await at.client.get("/api/sessions", taskId=at.first["taskId"])
        assert [at.first["id"]] == [session["id"] for session in listed["items"]]


async def test_it_is_interrupted_where_its_task_is_cancelled(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    async with beside(reached, repository) as at:
        await at.client.patch(f"/api/tasks/{at.first['taskId']}", {"status": "cancelled"})
        gate = Gate()
        model.script = (Hold(gate, Say.text("I went on.")),)
        async with at.client.watch(after=0) as stream:
            await at.say("Go on here.")
            refused = await stream.until("session.turn.refused")
        assert f"Task {at.first['taskId']} is cancelled." == refused["data"]["reason"]
        await at.until_idle()
        gate.open()


async def test_it_is_interrupted_where_its_thread_may_obey_files_that_nobody_trusted(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    async with beside(reached, repository) as at:
        (repository / ".codex").mkdir()
        (repository / ".codex/config.toml").write_text('approvals_reviewer = "auto_review"\n')
        gate = Gate()
        model.script = (Hold(gate, Say.text("I went on.")),)
        async with at.client.watch(after=0) as stream:
            await at.say("Go on here.")
            refused = await stream.until("session.turn.refused")
        assert str(repository / ".codex") in refused["data"]["reason"]
        await at.until_idle()
        gate.open()


async def test_a_prompt_beside_it_is_409_and_names_its_session(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    async with beside(reached, repository) as at:
        model.script = (Hold(gate, Say.text("Theirs.")),)
        async with at.client.watch(after=0) as stream:
            await at.say("Go on here.")
            adopted = await stream.until("session.turn.adopted")
        answer = await at.client.http.post(
            f"/api/codex/threads/{at.thread_id}/prompt",
            json={"repositoryId": at.repository["id"], "prompt": "And now?"},
        )
        assert 409 == answer.status_code
        assert adopted["sessionId"] == answer.json()["error"]["facts"]["sessionId"]
        gate.open()
        await at.client.until_session({"id": adopted["sessionId"]}, "completed")


async def test_a_goal_goes_no_further_once_its_repository_is_deleted(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    async with beside(reached, repository, begun_elsewhere=True) as at:
        repository_id = at.repository["id"]
        reached.server.stop()
        model.script = (Hold(gate, Say.text("A turn for the goal.")),)
        await at.other.call("thread/goal/set", {"threadId": at.thread_id, "objective": "Files"})
        gate.wait_until_reached()
        reached.server.write(lambda tx: delete_repository(tx, repository_id, "ada"))
        async with client_of(reached.server) as client, client.watch(after=0) as stream:
            refused = await stream.until("session.turn.refused")
            assert repository_id == refused["repositoryId"]
            assert f"Repository {repository_id} was deleted." == refused["data"]["reason"]
        await at.until_idle()
        answer = await at.other.call("thread/goal/get", {"threadId": at.thread_id})
        assert "paused" == answer["goal"]["status"]
        gate.open()


async def test_a_goal_that_another_client_sets_is_one_session_with_many_turns(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    async with beside(reached, repository, begun_elsewhere=True) as at:
        one, two = Gate(), Gate()
        done = (CallTool("update_goal", {"status": "complete"}), Hold(two, Say.text("Done.")))
        turns = [(Hold(one, Say.text("One.")),), done]
        model.choose = lambda _prompt: turns.pop(0)
        async with at.client.watch(after=0) as stream:
            wish = {"threadId": at.thread_id, "objective": "Two files"}
            await at.other.call("thread/goal/set", wish)
            adopted = await stream.until("session.turn.adopted", cause="goal")
            one.open()
            began = await stream.until("session.turn.started", number=2)
            assert adopted["sessionId"] == began["sessionId"]
            two.open()
            session = await at.client.until_session({"id": adopted["sessionId"]}, "completed")
        assert ("Two files", "Its goal is reached.", "Done.") == (
            session["prompt"],
            session["exitReason"],
            session["lastMessage"],
        )
        listed = await at.client.get("/api/sessions", taskId=session["taskId"])
        assert 2 == len(listed["items"])


@pytest.mark.parametrize(
    "settings",
    [
        {"sandboxPolicy": {"type": "dangerFullAccess"}, "approvalPolicy": "never"},
        {"approvalsReviewer": "auto_review"},
    ],
    ids=["without a sandbox", "without a person"],
)
async def test_a_goal_goes_no_further_once_another_client_lets_its_thread_do_more(
    reached: Reached, model: ScriptedModel, repository: Path, settings: dict[str, Any]
) -> None:
    gate = Gate()

    def choose(prompt: str) -> Script:
        if 'source="goal"' in prompt:
            return (Run("echo > escaped", justification="May I?"), Say.text("I went on."))
        return (Hold(gate, Say.text("I begin.")),)

    model.choose = choose
    assert reached.shared is not None
    async with client_of(reached.server) as client, open_bridge(reached.shared.settings) as other:
        registered = await client.register(repository)
        session = await client.run(registered, "Begin.", goal={})
        gate.wait_until_reached()
        thread_id = (await client.until_session(session, "running"))["codexThreadId"]
        await other.call("thread/settings/update", {"threadId": thread_id, **settings})
        ended = await client.until_session(session, "interrupted")
        assert "Another client of Codex" in ended["exitReason"]
        await until_interrupted(other, thread_id)
        goal = (await other.call("thread/goal/get", {"threadId": thread_id}))["goal"]
        assert "paused" == goal["status"]
        gate.open()
    assert not (repository / "escaped").exists()


async def until_interrupted(other: Bridged, thread_id: str) -> None:
    """Wait until the thread's newest turn was interrupted, and none runs."""
    with trio.fail_after(20):
        while True:
            (turn,) = (await other.call("thread/turns/list", {"threadId": thread_id, "limit": 1}))[
                "data"
            ]
            thread = (await other.call("thread/read", {"threadId": thread_id}))["thread"]
            if ("interrupted", "idle") == (turn["status"], thread["status"]["type"]):
                return
            await trio.sleep(0.02)


async def test_what_another_client_begins_in_a_sub_agent_s_thread_is_interrupted_and_told(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    """Codex itself refuses it in the threads of the newer sub-agents, not of the older ones."""
    gate = Gate()

    def choose(prompt: str) -> Script:
        if "Begin" in prompt:
            return (SpawnAgent("You are the agent."), WaitForAgents(), Say.text("Done."))
        return (Say.text("-"),) if "agent" in prompt else (Hold(gate, Run("echo > escaped")),)

    model.choose = choose
    assert reached.shared is not None
    async with client_of(reached.server) as client, open_bridge(reached.shared.settings) as other:
        registered = await client.register(repository)
        session = await client.run(registered, "Begin.", model=OLD_MODEL)
        async with client.watch(after=0, sessionId=session["id"]) as stream:
            thread_id = (await stream.until("session.agent.started"))["data"]["threadId"]
            await stream.until("session.completed")
            await other.call("thread/resume", {"threadId": thread_id, "excludeTurns": True})
            turn_id = await other.prompt(thread_id, "Go on here.")
            told = (await stream.until("session.turn.refused"))["data"]
            assert (thread_id, turn_id) == (told["threadId"], told["turnId"])
            assert f"session {session['id']}, for which that worked, has ended" in told["reason"]
        await until_interrupted(other, thread_id)
        gate.open()
        assert not (repository / "escaped").exists()
        assert 1 == len((await client.get("/api/sessions"))["items"])
