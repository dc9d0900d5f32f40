"""Codex's own threads over HTTP: read, named, forked, taken back, archived, compacted, deleted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import httpx

from tests.codex.script import AddFile, Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of


async def turns_of(client: Client, thread_id: str) -> list[Any]:
    """Return the turns of a thread, the oldest first."""
    page = await client.get(f"/api/codex/threads/{thread_id}/turns")
    return [*reversed(page["items"])]


def said_in(turn: Any) -> list[str]:
    """Return what a person has said in a turn."""
    said = [item["content"] for item in turn["items"] if item["type"] == "userMessage"]
    return [part["text"] for content in said for part in content]


async def prompted(client: Client, place: Any, thread_id: str, prompt: str) -> Any:
    """Return the ended session of a prompt to a thread."""
    path = f"/api/codex/threads/{thread_id}/prompt"
    body = {"repositoryId": place["id"], "prompt": prompt}
    outcome = await client.post(path, body, status=201)
    return await client.until_session(outcome["session"], "completed")


async def listed(client: Client, **query: Any) -> list[str]:
    """Return the ids of the threads that Codex has stored."""
    found = await client.get("/api/codex/threads", **query)
    return [thread["id"] for thread in found["items"]]


async def told_of(client: Client, kind: str) -> list[Any]:
    """Return the events of a kind."""
    found: list[Any] = (await client.get("/api/events", type=kind))["items"]
    return found


def exec_elsewhere(server: Server, cwd: Path, *arguments: str) -> None:
    """Have a turn of `codex exec`, past the server, whose own Codex has its home by then.

    Of two that set up a new home at once one goes without the home's database, and its thread's
    turns are in no list.
    """
    threads = f"{server.url}/api/codex/threads"
    httpx.get(threads, params={"limit": 1}, timeout=30, trust_env=False).raise_for_status()
    subprocess.run(
        [server.settings["CC_CODEX_COMMAND"], "exec", "--skip-git-repo-check", *arguments],
        cwd=cwd,
        env={**os.environ, "CODEX_HOME": server.settings["CODEX_HOME"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=60,
    )


async def test_a_thread_is_forked_taken_back_archived_and_deleted(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    client = codex_client
    place = await client.register(repository)
    first = await client.until_session(await client.run(place, "First."), "completed")
    thread_id = first["codexThreadId"]
    path = f"/api/codex/threads/{thread_id}"
    second = await prompted(client, place, thread_id, "Second.")
    turns = await turns_of(client, thread_id)
    assert [["First."], ["Second."]] == [said_in(turn) for turn in turns]
    (bare,) = (await client.get(f"{path}/turns", items=False, limit=1))["items"]
    assert (turns[1]["id"], []) == (bare["id"], bare["items"])

    named = await client.patch(path, {"name": "The greeting", "requestedBy": "ada"})
    assert "The greeting" == named["thread"]["name"]
    (told,) = await told_of(client, "thread.renamed")
    assert ("ada", second["id"]) == (told["actor"], told["sessionId"])

    made = await client.post(f"{path}/fork", {"lastTurnId": turns[0]["id"]}, status=201)
    fork_id = made["thread"]["id"]
    assert [["First."]] == [said_in(turn) for turn in await turns_of(client, fork_id)]
    third = await prompted(client, place, fork_id, "Third.")
    asked = scripted_model.requests[-1].user_texts
    assert ("First." in asked, "Second." in asked, "Third." in asked) == (True, False, True)
    assert (fork_id, first["cwd"]) == (third["codexThreadId"], third["cwd"])
    assert 2 == len(await turns_of(client, thread_id))
    (told,) = await told_of(client, "thread.forked")
    assert {"forkId": fork_id, "lastTurnId": turns[0]["id"]}.items() <= told["data"].items()

    body = {"beforeTurnId": turns[1]["id"]}
    await client.post(f"{path}/revert", body)
    assert [["First."]] == [said_in(turn) for turn in await turns_of(client, thread_id)]
    assert 404 == (await client.http.post(f"{path}/revert", json=body)).status_code
    await prompted(client, place, thread_id, "Instead.")
    asked = scripted_model.requests[-1].user_texts
    assert ("First." in asked, "Second." in asked) == (True, False)

    await client.patch(path, {"archived": True})
    assert thread_id not in await listed(client)
    assert [thread_id] == await listed(client, archived=True)
    prompt = {"repositoryId": place["id"], "prompt": "Are you there?"}
    refused = await client.http.post(f"{path}/prompt", json=prompt)
    assert 409 == refused.status_code, refused.text
    assert "archived" in refused.text
    back = await client.patch(path, {"archived": False})
    assert "The greeting" == back["thread"]["name"]

    forked = await client.http.delete(path)
    assert 409 == forked.status_code, forked.text
    assert "has forks" in forked.text
    for deleted_id in (fork_id, thread_id):
        deleted = await client.http.delete(f"/api/codex/threads/{deleted_id}")
        assert 200 == deleted.status_code, deleted.text
    for answer in (await client.http.get(path), await client.http.delete(path)):
        assert 404 == answer.status_code, answer.text
    assert (await client.get(f"/api/sessions/{first['id']}/items"))["items"]
    told = (await client.get("/api/events", limit=500))["items"]
    assert [
        "thread.renamed",
        "thread.forked",
        "thread.reverted",
        "thread.archived",
        "thread.unarchived",
        "thread.deleted",
        "thread.deleted",
    ] == [one["type"] for one in told if one["type"].startswith("thread.")]


async def test_the_files_of_a_worktree_are_put_back_to_a_turn_and_that_is_undone(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    client = codex_client
    place = await client.register(repository)
    scripted_model.script = (AddFile("one.txt", "1\n"), Say.text("One."))
    first = await client.until_session(
        await client.run(place, "First.", workplace="worktree"), "completed"
    )
    thread_id, folder = first["codexThreadId"], Path(first["cwd"])
    scripted_model.script = (
        AddFile("two.txt", "2\n"),
        Run("echo more >> one.txt && rm README.md"),
        Say.text("Two."),
    )
    second = await prompted(client, place, thread_id, "Second.")
    seen = sorted(path.name for path in folder.iterdir())
    assert ("1\nmore\n", True) == ((folder / "one.txt").read_text(), "two.txt" in seen)

    path = f"/api/sessions/{second['id']}"
    head = (await client.get(f"{path}/changes"))["headSha"]
    put = await client.post(f"{path}/rewind", {"turnId": first["codexTurnId"], "headSha": head})
    body = {"beforeTurnId": second["codexTurnId"]}
    await client.post(f"/api/codex/threads/{thread_id}/revert", body)
    assert ("1\n", "# A project\n", False) == (
        (folder / "one.txt").read_text(),
        (folder / "README.md").read_text(),
        (folder / "two.txt").exists(),
    )
    scripted_model.script = (AddFile("three.txt", "3\n"), Say.text("Three."))
    third = await prompted(client, place, thread_id, "Third.")
    kept = (await client.get(f"/api/sessions/{third['id']}/snapshots"))["items"]
    assert ["start", "turn", "turn", "left", "rewind"] == [one["moment"] for one in kept[::-1]][:5]

    await client.post(f"{path}/rewind", {"snapshotId": put["before"]["id"]})
    assert seen == sorted(path.name for path in folder.iterdir())
    assert "1\nmore\n" == (folder / "one.txt").read_text()
    told = await told_of(client, "session.rewound")
    assert [second["id"], second["id"]] == [one["sessionId"] for one in told]


async def test_what_was_said_in_threads_that_began_elsewhere_is_found_until_they_are_gone(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    async def found(client: Client, words: str) -> list[Any]:
        listed: list[Any] = (await client.get("/api/codex/threads/search", q=words))["items"]
        return listed

    secret = "ghp_" + "a1B2" * 9
    scripted_model.script = (Run("echo the-quokka"), Say.text(f"I saw a wombat. {secret}"))
    exec_elsewhere(codex_server, repository, "Look for a numbat.")
    async with client_of(codex_server) as client:
        place = await client.register(repository)
        ours = await client.until_session(await client.run(place, "Look for a bilby."), "completed")
        path = f"/api/codex/threads/{ours['codexThreadId']}/fork"
        await client.post(path, {}, status=201)
        told = await client.post("/api/codex/threads/import", {})
        assert (0, True) == (told["removed"], told["isWhole"])
        (said,) = await found(client, "wombat")
        assert ("agentMessage", "Look for a numbat.") == (said["kind"], said["title"])
        assert secret not in str(said["snippet"])
        thread_id = said["threadId"]
        assert ["userMessage"] == [one["kind"] for one in await found(client, "numb*")]
        assert ["commandExecution"] == [one["kind"] for one in await found(client, "quokka")]
        assert [] == await found(client, "bilby")  # it is in the transcript of its session
        there = (await client.get("/api/search", q="bilby"))["items"]
        assert {ours["id"]} == {one["sessionId"] for one in there}

        told = await client.post("/api/codex/threads/import", {})
        assert (0, 0) == (told["threads"], told["removed"])
        scripted_model.script = (Say.text("None here."),)
        exec_elsewhere(codex_server, repository, "resume", thread_id, "Now a potoroo.")
        await client.post("/api/codex/threads/import", {})
        assert [thread_id] == [one["threadId"] for one in await found(client, "potoroo")]
        assert 1 == len(await found(client, "wombat"))
        deleted = await client.http.delete(f"/api/codex/threads/{thread_id}")
        assert 200 == deleted.status_code, deleted.text
        assert [] == await found(client, "wombat")


async def test_a_thread_at_work_is_only_named_or_forked(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    client, gate = codex_client, Gate()
    place = await client.register(repository)
    first = await client.until_session(await client.run(place, "First."), "completed")
    scripted_model.script = (Say.text("Two", gate, "."),)
    path = f"/api/codex/threads/{first['codexThreadId']}"
    prompt = {"repositoryId": place["id"], "prompt": "Second."}
    outcome = await client.post(f"{path}/prompt", prompt, status=201)
    gate.wait_until_reached()
    turn, *_ = await turns_of(client, first["codexThreadId"])
    revert = {"beforeTurnId": turn["id"]}
    compact = {"repositoryId": place["id"]}
    for refused in (
        await client.http.patch(path, json={"archived": True}),
        await client.http.delete(path),
        await client.http.post(f"{path}/revert", json=revert),
        await client.http.post(f"{path}/compact", json=compact),
    ):
        assert 409 == refused.status_code, refused.text
        assert f"session {outcome['session']['id']}" in refused.text
    await client.patch(path, {"name": "At work"})
    fork = await client.post(f"{path}/fork", {"lastTurnId": turn["id"]}, status=201)
    assert fork["thread"]["id"] != first["codexThreadId"]
    gate.open()
    await client.until_session(outcome["session"], "completed")


async def test_a_threads_history_is_made_shorter_in_a_session_of_its_own(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    client = codex_client
    place = await client.register(repository)
    first = await client.until_session(await client.run(place, "First."), "completed")
    assert first["tokenUsage"]["modelContextWindow"] > first["tokenUsage"]["last"]["totalTokens"]
    scripted_model.script = (Say.text("In short: one."),)
    path = f"/api/codex/threads/{first['codexThreadId']}/compact"
    outcome = await client.post(path, {"repositoryId": place["id"]}, status=201)
    ended = await client.until_session(outcome["session"], "completed")
    assert ("compact", first["codexThreadId"]) == (ended["origin"], ended["codexThreadId"])
    assert ended["codexTurnId"] not in {None, first["codexTurnId"]}
    items = await client.get(f"/api/sessions/{ended['id']}/items")
    assert "contextCompaction" in {item["type"] for item in items["items"]}
    await prompted(client, place, first["codexThreadId"], "Second.")
    asked = scripted_model.requests[-1]
    assert any("In short: one." in text for text in asked.user_texts)


async def test_what_is_no_thread_is_refused(codex_client: Client, stub_client: Client) -> None:
    unknown = "/api/codex/threads/0199a213-81c0-7800-8aa1-bbab2a035a53"
    for answer in (
        await codex_client.http.get(unknown),
        await codex_client.http.get(f"{unknown}/turns"),
        await codex_client.http.patch(unknown, json={"name": "A"}),
        await codex_client.http.post(f"{unknown}/fork", json={}),
        await codex_client.http.post(f"{unknown}/revert", json={"beforeTurnId": "a"}),
        await codex_client.http.delete(unknown),
    ):
        assert 404 == answer.status_code, answer.text
    for body in ({"name": " "}, {"name": "a" * 201}, {"archived": "yes"}):
        blank = await codex_client.http.patch(unknown, json=body)
        assert 400 == blank.status_code, blank.text
    assert 409 == (await stub_client.http.get(unknown)).status_code
    assert 409 == (await stub_client.http.delete(unknown)).status_code
