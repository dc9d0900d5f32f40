"""A run for the pool: cloned where it works, leased, and given to another host once it is lost."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from command_center.actors.contracts.leases import LEASE_SECONDS, RENEW_SECONDS
from command_center.store import from_timestamp
from tests.actors.git.remote import TOKEN, Remote, serve_remote, trust
from tests.actors.git.repository import make_repository, plain_git
from tests.codex.script import AddFile, Gate, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.dialling import DialledHost, until_host, way_to
from tests.end_to_end.server import Client, Server, client_of

SECONDS = 400.0

DAY = 86_400
HOUR = 3600

NAMES = ("pool-a", "pool-b")


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    with serve_remote(tmp_path / "remote", token=TOKEN) as remote:
        yield remote


@pytest.fixture
def boxes(
    tmp_path: Path, codex_binary: Path, codex_home: Path, remote: Remote
) -> Iterator[dict[str, DialledHost]]:
    """Two machines that clone from the remote, each with a Codex of its own."""
    with ExitStack() as stack:
        found = {}
        for name in NAMES:
            home = tmp_path / name / "home"
            (home / "bin").mkdir(parents=True)
            (home / "bin" / "codex").symlink_to(codex_binary)
            trust(remote, home, token=TOKEN)
            shutil.copytree(codex_home, home / ".codex")
            variables = {
                "HOME": str(home),
                "CODEX_HOME": str(home / ".codex"),
                "PATH": f"{home / 'bin'}:/usr/bin:/bin",
            }
            box = DialledHost(tmp_path / name / "data", variables, ("--pool", remote.url))
            stack.callback(box.end)
            found[name] = box
        yield found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """It has no Codex on its own machine."""
    settings = {"CC_CODEX_COMMAND": "no-codex", "CC_CODEX_RUNNER_MODE": "app-server"}
    found = Server(tmp_path / "data", settings).start()
    try:
        yield found
    finally:
        found.end()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with client_of(server) as found:
        yield found


@pytest.fixture
def project(tmp_path: Path, remote: Remote) -> Path:
    """The checkout of a person, whose commits are at the remote, too."""
    made = make_repository(tmp_path / "project")
    plain_git(made, "push", "--quiet", str(remote.folder), "main")
    plain_git(made, "remote", "add", "origin", remote.url)
    return made


async def until_pool(client: Client, name: str) -> Any:
    """Return the pool of a host, once it says in time what it has."""
    with trio.fail_after(SECONDS):
        while True:
            pool = (await client.get(f"/api/hosts/{name}"))["pool"]
            if pool is not None:
                return pool
            await trio.sleep(0.5)


async def until_event(client: Client, kind: str) -> dict[str, Any]:
    """Return the data of the only event of a type, once it is there; that may take minutes."""
    with trio.fail_after(SECONDS):
        while True:
            found = (await client.get("/api/events", type=kind))["items"]
            if found:
                (event,) = found
                data: dict[str, Any] = event["data"]
                return data
            await trio.sleep(0.5)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("is_killed", [False, True])
async def test_a_run_goes_to_another_host_once_the_first_has_ended_it(
    client: Client,
    boxes: dict[str, DialledHost],
    project: Path,
    scripted_model: ScriptedModel,
    *,
    is_killed: bool,
) -> None:
    own = await client.post(
        "/api/repos", {"localPath": str(project), "allowWrite": True}, status=201
    )
    port = int(client.server.url.rpartition(":")[2])
    async with way_to(port) as way_a, way_to(port) as way_b:
        ways = dict(zip(NAMES, (way_a, way_b), strict=True))
        for name, way in ways.items():
            added = await client.post("/api/hosts", {"name": name}, status=201)
            boxes[name].enrol(way.url, code=added["enrolment"]["code"])
            await until_host(client, name, link="connected", status="connected")
            assert [boxes[name].allows[1]] == (await until_pool(client, name))["remotes"]

        gate = Gate(SECONDS)  # the host ends the turn, and no clock of the model
        scripted_model.script = (AddFile("begun.txt", "begun"), Say.text("Work", gate, "ing."))
        session = await client.run(own, "Write.", sandbox="workspace-write", placement="pool")
        await trio.to_thread.run_sync(gate.wait_until_reached)
        first = session["host"]
        (second,) = {*NAMES} - {first}
        session = await client.get(f"/api/sessions/{session['id']}")
        folder = Path(session["cwd"])
        assert folder.is_relative_to(boxes[first].folder / "worktrees")
        assert (folder / "begun.txt").exists()
        assert not (project / "begun.txt").exists()

        # Nobody hears of the first host any more. It ends the run, and only then the other has it.
        scripted_model.script = (AddFile("done.txt", "done"), Say.text("Done."))
        if is_killed:
            boxes[first].kill()
        ways[first].is_open = False
        ways[first].cut()
        lost = await until_event(client, "lease.lost")
        assert (first, str(folder)) == (lost["host"], lost["folder"])
        moved = await until_event(client, "lease.reassigned")
        assert (first, second) == (moved["host"], moved["toHost"])
        other = await client.until_session({"id": moved["toSessionId"]})
        assert ("completed", "Done.") == (other["status"], other["lastMessage"])
        assert Path(other["cwd"]).is_relative_to(boxes[second].folder / "worktrees")
        assert "interrupted" == (await client.get(f"/api/sessions/{session['id']}"))["status"]

        # Back, it has the work still, which is told of, and its turn is not begun again.
        ways[first].is_open = True
        if is_killed:
            boxes[first].start(is_fresh=True)
        await until_host(client, first, link="connected", status="connected")
        left = await until_event(client, "lease.work.found")
        assert (True, str(folder)) == (left["isDirty"], left["folder"])
        gate.open()
        assert (folder / "begun.txt").exists()
        listed = (await client.get("/api/sessions"))["items"]
        assert {session["id"], other["id"]} == {one["id"] for one in listed}


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_hosts_whose_clocks_are_wrong_by_a_day_work_as_any_other(
    client: Client,
    boxes: dict[str, DialledHost],
    remote: Remote,
    project: Path,
    scripted_model: ScriptedModel,
) -> None:
    """One is a day ahead, one a day behind; both hold a lease for longer than one lasts."""
    assert (project / ".git").exists(), "the remote has its commits"
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        pytest.skip("libfaketime is not installed")
    began = time.time()
    client.http.timeout = httpx.Timeout(SECONDS)  # the answer waits for its clone
    gate = Gate(SECONDS)  # the turns go on until their leases were renewed often enough
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    wrong = dict(zip(NAMES, (DAY, -DAY), strict=True))
    runs: dict[str, Any] = {}

    async def begin(name: str) -> None:
        fake = (
            f"LD_PRELOAD={library}",
            f"FAKETIME={wrong[name]:+d}",
            "DONT_FAKE_MONOTONIC=1",
            "FAKETIME_SKIP_CMDS=git,git-remote-http,git-remote-https",
        )
        boxes[name].within = ("env", *fake)
        added = await client.post("/api/hosts", {"name": name}, status=201)
        boxes[name].enrol(client.server.url, code=added["enrolment"]["code"])
        await until_host(client, name, link="connected", status="connected")
        clone = {"remote": remote.url, "host": name}
        cloned = await client.post("/api/repos/clone", clone, status=201)
        runs[name] = await client.run(cloned, "Work.")

    async with trio.open_nursery() as nursery:
        for name in NAMES:
            nursery.start_soon(begin, name)
    held_since: dict[str, float] = {}
    with trio.fail_after(SECONDS):
        while not held_since or min(held_since.values()) < LEASE_SECONDS + 2 * RENEW_SECONDS:
            await trio.sleep(1)
            for name in NAMES:
                renewed = [
                    from_timestamp(event["ts"]).timestamp()
                    for event in (await client.get("/api/events", type="lease.renewed"))["items"]
                    if event["data"]["host"] == name
                ]
                held_since[name] = max(renewed, default=0.0) - min(renewed, default=0.0)
            assert gate.is_shut, "the turns were not held for as long as leases last"
    gate.open()
    moments = []
    for name, session in runs.items():
        ended = await client.until_session(session)
        assert ("completed", "Working.") == (ended["status"], ended["lastMessage"])
        notes = (boxes[name].folder / "pool").glob("*.json")
        (note,) = (json.loads(one.read_bytes()) for one in notes)
        assert abs(note["used_at"] - began - wrong[name]) < HOUR, "the clock of the host was wrong"
        shown = await client.get(f"/api/hosts/{name}")
        moments += [shown["lastSeenAt"], ended["startedAt"], ended["finishedAt"]]

    events = (await client.get("/api/events", limit=500))["items"]
    assert not {"lease.lost", "host.away", "host.refused"} & {event["type"] for event in events}
    for at in (*moments, *(event["ts"] for event in events)):
        assert abs(from_timestamp(at).timestamp() - began) < HOUR
