"""Runs side by side: in worktrees unless somebody says otherwise, and what one waits for."""

from __future__ import annotations

from pathlib import Path

from tests.codex.fixtures import both_models
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client


@both_models
async def test_a_run_with_a_worktree_waits_for_nobody_in_the_main_checkout(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    body = {"localPath": str(repository), "allowWrite": True}
    registered = await codex_client.post("/api/repos", body, status=201)
    assert "worktree" == registered["workplace"]
    scripted_model.script = (
        Run("touch /asked", justification="May I?"),
        Say.text("Done."),
    )
    here = {"workplace": "main_checkout"}
    first = await codex_client.run(registered, "Write here.", **here)
    await codex_client.until_session(first, "waiting_approval")
    scripted_model.script = (Run("echo new > new.txt"), Say.text("Done."))

    second = await codex_client.run(registered, "Write here, too.", **here)
    apart = await codex_client.run(registered, "Write apart.")
    beside = await codex_client.run(registered, "Write beside.")

    waits = await codex_client.session(second)
    told = f"waits for session {first['id']}, which waits for your decision."
    assert (True, first["id"]) == (told in waits["waitReason"], waits["waitsFor"])
    assert [True, True] == [apart["worktreeReserved"], beside["worktreeReserved"]]
    for session in (apart, beside):
        assert str(repository) != session["cwd"] == session["worktreePath"]
        ended = await codex_client.until_session(session, "completed")
        assert (session["cwd"], False) == (ended["cwd"], ended["worktreeReserved"])
        assert "new\n" == (Path(ended["cwd"]) / "new.txt").read_text()
    assert not (repository / "new.txt").exists()
    assert "queued" == (await codex_client.session(second))["status"]

    (asked,) = (await codex_client.get("/api/approvals", status="pending"))["items"]
    await codex_client.post(f"/api/approvals/{asked['id']}/resolve", {"status": "rejected"})
    ended = await codex_client.until_session(second, "completed")
    assert (str(repository), None) == (ended["cwd"], ended["waitsFor"])
    assert (repository / "new.txt").exists()


async def test_a_repository_and_a_run_name_where_runs_work(
    stub_client: Client, repository: Path
) -> None:
    registered = await stub_client.register(repository)
    in_main = await stub_client.until_session(await stub_client.run(registered, "Here."))
    apart = await stub_client.run(registered, "Apart.", workplace="worktree")
    await stub_client.until_session(apart)
    await stub_client.patch(f"/api/repos/{registered['id']}", {"workplace": "worktree"})
    changed = await stub_client.run(registered, "Apart by itself.")
    reads = await stub_client.run(registered, "Look.", sandbox="read-only")

    assert ("main_checkout", str(repository)) == (in_main["workplace"], in_main["cwd"])
    for session in (apart, changed):
        assert ("worktree", True) == (session["workplace"], session["cwd"] != str(repository))
    assert str(repository) == reads["cwd"]

    await stub_client.patch(f"/api/repos/{registered['id']}", {"requireWorktree": True})
    task = await stub_client.task(registered, "Here again.")
    path = f"/api/tasks/{task['id']}/run"
    denied = await stub_client.http.post(path, json={"workplace": "main_checkout"})
    assert 409 == denied.status_code
    assert "workplace is its main checkout" in denied.json()["error"]["message"]


async def test_a_follow_up_works_where_its_session_did(
    stub_client: Client, repository: Path
) -> None:
    registered = await stub_client.register(repository, workplace="worktree")
    for workplace in ("worktree", "main_checkout"):
        task = await stub_client.task(registered, "First.")
        run = {"workplace": workplace}
        first = await stub_client.post(f"/api/tasks/{task['id']}/sessions", run, status=201)
        said = {"message": "And then?"}
        await stub_client.post(f"/api/sessions/{first['id']}/followups", said, status=201)
        await stub_client.patch(f"/api/sessions/{first['id']}", {"status": "running"})
        async with stub_client.watch(after=0, taskId=task["id"]) as stream:
            await stream.until("session.completed")
            await stream.until("session.completed")
        both = (await stub_client.get(f"/api/tasks/{task['id']}/sessions"))["items"]
        assert [workplace] * 2 == [session["workplace"] for session in both]
        assert 1 == len({session["cwd"] for session in both})
        assert (both[0]["cwd"] == str(repository)) == (workplace == "main_checkout")
