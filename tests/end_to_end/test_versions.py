"""A Codex of another version than those that are supported, over HTTP."""

from __future__ import annotations

from pathlib import Path

from command_center.actors.codex.versions import NEWEST, OLDEST, RANGE, spelled
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, client_of
from tests.end_to_end.test_questions import server_with

OLD = spelled((0, OLDEST[1] - 1, 9))
NEW = spelled((NEWEST[0], NEWEST[1] + 1, 0))


async def test_no_run_begins_on_a_codex_that_is_too_old_and_it_is_said_which_to_install(
    tmp_path: Path, repository: Path
) -> None:
    server = server_with(tmp_path, f"version={OLD}")
    try:
        async with client_of(server) as client:
            health = await client.get("/api/codex/bridge/health")
            assert ("unavailable", OLD, RANGE) == (
                health["status"],
                health["version"],
                health["supported"],
            )
            task = await client.task(await client.register(repository), "Go.")
            said = ""
            for path in ("run", "sessions"):
                refused = await client.http.post(f"/api/tasks/{task['id']}/{path}", json={})
                assert 409 == refused.status_code, refused.text
                said = refused.json()["error"]["message"]
                assert f"Codex {OLD} is too old" in said
                assert "npm install -g @openai/codex@" in said
            assert [] == (await client.get("/api/sessions"))["items"]
            whole = await client.get("/health")
            assert ("degraded", OLD, "unsupported") == (
                whole["status"],
                whole["codexVersion"],
                whole["checks"]["codex"],
            )
            events = await client.get("/api/events", type="bridge.warning")
            assert said in [event["data"]["message"] for event in events["items"]]
    finally:
        server.stop()


async def test_a_codex_that_is_newer_than_what_was_tested_is_used_and_warned_of(
    tmp_path: Path, repository: Path
) -> None:
    server = server_with(tmp_path, f"version={NEW}")
    try:
        async with client_of(server) as client:
            session = await client.run(await client.register(repository), "[]")
            await client.until_session(session, "completed")
            whole = await client.get("/health")
            assert ("ok", NEW, "untested") == (
                whole["status"],
                whole["codexVersion"],
                whole["checks"]["codex"],
            )
            health = await client.get("/api/codex/bridge/health")
            assert "was not tested" in health["warning"]
    finally:
        server.stop()


async def test_the_version_in_use_is_told(
    codex_client: Client, scripted_model: ScriptedModel
) -> None:
    assert not scripted_model.requests
    health = await codex_client.get("/api/codex/bridge/health")
    whole = await codex_client.get("/health")
    assert health["version"] == whole["codexVersion"] is not None
    assert "ok" == whole["checks"]["codex"]
