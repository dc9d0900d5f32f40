"""An automation that goes on in one thread, with the real Codex."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.actors.git.repository import plain_git
from tests.codex.script import Gate, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client
from tests.end_to_end.test_threads import said_in, turns_of


async def test_an_automation_goes_on_in_its_thread_for_as_long_as_there_is_one(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    client = codex_client
    place = await client.register(repository, allowWrite=True)
    made = await client.post(
        "/api/automations",
        {
            "repositoryId": place["id"],
            "title": "Heartbeat",
            "scheduleExpr": "never",
            "thread": "same",
            "payload": {"prompt": "Go on.", "runInput": {"workplace": "worktree"}},
        },
        status=201,
    )
    path = f"/api/automations/{made['id']}"

    async def beat() -> Any:
        begun = await client.post(f"{path}/run", {}, status=201)
        return await client.until_session(begun["session"], "completed")

    first, second = await beat(), await beat()
    thread_id = first["codexThreadId"]
    assert (thread_id, first["id"]) == (second["codexThreadId"], second["previousSessionId"])
    assert first["taskId"] != second["taskId"]
    assert (first["worktreePath"], first["branchName"]) == (
        second["worktreePath"],
        second["branchName"],
    )
    assert [["Go on."], ["Go on."]] == [said_in(turn) for turn in await turns_of(client, thread_id)]

    gate = Gate()
    scripted_model.script = (Say.text("Here ", gate, "I am."),)
    asked = await client.post(
        f"/api/codex/threads/{thread_id}/prompt",
        {"repositoryId": place["id"], "prompt": "Are you there?"},
        status=201,
    )
    refused = await client.post(f"{path}/run", {}, status=409)
    assert asked["session"]["id"] == refused["error"]["facts"]["sessionId"]
    gate.open()
    await client.until_session(asked["session"], "completed")

    await client.patch(f"/api/codex/threads/{thread_id}", {"archived": True})
    third = await beat()
    assert thread_id != third["codexThreadId"]
    await client.http.delete(f"/api/codex/threads/{third['codexThreadId']}")
    fourth = await beat()
    assert third["codexThreadId"] != fourth["codexThreadId"]

    plain_git(repository, "worktree", "remove", "--force", fourth["worktreePath"])
    plain_git(repository, "branch", "--delete", "--force", fourth["branchName"])
    fifth = await beat()
    assert fourth["codexThreadId"] != fifth["codexThreadId"]
    assert fourth["worktreePath"] != fifth["worktreePath"]
    assert ["completed"] * 5 == [
        run["outcome"] for run in (await client.get(f"{path}/runs"))["items"]
    ]
