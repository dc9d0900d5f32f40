"""A repository that requires worktrees: made for each run, merged back, and tidied up."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.codex.script import Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client

COMMIT = "echo agent > agent.txt; git add agent.txt && git commit -q -m 'By the agent'"


def git(folder: Path, *arguments: str) -> str:
    """Return what a git of the test's own says."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


async def removed(client: Client, path: str) -> Any:
    """The event that tells of a worktree's removal."""
    async with client.watch(after=0, type="worktree.removed") as stream:
        return await stream.until("worktree.removed", path=path)


async def test_a_worktree_is_made_for_a_run_and_tidied_up_when_the_run_left_nothing_in_it(
    stub_client: Client, repository: Path
) -> None:
    registered = await stub_client.register(repository, requireWorktree=True)
    session = await stub_client.run(registered, "Say something.")
    ended = await stub_client.until_session(session, "completed")
    place = ended["worktreePath"]
    assert place == ended["cwd"] != str(repository)
    assert f"cc/task-{ended['taskId']}-session-{ended['id']}" == ended["branchName"]
    event = await removed(stub_client, place)
    assert "system" == event["actor"]
    assert not Path(place).exists()
    assert ended["branchName"] in git(repository, "branch", "--list", "cc/*")


async def test_a_worktree_that_a_person_asked_for_stays(
    stub_client: Client, repository: Path
) -> None:
    registered = await stub_client.register(repository, requireWorktree=True)
    made = await stub_client.post(
        f"/api/repos/{registered['id']}/worktrees", {"branchName": "mine"}, status=201
    )
    session = await stub_client.run(registered, "Work there.", worktreePath=made["path"])
    await stub_client.until_session(session, "completed")
    other = await stub_client.run(registered, "Work elsewhere.")
    ended = await stub_client.until_session(other, "completed")
    await removed(stub_client, ended["worktreePath"])
    assert Path(made["path"]).is_dir()


async def test_the_work_of_a_run_is_seen_kept_while_it_is_needed_and_merged_back(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    git(repository, "config", "user.name", "Ada")
    git(repository, "config", "user.email", "ada@example.org")
    gate = Gate()
    scripted_model.script = (Run(COMMIT), Say.text("Committed", gate, "."))
    registered = await codex_client.register(repository, requireWorktree=True, allowCommit=True)
    worktrees = f"/api/repos/{registered['id']}/worktrees"
    session = await codex_client.run(registered, "Add a file.")
    gate.wait_until_reached()
    running = await codex_client.session(session)
    place = running["worktreePath"]
    for force in ("false", "true"):
        busy = await codex_client.http.delete(worktrees, params={"path": place, "force": force})
        assert 409 == busy.status_code
        assert session["id"] == busy.json()["error"]["facts"]["sessionId"]
    gate.open()
    await codex_client.until_session(session, "completed")
    shown = await codex_client.http.get(f"{worktrees}/diff", params={"path": place})
    assert "+agent" in codex_client.expect(200, shown)["patch"]
    assert not (repository / "agent.txt").exists()
    await codex_client.post(f"{worktrees}/merge", {"path": place})
    assert "agent\n" == (repository / "agent.txt").read_text()
    # What is merged now goes with the next run that ends, or the next start.
    scripted_model.script = (Say.text("Nothing to do."),)
    await codex_client.until_session(await codex_client.run(registered, "Look."), "completed")
    await removed(codex_client, place)


@pytest.mark.parametrize("left", ["echo agent > agent.txt", COMMIT], ids=["changes", "commits"])
async def test_what_a_run_left_in_its_worktree_is_never_tidied_up(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path, left: str
) -> None:
    git(repository, "config", "user.name", "Ada")
    git(repository, "config", "user.email", "ada@example.org")
    scripted_model.script = (Run(left), Say.text("Done."))
    registered = await codex_client.register(repository, requireWorktree=True, allowCommit=True)
    session = await codex_client.run(registered, "Leave it.")
    ended = await codex_client.until_session(session, "completed")
    scripted_model.script = (Say.text("Nothing to do."),)
    other = await codex_client.run(registered, "Look.")
    clean = await codex_client.until_session(other, "completed")
    await removed(codex_client, clean["worktreePath"])
    assert "agent\n" == (Path(ended["worktreePath"]) / "agent.txt").read_text()


async def test_worktrees_are_turned_by_limit_and_cursor_as_all_lists_are(
    stub_client: Client, repository: Path
) -> None:
    path = f"/api/repos/{(await stub_client.register(repository))['id']}/worktrees"
    made = await stub_client.post(path, {"branchName": "cc/one"}, status=201)
    first = await stub_client.get(path, limit=1)
    second = await stub_client.get(path, limit=1, cursor=first["nextCursor"])
    shown = [each["path"] for page in (first, second) for each in page["items"]]
    assert [str(repository), made["path"]] == shown
    assert second["nextCursor"] is None
