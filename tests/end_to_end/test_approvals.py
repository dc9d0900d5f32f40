"""Approvals over HTTP: counted, put off, looked at cheaply, and what Codex hears of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from tests.codex.fixtures import both_models
from tests.codex.script import CallTool, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.codex.tool_server import offer_tool
from tests.end_to_end.server import Client, Server, client_of


@pytest.fixture
async def hasty_client(
    tmp_path: Path, codex_binary: Path, codex_home: Path
) -> AsyncIterator[Client]:
    """A client of a server with the real Codex, where people have a second to decide."""
    server = Server(
        tmp_path / "data",
        {
            "CC_CODEX_COMMAND": str(codex_binary),
            "CODEX_HOME": str(codex_home),
            "CC_APPROVAL_TTL_SECONDS": "1",
        },
    ).start()
    try:
        async with client_of(server) as client:
            yield client
    finally:
        server.stop()


@both_models
async def test_what_nobody_decided_in_time_codex_is_refused_and_the_turn_goes_on(
    hasty_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (
        Run("touch /expired", justification="May I?"),
        Say.text("I went on without it."),
    )
    session = await hasty_client.run(await hasty_client.register(repository), "Ask me.")
    await hasty_client.until_session(session, "waiting_approval")
    # A new deadline makes the server look at all of them, which it does every 15 seconds.
    await hasty_client.post("/api/approvals", {"title": "Look."}, status=201)
    ended = await hasty_client.until_session(session, "completed")
    assert "I went on without it." == ended["lastMessage"]
    events = await hasty_client.get(f"/api/sessions/{session['id']}/events")
    told = [e["type"] for e in events["items"] if e["type"].startswith("approval.")]
    assert ["approval.requested", "approval.expired"] == [
        kind for kind in told if kind != "approval.expiring"
    ]
    (approval,) = (await hasty_client.get("/api/approvals", kind="command"))["items"]
    assert ("expired", "deadline") == (approval["status"], approval["resolvedBy"])
    assert approval["deliveredAt"] is not None
    assert not Path("/expired").exists()


async def test_a_deadline_is_put_off_while_it_is_pending_and_the_loser_is_told_the_winner(
    stub_client: Client,
) -> None:
    asked = await stub_client.post(
        "/api/approvals", {"title": "May I?", "ttlSeconds": 60}, status=201
    )
    path = f"/api/approvals/{asked['id']}"
    extension = {"ttlSeconds": 3600, "requestedBy": "ada"}
    extended = await stub_client.post(f"{path}/extend", extension)
    assert extended["expiresAt"] > asked["expiresAt"]
    for body in ({}, {"ttlSeconds": 0}, {"expiresAt": "never"}):
        answer = await stub_client.http.post(f"{path}/extend", json=body)
        assert 400 == answer.status_code, answer.text
    sooner = await stub_client.http.post(f"{path}/extend", json={"ttlSeconds": 1})
    assert 409 == sooner.status_code
    assert {"expiresAt": extended["expiresAt"]} == sooner.json()["error"]["facts"]
    events = await stub_client.get("/api/events", approvalId=asked["id"])
    told = events["items"][-1]
    assert ("approval.extended", "ada") == (told["type"], told["actor"])
    assert asked["expiresAt"] == told["data"]["from"]
    won = await stub_client.post(f"{path}/resolve", {"status": "rejected", "resolvedBy": "ada"})
    for act, wish in (("extend", extension), ("resolve", {"status": "approved"})):
        answer = await stub_client.http.post(f"{path}/{act}", json=wish)
        assert 409 == answer.status_code
        facts = answer.json()["error"]["facts"]
        assert {
            "currentStatus": "rejected",
            "resolvedBy": "ada",
            "resolvedAt": won["resolvedAt"],
        } == facts
    unknown = await stub_client.http.post("/api/approvals/99999/extend", json=extension)
    assert 404 == unknown.status_code


async def test_approvals_are_counted_by_status_and_pending_ones_by_kind(
    stub_client: Client, repository: Path
) -> None:
    before = await stub_client.get("/api/approvals/counts")
    assert {"run", "command", "manual"} < before["pendingByKind"].keys()
    await stub_client.post("/api/approvals", {"title": "May I?"}, status=201)
    task = await stub_client.task(
        await stub_client.register(repository), "Ask first.", approvalRequired=True
    )
    blocked = await stub_client.post(f"/api/tasks/{task['id']}/run", {}, status=202)
    after = await stub_client.get("/api/approvals/counts")
    assert before["byStatus"]["pending"] + 2 == after["byStatus"]["pending"]
    assert before["pendingByKind"]["manual"] + 1 == after["pendingByKind"]["manual"]
    assert before["pendingByKind"]["run"] + 1 == after["pendingByKind"]["run"]
    await stub_client.post(
        f"/api/approvals/{blocked['approvals'][0]['id']}/resolve", {"status": "rejected"}
    )
    last = await stub_client.get("/api/approvals/counts")
    assert after["byStatus"]["rejected"] + 1 == last["byStatus"]["rejected"]
    by_task = await stub_client.get("/api/approvals", taskId=task["id"], kind="run")
    assert ["rejected"] == [approval["status"] for approval in by_task["items"]]


async def test_who_looks_again_is_sent_nothing_while_nothing_changes(stub_client: Client) -> None:
    http, query = stub_client.http, {"status": "pending"}
    first = await http.get("/api/approvals", params=query)
    known = {"If-None-Match": first.headers["etag"]}
    again = await http.get("/api/approvals", params=query, headers=known)
    assert (304, b"") == (again.status_code, again.content)
    await stub_client.post("/api/approvals", {"title": "And this?"}, status=201)
    changed = await http.get("/api/approvals", params=query, headers=known)
    assert 200 == changed.status_code
    assert "And this?" in changed.text


@both_models
async def test_the_call_of_a_tool_is_asked_with_its_arguments(
    codex_client: Client, codex_home: Path, scripted_model: ScriptedModel, repository: Path
) -> None:
    offer_tool(codex_home, "tracker")
    scripted_model.script = (
        CallTool("delete_ticket", {"id": 7, "why": "It is old."}, "mcp__tracker"),
        Say.text("It is gone."),
    )
    session = await codex_client.run(await codex_client.register(repository), "Delete it.")
    await codex_client.until_session(session, "waiting_approval")
    (approval,) = (await codex_client.get("/api/approvals", status="pending"))["items"]
    assert "elicitation" == approval["kind"]
    assert {"id": 7, "why": "It is old."} == approval["details"]["arguments"]
    await codex_client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "approved"})
    ended = await codex_client.until_session(session, "completed")
    assert "It is gone." == ended["lastMessage"]
    assert "Deleted 7." in str(scripted_model.requests[-1].tool_outputs)
    assert [] == (await codex_client.get("/api/events", type="session.tool.unasked"))["items"]


async def test_the_call_of_a_tool_that_its_user_has_set_never_to_be_asked_about_is_told(
    codex_client: Client, codex_home: Path, scripted_model: ScriptedModel, repository: Path
) -> None:
    offer_tool(codex_home, "tracker", 'default_tools_approval_mode = "approve"\n')
    scripted_model.script = (
        CallTool("delete_ticket", {"id": 7}, "mcp__tracker"),
        Say.text("It is gone."),
    )
    session = await codex_client.run(await codex_client.register(repository), "Delete it.")
    await codex_client.until_session(session, "completed")
    assert [] == (await codex_client.get("/api/approvals"))["items"]
    (told,) = (await codex_client.get("/api/events", type="session.tool.unasked"))["items"]
    assert {
        "server": "tracker",
        "tool": "delete_ticket",
        "setting": "mcp_servers.tracker.default_tools_approval_mode",
    }.items() <= told["data"].items()


async def test_from_its_deadline_on_nobody_reads_an_approval_as_pending(
    stub_client: Client,
) -> None:
    wanted = {"title": "Soon too late.", "ttlSeconds": 1}
    made = await stub_client.post("/api/approvals", wanted, status=201)
    deadline = datetime.fromisoformat(made["expiresAt"])
    await trio.sleep((deadline - datetime.now(UTC)).total_seconds())
    assert datetime.now(UTC) >= deadline
    pending = await stub_client.get("/api/approvals", status="pending")
    assert made["id"] not in [approval["id"] for approval in pending["items"]]
    read = await stub_client.get(f"/api/approvals/{made['id']}")
    assert "expired" == read["status"]
