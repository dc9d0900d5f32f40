"""A POST that is sent again under its key, over real sockets."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio
import trio.testing

from command_center.actors.center import Center
from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.store import Transaction
from command_center.store.idempotency_keys import claim
from tests.actors.automations.rig import opened
from tests.http.live import client_of

TASK: dict[str, Any] = {"repositoryId": 1, "title": "a", "prompt": "b"}
KEY = {"Idempotency-Key": "5f0c"}


@attrs.frozen
class Api:
    """The routes, and the center behind them."""

    center: Center
    http: httpx.AsyncClient

    async def create(self, **fields: object) -> httpx.Response:
        return await self.http.post("/api/tasks", json={**TASK, **fields}, headers=KEY)

    async def tasks(self) -> int:
        return len((await self.http.get("/api/tasks")).json()["items"])


@asynccontextmanager
async def api(folder: Path) -> AsyncIterator[Api]:
    async with opened(folder) as rig, client_of(create_app(rig.center, Policy())) as http:
        yield Api(rig.center, http)


@asynccontextmanager
async def held_writer(center: Center) -> AsyncIterator[Callable[[], int]]:
    """Have what is written in here committed together at its end; gives how much that is."""
    held, go_on = threading.Event(), threading.Event()

    def hold(_: Transaction) -> None:
        held.set()
        go_on.wait(10)

    def waiting() -> int:
        count: Any = center.system.snapshot_of("/store").description["waiting"]
        return int(count)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(center.storage.write, hold)
        while not held.is_set():
            await trio.testing.wait_all_tasks_blocked()
        yield waiting
        go_on.set()


async def test_a_request_that_is_sent_again_is_answered_again_and_done_once(tmp_path: Path) -> None:
    async with api(tmp_path) as server:
        first, again = await server.create(), await server.create()
        assert [201, 201] == [first.status_code, again.status_code]
        assert first.content == again.content
        assert "Idempotency-Replayed" not in first.headers
        assert "true" == again.headers["Idempotency-Replayed"]
        assert 1 == await server.tasks()


async def test_the_answer_is_the_same_after_a_restart(tmp_path: Path) -> None:
    async with api(tmp_path) as server:
        first = await server.create()
    async with api(tmp_path) as server:
        assert first.content == (await server.create()).content
        assert 1 == await server.tasks()


async def test_another_request_under_the_same_key_is_refused(tmp_path: Path) -> None:
    async with api(tmp_path) as server:
        await server.create()
        assert 422 == (await server.create(title="c")).status_code
        other = await server.http.post("/api/approvals", json=TASK, headers=KEY)
        assert 422 == other.status_code
        assert 1 == await server.tasks()


async def test_a_refusal_leaves_the_key_free(tmp_path: Path) -> None:
    async with api(tmp_path) as server:
        assert 400 == (await server.create(priority="urgent")).status_code
        assert 404 == (await server.create(repositoryId=99)).status_code
        assert 201 == (await server.create()).status_code


@pytest.mark.parametrize("turn", range(8))  # who waits is woken in an order that chance decides
async def test_of_many_at_once_one_is_carried_out_and_the_others_are_told_when_to_try_again(
    tmp_path: Path, turn: int
) -> None:
    del turn
    answers: list[httpx.Response] = []

    async def create(server: Api) -> None:
        answers.append(await server.create())

    async with api(tmp_path) as server, trio.open_nursery() as nursery:
        async with held_writer(server.center) as waiting:
            for _ in range(8):
                nursery.start_soon(create, server)
            while waiting() < 8:
                await trio.testing.wait_all_tasks_blocked()
        while len(answers) < 8:
            await trio.testing.wait_all_tasks_blocked()
        refused = [answer for answer in answers if answer.status_code == 409]
        assert 7 == len(refused)
        assert {"1"} == {answer.headers.get("Retry-After") for answer in refused}
        assert 1 == await server.tasks()


async def test_while_the_first_is_under_way_the_second_is_told_when_to_try_again(
    tmp_path: Path,
) -> None:
    async with api(tmp_path) as server, trio.open_nursery() as nursery:
        system = server.center.system
        system.suspend("/tasks", reason="so that it waits")
        nursery.start_soon(server.create)
        while not system.snapshot_of("/tasks").depth:
            await trio.testing.wait_all_tasks_blocked()
        early = await server.create()
        assert (409, "1") == (early.status_code, early.headers["Retry-After"])
        assert "still being answered" in early.json()["error"]["message"]
        system.resume("/tasks", reason="enough")
        while not await server.tasks():
            await trio.testing.wait_all_tasks_blocked()
    async with api(tmp_path) as server:
        assert "true" == (await server.create()).headers["Idempotency-Replayed"]


async def test_what_failed_is_not_done_again_and_nobody_is_told_to_wait(tmp_path: Path) -> None:
    async with api(tmp_path) as server:
        order = {"reason": "so that it fails", "confirm": True}
        await server.http.post("/api/runtime/actors/tasks/stop", json=order)
        assert 503 == (await server.create()).status_code
        failed = await server.create()
        assert 409 == failed.status_code
        assert "Retry-After" not in failed.headers
        assert "has failed" in failed.json()["error"]["message"]
        await server.http.post("/api/runtime/actors/tasks/restart", json=order)
        assert 409 == (await server.create()).status_code
        assert 0 == await server.tasks()


async def test_what_the_servers_end_cut_off_is_not_done_again(tmp_path: Path) -> None:
    async with api(tmp_path) as server:
        await server.create()
        await server.center.storage.write(
            lambda tx: tx.db.execute("UPDATE kept_answers SET status = NULL, instance = 'former'")
        )
        cut = await server.create()
        assert 409 == cut.status_code
        assert "Retry-After" not in cut.headers
        assert "another key" in cut.json()["error"]["message"]
        assert 1 == await server.tasks()


async def test_a_key_is_forgotten_after_a_day(tmp_path: Path) -> None:
    async with api(tmp_path) as server:
        await server.create()
        await server.center.storage.write(
            lambda tx: tx.db.execute(
                "UPDATE kept_answers SET created_at = '2025-01-31T07:05:09.120Z'"
            )
        )
        assert (await server.center.storage.write(lambda tx: claim(tx, "other", "r", "i"))) is None
        assert "Idempotency-Replayed" not in (await server.create()).headers
        assert 2 == await server.tasks()


@pytest.mark.parametrize("key", ["", "a b", "a" * 256, "\x7f", "ä"])
async def test_what_is_no_key_is_refused(tmp_path: Path, key: str) -> None:
    async with api(tmp_path) as server:
        headers = [(b"Idempotency-Key", key.encode())]
        answer = await server.http.post("/api/tasks", json=TASK, headers=headers)
        assert 400 == answer.status_code
        assert "Idempotency-Key" == answer.json()["error"]["details"][0]["path"]
        assert 0 == await server.tasks()
