"""Asking again cheaply, and changing only what was seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio
import trio.testing

from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.store import Transaction
from tests.actors.automations.rig import opened
from tests.http.live import client_of, exchange, served

LONG_AGO = "2000-01-01T00:00:00.000Z"
PENDING = "/api/approvals?status=pending"


@asynccontextmanager
async def api(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(folder) as rig, client_of(create_app(rig.center, Policy())) as http:
        yield http


async def made(http: httpx.AsyncClient) -> str:
    """The path of a new task."""
    answer = await http.post("/api/tasks", json={"repositoryId": 1, "title": "a", "prompt": "b"})
    return f"/api/tasks/{answer.json()['id']}"


async def test_a_list_that_is_the_same_is_not_sent_again(tmp_path: Path) -> None:
    async with api(tmp_path) as http:
        first = await http.get(PENDING)
        tag = first.headers["ETag"]
        for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await http.get(PENDING, headers={"If-None-Match": given})
            assert (304, b"") == (again.status_code, again.content)
            assert tag == again.headers["ETag"]
        await http.post("/api/approvals", json={"title": "May I?"})
        changed = await http.get(PENDING, headers={"If-None-Match": tag})
        assert 200 == changed.status_code
        assert tag != changed.headers["ETag"]


async def test_a_head_tells_the_tag_and_the_length_without_the_body(tmp_path: Path) -> None:
    async with api(tmp_path) as http:
        path = await made(http)
        got, head = await http.get(path), await http.head(path)
        assert (200, b"") == (head.status_code, head.content)
        for name in ("ETag", "Content-Length", "Content-Type"):
            assert got.headers[name] == head.headers[name]


async def test_a_change_is_made_only_to_what_was_seen(tmp_path: Path) -> None:
    async with api(tmp_path) as http:
        path = await made(http)
        seen = {"If-Match": (await http.get(path)).headers["ETag"]}
        assert 200 == (await http.patch(path, json={"title": "c"}, headers=seen)).status_code
        late = await http.patch(path, json={"title": "d"}, headers=seen)
        assert 412 == late.status_code
        assert 412 == late.json()["error"]["statusCode"]
        weak = {"If-Match": f"W/{(await http.get(path)).headers['ETag']}"}
        assert 412 == (await http.patch(path, json={"title": "e"}, headers=weak)).status_code
        anything = {"If-Match": "*"}
        assert 200 == (await http.patch(path, json={"title": "f"}, headers=anything)).status_code
        assert 404 == (await http.patch("/api/tasks/99", json={}, headers=anything)).status_code


async def test_of_many_who_saw_the_same_one_wins(tmp_path: Path) -> None:
    async with api(tmp_path) as http:
        path = await made(http)
        seen = {"If-Match": (await http.get(path)).headers["ETag"]}
        statuses: list[int] = []

        async def change(title: str) -> None:
            answer = await http.patch(path, json={"title": title}, headers=seen)
            statuses.append(answer.status_code)

        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(change, f"title {number}")
        assert [200, *[412] * 7] == sorted(statuses)


async def test_either_condition_counts_for_who_reads_and_for_who_changes(tmp_path: Path) -> None:
    async with api(tmp_path) as http:
        path = await made(http)
        seen = (await http.get(path)).headers["ETag"]
        for unwanted, status in ((seen, 412), (f"W/{seen}", 412), ("*", 412), ('"other"', 200)):
            headers = {"If-None-Match": unwanted}
            answer = await http.patch(path, json={"title": "c"}, headers=headers)
            assert status == answer.status_code
        seen = (await http.get(path)).headers["ETag"]
        for wanted, status in ((seen, 200), ("*", 200), (f"W/{seen}", 412), ('"other"', 412)):
            assert status == (await http.get(path, headers={"If-Match": wanted})).status_code
            assert status == (await http.head(path, headers={"If-Match": wanted})).status_code
        both = {"If-Match": '"other"', "If-None-Match": seen}
        assert 412 == (await http.get(path, headers=both)).status_code


async def test_tags_in_several_lines_are_one_list(tmp_path: Path) -> None:
    async with api(tmp_path) as http:
        path = await made(http)

        def lines(name: str, tag: str) -> list[tuple[str, str]]:
            return [(name, '"other"'), (name, tag)]

        seen = (await http.get(path)).headers["ETag"]
        same = await http.get(path, headers=lines("If-None-Match", seen))
        assert 304 == same.status_code
        changed = await http.patch(path, json={"title": "c"}, headers=lines("If-Match", seen))
        assert 200 == changed.status_code
        late = await http.patch(path, json={"title": "d"}, headers=lines("If-Match", seen))
        assert 412 == late.status_code


@attrs.frozen
class Change:
    """A change that may depend on what was seen, and the actor that makes it."""

    path: str
    actor: str
    body: dict[str, Any] | None

    @property
    def method(self) -> str:
        return "DELETE" if self.body is None else "PATCH"

    @property
    def table(self) -> str:
        return self.path.split("/")[2].replace("repos", "repositories")


CHANGES = (
    Change("/api/repos/1", "/repositories", {"allowCommit": True}),
    Change("/api/repos/1", "/repositories", None),
    Change("/api/tasks/1", "/tasks", {"title": "b"}),
    Change("/api/sessions/1", "/sessions/1", {"status": "running"}),
    Change("/api/sessions/1", "/sessions/1", {"status": "stopped"}),
    Change("/api/followups/1", "/tasks", {"message": "b"}),
    Change("/api/followups/1", "/tasks", None),
    Change("/api/automations/1", "/automations/1", {"title": "b"}),
    Change("/api/automations/1", "/automations/1", None),
    Change("/api/automations/2", "/scheduler", {"title": "b"}),
    Change("/api/automations/2", "/scheduler", None),
)


async def make_everything(http: httpx.AsyncClient) -> None:
    """A record of each kind that can be changed."""
    automation = {
        "repositoryId": 1,
        "title": "a",
        "scheduleExpr": "hourly",
        "payload": {"prompt": "a", "runInput": {"sandbox": "read-only"}},
    }
    await made(http)
    for path, body in (
        ("/api/tasks/1/sessions", {}),
        ("/api/sessions/1/followups", {"message": "a"}),
        ("/api/automations", automation),
        ("/api/automations", {**automation, "enabled": False}),
    ):
        assert 201 == (await http.post(path, json=body)).status_code


@pytest.mark.parametrize("change", CHANGES, ids=str)
async def test_what_changes_between_the_look_and_the_change_is_not_overwritten(
    tmp_path: Path, change: Change
) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        await make_everything(http)
        seen = (await http.get(change.path)).headers["ETag"]
        system = rig.center.system
        answers: list[httpx.Response] = []

        async def send() -> None:
            request = http.build_request(
                change.method, change.path, json=change.body, headers={"If-Match": seen}
            )
            answers.append(await http.send(request))

        def change_it(tx: Transaction) -> None:
            sql = f"UPDATE {change.table} SET updated_at = '{LONG_AGO}'"  # noqa: S608 - names
            tx.db.execute(sql)

        async with trio.open_nursery() as nursery:
            system.suspend(change.actor, reason="so that the request waits")
            nursery.start_soon(send)
            while not system.snapshot_of(change.actor).depth:
                await trio.testing.wait_all_tasks_blocked()
            await rig.center.storage.write(change_it)
            system.resume(change.actor, reason="enough")
        assert [412] == [answer.status_code for answer in answers]
        assert LONG_AGO == (await http.get(change.path)).json()["updatedAt"]


@pytest.mark.parametrize("change", CHANGES, ids=str)
async def test_what_is_as_it_was_seen_is_changed(tmp_path: Path, change: Change) -> None:
    async with api(tmp_path) as http:
        await make_everything(http)
        if change == CHANGES[1]:  # while any automation is enabled, its repository stays
            await http.patch("/api/automations/1", json={"enabled": False})
            await http.patch("/api/sessions/1", json={"status": "stopped"})
        seen = {"If-Match": (await http.get(change.path)).headers["ETag"]}
        request = http.build_request(change.method, change.path, json=change.body, headers=seen)
        answer = await http.send(request)
        assert 200 == answer.status_code, answer.text


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/tasks", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/api/tasks/1", {"GET", "HEAD", "OPTIONS", "PATCH"}),
        ("/api/tasks/1/run", {"OPTIONS", "POST"}),
        ("/api/runtime/actors/slots/trace", {"GET", "HEAD", "OPTIONS"}),
    ],
)
async def test_options_and_a_wrong_method_tell_what_is_allowed(
    tmp_path: Path, path: str, allowed: set[str]
) -> None:
    async with api(tmp_path) as http:
        answers: list[Any] = [await http.options(path), await http.put(path, json={})]
        assert [200, 405] == [answer.status_code for answer in answers]
        for answer in answers:
            assert ", ".join(sorted(allowed)) == answer.headers["Allow"]
        assert "Content-Type" not in answers[0].headers
        assert ("PATCH" in allowed) == ("Accept-Patch" in answers[0].headers)


async def test_options_of_the_server_as_a_whole_tell_every_method(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, served(create_app(rig.center, Policy())) as address:
        sent = b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = await exchange(address, sent)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nallow: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")
