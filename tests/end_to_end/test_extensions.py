"""Extensions of the real Codex are shown, signed in and switched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.codex.oauth_tool_server import OAuthToolServer
from tests.codex.scripted_model import OLD_MODEL, ScriptedModel
from tests.codex.tool_server import offer_tool
from tests.end_to_end.server import Client, Server, client_of

SKILL = """---
name: release-notes
description: How to write the notes of a release.
---

Write them.
"""


@pytest.fixture
def codex_home(codex_home: Path) -> Path:
    """A `CODEX_HOME` with plugins, as a user has it."""
    config = codex_home / "config.toml"
    told = config.read_text()
    assert "plugins = false" in told
    config.write_text(told.replace("plugins = false", "plugins = true"))
    return codex_home


def extend(codex_home: Path) -> Path:
    """Give Codex a tool, a skill and a hook, and return the skill."""
    offer_tool(codex_home, "tracker")
    skill = codex_home / "skills" / "release-notes" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text(SKILL)
    hook = {"matcher": "Bash", "hooks": [{"type": "command", "command": "echo done"}]}
    (codex_home / "hooks.json").write_text(json.dumps({"hooks": {"PostToolUse": [hook]}}))
    return skill


async def test_servers_skills_and_hooks_are_listed_with_what_they_run_and_switched(
    codex_client: Client, codex_home: Path, repository: Path
) -> None:
    skill = extend(codex_home)
    client = codex_client
    (server,) = (await client.get("/api/codex/mcp-servers"))["items"]
    assert ("tracker", "unsupported", None) == (server["name"], server["signIn"], server["origin"])
    (tool,) = server["tools"]
    assert ("delete_ticket", "Deletes a ticket for ever.", True, False) == (
        *(tool["name"], tool["description"], tool["isDestructive"], tool["isReadOnly"]),
    )
    refused = await client.http.post("/api/codex/mcp-servers/tracker/sign-ins", json={})
    assert 409 == refused.status_code, refused.text
    (failed,) = (await client.get("/api/events", type="mcp.sign_in_failed"))["items"]
    assert "tracker" == failed["data"]["server"]

    project = await client.register(repository)
    for query in ({}, {"repositoryId": project["id"]}):
        found = await client.get("/api/codex/extensions", **query)
        assert [] == found["problems"]
        (mine,) = (one for one in found["skills"] if one["path"] == str(skill))
        assert ("release-notes", "user", True) == (mine["name"], mine["scope"], mine["isEnabled"])
        assert ":workspace" in {one["id"] for one in found["profiles"] if one["isAllowed"]}
        (hook,) = found["hooks"]
        assert ("echo done", "Bash", "command") == (hook["runs"], hook["matcher"], hook["type"])
    wanted = {"path": str(skill), "isEnabled": False, "requestedBy": "ada"}
    assert {"path": str(skill), "isEnabled": False} == (
        await client.patch("/api/codex/skills", wanted)
    )
    found = await client.get("/api/codex/extensions")
    assert [False] == [one["isEnabled"] for one in found["skills"] if one["path"] == str(skill)]
    (told,) = (await client.get("/api/events", type="skill.switched"))["items"]
    assert ("ada", False) == (told["actor"], told["data"]["isEnabled"])


@pytest.fixture(params=["app-server", "cli"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, codex_binary: Path, codex_home: Path
) -> Iterator[Server]:
    """A server with the real Codex, which has a tool, once with each runner."""
    offer_tool(codex_home, "tracker")
    settings = {
        "CC_CODEX_RUNNER_MODE": request.param,
        "CC_CODEX_COMMAND": str(codex_binary),
        "CODEX_HOME": str(codex_home),
    }
    made = Server(tmp_path / "data", settings).start()
    yield made
    made.end()


@pytest.mark.parametrize("codex_model", [OLD_MODEL])  # whose tools are all shown to it at once
async def test_a_server_that_is_off_in_a_repository_is_not_there_for_its_runs(
    server: Server, codex_home: Path, scripted_model: ScriptedModel, repository: Path
) -> None:
    before = (codex_home / "config.toml").read_text()
    async with client_of(server) as client:
        off = {"mcpServersOff": ["tracker", "of-another-machine"]}
        project = await client.register(repository, **off)
        for has_tools in (False, True):
            session = await client.run(project, "Look.")
            await client.until_session(session, "completed")
            asked = json.dumps(scripted_model.requests[-1].body)
            assert has_tools == ("mcp__tracker" in asked)
            await client.patch(f"/api/repos/{project['id']}", {"mcpServersOff": []})
    assert before == (codex_home / "config.toml").read_text()


@pytest.mark.parametrize("codex_model", [OLD_MODEL])  # whose tools are all shown to it at once
async def test_a_thread_that_is_forked_taken_back_or_prompted_again_has_the_servers_of_its_run(
    codex_client: Client, codex_home: Path, scripted_model: ScriptedModel, repository: Path
) -> None:
    offer_tool(codex_home, "tracker")
    client = codex_client
    project = await client.register(repository)

    async def is_there(thread_id: str) -> bool:
        path = f"/api/codex/threads/{thread_id}/prompt"
        body = {"repositoryId": project["id"], "prompt": "Look."}
        session = (await client.post(path, body, status=201))["session"]
        await client.until_session(session, "completed")
        return "mcp__tracker" in json.dumps(scripted_model.requests[-1].body)

    async def switch(off: list[str]) -> None:
        await client.patch(f"/api/repos/{project['id']}", {"mcpServersOff": off})

    first = await client.until_session(await client.run(project, "Look."), "completed")
    thread = first["codexThreadId"]
    path = f"/api/codex/threads/{thread}"
    assert await is_there(thread)
    fork = (await client.post(f"{path}/fork", {}, status=201))["thread"]["id"]
    assert await is_there(fork)
    await switch(["tracker"])
    assert not await is_there(thread)
    assert not await is_there(fork)
    fork = (await client.post(f"{path}/fork", {}, status=201))["thread"]["id"]
    assert not await is_there(fork)
    newest = (await client.get(f"{path}/turns"))["items"][0]["id"]
    await client.post(f"{path}/revert", {"beforeTurnId": newest})
    assert not await is_there(thread)
    await switch([])
    newest = (await client.get(f"{path}/turns"))["items"][0]["id"]
    await client.post(f"{path}/revert", {"beforeTurnId": newest})
    assert await is_there(thread)
    assert await is_there(fork)


async def test_a_server_is_signed_in_by_a_page_and_its_tools_are_there_then(
    codex_client: Client, codex_home: Path
) -> None:
    with OAuthToolServer() as tools:
        tools.offer(codex_home, "tickets")
        client = codex_client
        (server,) = (await client.get("/api/codex/mcp-servers"))["items"]
        assert ("notLoggedIn", tools.url, []) == (
            *(server["signIn"], server["origin"], server["tools"]),
        )
        async with client.watch(type=["mcp.signed_in", "mcp.sign_in_failed"]) as stream:
            path = "/api/codex/mcp-servers/tickets/sign-ins"
            begun = await client.post(path, {"requestedBy": "ada"}, status=201)
            assert begun["authorizationUrl"].startswith(f"{tools.url}/authorize?")
            async with httpx.AsyncClient(follow_redirects=True, trust_env=False) as person:
                opened = await person.get(begun["authorizationUrl"])
            assert 200 == opened.status_code, opened.text
            told = await stream.until("mcp.signed_in")
        assert {"host": "local", "server": "tickets"} == told["data"]
        (server,) = (await client.get("/api/codex/mcp-servers"))["items"]
        assert "oAuth" == server["signIn"]
        assert ["delete_ticket"] == [tool["name"] for tool in server["tools"]]
