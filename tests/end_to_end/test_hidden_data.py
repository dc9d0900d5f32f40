"""No run reads what this server keeps, with the real Codex; all else that it may, it does still."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from tests.actors.git.repository import plain_git
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server

COMMIT = "git -c user.name=a -c user.email=a@example.org commit -qm"


async def agree(client: Client, session: Any) -> None:
    """Allow the one thing that a session waits for."""
    pending = {"sessionId": session["id"], "status": "pending"}
    (asked,) = (await client.get("/api/approvals", **pending))["items"]
    await client.post(f"/api/approvals/{asked['id']}/resolve", {"status": "approved"})


async def test_no_run_reads_the_data_of_this_server_unless_nothing_holds_it(
    codex_client: Client, codex_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    client, data = codex_client, codex_server.data_dir
    key, database = data / "sign-in.key", data / "command-center.sqlite3"
    secret = base64.b64encode(key.read_bytes()).decode()
    assert database.exists()
    look = f"base64 -w0 {key}; head -c 6 {database}; ls {data / 'uploads'} | wc -l; cat README.md"
    outside = repository.parent.parent / f"{repository.parent.name}-outside"
    place = await client.register(repository, allowNetwork=True, allowCommit=True)

    async def ended(run: Any) -> str:
        """Return what the command of the run said."""
        await client.until_session(run, "completed")
        return scripted_model.requests[-1].tool_outputs[-1]

    scripted_model.script = (
        Run(f"{look}; echo in > inside.txt; git add inside.txt; {COMMIT} In"),
        Run(f"{look}; touch {outside}", justification="May I?"),
        Say.text("Done."),
    )
    first = await client.run(place, "Look.", workplace="worktree", allowCommit=True)
    await client.until_session(first, "waiting_approval")
    held = scripted_model.requests[-1].tool_outputs[-1]
    await agree(client, first)
    for said in (held, await ended(first)):
        assert 2 == said.count("Permission denied"), said
        assert "# A project" in said
        assert secret not in said
        assert "SQLite" not in said
    assert outside.exists()
    outside.unlink()
    folder = Path((await client.session(first))["cwd"])
    assert folder.is_relative_to(data)
    assert "In" == plain_git(folder, "log", "-1", "--format=%s")

    thread = (await client.session(first))["codexThreadId"]
    prompt = {"repositoryId": place["id"], "prompt": "Again.", "sandbox": "read-only"}
    scripted_model.script = (Run(f"{look}; echo more >> inside.txt"), Say.text("Done."))
    again = await client.post(f"/api/codex/threads/{thread}/prompt", prompt, status=201)
    said = await ended(again["session"])
    assert (2, True) == (said.count("Permission denied"), "Read-only file system" in said), said
    assert "in\n" == (folder / "inside.txt").read_text()

    scripted_model.script = (Run(look), Say.text("Done."))
    task = await client.task(place, "Look.")
    wanted = {"sandbox": "danger-full-access"}
    free = (await client.post(f"/api/tasks/{task['id']}/run", wanted, status=202))["session"]
    await agree(client, free)
    said = await ended(free)
    assert (True, True) == (secret in said, "SQLite" in said)
