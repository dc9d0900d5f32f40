"""The reviewer of what Codex asks: a person, unless the repository leaves it to a model."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.codex.fixtures import both_models
from tests.codex.script import Run, Say, Script, SpawnAgent, WaitForAgents
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of

REVIEW = "APPROVAL REQUEST END"
"""The end of Codex's prompt to the model that is to decide."""


@attrs.frozen
class Asking:
    """A model that wants to write outside of the sandbox, and what it is asked to decide."""

    client: Client
    model: ScriptedModel
    repository: Path
    outside: Path

    def choose(self, outcome: str) -> None:
        """Have the model ask, and decide so where it is the one to decide."""
        verdict = {
            "risk_level": "low",
            "user_authorization": "high",
            "outcome": outcome,
            "rationale": f"I say {outcome}.",
        }

        def script_of(prompt: str) -> Script:
            if REVIEW in prompt:
                return (Say.text(json.dumps(verdict)),)
            return (Run(f"touch {self.outside}", justification="May I?"), Say.text("I tried."))

        self.model.choose = script_of

    async def run(self, **flags: object) -> Any:
        """The session."""
        return await self.client.run(await self.client.register(self.repository, **flags), "Try.")

    async def decisions(self) -> list[Any]:
        """Return what models have decided."""
        found = await self.client.get("/api/events", type="session.auto_review")
        return [event["data"] for event in found["items"]]


@pytest.fixture
def outside() -> Iterator[Path]:
    """A place that no sandbox may write to, as temporary folders are."""
    with tempfile.TemporaryDirectory(prefix=".command-center-test-", dir=Path.home()) as folder:
        yield Path(folder) / "written"


@pytest.fixture
async def asking(
    codex_home: Path,
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    outside: Path,
) -> AsyncIterator[Asking]:
    codex_server.stop()
    configuration = codex_home / "config.toml"
    loose = 'approvals_reviewer = "auto_review"\napproval_policy = "never"\n'
    configuration.write_text(loose + configuration.read_text())
    async with client_of(codex_server.start()) as client:
        yield Asking(client, scripted_model, repository, outside)


@both_models
async def test_a_person_decides_where_the_users_own_configuration_leaves_it_to_a_model(
    asking: Asking,
) -> None:
    asking.choose("allow")
    session = await asking.run()
    await asking.client.until_session(session, "waiting_approval")
    assert not asking.outside.exists()
    (approval,) = (await asking.client.get("/api/approvals", status="pending"))["items"]
    path = f"/api/approvals/{approval['id']}/resolve"
    await asking.client.post(path, {"status": "rejected"})
    await asking.client.until_session(session, "completed")
    assert not asking.outside.exists()
    assert [] == await asking.decisions()


@both_models
@pytest.mark.parametrize(("outcome", "decision"), [("allow", "approved"), ("deny", "denied")])
async def test_where_the_repository_leaves_it_to_a_model_each_decision_is_told_with_its_rationale(
    asking: Asking, outcome: str, decision: str
) -> None:
    asking.choose(outcome)
    session = await asking.run(reviewer="auto")
    await asking.client.until_session(session, "completed")
    assert (outcome == "allow") == asking.outside.exists()
    (told,) = await asking.decisions()
    assert (decision, f"I say {outcome}.") == (told["decision"], told["rationale"])
    assert str(asking.outside) in json.dumps(told["action"])
    assert [] == (await asking.client.get("/api/approvals"))["items"]


async def test_what_a_model_decides_of_a_sub_agent_is_told_as_that_one_s(asking: Asking) -> None:
    asking.choose("allow")
    of_agent = asking.model.choose
    assert of_agent is not None

    def choose(prompt: str) -> Script:
        if "agent" in prompt or REVIEW in prompt:
            return of_agent(prompt)
        return (SpawnAgent("You are the agent."), WaitForAgents(), Say.text("Done."))

    asking.model.choose = choose
    session = await asking.run(reviewer="auto")
    await asking.client.until_session(session, "completed")
    assert asking.outside.exists()
    (told,) = await asking.decisions()
    (agent,) = (await asking.client.get(f"/api/sessions/{session['id']}/agents"))["items"]
    assert ("approved", agent["id"]) == (told["decision"], told["agentId"])


async def test_that_a_model_decides_is_said_by_policy(
    stub_client: Client, repository: Path
) -> None:
    registered = await stub_client.register(repository, reviewer="auto", codexConfig="ask")
    task = await stub_client.task(registered, "Try.")
    policy = await stub_client.post(f"/api/tasks/{task['id']}/policy-check", {})
    assert "allow" == policy["decision"]
    codes = {reason["code"] for reason in policy["reasons"]}
    assert {"model_reviews", "codex_config_asks"} <= codes
