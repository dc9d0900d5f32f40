"""Faults of the machine: a full disk, a locked or read-only file, a damaged one.

Writes are refused with 503 and reads go on; a turn that runs waits for the disk and loses nothing;
and when there is room again, everything goes on by itself.
"""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import trio

from tests.checkout import ROOT
from tests.codex.script import Gate, Hold, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of

if sys.platform == "linux":
    import resource

    def limit_files(pid: int, limits: tuple[int, int] | None = None) -> tuple[int, int]:
        """Set how large the files of a process may grow, in bytes; what it was before."""
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits or (1, before[1]))
        return before

    def limit_descriptors(pid: int, free: int) -> None:
        """Leave a process so many free file descriptors."""
        taken = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (taken + free, hard))

    def processor_seconds(pid: int) -> float:
        """Return how much time of a processor the process has had."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

else:

    def limit_files(pid: int, limits: tuple[int, int] | None = None) -> tuple[int, int]:
        """Only Linux limits the files of a process that runs."""
        pytest.skip(f"only Linux limits the files of a process that runs ({pid}, {limits})")

    def limit_descriptors(pid: int, free: int) -> None:
        """Only Linux limits a process that runs."""
        pytest.skip(f"only Linux limits the descriptors of a process that runs ({pid}, {free})")

    def processor_seconds(pid: int) -> float:
        """Not asked for elsewhere."""
        raise NotImplementedError(pid)


DATABASE = "command-center.sqlite3"


@contextmanager
def full_disk(server: Server) -> Iterator[None]:
    """While it lasts, no file of the server's may grow: what a full disk does to it."""
    assert server.process is not None
    before = limit_files(server.process.pid)
    try:
        yield
    finally:
        limit_files(server.process.pid, before)


@contextmanager
def locked_file(server: Server) -> Iterator[None]:
    """While it lasts, a foreign program holds the file for writing."""
    foreign = sqlite3.connect(server.data_dir / DATABASE, isolation_level=None)
    try:
        foreign.execute("BEGIN IMMEDIATE")
        yield
        foreign.execute("ROLLBACK")
    finally:
        foreign.close()


@pytest.mark.parametrize("fault", [full_disk, locked_file])
async def test_writes_are_refused_reads_and_turns_go_on_and_all_recovers_by_itself(
    fault: Callable[[Server], AbstractContextManager[None]],
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    async with client_of(codex_server) as client:
        registered = await client.register(repository)
        session = await client.run(registered, "Work.")
        gate.wait_until_reached()
        await client.until_session(session, "running")
        with fault(codex_server):
            gate.open()
            refused = await client.http.post(
                "/api/tasks",
                json={"repositoryId": registered["id"], "title": "T", "prompt": "P"},
            )
            assert 503 == refused.status_code, refused.text
            assert int(refused.headers["retry-after"]) > 0
            assert "running" == (await client.session(session))["status"]
            health = await client.get("/health")
            assert ("degraded", "unwritable") == (health["status"], health["checks"]["store"])
        with trio.fail_after(30):
            while (await client.get("/health"))["status"] != "ok":  # noqa: ASYNC110 - it is asked
                await trio.sleep(0.2)
        ended = await client.until_session(session, "completed")
        assert "Working." == ended["lastMessage"]
        await client.task(registered, "There is room again.")
        events = await client.get("/api/events", limit=500)
        ids = [event["id"] for event in events["items"]]
        assert list(range(1, len(ids) + 1)) == ids


async def test_a_turn_is_interrupted_though_there_is_no_room_to_record_that_it_is_to_stop(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    begun, rest = Gate(), Gate()
    scripted_model.script = (Hold(begun, Run("echo full")), Hold(rest, Say.text("Never said.")))
    answers: list[httpx.Response] = []
    async with client_of(codex_server) as client, trio.open_nursery() as nursery:
        session = await client.run(await client.register(repository), "Fill the disk.")
        running = await client.until_session(session, "running")

        async def stop() -> None:
            path = f"/api/sessions/{session['id']}/stop"
            answers.append(await client.http.post(path, json={}, timeout=60))

        with full_disk(codex_server):
            begun.open()
            rest.wait_until_reached()
            nursery.start_soon(stop)
            with trio.fail_after(20):
                while await is_at_work(client, running["codexThreadId"]):  # noqa: ASYNC110 - Codex tells nobody of it
                    await trio.sleep(0.1)
            assert [] == answers
    (answer,) = answers
    assert (200, "stopped") == (answer.status_code, answer.json()["session"]["status"])


async def is_at_work(client: Client, thread_id: str) -> bool:
    """Return whether a turn runs in the thread, as Codex says."""
    listed = await client.get("/api/codex/threads")
    (thread,) = [thread for thread in listed["items"] if thread["id"] == thread_id]
    return bool(thread["status"]["type"] == "active")


@pytest.mark.parametrize("free", [5, -10], ids=["a few more", "fewer than it has"])
async def test_clients_who_take_all_descriptors_take_nothing_from_a_turn(
    free: int, codex_server: Server, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    assert codex_server.process is not None
    pid = codex_server.process.pid
    async with client_of(codex_server) as client:
        registered = await client.register(repository)
        session = await client.run(registered, "Work.")
        gate.wait_until_reached()
        await client.until_session(session, "running")
        address = ("127.0.0.1", int(codex_server.url.rpartition(":")[2]))
        with ExitStack() as silent:
            for number in range(100):
                silent.enter_context(socket.create_connection(address))
                if number == 20:
                    await client.get("/api/tasks")
                    limit_descriptors(pid, free)
            before = processor_seconds(pid)
            with trio.move_on_after(2):
                await trio.sleep_forever()
            assert processor_seconds(pid) - before < 1
            # The client's own connection may be one of the silent ones that have made room.
            async with client_of(codex_server) as another:
                assert "running" == (await another.session(session))["status"]
                assert 200 == (await another.http.get("/health")).status_code
                gate.open()
                ended = await another.until_session(session, "completed")
                assert "Working." == ended["lastMessage"]
        limit_descriptors(pid, 200)
        async with client_of(codex_server) as another:
            await another.task(registered, "There is room again.")
    log = codex_server.log.read_text()
    assert log.count("accept.failed") + log.count("connections.all_in_use") <= 4
    assert "Traceback" not in log


def refusal_at_start(server: Server) -> str:
    """Return what the server says instead of starting; its exit code is 2."""
    with pytest.raises(pytest.fail.Exception) as failed:
        server.start()
    assert server.process is not None
    assert 2 == server.process.returncode
    return str(failed.value)


def test_a_damaged_file_is_refused_at_the_start_and_not_touched(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"})
    server.data_dir.mkdir()
    damaged = server.data_dir / DATABASE
    damaged.write_bytes(b"This is no database, and it is all that there is.")
    told = refusal_at_start(server)
    assert "is damaged or is no SQLite file" in told
    assert b"This is no database, and it is all that there is." == damaged.read_bytes()


async def test_a_second_server_on_the_same_data_folder_is_refused(
    stub_server: Server, stub_client: Client
) -> None:
    second = Server(stub_server.data_dir, {"CC_CODEX_RUNNER_MODE": "stub"})
    told = refusal_at_start(second)
    assert "another" in told.lower()
    assert "ok" == (await stub_client.get("/health"))["status"]


async def test_a_port_in_use_is_refused_by_name(tmp_path: Path, stub_server: Server) -> None:
    port = httpx.URL(stub_server.url).port
    second = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub", "CC_PORT": str(port)})
    told = refusal_at_start(second)
    assert f"Another program uses 127.0.0.1:{port}." in told
    assert "CC_PORT" in told


def test_a_server_serves_though_nobody_reads_what_it_says(tmp_path: Path) -> None:
    settings = {"CC_CODEX_RUNNER_MODE": "stub", "CC_PORT": "0", "CC_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "command_center.http"],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = next(line for line in process.stderr if "server.greeting_lost" in line)
        address = re.search(r"http://[\d.:]+", told)
        assert address is not None, told
        assert "ok" == httpx.get(f"{address[0]}/health").json()["status"]
        process.terminate()
        rest = process.stderr.read()
        assert 0 == process.wait(timeout=30)
    assert "Traceback" not in rest
    assert "Exception ignored" not in rest
