"""A cluster of two centres, as installed: what a client has when the one that leads is lost."""

from __future__ import annotations

import itertools
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import attrs
import httpx
import pytest
import trio

from tests.checkout import ROOT
from tests.codex.script import Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.clusters import Clustered, clustered
from tests.end_to_end.dialling import WITHOUT_CODEX, DialledHost, until_host
from tests.end_to_end.linearizability import Operation, is_linearizable
from tests.end_to_end.server import NO_AUTHORITIES, Server, Stream, client_of
from tests.end_to_end.test_chaos import AppServer
from tests.nats_servers import ON_LINUX, free_ports

ROUNDS = int(os.environ.get("CC_TEST_FAILOVERS", "3"))

pytestmark = [ON_LINUX, pytest.mark.chaos, pytest.mark.timeout(900 + 60 * ROUNDS)]


@pytest.fixture
def app_server(tmp_path: Path, codex_binary: Path, codex_home: Path) -> Iterator[AppServer]:
    """A Codex that all centres reach, as one on a machine that is no centre's."""
    server = AppServer(codex_binary, codex_home, tmp_path / "codex.sock")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def pair(
    tmp_path: Path, codex_binary: Path, codex_home: Path, app_server: AppServer
) -> Iterator[Clustered]:
    """Two centres with one Codex."""
    settings = {
        "CC_CODEX_COMMAND": str(codex_binary),
        "CC_CODEX_TRANSPORT": "proxy",
        "CC_CODEX_SOCKET": str(app_server.socket),
        "CODEX_HOME": str(codex_home),
    }
    with clustered(tmp_path, settings) as found:
        yield found


@pytest.fixture
def stubs(tmp_path: Path) -> Iterator[Clustered]:
    """Two centres without Codex."""
    with clustered(tmp_path, {"CC_CODEX_RUNNER_MODE": "stub"}) as found:
        yield found


def freeze(pid: int) -> None:
    """Have a process do nothing more, and let it live."""
    if sys.platform != "win32":
        os.kill(pid, signal.SIGSTOP)


def wake(pid: int) -> None:
    """Have it go on."""
    if sys.platform != "win32":
        os.kill(pid, signal.SIGCONT)


def ids(stream: Stream) -> list[int]:
    """Return the ids of the events that are kept."""
    return [event["id"] for event in stream.seen if event["id"] is not None]


async def test_a_turn_and_its_question_outlive_kills_of_the_leader(
    pair: Clustered, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    scripted_model.script = (
        Run(f"echo made >> {outside}", justification="May I write outside?"),
        Say.text("It is made."),
    )
    leader = await pair.leader()
    async with client_of(leader) as client:
        registered = await client.register(repository)
        log_id = (await client.get("/health"))["logId"]
    times = []
    for number in range(ROUNDS):
        standby = await pair.standby(leader)
        async with client_of(leader) as client, client.watch(after=0) as stream:
            session = await client.run(registered, "Make a file outside.")
            await client.until_session(session, "waiting_approval")
            while not stream.seen or stream.seen[-1]["type"] != "approval.requested":
                await stream.next()
            before = ids(stream)
        leader.kill()
        killed = time.monotonic()
        assert standby is await pair.leader(but=leader)
        times.append(time.monotonic() - killed)
        async with client_of(standby) as client, client.watch(after=before[-1]) as stream:
            assert log_id == (await client.get("/health"))["logId"]
            listed = await client.get("/api/approvals", sessionId=session["id"])
            (approval,) = listed["items"]
            assert "pending" == approval["status"]
            path = f"/api/approvals/{approval['id']}/resolve"
            await client.post(path, {"status": "approved", "resolvedBy": "ada"})
            ended = await client.until_session(session, "completed")
            while not any(event["type"] == "session.completed" for event in stream.seen):
                await stream.next()
            after = ids(stream)
            told = await client.get(f"/api/sessions/{session['id']}/events", limit=500)
        assert [*range(1, after[-1] + 1)] == before + after
        assert "It is made." == ended["lastMessage"]
        assert ["made"] * (number + 1) == outside.read_text().splitlines()
        kinds = [event["type"] for event in told["items"]]
        assert [1, 1] == [kinds.count(f"approval.{word}") for word in ("requested", "resolved")]
        leader.start()
        leader = standby
    times.sort()
    worst = times[min(len(times) - 1, math.ceil(0.99 * len(times)) - 1)]
    sys.stdout.write(
        f"{len(times)} kills of the leader; seconds until the next one led: "
        f"p50 {times[len(times) // 2]:.2f}, p99 {worst:.2f}, longest {times[-1]:.2f}; "
        "lost 0, doubled 0, answered once each\n"
    )
    assert times[-1] < 15


async def test_a_frozen_leader_comes_back_as_a_standby_by_itself(stubs: Clustered) -> None:
    leader = await stubs.leader()
    standby = await stubs.standby(leader)
    assert leader.process is not None
    pid = leader.process.pid
    freeze(pid)
    assert standby is await stubs.leader(but=leader)
    wake(pid)
    await stubs.standby(standby)
    assert leader.process.poll() is None
    async with client_of(standby) as client:
        assert 2 == (await client.get("/health"))["epoch"]


async def test_a_standby_sends_readers_to_the_leader_and_tells_writers_where_it_is(
    stubs: Clustered,
) -> None:
    leader = await stubs.leader()
    standby = await stubs.standby(leader)
    async with httpx.AsyncClient(base_url=standby.url, verify=NO_AUTHORITIES) as http:
        asked = await http.get("/api/tasks?limit=3")
        assert 307 == asked.status_code
        assert f"{leader.url}/api/tasks?limit=3" == asked.headers["location"]
        assert {"items", "nextCursor"} <= {
            *(await http.get("/api/tasks", follow_redirects=True)).json()
        }
        told = await http.post("/api/tasks", json={})
        assert 503 == told.status_code
        assert leader.url == told.json()["error"]["facts"]["leader"]
        wrong = await http.get("/api/tasks", headers={"Host": "elsewhere.example"})
        assert 421 == wrong.status_code
        socket = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        opened = await http.get("/api/events/stream?after=3", headers={**socket, **key})
        assert 307 == opened.status_code
        where = leader.url.replace("http", "ws", 1)
        assert f"{where}/api/events/stream?after=3" == opened.headers["location"]
    leader.stop()
    began = time.monotonic()
    assert standby is await stubs.leader(but=leader)
    assert time.monotonic() - began < 10


async def test_a_cluster_survives_the_loss_of_one_nats_server(
    stubs: Clustered, repository: Path
) -> None:
    leader = await stubs.leader()
    async with client_of(leader) as client:
        registered = await client.register(repository)
    await stubs.standby(leader)
    stubs.nats[0].kill()
    begun = time.monotonic()
    path = f"/api/repos/{registered['id']}"
    with trio.fail_after(30):
        while True:
            found = await stubs.leader()
            async with httpx.AsyncClient(timeout=20, verify=NO_AUTHORITIES) as http:
                with suppress(httpx.HTTPError):
                    if (await http.patch(f"{found.url}{path}", json={"name": "kept"})).is_success:
                        break
            await trio.sleep(0.1)
    sys.stdout.write(f"seconds until a change was kept: {time.monotonic() - begun:.2f}\n")


async def test_centres_whose_nats_servers_are_down_say_so_and_go_on_when_they_are_back(
    stubs: Clustered, repository: Path
) -> None:
    leader = await stubs.leader()
    async with client_of(leader) as client:
        registered = await client.register(repository)
    await stubs.standby(leader)
    for server in stubs.nats:
        server.kill()
    for centre in stubs.centres:
        centre.kill()
        centre.start()
    with trio.fail_after(60):
        for centre in stubs.centres:
            while not (health := await stubs.health(centre)) or health["problem"] is None:  # noqa: ASYNC110 - a server says it
                await trio.sleep(0.05)
            assert ("joining", "degraded") == (health["role"], health["status"])
    stubs.centres[1].stop()  # though it has not joined
    stubs.centres[1].start()
    for server in stubs.nats:
        server.start()
    found = await stubs.leader()
    async with client_of(found) as client:
        assert registered["id"] == (await client.get(f"/api/repos/{registered['id']}"))["id"]


async def test_a_turn_on_a_machine_that_dials_out_goes_on_under_the_next_leader(
    tmp_path: Path, dialling_host: DialledHost, scripted_model: ScriptedModel
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Half", gate, " and half."),)
    folder = tmp_path / "centres"
    folder.mkdir()
    with clustered(folder, WITHOUT_CODEX) as pair:
        leader = await pair.leader()
        standby = await pair.standby(leader)
        async with client_of(leader) as client:
            added = await client.post("/api/hosts", {"name": "box"}, status=201)
            code = added["enrolment"]["code"]
            dialling_host.enrol(standby.url, leader.url, code=code)
            await until_host(client, "box", link="connected", status="connected")
            wish = {"localPath": "~/project", "workplace": "main_checkout", "host": "box"}
            session = await client.run(await client.post("/api/repos", wish, status=201), "Wait.")
            await trio.to_thread.run_sync(gate.wait_until_reached)
            await client.until_session(session, "running")
        leader.kill()
        killed = time.monotonic()
        assert standby is await pair.leader(but=leader)
        led = time.monotonic() - killed
        async with client_of(standby) as client:
            await until_host(client, "box", link="connected", status="connected")
            there = time.monotonic() - killed
            sys.stdout.write(f"led after {led:.2f} s, the host was there after {there:.2f} s\n")
            gate.open()
            ended = await client.until_session(session, "completed")
            assert "Half and half." == ended["lastMessage"]


@contextmanager
def caddy_before(centres: list[Server], folder: Path) -> Iterator[str]:
    """Start Caddy as the file for containers has it, with the centres where they are here."""
    program = shutil.which("caddy")
    if program is None:
        pytest.skip("no Caddy is installed: apt-get install caddy")
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    text = (ROOT / "Caddyfile.cluster").read_text(encoding="utf-8")
    text = text.replace("{$CENTER_NAME} {", f"{url} {{", 1).replace("{$CENTER_NAME}", "127.0.0.1")
    for number, centre in enumerate(centres, 1):
        text = text.replace(f"centre-{number}:8787", centre.url.removeprefix("http://"))
    file = folder / "Caddyfile"
    file.write_text(f"{{\n\tadmin off\n}}\n{text}", encoding="utf-8")
    process = subprocess.Popen([program, "run", "--adapter", "caddyfile", "--config", file])
    try:
        yield url
    finally:
        process.kill()
        process.wait()


async def test_caddy_leads_to_the_centre_that_leads(stubs: Clustered, tmp_path: Path) -> None:
    leader = await stubs.leader()
    await stubs.standby(leader)
    with caddy_before(stubs.centres, tmp_path) as url:
        for epoch in (1, 2):
            with trio.fail_after(60):
                async with httpx.AsyncClient(timeout=20, verify=NO_AUTHORITIES) as http:
                    while True:
                        with suppress(httpx.HTTPError, ValueError):
                            health = (await http.get(f"{url}/health")).json()
                            if (health.get("role"), health.get("epoch")) == ("leader", epoch):
                                break
                        await trio.sleep(0.1)
                    assert (await http.get(f"{url}/api/tasks")).is_success
            if epoch == 1:
                leader.kill()


@attrs.define
class Clients:
    """Clients that write and read the name of a repository, and the history of what they saw."""

    centres: list[Server]
    path: str
    is_over: bool = False
    history: list[Operation] = attrs.field(factory=list)

    async def run(self, number: int) -> None:
        """Write once, read twice, and again, with whichever centre leads."""
        for count in itertools.count():
            if self.is_over:
                return
            name = f"{number}.{count}" if count % 3 == 0 else None
            for centre in self.centres:
                await self.ask(f"{centre.url}{self.path}", name)
            await trio.sleep(0.1)

    async def ask(self, url: str, name: str | None) -> None:
        """Write a name, or read the one that is there; a standby does neither."""
        began = trio.current_time()
        try:
            async with httpx.AsyncClient(timeout=20, verify=NO_AUTHORITIES) as http:
                answer = await (
                    http.get(url) if name is None else http.patch(url, json={"name": name})
                )
        except httpx.ConnectError:
            return  # it was not asked
        except httpx.HTTPError:
            if name is not None:
                self.history.append(Operation("write", name, began))
            return
        if answer.status_code == 200:
            kind: Literal["read", "write"] = "read" if name is None else "write"
            seen = answer.json()["name"]
            self.history.append(Operation(kind, seen, began, trio.current_time()))
        elif name is not None and "cc-leader" not in answer.headers:
            self.history.append(Operation("write", name, began))


async def test_what_clients_see_through_kills_and_freezes_of_the_leader_is_one_order(
    stubs: Clustered, repository: Path
) -> None:
    leader = await stubs.leader()
    async with client_of(leader) as client:
        registered = await client.register(repository, name="0")
    clients = Clients(stubs.centres, f"/api/repos/{registered['id']}")
    async with trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(clients.run, number)
        for number in range(2 * ROUNDS):
            standby = await stubs.standby(leader)
            await trio.sleep(1)
            if number % 2:
                leader.kill()
            else:
                assert leader.process is not None
                freeze(leader.process.pid)
            assert standby is await stubs.leader(but=leader)
            if number % 2:
                leader.start()
            else:
                await trio.sleep(1)  # others write what it does not know of, and ask it
                assert leader.process is not None
                wake(leader.process.pid)
            leader = standby
        await trio.sleep(2)
        clients.is_over = True
    writes = [one for one in clients.history if one.kind == "write" and one.ended < math.inf]
    sys.stdout.write(f"{len(clients.history)} operations, {len(writes)} acknowledged writes\n")
    assert len(writes) > ROUNDS
    assert is_linearizable(clients.history, "0")
