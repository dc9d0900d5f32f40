"""Authorization: each operation, asked for by a device of each scope."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import trio

from command_center.actors.rules.scopes import EVERY_SCOPE
from command_center.http.middleware.gate import HOST_LINK
from command_center.http.routes.table import APIS, OPERATIONS
from command_center.store import Scope
from tests.http.devices import bearer, server
from tests.http.guarded import handshake

SCOPES: tuple[Scope, ...] = get_args(Scope)
TASK: dict[str, Any] = {"repositoryId": 1, "title": "a", "prompt": "b"}


def test_each_scope_is_told_with_what_it_is_for() -> None:
    assert EVERY_SCOPE == {*SCOPES}


def targets() -> Iterator[tuple[str, str, Scope | None]]:
    """Yield the method and the path of each operation, and what it takes."""
    for operation in OPERATIONS:
        if not operation.is_open:
            yield operation.method, re.sub("<[^>]+>", "99", operation.rule), operation.scope


def test_to_see_the_servers_that_codex_starts_for_that_takes_work() -> None:
    assert ("GET", "/api/codex/mcp-servers", "work") in [*targets()]


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_device_may_do_what_its_scope_says_and_nothing_else(
    tmp_path: Path, scope: Scope
) -> None:
    async with server(tmp_path) as at, at.client(await at.device(scope)) as http:
        for method, path, needed in targets():
            async with http.stream(method, path) as answer:
                if needed in {scope, None}:
                    assert answer.status_code not in {401, 403}, (method, path)
                    continue
                assert 403 == answer.status_code, (method, path)
                await answer.aread()
            error = answer.json()["error"]
            assert {"scope": needed} == error["facts"]
            assert f'This needs the scope "{needed}"' in error["message"]


async def test_a_file_is_not_taken_from_whom_its_operation_refuses(tmp_path: Path) -> None:
    """The refusal comes before the file, of which nothing is sent here."""
    async with server(tmp_path) as at:
        device = await at.device("read")
        for method, wanted in {"POST": b"HTTP/1.1 403", "GET": b"HTTP/1.1 413"}.items():
            head = (
                f"{method} /api/uploads HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: {bearer(device)['Authorization']}\r\n"
                f"Content-Type: application/octet-stream\r\nContent-Length: {5 * 1024**2}\r\n\r\n"
            )
            with trio.fail_after(30):
                async with await trio.open_tcp_stream("127.0.0.1", at.address.port) as stream:
                    await stream.send_all(head.encode())
                    answer = await stream.receive_some()
            assert answer.startswith(wanted)
            assert (b'"scope":"work"' in answer) == (method == "POST")


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_websocket_takes_a_scope_as_well(tmp_path: Path, scope: Scope) -> None:
    async with server(tmp_path) as at:
        headers = bearer(await at.device(scope))
        for socket in (socket for api in APIS for socket in api.sockets):
            path = re.sub("<[^>]+>", "slots", re.sub("<id:[^>]+>", "99", socket.rule))
            wanted = 101 if set(socket.scopes) <= {scope} else 403
            if socket.rule == HOST_LINK:  # a host brings a key of its own, and no token is one
                wanted = 401
            assert wanted == await handshake(at.address, headers, path), path


async def test_who_has_the_token_of_the_server_may_do_everything(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        for method, path, _ in targets():
            async with at.root.stream(method, path) as answer:
                assert answer.status_code not in {401, 403}, (method, path)


async def test_who_may_not_approve_may_not_do_away_with_an_approval(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        task = {**TASK, "approvalRequired": True}
        assert 201 == (await at.root.post("/api/tasks", json=task)).status_code
        async with at.client(await at.device("work")) as agent:
            refused = await agent.patch("/api/tasks/1", json={"approvalRequired": False})
            assert (403, "approve") == (refused.status_code, scope_in(refused.json()))
            assert 200 == (await agent.patch("/api/tasks/1", json={"title": "c"})).status_code
        async with at.client(await at.device("work", "approve")) as person:
            allowed = await person.patch("/api/tasks/1", json={"approvalRequired": False})
            assert 200 == allowed.status_code


async def test_who_may_not_approve_takes_no_wish_for_it_off_an_automation(tmp_path: Path) -> None:
    payload = {"prompt": "b", "approvalRequired": True}
    body = {"repositoryId": 1, "title": "a", "scheduleExpr": "hourly", "payload": payload}
    async with server(tmp_path) as at:
        assert 201 == (await at.root.post("/api/automations", json=body)).status_code
        async with at.client(await at.device("work")) as agent:
            refused = await agent.patch("/api/automations/1", json={"payload": {"prompt": "c"}})
            assert (403, "approve") == (refused.status_code, scope_in(refused.json()))
            kept = {**payload, "prompt": "c"}
            allowed = await agent.patch("/api/automations/1", json={"payload": kept})
            assert 200 == allowed.status_code
        async with at.client(await at.device("work", "approve")) as person:
            allowed = await person.patch("/api/automations/1", json={"payload": {"prompt": "c"}})
            assert 200 == allowed.status_code


def scope_in(refusal: Any) -> str:
    scope: str = refusal["error"]["facts"]["scope"]
    return scope


async def test_an_event_has_the_device_beside_what_its_caller_says(tmp_path: Path) -> None:
    async with server(tmp_path) as at, at.client(await at.device("work", "approve")) as phone:
        await phone.post("/api/tasks", json={**TASK, "requestedBy": "mobile-web"})
        await phone.post("/api/tasks", json=TASK)
        await at.root.post("/api/tasks", json={**TASK, "requestedBy": "mobile-web"})
        told = [(one["actor"], one.get("device")) for one in await at.events("task.created")]
        phones = 'device:1 "Phone"'
        assert [("mobile-web", phones), ("api", phones), ("mobile-web", None)] == told
        await phone.post("/api/approvals", json={"title": "May I?"})
        decision = {"status": "approved", "resolvedBy": "mobile-web"}
        answer = await phone.post("/api/approvals/1/resolve", json=decision)
        assert "mobile-web" == answer.json()["resolvedBy"]
        (told_of,) = await at.events("approval.resolved")
        assert ("mobile-web", phones) == (told_of["actor"], told_of["device"])


async def test_what_comes_of_a_devices_act_is_not_its_own(tmp_path: Path) -> None:
    await trio.run_process(["git", "init", "-q", tmp_path])
    async with server(tmp_path) as at, at.client(await at.device("work")) as phone:
        await phone.post("/api/tasks", json={**TASK, "requestedBy": "me"})
        await phone.post("/api/tasks/1/run", json={"requestedBy": "me", "sandbox": "read-only"})
        await at.rig.until_event("session.completed")
        for event in await at.events():
            assert (event["actor"] == "me") == ("device" in event), event


async def test_a_device_is_not_given_the_answer_that_is_kept_for_another(tmp_path: Path) -> None:
    key = {"Idempotency-Key": "5f0c"}
    async with server(tmp_path) as at:
        first, second = await at.device("work"), await at.device("work")
        made = []
        for headers in ({}, bearer(first), bearer(second), {}, bearer(first)):
            answer = await at.root.post("/api/tasks", json=TASK, headers={**key, **headers})
            assert 201 == answer.status_code
            made.append(answer.json()["id"])
        assert [1, 2, 3, 1, 2] == made


async def test_a_kept_answer_is_not_given_to_who_may_no_longer_ask_for_it(tmp_path: Path) -> None:
    key = {"Idempotency-Key": "5f0c"}
    async with server(tmp_path) as at:
        device = await at.device("work")
        async with at.client(device) as http:
            assert 201 == (await http.post("/api/tasks", json=TASK, headers=key)).status_code
            await at.root.patch(f"/api/devices/{device['id']}", json={"scopes": ["read"]})
            assert 403 == (await http.post("/api/tasks", json=TASK, headers=key)).status_code
