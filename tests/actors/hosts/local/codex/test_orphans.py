"""Processes that a killed server leaves behind are found and ended, and no others."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import trio

from command_center.actors.codex.protocol import encode_request
from command_center.actors.contracts.bridges import (
    BridgeStatus,
    ProbeHealth,
)
from command_center.actors.hosts.local.codex.environment import OWNER, current_life
from command_center.actors.hosts.local.codex.orphans import (
    ProcessRecord,
    end_commands,
    end_orphans,
    is_alive,
    left_in,
)
from tests.codex.bridging import faked, open_bridge

SLEEPER = "import sys; print('up', flush=True); sys.stdin.read()"

SERVER = """
import sys
from pathlib import Path
import trio
from command_center.actors.codex.messages import Call
from command_center.actors.codex.protocol import encode_request
from tests.codex.bridging import faked, open_bridge

async def main() -> None:
    async with open_bridge(faked("stubborn", state_folder=Path(sys.argv[1]))) as bridged:
        await bridged.call("thread/start", {})
        print("child", bridged.system.snapshot_of("/bridge").description["processId"], flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


@contextmanager
def sleeper(**environment: str) -> Iterator[psutil.Process]:
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield psutil.Process(process.pid)
        finally:
            process.kill()


def record_of_a_former_life(folder: Path, process: psutil.Process) -> Path:
    path = ProcessRecord.write(folder, process.pid, "codex").path
    text = path.read_text(encoding="utf-8")
    assert current_life() in text
    path.write_text(text.replace(current_life(), "0123456789abcdef"), encoding="utf-8")
    return path


def test_a_recorded_process_of_a_former_life_is_ended_with_its_record(tmp_path: Path) -> None:
    with sleeper() as process:
        record_of_a_former_life(tmp_path, process)
        assert end_orphans(tmp_path) == [process.pid]
        assert not is_alive(process)
    assert list(tmp_path.iterdir()) == []


def test_a_child_of_this_life_is_spared(tmp_path: Path) -> None:
    with sleeper() as process:
        record = ProcessRecord.write(tmp_path, process.pid, "codex")
        assert end_orphans(tmp_path) == []
        assert is_alive(process)
        assert record.path.exists()
        record.forget()
        assert not record.path.exists()


def test_a_process_that_got_the_recorded_id_later_is_spared(tmp_path: Path) -> None:
    with sleeper() as process:
        path = record_of_a_former_life(tmp_path, process)
        text = path.read_text(encoding="utf-8")
        started = str(process.create_time())
        assert started in text
        path.write_text(text.replace(started, "1000000000.5"), encoding="utf-8")
        assert end_orphans(tmp_path) == []
        assert is_alive(process)


def test_a_record_that_cannot_be_read_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "1.process.json").write_text("{", encoding="utf-8")
    assert end_orphans(tmp_path) == []


def test_no_folder_means_no_orphans(tmp_path: Path) -> None:
    assert end_orphans(tmp_path / "none") == []


def test_a_codex_that_carries_our_mark_is_ended_without_a_record(
    tmp_path: Path, codex_binary: Path
) -> None:
    environment = {**os.environ, OWNER: f"former:{tmp_path}", "CODEX_HOME": str(tmp_path)}
    with subprocess.Popen(
        [codex_binary, "app-server"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        client = {"clientInfo": {"name": "test", "version": "0"}}
        process.stdin.write(encode_request(1, "initialize", client) + b"\n")
        process.stdin.flush()
        assert process.stdout.readline()
        assert end_orphans(tmp_path / "elsewhere") == []
        assert process.poll() is None
        assert end_orphans(tmp_path) != []
        process.wait(10)


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
def test_a_sandboxed_helper_of_codex_is_ended_but_no_other_sandbox(tmp_path: Path) -> None:
    environment = {**os.environ, OWNER: f"former:{tmp_path}"}
    words = ["bwrap", "-c", SLEEPER]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    started = {"executable": sys.executable, "env": environment, **pipes}
    with (
        subprocess.Popen([*words, "--codex-run-as-fs-helper"], **started) as helper,
        subprocess.Popen(words, **started) as other,
    ):
        for one in (helper, other):
            assert one.stdout is not None
            assert one.stdout.readline()
        assert [helper.pid] == end_orphans(tmp_path)
        assert other.poll() is None
        other.kill()


LEADER = """
import subprocess, sys
own = sys.argv[1] + "/codex"
helper = ["bwrap", sys.argv[1], "--codex-run-as-fs-helper"]
for words in helper, ["bwrap", sys.argv[1]], [own]:
    words[1:1] = ["-c", "import time; time.sleep(600)"]
    program = own if words[0] == own else sys.executable
    print(subprocess.Popen(words, executable=program, env={}).pid, flush=True)
sys.stdin.read()
"""
"""Starts processes without a mark in its session: a helper of Codex, another one, and a `codex`."""


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
def test_a_helper_of_a_recorded_codex_is_ended_by_its_session_once_that_has_ended(
    tmp_path: Path,
) -> None:
    (tmp_path / "codex").symlink_to(sys.executable)
    words, pipe = [sys.executable, "-c", LEADER, str(tmp_path)], subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, start_new_session=True) as leader:
        assert leader.stdout is not None
        helper, *others = (psutil.Process(int(leader.stdout.readline())) for _ in range(3))
        record_of_a_former_life(tmp_path, psutil.Process(leader.pid))
        assert [] == left_in(leader.pid)
        leader.kill()
    assert "codex" == others[1].name()
    assert [helper.pid] == end_orphans(tmp_path)
    assert [False, True, True] == [is_alive(one) for one in (helper, *others)]
    for other in others:
        other.kill()


@contextmanager
def killed_server(folder: Path) -> Iterator[list[psutil.Process]]:
    """Kill a server with a stubborn child; gives the child and what that has started."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        line = next(line for line in server.stdout if line.startswith("child "))
        orphan = psutil.Process(int(line.split()[1]))
        family = [orphan, *orphan.children(recursive=True)]
        server.kill()
    try:
        yield family
    finally:
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


async def test_what_a_killed_server_leaves_is_ended_at_the_next_start(tmp_path: Path) -> None:
    with killed_server(tmp_path) as family:
        assert [is_alive(process) for process in family] == [True, True]
        async with open_bridge(faked(state_folder=tmp_path)) as bridged:
            health = await bridged.bridge.ask(ProbeHealth(), timeout=30)
            assert [is_alive(process) for process in family] == [False, False]
            records = await files_in(tmp_path)
            child = bridged.system.snapshot_of("/bridge").description["processId"]
    assert health.status is BridgeStatus.CONNECTED
    assert records == [f"{child}.process.json"]
    assert await files_in(tmp_path) == []


async def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in await trio.Path(folder).iterdir())


def test_the_commands_of_a_thread_are_ended_and_no_other_thread_s_nor_those_of_before() -> None:
    with sleeper(CODEX_THREAD_ID="one") as lost, sleeper(CODEX_THREAD_ID="another") as other:
        begun = lost.create_time()
        assert [] == end_commands("one", time.time() - begun - 60)
        assert [lost.pid] == end_commands("one", time.time() - begun)
        assert [False, True] == [is_alive(lost), is_alive(other)]


def test_a_server_that_is_a_command_of_the_thread_itself_spares_itself() -> None:
    ending = f"from {end_commands.__module__} import end_commands\nend_commands('one', 1e9)"
    environment = {**os.environ, "CODEX_THREAD_ID": "one"}
    subprocess.run([sys.executable, "-c", ending], env=environment, check=True)
