"""Asking again cheaply, and changing only what was seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from command_center.http.app import create_app
from command_center.http.security import Policy
from tests.actors.automations.rig import opened
from tests.http.live import client_of

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


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/tasks", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/api/tasks/1", {"GET", "HEAD", "OPTIONS", "PATCH"}),
        ("/api/tasks/1/run", {"OPTIONS", "POST"}),
    ],
)
async def test_options_and_a_wrong_method_tell_what_is_allowed(
    tmp_path: Path, path: str, allowed: set[str]
) -> None:
    async with api(tmp_path) as http:
        answers: list[Any] = [await http.options(path), await http.put(path, json={})]
        assert [200, 405] == [answer.status_code for answer in answers]
        for answer in answers:
            assert allowed == set(answer.headers["Allow"].replace(" ", "").split(","))
