"""A POST that is sent again under its key, over real sockets."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Never

import attrs
import httpx
import pytest
import trio
import trio.testing

from command_center.actors.center import Center
from command_center.actors.contracts.events.sessions import (
    SteerAcknowledged,
    SteerRejected,
    SteerRequested,
)
from command_center.actors.contracts.sessions import SteerSession
from command_center.actors.rules.errors import Unconfirmed
from command_center.http.app import create_app
from command_center.http.middleware import idempotency
from command_center.http.middleware.gate import Policy
from command_center.store import EventData, Transaction
from command_center.store.idempotency_keys import NOT_NOTED, Claimed, claim
from tests.actors.automations.rig import opened
from tests.http.live import client_of
from tests.made_up import made_up

TASK: dict[str, Any] = {"repositoryId": 1, "title": "a", "prompt": "b"}
KEY = {"Idempotency-Key": "5f0c"}
OTHER_KEY = {"Idempotency-Key": "5f0d"}
RUN = {"sandbox": "read-only"}
AUTOMATION: dict[str, Any] = {
    "repositoryId": 1,
    "title": "a",
    "scheduleExpr": "hourly",
    "payload": {"prompt": "a", "runInput": RUN},
}
LATER = {"ttlSeconds": 3600}
SENT: tuple[tuple[str, dict[str, Any], tuple[int, str | None]], ...] = (
    ("/api/tasks", TASK, (201, "/api/tasks/1")),
    ("/api/tasks/1/sessions", RUN, (201, "/api/sessions/1")),
    ("/api/sessions/1/followups", {"message": "a"}, (201, "/api/followups/1")),
    ("/api/tasks", {**TASK, "approvalRequired": True}, (201, "/api/tasks/2")),
    ("/api/tasks/2/run", RUN, (202, None)),
    ("/api/approvals/1/extend", LATER, (200, None)),
    ("/api/approvals/1/resolve", {"status": "rejected"}, (200, None)),
    ("/api/approvals", {"title": "May I?"}, (201, "/api/approvals/2")),
    ("/api/automations", AUTOMATION, (201, "/api/automations/1")),
    ("/api/automations/1/run", {}, (201, "/api/sessions/3")),
    ("/api/repos/1/scan", {}, (200, None)),
    ("/api/repos/1/worktrees", {"branchName": "a"}, (201, None)),
    ("/api/repos/1/worktrees/prune", {}, (200, None)),
    ("/api/repos/1/worktrees/clean", {}, (200, None)),
)


@attrs.frozen
class Api:
    """The routes, and the center behind them."""

    center: Center
    http: httpx.AsyncClient

    async def create(self, **fields: object) -> httpx.Response:
        return await self.http.post("/api/tasks", json={**TASK, **fields}, headers=KEY)

    async def tasks(self) -> int:
        return len((await self.http.get("/api/tasks")).json()["items"])


async def commit_something(folder: Path) -> None:
    """Make the folder a repository."""
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    await trio.run_process(["git", "init", "-q", folder])
    await trio.run_process(
        ["git", *author, "-C", folder, "commit", "-q", "--allow-empty", "-m", "a"]
    )


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


@contextmanager
def answers_are_lost(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have each request fail when it was carried out, before its answer is kept."""

    def keep_nothing(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "keep", keep_nothing)
        yield


@pytest.mark.parametrize("is_begun_anew", [False, True])
async def test_an_answer_that_was_lost_after_the_commit_is_that_of_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_begun_anew: bool
) -> None:
    async def check(server: Api) -> None:
        again = await server.create()
        assert (201, "/api/tasks/1") == (again.status_code, again.headers["Location"])
        assert "true" == again.headers["Idempotency-Replayed"]
        assert again.json() == (await server.http.get("/api/tasks/1")).json()
        assert 1 == await server.tasks()

    async with api(tmp_path) as server:
        with answers_are_lost(monkeypatch):
            assert 500 == (await server.create()).status_code
        if not is_begun_anew:
            await check(server)
    if is_begun_anew:
        async with api(tmp_path) as server:
            await check(server)


async def test_whatever_is_made_is_answered_as_it_was_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await commit_something(tmp_path)
    async with api(tmp_path) as server:
        for number, (path, body, answer) in enumerate(SENT):
            key = {"Idempotency-Key": f"{number}"}
            with answers_are_lost(monkeypatch):
                lost = await server.http.post(path, json=body, headers=key)
                assert 500 == lost.status_code, lost.text
            again = await server.http.post(path, json=body, headers=key)
            assert answer == (again.status_code, again.headers.get("Location")), again.text
            assert "true" == again.headers["Idempotency-Replayed"]


async def test_a_stop_that_was_cut_off_is_asked_for_again_and_happens_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with api(tmp_path) as server:
        await server.create()
        await server.http.post("/api/tasks/1/sessions", json=RUN)
        with answers_are_lost(monkeypatch):
            await server.http.post("/api/sessions/1/stop", json={}, headers=OTHER_KEY)
    async with api(tmp_path) as server:
        again = await server.http.post("/api/sessions/1/stop", json={}, headers=OTHER_KEY)
        assert (200, "stopped") == (again.status_code, again.json()["session"]["status"])
        told = await server.http.get("/api/events", params={"type": "session.stop.requested"})
        assert 1 == len(told.json()["items"])


async def test_what_was_done_to_an_actor_ended_with_the_server_and_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, path = {"reason": "to look"}, "/api/runtime/actors/tasks/suspend"
    async with api(tmp_path) as server:
        with answers_are_lost(monkeypatch):
            await server.http.post(path, json=order, headers=KEY)
        begun = await server.http.post(path, json=order, headers=KEY)
        assert "begun" == begun.json()["error"]["facts"]["outcome"]
    async with api(tmp_path) as server:
        answer = await server.http.post(path, json=order, headers=KEY)
        assert (200, "suspended") == (answer.status_code, answer.json()["status"])
        again = await server.http.post(path, json=order, headers=KEY)
        assert answer.content == again.content


@pytest.mark.parametrize("is_taken", [True, False])
@pytest.mark.parametrize("is_begun_anew", [False, True])
async def test_steering_that_was_cut_off_is_answered_with_what_came_of_it_once_that_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_taken: bool, is_begun_anew: bool
) -> None:
    path = "/api/sessions/1/steer"

    def steer(server: Api) -> Awaitable[httpx.Response]:
        return server.http.post(path, json={"message": "a"}, headers=OTHER_KEY)

    async def check(server: Api) -> None:
        early = await steer(server)
        assert (409, None) == (early.status_code, early.headers.get("Retry-After"))
        facts = early.json()["error"]["facts"]
        assert "begun" == facts["outcome"]
        assert "Send it again then" in early.json()["error"]["message"]
        cause, told = facts["eventId"], SteerAcknowledged(turn_id="u")
        outcomes = [told if is_taken else SteerRejected(reason="It was too late.")]
        for causation_id, outcome in (
            (cause + 900, made_up("session.steer.rejected")),
            (cause, *outcomes),
        ):
            await server.center.storage.write(
                partial(tell_of_session, outcome=outcome, causation_id=causation_id)
            )
        late = await steer(server)
        if is_taken:
            session = (await server.http.get("/api/sessions/1")).json()
            receipt = {"session": session, "turnId": "u", "status": "acknowledged"}
            assert (200, receipt) == (late.status_code, late.json())
            assert "true" == late.headers["Idempotency-Replayed"]
            assert late.content == (await steer(server)).content
        else:
            assert 409 == late.status_code
            assert "It was too late." == late.json()["error"]["message"]
            # The key is free: what is sent now is a new request, and there is no turn.
            assert "stub runner" in (await steer(server)).json()["error"]["message"]

    async with api(tmp_path) as server:
        await server.create()
        await server.http.post("/api/tasks/1/sessions", json=RUN)

        async def begin(_sessions: object, _id: int, message: SteerSession) -> Never:
            asked = SteerRequested(message=message.message, turn_id="u")
            await server.center.storage.write(partial(tell_of_session, outcome=asked))
            raise Unconfirmed("Codex did not answer.")

        with monkeypatch.context() as patched:
            patched.setattr(type(server.center.sessions), "ask", begin)
            assert 503 == (await steer(server)).status_code
        if not is_begun_anew:
            await check(server)
    if is_begun_anew:
        async with api(tmp_path) as server:
            await check(server)


def tell_of_session(tx: Transaction, outcome: EventData, causation_id: int | None = None) -> None:
    tx.emit(outcome, actor="codex", session_id=1, causation_id=causation_id)


async def test_what_the_servers_end_cut_off_before_its_commit_is_carried_out_when_sent_again(
    tmp_path: Path,
) -> None:
    async with api(tmp_path) as server, trio.open_nursery() as nursery:
        system = server.center.system
        system.suspend("/tasks", reason="so that nothing is committed")
        nursery.start_soon(server.create)
        while not system.snapshot_of("/tasks").depth:
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    async with api(tmp_path) as server:
        assert 0 == await server.tasks()
        first, again = await server.create(), await server.create()
        assert (201, 201) == (first.status_code, again.status_code)
        assert "Idempotency-Replayed" not in first.headers
        assert first.content == again.content
        assert 1 == await server.tasks()


async def test_of_what_a_version_without_notes_began_nothing_is_known(tmp_path: Path) -> None:
    async with api(tmp_path) as server:
        await server.create()
        await server.center.storage.write(
            lambda tx: tx.db.execute(
                "UPDATE kept_answers SET status = NULL, instance = 'former', event_id = ?",
                [NOT_NOTED],
            )
        )
        cut = await server.create()
        assert (409, None) == (cut.status_code, cut.headers.get("Retry-After"))
        assert {"outcome": "unknown"} == cut.json()["error"]["facts"]
        assert 1 == await server.tasks()


async def test_a_key_is_forgotten_after_a_day(tmp_path: Path) -> None:
    async with api(tmp_path) as server:
        await server.create()
        await server.center.storage.write(
            lambda tx: tx.db.execute(
                "UPDATE kept_answers SET created_at = '2025-01-31T07:05:09.120Z'"
            )
        )
        claimed = await server.center.storage.write(lambda tx: claim(tx, "other", "r", "i"))
        assert Claimed() == claimed
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
