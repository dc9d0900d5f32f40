"""Threads whose worktree is gone, as that of a run is that changed nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_center.actors.codex.settings import Transport
from tests.actors.git.repository import commit, plain_git
from tests.codex.app_servers import SharedAppServer
from tests.codex.bridging import open_bridge
from tests.codex.fixtures import both_models
from tests.codex.script import AddFile, Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, client_of
from tests.end_to_end.test_transports import Reached, reached_by


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def reached(tmp_path: Path, codex_binary: Path, model: ScriptedModel) -> Iterator[Reached]:
    with reached_by(Transport.PROXY, tmp_path, codex_binary, model) as reached:
        yield reached


async def ended_without_worktree(client: Client, repository: Any) -> Any:
    """A session that has changed nothing, and whose worktree is gone for that reason."""
    async with client.watch() as stream:
        session = await client.run(repository, "Look.", workplace="worktree")
        removed = await stream.until("worktree.removed")
    ended = await client.until_session(session, "completed")
    assert (ended["cwd"], False) == (removed["data"]["path"], Path(ended["cwd"]).exists())
    return ended


@both_models
async def test_a_thread_is_gone_on_with_where_it_was(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    commit(repository, {".gitignore": ".env\n", ".worktreeinclude": ".env\n"})
    (repository / ".env").write_text("secret", encoding="utf-8")
    registered = await codex_client.register(repository, workplace="worktree")
    scripted_model.script = (Say.text("Seen."),)
    first = await codex_client.run(registered, "Look.")
    asked = await codex_client.until_session(first, "blocked")
    (approval,) = (await codex_client.get("/api/approvals", sessionId=asked["id"]))["items"]
    async with codex_client.watch() as stream:
        path = f"/api/approvals/{approval['id']}/resolve"
        await codex_client.post(path, {"status": "approved"})
        await stream.until("worktree.removed")
    first = await codex_client.session(first)
    place = Path(first["cwd"])
    assert ("completed", False) == (first["status"], place.exists())
    thread = f"/api/codex/threads/{first['codexThreadId']}/prompt"

    for cwd in (None, str(place)):  # as a script prompts it, and as the page does
        look = f'[ "$(pwd -P)" = "{place.resolve()}" ] && [ "$(cat .env)" = secret ]'
        scripted_model.script = (Run(look), Say.text("Seen."))
        prompt = {"repositoryId": registered["id"], "prompt": "And?", "cwd": cwd}
        if cwd is None:
            del prompt["cwd"]
        async with codex_client.watch() as stream:
            begun = (await codex_client.post(thread, prompt, status=201))["session"]
            assert (str(place), first["branchName"]) == (begun["cwd"], begun["branchName"])
            made = await stream.until("worktree.created")
            assert (str(place), [".env"]) == (made["data"]["path"], made["data"]["included"])
            ran = await stream.until("session.item", type="commandExecution")
            assert 0 == ran["data"]["item"]["exitCode"]
            await stream.until("worktree.removed")
        assert "completed" == (await codex_client.session(begun))["status"]

    plain_git(repository, "branch", "--delete", "--force", first["branchName"])
    prompt = {"repositoryId": registered["id"], "prompt": "And now?"}
    refused = await codex_client.http.post(thread, json=prompt)
    assert 409 == refused.status_code
    assert "nor is its branch" in refused.json()["error"]["message"]
    scripted_model.script = (Run("pwd -P"), Say.text("Here."))
    here = {**prompt, "cwd": str(repository)}
    moved = (await codex_client.post(thread, here, status=201))["session"]
    moved = await codex_client.until_session(moved, "completed")
    assert (str(repository), first["codexThreadId"]) == (moved["cwd"], moved["codexThreadId"])


async def test_a_thread_that_another_client_resumes_has_its_worktree_again(
    reached: Reached, model: ScriptedModel, repository: Path
) -> None:
    assert reached.shared is not None
    async with client_of(reached.server) as client, open_bridge(reached.shared.settings) as other:
        registered = await client.register(repository, workplace="worktree")
        first = await ended_without_worktree(client, registered)
        place = Path(first["cwd"])
        gate = Gate()
        model.script = (Run("pwd -P"), Say.text("He", gate, "re."))
        async with client.watch() as stream:
            thread = {"threadId": first["codexThreadId"]}
            await other.call("thread/resume", {**thread, "excludeTurns": True})
            await other.prompt(first["codexThreadId"], "Where are you?")
            made = await stream.until("worktree.created")
            assert str(place) == made["data"]["path"]
            adopted = await stream.until("session.turn.adopted")
        gate.open()
        session = await client.until_session({"id": adopted["sessionId"]}, "completed")
        assert (str(place), first["branchName"]) == (session["cwd"], session["branchName"])
        # It is the other client's now, and stays until somebody cleans it up.
        again = await ended_without_worktree(client, registered)
        assert (again["cwd"] != str(place), True) == (True, place.exists())


async def test_a_thread_that_another_client_only_loads_has_its_worktree_again(
    reached: Reached, codex_binary: Path, repository: Path
) -> None:
    before = reached.shared
    assert before is not None
    async with client_of(reached.server) as client:
        registered = await client.register(repository, workplace="worktree")
        first = await ended_without_worktree(client, registered)
        place = Path(first["cwd"])
        async with client.watch() as stream:
            before.kill()
            with SharedAppServer(codex_binary, before.home, before.transport, before.socket) as now:
                await stream.until("bridge.connected")
                async with open_bridge(now.settings) as other:
                    thread = {"threadId": first["codexThreadId"]}
                    await other.call("thread/resume", {**thread, "excludeTurns": True})
                    made = await stream.until("worktree.created")
        assert (str(place), True) == (made["data"]["path"], place.exists())


async def test_comments_wait_where_nobody_can_be_told_any_more(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    registered = await codex_client.register(repository, workplace="worktree")
    scripted_model.script = (AddFile("new.txt", "new\n"), Say.text("Made."))
    session = await codex_client.run(registered, "Make a file.")
    ended = await codex_client.until_session(session, "completed")
    path = f"/api/sessions/{ended['id']}/comments"
    comment = {"path": "new.txt", "line": 1, "text": "Why?"}
    await codex_client.post(path, comment, status=201)
    plain_git(repository, "worktree", "remove", "--force", ended["cwd"])
    plain_git(repository, "branch", "--delete", "--force", ended["branchName"])

    refused = await codex_client.http.post(f"{path}/send", json={})

    assert (409, True) == (refused.status_code, "nor is its branch" in refused.text)
    (open_still,) = (await codex_client.get(path))["items"]
    assert "open" == open_still["status"]
    plain_git(repository, "branch", ended["branchName"])
    scripted_model.script = (Run("pwd -P"), Say.text("Because."))
    sent = await codex_client.post(f"{path}/send")
    told = await codex_client.until_session(sent["session"], "completed")
    assert (ended["cwd"], ended["codexThreadId"]) == (told["cwd"], told["codexThreadId"])
