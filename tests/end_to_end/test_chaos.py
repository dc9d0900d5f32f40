"""Nothing is lost when the server, or Codex, is killed in the middle of a turn.

A shared app-server outlives the server: the turn goes on, and a new server joins it. Each case
kills at another random moment of a turn that runs a command, asks for approval, streams text and
ends. A few cases run with all tests; `pytest -m chaos` runs many.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio
from trio_websocket import ConnectionClosed

from command_center.actors.codex.websocket import HandshakeFailed
from command_center.actors.hosts.local.codex.orphans import kill_all, left_in
from tests.codex.script import Gate, Hold, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import (
    ENDED,
    WAIT_SECONDS,
    Client,
    Server,
    client_of,
    wait_for_no_process,
)

KILLS = 5
MANY_KILLS = 50
LONGEST_TURN = 2.0
"""Seconds within which the moment of a kill is drawn."""


@attrs.define
class AppServer:
    """A Codex app-server of its own, on a socket."""

    binary: Path
    home: Path
    socket: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait for its socket."""
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [self.binary, "app-server", "--listen", f"unix://{self.socket}"],
            env={**os.environ, "CODEX_HOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    async def until_ready(self) -> None:
        """Wait for its socket to be there."""
        with trio.fail_after(WAIT_SECONDS):
            while not self.socket.exists():  # noqa: ASYNC110 - another process makes it
                await trio.sleep(0.02)

    def freeze(self) -> None:
        """Have it do nothing more, and let it live."""
        if sys.platform != "win32":
            self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it work again."""
        if sys.platform != "win32":
            self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """`kill -9`, and end what it leaves."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        kill_all(left_in(self.process.pid))


@pytest.fixture
def app_server(tmp_path: Path, codex_binary: Path, codex_home: Path) -> Iterator[AppServer]:
    server = AppServer(codex_binary, codex_home, tmp_path / "codex.sock")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def shared_server(
    tmp_path: Path, codex_binary: Path, codex_home: Path, app_server: AppServer
) -> Iterator[Server]:
    """A server that reaches the app-server through the proxy."""
    server = Server(
        tmp_path / "data",
        {
            "CC_CODEX_COMMAND": str(codex_binary),
            "CC_CODEX_TRANSPORT": "proxy",
            "CC_CODEX_SOCKET": str(app_server.socket),
            "CODEX_HOME": str(codex_home),
        },
    )
    yield server
    server.end()


def story(folder: Path) -> tuple[Any, ...]:
    """A turn that runs a command, asks, streams and ends."""
    words = [f"word {number} " for number in range(50)]
    return (
        Run("sleep 0.2; echo one"),
        Run(f"echo two >> {folder / 'outside.txt'}", justification="May I write outside?"),
        Say.text(*words),
    )


async def approve_all(client: Client) -> None:
    """Approve what is pending."""
    pending = await client.get("/api/approvals", status="pending")
    for approval in pending["items"]:
        answer = await client.http.post(
            f"/api/approvals/{approval['id']}/resolve", json={"status": "approved"}
        )
        assert answer.status_code in {200, 409}, answer.text


async def until_ended(client: Client, session: Any) -> Any:
    """The session's end, with all that is asked on the way approved."""
    async with client.watch(after=0, sessionId=session["id"]) as stream:
        while True:
            now = await client.session(session)
            if now["status"] in ENDED:
                return now
            await approve_all(client)
            await stream.next()


async def until_cut_off(client: Client, session: Any) -> None:
    """Approve what the session asks until it ends or the server does.

    A client that is not cancelled closes what it has opened.
    """
    with contextlib.suppress(httpx.TransportError, ConnectionClosed, HandshakeFailed, OSError):
        await until_ended(client, session)


def check_told_once(events: list[Any]) -> None:
    """No event is missing, and nothing is told twice."""
    items = Counter(
        (event["sessionId"], event["data"]["turnId"], event["data"]["itemId"])
        for event in events
        if event["type"] == "session.item"
    )
    assert {1} == set(items.values())
    for kind in ("approval.requested", "approval.resolved", "session.started"):
        assert 1 == sum(event["type"] == kind for event in events), kind


async def killed_once(
    server: Server,
    model: ScriptedModel,
    client_repository: Path,
    folder: Path,
    moment: float,
) -> str:
    """One run whose server is killed `moment` seconds after it was accepted; its state then."""
    model.script = story(folder)
    server.start()
    async with client_of(server) as client:
        repositories = await client.get("/api/repos")
        registered = (
            repositories["items"][0]
            if repositories["items"]
            else await client.register(client_repository)
        )
        asked_before = len(model.requests)
        session = await client.run(registered, "Tell the story.")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(until_cut_off, client, session)
            await trio.sleep(moment)
            before: str = (await client.session(session))["status"]
            server.kill()
    server.start()
    async with client_of(server) as client:
        ended = await until_ended(client, session)
        assert "completed" == ended["status"], ended
        events = await client.get(f"/api/sessions/{session['id']}/events", limit=500)
        check_told_once(events["items"])
        assert 3 == len(model.requests) - asked_before
    server.stop()
    return before


async def kill_often(
    server: Server,
    app_server: AppServer,
    model: ScriptedModel,
    repository: Path,
    folder: Path,
    *,
    seed: int,
    kills: int,
) -> None:
    chance = random.Random(seed)  # noqa: S311 - moments, no secrets
    states: Counter[str] = Counter()
    await app_server.until_ready()
    for number in range(kills):
        moment = chance.uniform(0, LONGEST_TURN)
        states[await killed_once(server, model, repository, folder, moment)] += 1
        lines = (folder / "outside.txt").read_text().splitlines()
        assert ["two"] * (number + 1) == lines
    print(f"{kills} kills, of turns that were: {dict(states)}")  # noqa: T201 - figures
    app_server.kill()
    wait_for_no_process(str(app_server.home))


@pytest.mark.timeout(300)
async def test_a_turn_on_a_shared_app_server_survives_kills_of_the_server(
    shared_server: Server,
    app_server: AppServer,
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
) -> None:
    await kill_often(
        shared_server, app_server, scripted_model, repository, tmp_path, seed=1, kills=KILLS
    )


@pytest.mark.chaos
@pytest.mark.timeout(1800)
async def test_a_turn_on_a_shared_app_server_survives_many_kills_of_the_server(
    shared_server: Server,
    app_server: AppServer,
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
) -> None:
    await kill_often(
        shared_server, app_server, scripted_model, repository, tmp_path, seed=2, kills=MANY_KILLS
    )


async def test_when_the_app_server_is_killed_the_turn_is_interrupted_and_continued_where_wanted(
    shared_server: Server,
    app_server: AppServer,
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
) -> None:
    scripted_model.script = story(tmp_path)
    await app_server.until_ready()
    shared_server.start()
    async with client_of(shared_server) as client:
        session = await begin_a_story_to_be_continued(client, repository)
        app_server.kill()
        app_server.start()
        await check_that_it_was_continued(client, session)


async def test_when_both_are_killed_the_turn_is_continued_in_its_thread_where_wanted(
    shared_server: Server,
    app_server: AppServer,
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
) -> None:
    scripted_model.script = story(tmp_path)
    await app_server.until_ready()
    shared_server.start()
    async with client_of(shared_server) as client:
        session = await begin_a_story_to_be_continued(client, repository)
    shared_server.kill()
    app_server.kill()
    app_server.start()
    await app_server.until_ready()
    shared_server.start()
    async with client_of(shared_server) as client:
        await check_that_it_was_continued(client, session)


async def test_with_an_app_server_that_it_spawned_the_turn_is_interrupted_at_once_and_continued(
    spawning_server: Server, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    scripted_model.script = story(tmp_path)
    async with client_of(spawning_server) as client:
        session = await begin_a_story_to_be_continued(client, repository)
    spawning_server.kill()
    spawning_server.start()
    async with client_of(spawning_server) as client:
        with trio.fail_after(1):
            await client.until_session(session, "interrupted")
        await check_that_it_was_continued(client, session)


@pytest.mark.skipif(sys.platform == "win32", reason="only POSIX stops a process for a while")
async def test_steering_that_a_kill_cut_off_is_answered_with_what_came_of_it(
    shared_server: Server,
    app_server: AppServer,
    scripted_model: ScriptedModel,
    repository: Path,
) -> None:
    gate = Gate()
    scripted_model.script = (Hold(gate, Say.text("Halfway.")), Say.text("Done."))
    await app_server.until_ready()
    shared_server.start()
    async with client_of(shared_server) as client, trio.open_nursery() as nursery:
        session = await client.run(await client.register(repository), "Work.")
        gate.wait_until_reached()
        await client.until_session(session, "running")
        async with client.watch(sessionId=session["id"]) as stream:
            app_server.freeze()
            nursery.start_soon(steer, client, session)
            await stream.until("session.steer.requested")
            shared_server.kill()
    app_server.go_on()
    shared_server.start()
    async with client_of(shared_server) as client:
        early = await steer(client, session)
        assert early is not None
        assert (409, "begun") == (early.status_code, early.json()["error"]["facts"]["outcome"])
        gate.open()
        ended = await client.until_session(session, "completed")
        items = (await client.get(f"/api/sessions/{session['id']}/items"))["items"]
        said = [
            item["body"]["content"][0]["text"] for item in items if item["type"] == "userMessage"
        ]
        late = await steer(client, session)
        assert late is not None
        if "Hurry." in said:
            assert (200, ended["codexTurnId"]) == (late.status_code, late.json()["turnId"])
        else:
            assert 409 == late.status_code
            assert "not in its thread" in late.json()["error"]["message"]


async def steer(client: Client, session: Any) -> httpx.Response | None:
    """Say something to the turn, always under the same key; None where the server is killed."""
    path, headers = f"/api/sessions/{session['id']}/steer", {"Idempotency-Key": "hurry"}
    try:
        return await client.http.post(path, json={"message": "Hurry."}, headers=headers)
    except httpx.TransportError:
        return None


async def begin_a_story_to_be_continued(client: Client, repository: Path) -> Any:
    """A session that waits for an approval, of a task that goes on when it is interrupted."""
    registered = await client.register(repository)
    task = await client.task(registered, "Tell the story.", onInterrupt="continue")
    outcome = await client.post(f"/api/tasks/{task['id']}/run", {}, status=201)
    async with client.watch(after=0) as stream:
        await stream.until("session.waiting_approval")
    return outcome["session"]


async def check_that_it_was_continued(client: Client, session: Any) -> None:
    """The session was interrupted, its question cancelled, and another went on in the thread."""
    first = await client.until_session(session, "interrupted")
    asked = await client.get("/api/approvals", sessionId=first["id"])
    assert ["cancelled"] == [approval["status"] for approval in asked["items"]]
    listed = await client.get(f"/api/tasks/{first['taskId']}/sessions")
    second = listed["items"][0]
    assert ("continue", first["id"]) == (second["origin"], second["previousSessionId"])
    ended = await until_ended(client, second)
    assert "completed" == ended["status"]
    assert first["codexThreadId"] == ended["codexThreadId"]
    assert first["correlationId"] == ended["correlationId"]
