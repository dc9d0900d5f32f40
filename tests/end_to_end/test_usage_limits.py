"""The real Codex meets a limit of its account: runs wait, and go on once when it resets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.codex.script import Gate, Run, Say, limited, used
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of


@pytest.fixture
def runner() -> str:
    """The runner of the server."""
    return "app-server"


@pytest.fixture
def server(tmp_path: Path, codex_binary: Path, codex_home: Path, runner: str) -> Iterator[Server]:
    """A server that lets one session work at once."""
    settings = {
        "CC_CODEX_RUNNER_MODE": runner,
        "CC_CODEX_COMMAND": str(codex_binary),
        "CODEX_HOME": str(codex_home),
        "CC_MAX_SESSIONS": "1",
    }
    server = Server(tmp_path / "data", settings).start()
    yield server
    server.end()


async def sequel_of(client: Client, session: Any) -> Any:
    """The session that waits in place of one that met the limit."""
    ended = await client.until_session(session, "interrupted")
    assert "usage limit" in ended["exitReason"]
    listed = await client.get("/api/sessions", taskId=session["taskId"])
    newest, *_ = listed["items"]
    assert ("limit", ended["id"], 1) == (
        newest["origin"],
        newest["previousSessionId"],
        newest["attempt"],
    )
    return newest


async def limits_told(client: Client) -> list[tuple[str, Any]]:
    """The events of limits but for how much is used, in order."""
    found = await client.get("/api/events", limit=500)
    told = [(event["type"], event["data"]) for event in found["items"]]
    return [one for one in told if one[0].startswith("limits.") and one[0] != "limits.changed"]


async def test_what_met_a_limit_goes_on_once_in_order_though_the_server_was_killed(
    server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    resets_at = int(time.time()) + 12
    scripted_model.headers = used(100, resets_at)
    scripted_model.script = (limited(resets_at),)
    async with client_of(server) as client:
        place = await client.register(repository)
        met = await client.run(place, "The first.")
        first = await sequel_of(client, met)
        second = await client.run(place, "The second.")
        await client.until_session(second, "waiting_limit")
        told = await client.get("/api/codex/limits")
        assert [100] == [window["usedPercent"] for window in told["limits"][0]["windows"]]
        assert told["limits"][0]["windows"][0]["resetsAt"] == told["heldUntil"]
        shown = await client.session(first)
        assert ("waiting_limit", told["heldUntil"]) == (shown["status"], shown["beginAfter"])
        assert told["heldUntil"] in shown["waitReason"]
        assert 1 == len(scripted_model.requests)  # the second was not tried in vain
    server.kill()
    scripted_model.headers = used(1, resets_at + 300)
    scripted_model.script = (Say.text("Done."),)
    server.start()
    async with client_of(server) as client:
        ends = [await client.until_session(one, "completed") for one in (first, second)]
        assert ends[0]["finishedAt"] <= ends[1]["startedAt"]
        assert resets_at <= time.time()
        assert met["codexThreadId"] != ends[1]["codexThreadId"]
        assert (await client.session(met))["codexThreadId"] == ends[0]["codexThreadId"]
        assert 3 == len(scripted_model.requests)
        (_, near), (_, reached), (_, reset) = told = await limits_told(client)
        assert ["near", "reached", "reset"] == [kind.partition(".")[2] for kind, _ in told]
        assert (100, 300) == (near["usedPercent"], near["minutes"])
        assert "local" == reached["host"]
        assert {"host": "local", "sessions": [first["id"], second["id"]]} == reset
        assert (await client.get("/api/codex/limits"))["heldSince"] is None


async def test_a_person_stops_what_waits_or_sends_it_on(
    server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    resets_at = int(time.time()) + 3600
    async with client_of(server) as client:
        place = await client.register(repository)
        scripted_model.headers = used(91, resets_at)
        scripted_model.script = (Say.text("Almost used up."),)
        for prompt in ("Before.", "Before, again."):
            await client.until_session(await client.run(place, prompt), "completed")
        assert ["limits.near"] == [kind for kind, _ in await limits_told(client)]
        scripted_model.headers = used(100, resets_at)
        scripted_model.script = (limited(resets_at),)
        first = await sequel_of(client, await client.run(place, "The first."))
        second = await client.run(place, "The second.")
        await client.until_session(second, "waiting_limit")
        answer = await client.post(f"/api/sessions/{first['id']}/stop")
        assert "stopped" == answer["session"]["status"]
        third = await client.run(place, "The third.")
        await client.until_session(third, "waiting_limit")
        scripted_model.script = (Say.text("There is more."),)
        sent = await client.patch(f"/api/sessions/{second['id']}", {"status": "queued"})
        assert (True, "queued") == (sent["pastLimit"], sent["status"])
        await client.until_session(second, "completed")
        # Though Codex tells of a window that is used up, runs complete, as with credits.
        await client.until_session(third, "completed")
        ended = {"host": "local", "sessions": [third["id"]]}
        assert ("limits.reset", ended) == (await limits_told(client))[-1]
        assert (await client.get("/api/codex/limits"))["heldSince"] is None


async def test_over_a_cap_no_run_begins_and_what_works_is_warned_of_or_interrupted(
    server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("Done."),)
    async with client_of(server) as client:
        place = await client.register(repository, caps={"dailyTokens": 1, "over": "warn"})
        async with client.watch(after=0) as stream:
            warned = await client.run(place, "Go.")
            told = await stream.until("limits.cap", over="warn")
        assert "Repository 1 used" in told["data"]["reason"]
        ended = await client.until_session(warned, "completed")
        task = await client.task(place, "Again.")
        refused = await client.http.post(f"/api/tasks/{task['id']}/run", json={})
        assert 409 == refused.status_code, refused.text
        assert "of 1 tokens today" in refused.json()["error"]["message"]
        used_tokens = ended["tokenUsage"]["total"]["totalTokens"]
        price = {"model": "*", "input": 1000, "cachedInput": 1000, "output": 1000}
        rules = {"prices": [price], "caps": {"dailyCost": used_tokens / 1000 + 0.01}}
        spending = await client.patch("/api/spending", rules)
        assert used_tokens == spending["today"]["tokens"]
        assert used_tokens / 1000 == pytest.approx(spending["today"]["cost"])
        assert [1] == [one["repositoryId"] for one in spending["repositories"]]
        await client.patch("/api/repos/1", {"caps": {}})
        scripted_model.script = (Run("true"), Say.text("Slowly.", Gate(20.0), " Done."))
        cut = await client.post(f"/api/tasks/{task['id']}/run", status=201)
        over = await client.until_session(cut["session"], "interrupted")
        assert "All repositories used" in over["exitReason"]
        refused = await client.http.post(f"/api/tasks/{task['id']}/run", json={})
        assert 409 == refused.status_code, refused.text


@pytest.mark.parametrize("runner", ["cli"])
async def test_a_run_of_codex_exec_that_meets_a_limit_waits_too(
    server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (limited(int(time.time()) + 3600),)
    async with client_of(server) as client:
        met = await client.run(await client.register(repository), "The first.")
        waits = await client.until_session(await sequel_of(client, met), "waiting_limit")
        scripted_model.script = (Say.text("Done."),)
        await client.patch(f"/api/sessions/{waits['id']}", {"status": "queued"})
        ended = await client.until_session(waits, "completed")
        assert (await client.session(met))["codexThreadId"] == ended["codexThreadId"]
        assert 2 == len(scripted_model.requests)
