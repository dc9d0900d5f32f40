"""A follow-up in a thread that is kept loaded is held to the same as before, by the real Codex."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trio

from tests.codex.fixtures import both_models
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import WAIT_SECONDS, Client


async def bridge_of(client: Client, **wanted: int) -> Any:
    """Return how the connection to Codex describes itself, once it is as wanted."""
    with trio.fail_after(WAIT_SECONDS):
        while True:
            told = (await client.get("/api/runtime/actors/bridges/local"))["description"]
            if wanted.items() <= told.items():
                return told
            await trio.sleep(0.05)


@both_models
async def test_a_follow_up_in_a_kept_thread_is_not_resumed_and_asks_as_before(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("Hello."),)
    first = await codex_client.run(await codex_client.register(repository), "Say hello.")
    first = await codex_client.until_session(first, "completed")
    await bridge_of(codex_client, keptThreads=1, rejoinedThreads=0)
    asks = Run("touch /outside", justification="May I?")
    scripted_model.script = (asks, Say.text("I went on without it."))
    path = f"/api/sessions/{first['id']}/messages"
    said = (await codex_client.post(path, {"message": "Leave the sandbox."}))["session"]
    await codex_client.until_session(said, "waiting_approval")
    await bridge_of(codex_client, keptThreads=0, rejoinedThreads=1)
    (approval,) = (await codex_client.get("/api/approvals", status="pending"))["items"]
    assert "touch /outside" in approval["details"]["command"]
    await codex_client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "rejected"})
    second = await codex_client.until_session(said, "completed")
    fields = ("codexThreadId", "model", "sandbox", "cwd")
    assert [first[name] for name in fields] == [second[name] for name in fields]
    texts = scripted_model.requests[-1].user_texts
    assert ["Say hello.", "Leave the sandbox."] == texts[-2:]
