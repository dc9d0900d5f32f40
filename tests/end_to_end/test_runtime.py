"""The running tree, as an operator sees and operates it over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from trio_websocket import ConnectionClosed

from tests.end_to_end.described import check_trace
from tests.end_to_end.server import Client


def by_path(tree: Any) -> dict[str, Any]:
    return {actor["path"]: actor for actor in tree["actors"]}


async def test_the_tree_shows_every_part_with_its_state_and_its_contract(
    stub_client: Client,
) -> None:
    tree = await stub_client.get("/api/runtime")
    actors = by_path(tree)
    assert {"/", "/store", "/events", "/sessions", "/slots", "/approvals", "/tasks"} <= set(actors)
    store = actors["/store"]
    assert ("Store", "permanent", "/store") == (
        store["kind"],
        store["restart"],
        store["faultDomain"],
    )
    assert store["capacity"] >= store["highWater"]
    assert "threadId" in store["description"]
    assert "/sessions" in [domain["path"] for domain in tree["faultDomains"]]
    totals = tree["totals"]
    known = ("handled", "lost", "dead", "waiting", "inHand")
    assert totals["sent"] == sum(totals[name] for name in known)


async def test_one_actor_is_shown_with_the_place_where_it_waits(stub_client: Client) -> None:
    told_nothing = await stub_client.get("/api/runtime/actors/approvals", stack="true")
    assert not any("life.py" in frame for frame in told_nothing["stack"])
    await stub_client.post("/api/approvals", {"title": "Deploy?"}, status=201)
    actor = await stub_client.get("/api/runtime/actors/approvals", stack="true")
    assert any("life.py" in frame for frame in actor["stack"])
    missing = await stub_client.http.get("/api/runtime/actors/nobody")
    assert 404 == missing.status_code


async def test_an_action_needs_a_reason_and_where_it_ends_a_life_a_confirmation(
    stub_client: Client,
) -> None:
    path = "/api/runtime/actors/slots/restart"
    nameless = await stub_client.http.post(path, json={"confirm": True})
    assert 400 == nameless.status_code
    unconfirmed = await stub_client.http.post(path, json={"reason": "To see."})
    assert 409 == unconfirmed.status_code
    assert "confirm" in unconfirmed.json()["error"]["message"]
    order = {"reason": "To see.", "confirm": True, "requestedBy": "ada"}
    restarted = await stub_client.post(path, order)
    assert 1 <= restarted["restarts"]
    told = await stub_client.get("/api/events", type="actor.restarted", newestFirst="true")
    assert ("ada", "To see.") == (
        told["items"][0]["actor"],
        told["items"][0]["data"]["reason"],
    )


async def test_a_suspended_actor_keeps_its_messages_until_it_is_resumed(
    stub_client: Client, repository: Path
) -> None:
    registered = await stub_client.register(repository)
    await stub_client.post("/api/runtime/actors/slots/suspend", {"reason": "Hold."})
    session = await stub_client.run(registered, "Wait.")
    held = await stub_client.get("/api/runtime/actors/slots")
    assert "suspended" == held["status"]
    assert "queued" == (await stub_client.session(session))["status"]
    await stub_client.post("/api/runtime/actors/slots/resume", {"reason": "Go on."})
    await stub_client.until_session(session, "completed")


async def test_a_trace_shows_messages_without_their_content_and_ends_by_itself(
    stub_client: Client, repository: Path
) -> None:
    registered = await stub_client.register(repository)
    path = "/api/runtime/actors/tasks/trace"
    async with stub_client.websocket(path, messages=1, seconds=20) as connection:
        await stub_client.task(registered, "Traced.")
        record = json.loads(await connection.get_message())
        check_trace(record)
        assert ("CreateTask", True) == (record["message"], record["asked"])
        with pytest.raises(ConnectionClosed):
            await connection.get_message()
