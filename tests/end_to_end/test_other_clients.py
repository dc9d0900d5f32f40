"""Other clients of a shared app-server that reach into a turn of ours, with the real Codex."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_center.actors.codex.errors import CodexError
from command_center.actors.codex.settings import Transport
from tests.codex.bridging import open_bridge
from tests.codex.script import Gate, Hold, Run, Say, Script
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import client_of
from tests.end_to_end.test_foreign_turns import until_interrupted
from tests.end_to_end.test_left_commands import begin
from tests.end_to_end.test_reviewer import REVIEW
from tests.end_to_end.test_transports import Reached, reached_by


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def reached(tmp_path: Path, codex_binary: Path, model: ScriptedModel) -> Iterator[Reached]:
    with reached_by(Transport.PROXY, tmp_path, codex_binary, model) as reached:
        yield reached


@pytest.fixture
def outside() -> Iterator[Path]:
    """A place that no sandbox may write to, as temporary folders are."""
    with tempfile.TemporaryDirectory(prefix=".command-center-test-", dir=Path.home()) as folder:
        yield Path(folder) / "written"


async def test_a_turn_is_interrupted_in_which_another_client_has_a_model_decide(
    reached: Reached, model: ScriptedModel, repository: Path, outside: Path
) -> None:
    """Codex tells nobody of that setting, but begins to ask the model."""
    begun, verdict = Gate(), Gate()
    let = {"risk_level": "low", "user_authorization": "high", "outcome": "allow", "rationale": "-"}

    def choose(prompt: str) -> Script:
        if REVIEW in prompt:
            return (Hold(verdict, Say.text(json.dumps(let))),)
        asking = Run(f"touch {outside}", justification="May I?")
        return (Hold(begun, Run("echo one")), asking, Say.text("I tried."))

    model.choose = choose
    assert reached.shared is not None
    async with client_of(reached.server) as client, open_bridge(reached.shared.settings) as other:
        session = await client.run(await client.register(repository), "Begin.")
        begun.wait_until_reached()
        running = await client.until_session(session, "running")
        thread_id = running["codexThreadId"]
        wish = {"threadId": thread_id, "turnId": running["codexTurnId"]}
        try:
            await other.call("turn/settings/update", {**wish, "approvalsReviewer": "auto_review"})
        except CodexError as error:
            pytest.skip(f"This Codex has no settings of a turn: {error}")
        begun.open()
        ended = await client.until_session(session, "interrupted")
        assert "A model was to decide in a person's place" in ended["exitReason"]
        await until_interrupted(other, thread_id)
        assert not outside.exists()
        assert [] == (await client.get("/api/approvals"))["items"]


async def test_a_worktree_is_kept_in_which_another_client_has_left_a_command_running(
    reached: Reached, model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    working, gate = Gate(), tmp_path / "gate"

    def choose(prompt: str) -> Script:
        if "Leave one" in prompt:
            return (begin(f"until [ -e {gate} ]; do sleep 0.1; done"), Say.text("It goes on."))
        if "Work" in prompt:
            return (Hold(working, Say.text("I have nothing to do.")),)
        return (Say.text("Nor have I."),)

    model.choose = choose
    assert reached.shared is not None
    async with client_of(reached.server) as client, open_bridge(reached.shared.settings) as other:
        registered = await client.register(repository, workplace="worktree")
        session = await client.run(registered, "Work.")
        working.wait_until_reached()
        place = Path((await client.until_session(session, "running"))["cwd"])
        thread_id = await other.begin(place)
        await other.prompt(thread_id, "Leave one.")
        await other.until_told("turn/completed")
        async with client.watch(after=0) as stream:
            working.open()
            await client.until_session(session, "completed")
            beside = await client.until_session(await client.run(registered, "Look."), "completed")
            await stream.until("worktree.removed", path=beside["cwd"])
            worktrees = f"/api/repos/{registered['id']}/worktrees"
            assert [] == (await client.post(f"{worktrees}/clean"))["items"]
            refused = await client.http.delete(worktrees, params={"path": str(place)})
            assert (409, True) == (refused.status_code, "command" in refused.text)
            assert place.is_dir()
            gate.touch()
            await stream.until("worktree.removed", path=str(place))


async def test_a_command_that_a_person_runs_past_the_sandbox_in_a_turn_is_told_as_that(
    reached: Reached, model: ScriptedModel, repository: Path, outside: Path
) -> None:
    begun = Gate()
    model.script = (Hold(begun, Say.text("I went on.")),)
    assert reached.shared is not None
    async with client_of(reached.server) as client, open_bridge(reached.shared.settings) as other:
        session = await client.run(await client.register(repository), "Begin.")
        begun.wait_until_reached()
        running = await client.until_session(session, "running")
        by_hand = {"threadId": running["codexThreadId"], "command": f"touch {outside}"}
        async with client.watch(after=0, sessionId=session["id"]) as stream:
            await other.call("thread/shellCommand", by_hand)
            told = (await stream.until("session.command.elsewhere"))["data"]
            assert str(outside) in told["command"]
            done = await stream.until("session.item", type="commandExecution")
            assert told["itemId"] == done["data"]["itemId"]
        begun.open()
        await client.until_session(session, "completed")
    assert outside.exists()


async def test_a_command_in_a_folder_that_another_client_has_put_a_turn_in_is_told(
    reached: Reached, model: ScriptedModel, repository: Path, outside: Path
) -> None:
    """Codex 0.169 tells nobody that the turn may write there from now on."""
    begun = Gate()
    model.script = (Hold(begun, Run("echo one")), Run("echo > written"), Say.text("I wrote."))
    assert reached.shared is not None
    async with client_of(reached.server) as client, open_bridge(reached.shared.settings) as other:
        session = await client.run(await client.register(repository), "Begin.")
        begun.wait_until_reached()
        running = await client.until_session(session, "running")
        there = {"environmentId": "local", "cwd": str(outside.parent)}
        wish = {"threadId": running["codexThreadId"], "turnId": running["codexTurnId"]}
        is_moved = True
        try:
            await other.call("turn/settings/update", {**wish, "environments": [there]})
        except CodexError:  # a version before 0.169 lets nobody do that
            is_moved = False
        begun.open()
        await client.until_session(session, "completed")
        told = (await client.get("/api/events", type="session.command.outside"))["items"]
        assert (is_moved, is_moved) == (bool(told), outside.exists())
        for event in told:
            assert str(outside.parent) == event["data"]["cwd"]
            assert "echo > written" in event["data"]["command"]
