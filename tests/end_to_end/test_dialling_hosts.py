"""A host that dials out to the server: enrolled by a code, cut off, and come back."""

from __future__ import annotations

import json
import os
import random
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
import trio

from tests.actors.git.repository import make_repository
from tests.codex.script import AddFile, Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.dialling import DialledHost, until_host, way_to
from tests.end_to_end.server import ENDED, Client, Server, client_of
from tests.end_to_end.test_chaos import LONGEST_TURN, approve_all, check_told_once, story

MEMORY_LIMIT = 60_000_000

MANY_KILLS = 30

EVERYTHING = tuple(
    word
    for one in ("write", "network", "commit", "push", "escalation")
    for word in ("--allow", one)
)


@pytest.fixture
def box(tmp_path: Path, codex_binary: Path, codex_home: Path) -> Iterator[DialledHost]:
    """The other machine: its user has Codex in `~/bin`, and a repository."""
    home = tmp_path / "box" / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "codex").symlink_to(codex_binary)
    make_repository(home / "project")
    variables = {
        "HOME": str(home),
        "CODEX_HOME": str(codex_home),
        "PATH": f"{home / 'bin'}:/usr/bin:/bin",
    }
    found = DialledHost(tmp_path / "box" / "data", variables)
    try:
        yield found
    finally:
        found.end()


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
    """A client of that server."""
    async with client_of(server) as found:
        yield found


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


@pytest.mark.timeout(300)
async def test_work_goes_on_on_a_machine_that_dials_out(  # noqa: PLR0915 - one story
    client: Client, box: DialledHost, server: Server, scripted_model: ScriptedModel
) -> None:
    added = await client.post("/api/hosts", {"name": "box"}, status=201)
    code = added["enrolment"]["code"]
    assert ("dial", "away") == (added["kind"], added["link"])
    assert added["enrolment"]["command"].endswith(f" --enrol {code}")
    async with way_to(port_of(server)) as way:
        box.enrol(way.url, code)
        await until_host(client, "box", link="connected", status="connected")
        mode = stat.S_IMODE((box.folder / "host.json").stat().st_mode)
        assert 0o600 == mode
        key = json.loads((box.folder / "host.json").read_text())["key"]
        assert key.encode() not in b"".join(
            path.read_bytes() for path in server.data_dir.glob("*.sqlite3*")
        )

        # A run works, and is shown, on that machine; what its user does not allow is not done
        # there, whoever approves it.
        wish = {"localPath": "~/project", "workplace": "main_checkout", "host": "box"}
        repository = await client.post("/api/repos", {**wish, "allowWrite": True}, status=201)
        project = Path(box.environment["HOME"]) / "project"
        assert str(project) == repository["localPath"]
        scripted_model.script = (
            AddFile("new.txt", "hello"),
            Run("touch asked", "May I?"),
            Say.text("Done."),
        )
        session = await client.run(repository, "Write.", sandbox="workspace-write")
        await client.until_session(session, "waiting_approval")
        (approval,) = (await client.get("/api/approvals", status="pending"))["items"]
        await client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "approved"})
        ended = await client.until_session(session)
        assert "completed" == ended["status"], ended["exitReason"]
        assert not (project / "asked").exists()
        assert "was declined by the ceiling" in box.log.read_text()
        changes = await client.get(f"/api/sessions/{session['id']}/changes")
        assert ["new.txt"] == [file["path"] for file in changes["items"]]

        # The link is cut in the middle of a turn, and the host's program killed.
        gate = Gate()
        scripted_model.script = (Say.text("Work", gate, "ing."),)
        session = await client.run(repository, "Work.")
        await trio.to_thread.run_sync(gate.wait_until_reached)
        async with client.watch(after=0) as stream:
            way.cut()
            await stream.until("host.away", name="box")
            await stream.until("host.connected", name="box")
            way.is_open = False
            way.cut()
            await stream.until("host.away", name="box")
            refused = await client.post(
                f"/api/sessions/{session['id']}/steer", {"message": "Faster."}, status=503
            )
            assert "box is away" in refused["error"]["message"], refused
            box.kill()
            box.allows = ("--allow", "write", "--allow", "escalation")
            way.is_open = True
            box.start(is_fresh=True)
            await stream.until("host.connected", name="box")
        await until_host(client, "box", link="connected", status="connected")
        gate.open()
        ended = await client.until_session(session)
        assert ("completed", "Working.") == (ended["status"], ended["lastMessage"])

        # Its user allows more now.
        scripted_model.script = (Run("touch asked", "May I?"), Say.text("Done."))
        session = await client.run(repository, "Ask.", sandbox="workspace-write")
        await client.until_session(session, "waiting_approval")
        (approval,) = (await client.get("/api/approvals", status="pending"))["items"]
        await client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "approved"})
        ended = await client.until_session(session)
        assert "completed" == ended["status"], ended["exitReason"]
        assert (project / "asked").exists()

        # A turn is stopped while the machine is away: at once here, and there when it is back.
        gate = Gate()
        scripted_model.script = (Say.text("Wait", gate, "ing."),)
        session = await client.run(repository, "Wait.")
        await trio.to_thread.run_sync(gate.wait_until_reached)
        await client.until_session(session, "running")
        way.is_open = False
        way.cut()
        await until_host(client, "box", link="away")
        with trio.fail_after(2):
            await client.post(f"/api/sessions/{session['id']}/stop")
        ended = await client.session(session)
        assert "interrupted" == ended["status"]
        assert "Host box is away: " in ended["exitReason"]
        task = await client.task(repository, "Next.")
        after = (await client.post(f"/api/tasks/{task['id']}/run", {}, status=201))["session"]
        waits = await client.session(after)
        assert "whose turn on host box is yet to be ended" in waits["waitReason"]
        scripted_model.script = (Say.text("Next."),)
        async with client.watch(after=0, sessionId=session["id"]) as stream:
            way.is_open = True
            told = await stream.until("session.turn.settled")
        assert told["data"]["interrupted"]
        assert "completed" == (await client.until_session(after))["status"]
        gate.open()

        assert box.process is not None
        assert psutil.Process(box.process.pid).memory_info().rss <= MEMORY_LIMIT

        # A host that is removed is cut off, and its key is worthless.
        assert 200 == (await client.http.delete(f"/api/repos/{repository['id']}")).status_code
        assert 200 == (await client.http.delete("/api/hosts/box")).status_code
        with trio.fail_after(30):
            while "No host has this key" not in box.log.read_text():  # noqa: ASYNC110 - a log
                await trio.sleep(0.1)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
async def test_nothing_is_lost_or_done_twice_whichever_side_is_killed(
    box: DialledHost, server: Server, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    chance = random.Random(os.environ.get("CC_TEST_SEED", "24"))  # noqa: S311 - moments, no secrets
    box.allows = ("--root", str(tmp_path), *EVERYTHING)
    async with way_to(port_of(server)) as way:
        async with client_of(server) as client:
            added = await client.post("/api/hosts", {"name": "box"}, status=201)
            box.enrol(way.url, added["enrolment"]["code"])
            await until_host(client, "box", link="connected", status="connected")
            wish = {"localPath": "~/project", "workplace": "main_checkout", "host": "box"}
            repository = await client.post("/api/repos", {**wish, "allowWrite": True}, status=201)
        for number in range(1, MANY_KILLS + 1):
            scripted_model.script = story(tmp_path)
            asked_before = len(scripted_model.requests)
            victim = chance.choice(("host", "server", "way"))
            moment = chance.uniform(0, LONGEST_TURN)
            async with client_of(server) as client:
                session = await client.run(repository, f"Tell story {number}.")
                until = trio.current_time() + moment
                while trio.current_time() < until:
                    await approve_all(client)
                    await trio.sleep(0.1)
            match victim:
                case "host":
                    box.kill()
                    box.start()
                case "server":
                    server.kill()
                    server.start()
                    way.target = port_of(server)
                    way.cut()
                case _:
                    way.cut()
            async with client_of(server) as client:
                with trio.fail_after(240):
                    while (ended := await client.session(session))["status"] not in ENDED:
                        await approve_all(client)
                        await trio.sleep(0.3)
                assert "completed" == ended["status"], (number, victim, moment, ended)
                events = await client.get(f"/api/sessions/{session['id']}/events", limit=500)
            check_told_once(events["items"])
            told = (tmp_path / "outside.txt").read_text().splitlines()
            assert ["two"] * number == told, (number, victim, moment)
            asked = len(scripted_model.requests) - asked_before
            assert 3 == asked, (number, victim, moment)  # each prompt was sent once
        async with client_of(server) as client:
            ids, after = [], 0
            while page := (await client.get("/api/events", after=after, limit=500))["items"]:
                ids += [event["id"] for event in page]
                after = ids[-1]
            assert [*range(1, len(ids) + 1)] == ids
