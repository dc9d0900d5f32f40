"""Commands that are always allowed are answered by a rule of ours, and by nothing of Codex."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of

TOKEN = "the-token-of-the-server"


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder that no sandbox may write to, as temporary folders are."""
    with tempfile.TemporaryDirectory(prefix=".command-center-test-", dir=Path.home()) as folder:
        yield Path(folder)


@pytest.fixture
def server(tmp_path: Path, codex_binary: Path, codex_home: Path) -> Iterator[Server]:
    """A server with the real Codex, and with a token, so that devices have scopes."""
    settings = {
        "CC_CODEX_COMMAND": str(codex_binary),
        "CODEX_HOME": str(codex_home),
        "CC_API_TOKEN": TOKEN,
    }
    server = Server(tmp_path / "data", settings).start()
    yield server
    server.stop()


@attrs.frozen
class Asking:
    """Runs in a repository that ask, and their decisions."""

    client: Client
    model: ScriptedModel
    repository: Any

    async def ask(self, *commands: str, **run: object) -> Any:
        """Run these commands, and return the approval of the one that is asked about."""
        steps = [Run(one, justification="May I?") for one in commands]
        self.model.script = (*steps, Say.text("Done."))
        session = await self.client.run(self.repository, "Go on.", **run)
        await self.client.until_session(session, "waiting_approval")
        (approval,) = (await self.client.get("/api/approvals", status="pending"))["items"]
        return approval

    async def decide(self, approval: Any, status: str, **more: object) -> None:
        """Decide, and wait for the end of the run."""
        body = {"status": status, "resolvedBy": "ada", **more}
        await self.client.post(f"/api/approvals/{approval['id']}/resolve", body)
        await self.client.until_session({"id": approval["sessionId"]}, "completed")

    async def rules(self) -> Any:
        """Return the rules of the repository."""
        return (await self.client.get(f"/api/repos/{self.repository['id']}/rules"))["items"]


async def test_what_is_always_allowed_is_not_asked_again_until_it_is_taken_back(
    server: Server, codex_home: Path, scripted_model: ScriptedModel, repository: Path, outside: Path
) -> None:
    words = ["touch", str(outside / "a")]
    command = shlex.join(words)
    async with client_of(server, token=TOKEN) as client:
        runs = Asking(client, scripted_model, await client.register(repository, allowWrite=True))
        body = {"name": "Phone", "scopes": ["read", "approve"]}
        device = await client.post("/api/devices", body, status=201)

        approval = await runs.ask(command)
        offer = approval["details"]["alwaysAllow"]
        assert (words, "") == (offer["words"], offer["folder"])
        resolve, rule = f"/api/approvals/{approval['id']}/resolve", {"words": words}
        async with client_of(server, token=device["token"]) as phone:
            refused = await phone.http.post(resolve, json={"status": "approved", "rule": rule})
            assert 403 == refused.status_code
        unwanted = await client.http.post(resolve, json={"status": "rejected", "rule": rule})
        assert 409 == unwanted.status_code, unwanted.text
        for wrong in ({"words": ["touch"]}, {"words": ["rm"]}, {"host": "example.org"}):
            answer = await client.http.post(resolve, json={"status": "approved", "rule": wrong})
            assert 409 == answer.status_code, answer.text
        assert [] == await runs.rules()
        await runs.decide(approval, "approved", rule=rule)
        (made,) = await runs.rules()
        assert (words, True, "ada") == (made["words"], made["isExact"], made["requestedBy"])
        assert not (codex_home / "rules").exists()
        tag = (await client.http.get(f"/api/rules/{made['id']}")).headers["ETag"]

        (outside / "a").unlink()
        approval = await runs.ask(command, f"{command}; touch {outside / 'b'}")
        assert (outside / "a").exists()
        assert "alwaysAllow" not in approval["details"]
        await runs.decide(approval, "rejected")
        assert not (outside / "b").exists()
        (told,) = (await client.get("/api/events", type="approval.allowed"))["items"]
        assert approval["sessionId"] == told["sessionId"]
        assert (made["id"], command) == (told["data"]["ruleId"], told["data"]["rule"])
        settled = await client.get(f"/api/approvals/{told['approvalId']}")
        assert ("approved", "once", f"rule:{made['id']}") == (
            *(settled["status"], settled["scope"], settled["resolvedBy"]),
        )
        assert settled["deliveredAt"] is not None
        used = await client.http.get(f"/api/rules/{made['id']}", headers={"If-Match": tag})
        assert (200, 1) == (used.status_code, used.json()["uses"])

        await runs.decide(await runs.ask(command, sandbox="read-only"), "rejected")
        async with client_of(server, token=device["token"]) as phone:
            gone = await phone.http.delete(f"/api/rules/{made['id']}", headers={"If-Match": tag})
            assert 200 == gone.status_code, gone.text
        assert [] == await runs.rules()
        await runs.decide(await runs.ask(command), "rejected")
