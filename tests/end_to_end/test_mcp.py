"""A real Codex that puts another one to work, by the tools of the endpoint alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.codex.script import AddFile, CallTool, Say, Script
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client

APPROVES = 'default_tools_approval_mode = "approve"\n'


def offer_command_center(codex_home: Path, url: str, token: str, settings: str = "") -> None:
    """Have the Codex of that home use the endpoint, as docs/mcp.md has it, by another name."""
    with (codex_home / "config.toml").open("a", encoding="utf-8") as config:
        config.write(
            f"\n[mcp_servers.centre]\nurl = {json.dumps(f'{url}/mcp')}\n"
            f'http_headers = {{ Authorization = "Bearer {token}" }}\n'
            f"required = true\ntool_timeout_sec = 60\n{settings}"
        )


def tool(name: str, /, **arguments: Any) -> CallTool:
    return CallTool(name, arguments, "mcp__centre")


async def test_a_codex_starts_another_reads_its_diff_and_comments_while_a_person_approves(
    codex_client: Client,
    codex_home: Path,
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
) -> None:
    shutil.copytree(repository, tmp_path / "second")
    client = codex_client
    first = await client.register(repository, mcpServersOff=[])
    second = await client.register(tmp_path / "second")  # its runs have none of the tools
    assert ["command_center"] == second["mcpServersOff"]
    limits = {"repositories": [second["id"]], "depth": 1, "runsPerHour": 1}
    wanted = {"name": "An agent", "scopes": ["read", "work"], "limits": limits}
    agent = await client.post("/api/devices", wanted, status=201)
    offer_command_center(codex_home, client.server.url, agent["token"], APPROVES)
    write: dict[str, Any] = {
        "repositoryId": second["id"],
        "title": "Write",
        "prompt": "Write the file.",
        "approvalRequired": True,
    }
    scripts: dict[str, Script] = {
        "Have it written.": (
            tool("create_task", **write),
            tool("run_task", taskId=2, sandbox="workspace-write"),
            tool("wait_for_session", sessionId=2, timeoutSeconds=50),
            tool("get_diff", sessionId=2),
            tool("create_comment", sessionId=2, path="new.txt", line=1, text="Say more."),
            Say.text("It is written."),
        ),
        "Write the file.": (
            tool("list_tasks"),
            AddFile("new.txt", "hello\n"),
            Say.text("Written."),
        ),
    }
    scripted_model.choose = lambda prompt: scripts[prompt]
    driver = await client.run(first, "Have it written.")
    async with client.watch(after=0, type="approval.requested") as stream:
        await stream.next()
    (approval,) = (await client.get("/api/approvals", status="pending"))["items"]
    assert ("run", 2) == (approval["kind"], approval["sessionId"])
    await client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "approved"})
    ended = await client.until_session(driver, "completed")
    assert "It is written." == ended["lastMessage"]
    written = await client.get("/api/sessions/2")
    assert ("completed", second["id"]) == (written["status"], written["repositoryId"])
    (comment,) = (await client.get("/api/sessions/2/comments"))["items"]
    assert ("Say more.", "new.txt") == (comment["text"], comment["path"])
    *_, diff, _ = scripted_model.requests[-1].tool_outputs
    assert "+hello" in diff
    (told,) = {
        asked.tool_outputs[0]
        for asked in scripted_model.requests
        if asked.tool_outputs and "list_tasks" in json.dumps(asked.body["input"])
    }
    assert "list_tasks is not a function" in told
    # Its story is that of the session whose agent began it.
    story = await client.get("/api/events", correlationId=driver["correlationId"], limit=200)
    created = {one["taskId"]: one for one in story["items"] if one["type"] == "task.created"}
    by_id = {one["id"]: one for one in story["items"]}
    assert driver["id"] == by_id[created[2]["causationId"]]["sessionId"]
    assert ("mcp", 'device:1 "An agent"') == (created[2]["actor"], created[2]["device"])


async def test_codex_asks_a_person_before_each_tool_that_changes_something(
    codex_client: Client, codex_home: Path, scripted_model: ScriptedModel, repository: Path
) -> None:
    client = codex_client
    project = await client.register(repository, mcpServersOff=[])
    wanted = {"name": "An agent", "scopes": ["read", "work", "approve", "land", "operate", "admin"]}
    agent = await client.post("/api/devices", wanted, status=201)
    offer_command_center(codex_home, client.server.url, agent["token"])
    asked = (  # one of each scope
        tool("create_task", repositoryId=project["id"], title="More", prompt="Go on."),
        tool("run_task", taskId=1, sandbox="workspace-write"),
        tool("resolve_approval", approvalId=1, status="approved"),
        tool("commit_session", sessionId=1),
        tool("restart_actor", name="store"),
        tool("revoke_device", deviceId=agent["id"]),
    )
    scripted_model.script = (tool("list_tasks"), *asked, Say.text("Nothing was done."))
    session = await client.run(project, "Change it all.", sandbox="read-only")
    names = []
    async with client.watch(after=0, type="approval.requested") as stream:
        for _ in asked:
            await stream.next()
            (approval,) = (await client.get("/api/approvals", status="pending"))["items"]
            named = approval["details"]["message"].split('"')[1]
            names.append((approval["kind"], named))
            await client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "rejected"})
    await client.until_session(session, "completed")
    assert [("elicitation", call.name) for call in asked] == names
    reading, *_ = scripted_model.requests[-1].tool_outputs
    assert "Change it all." in reading
    assert [session["taskId"]] == [one["id"] for one in (await client.get("/api/tasks"))["items"]]
    assert [agent["id"]] == [one["id"] for one in (await client.get("/api/devices"))["items"]]
    assert [] == (await client.get("/api/events", type="session.tool.unasked"))["items"]
