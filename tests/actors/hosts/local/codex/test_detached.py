"""An app-server of our own: started apart, recorded, found again, kept, and ended."""

from __future__ import annotations

import inspect
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import attrs
import msgspec
import psutil
import pytest
import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.core.boot_clock import boot_seconds
from command_center.actors.hosts.local.codex import detached, keeper, stopping
from command_center.actors.hosts.local.codex.environment import OWNER
from command_center.actors.hosts.local.codex.orphans import end_orphans, is_alive
from tests.codex.bridging import open_bridge, real
from tests.codex.script import Gate, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import wait_for_no_process

if os.name == "nt":
    pytest.skip("Windows has no detached app-server", allow_module_level=True)
assert sys.platform != "win32"

import fcntl  # noqa: E402 - there is none on Windows


@pytest.fixture
def settings(codex_binary: Path, codex_home: Path, tmp_path: Path) -> Iterator[BridgeSettings]:
    """Settings whose app-server is ended after the test."""
    yield real(codex_binary, codex_home, transport=Transport.AUTO, state_folder=tmp_path / "data")
    detached.end(tmp_path / "data" / "codex")


async def started(settings: BridgeSettings) -> detached.ServerRecord:
    assert settings.state_folder is not None
    return await detached.start(settings, settings.state_folder)


async def test_it_is_apart_owner_only_recorded_and_ended_with_its_record(
    settings: BridgeSettings, tmp_path: Path
) -> None:
    record = await started(settings)
    folder = tmp_path / "data" / "codex"
    assert record == detached.read(folder)
    assert os.getsid(0) != os.getsid(record.pid) == record.pid
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert 0o600 == stat.S_IMODE(Path(record.socket).stat().st_mode)
    process = psutil.Process(record.pid)
    assert f"{record.life}:{tmp_path / 'data'}" == process.environ()[OWNER]
    detached.end(folder)
    assert not is_alive(process)
    assert detached.read(folder) is None


async def test_the_end_of_orphans_spares_it_and_ends_another_that_no_record_names(
    settings: BridgeSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    lost = await started(settings)
    (folder / "codex" / "app-server.json").unlink()
    Path(lost.socket).resolve().unlink()
    kept = await started(settings)
    ended = end_orphans(folder, {kept.life})  # with what Codex runs as it starts, such as git
    assert lost.pid in ended
    assert kept.pid not in ended
    assert kept == detached.read(folder / "codex")


def test_a_process_that_got_its_id_later_is_not_it(tmp_path: Path) -> None:
    record = detached.ServerRecord(
        pid=os.getpid(), started=1.0, life="", socket="", version="", codex_home="", environment=""
    )
    (tmp_path / "app-server.json").write_bytes(msgspec.json.encode(record))
    assert detached.read(tmp_path) is None
    detached.end(tmp_path)
    assert not (tmp_path / "app-server.json").exists()


async def test_what_would_be_otherwise_now_is_told(settings: BridgeSettings) -> None:
    record = await started(settings)
    assert await detached.differences(record, settings) is None
    assert settings.environment is not None
    moved = {**settings.environment, "CODEX_HOME": "/elsewhere"}
    other = attrs.evolve(settings, environment=moved)
    assert "CODEX_HOME is /elsewhere" in str(await detached.differences(record, other))
    for name, said in (("SHLVL", None), ("WORK_WITH", "It was started with another environment.")):
        other = attrs.evolve(settings, environment={**settings.environment, name: "7"})
        assert said == await detached.differences(record, other)
    updated = msgspec.structs.replace(record, version="codex-cli 0.1.0")
    assert "It is codex-cli 0.1.0, and the program is" in str(
        await detached.differences(updated, settings)
    )


async def test_whether_a_turn_runs_in_it_is_found_out(
    settings: BridgeSettings, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    folder = tmp_path / "data" / "codex"
    assert not await detached.works_in(folder)
    async with open_bridge(settings) as bridged:
        thread_id = await bridged.begin(tmp_path)
        assert not await detached.works_in(folder)
        await bridged.prompt(thread_id, "Work.")
        await trio.to_thread.run_sync(gate.wait_until_reached)
        assert await detached.works_in(folder)
    assert await detached.works_in(folder)
    gate.open()


async def test_why_it_could_not_start_is_told(settings: BridgeSettings, tmp_path: Path) -> None:
    missing = attrs.evolve(settings, command="no-such-codex")
    with pytest.raises(WireClosed, match="was not found"):
        await started(missing)
    (tmp_path / "data" / "codex").chmod(0o755)
    wrong = attrs.evolve(settings, command=(*settings.program, "--no-such-flag"))
    with pytest.raises(WireClosed, match="unexpected argument '--no-such-flag'"):
        await started(wrong)
    assert 0o700 == stat.S_IMODE((tmp_path / "data" / "codex").stat().st_mode)


def test_a_socket_lies_elsewhere_where_its_path_would_be_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/tmp")  # noqa: S108 - a short path is the point
    deep = tmp_path / ("deep" * 30)
    found = detached.socket_in(deep)
    assert found == detached.socket_in(deep) != detached.socket_in(deep / "er")
    for made in (found, detached.socket_in(deep / "er")):
        assert len(os.fsencode(made)) <= detached.LONGEST_PATH
        assert 0o700 == stat.S_IMODE(made.parent.stat().st_mode)
        made.parent.rmdir()


def test_a_folder_that_is_no_folder_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    with pytest.raises(WireClosed, match="not a folder of this user"):
        detached.private_folder(tmp_path / "link")


def kept(record: detached.ServerRecord, folder: Path, grace: float, limit: float) -> None:
    """Keep the app-server as its keeper does, until it has ended."""
    waiting = [sys.executable, "-c", f"import psutil; psutil.Process({record.pid}).wait()"]
    with subprocess.Popen(waiting, stderr=subprocess.PIPE) as child:
        keeper.keep(child, folder, grace, limit)


async def test_its_keeper_ends_it_when_no_server_uses_it_and_no_turn_runs(
    settings: BridgeSettings, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    folder = tmp_path / "data" / "codex"
    async with open_bridge(settings) as bridged:
        thread_id = await bridged.begin(tmp_path)
        await bridged.prompt(thread_id, "Work.")
        await trio.to_thread.run_sync(gate.wait_until_reached)
    record = detached.read(folder)
    assert record is not None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, kept, record, folder, 0.1, 60.0)
        await trio.sleep(1)
        assert record == detached.read(folder)
        gate.open()
    assert detached.read(folder) is None


def test_its_keeper_ends_one_that_no_record_names(tmp_path: Path) -> None:
    sleeps = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(sleeps, stderr=subprocess.PIPE) as child:
        keeper.keep(child, tmp_path, 0.1, 0.2)
        assert child.returncode is not None


def test_its_keeper_ends_it_though_the_program_was_taken_away(tmp_path: Path) -> None:
    program = tmp_path / ("a" * 64)
    place = program / Path(*keeper.__name__.split("."))
    place.parent.mkdir(parents=True)
    place.with_suffix(".py").write_text(inspect.getsource(keeper))
    (program / "in-use").touch()
    started = subprocess.run(
        [sys.executable, "-IS", f"{place}.py", str(tmp_path), "0.2", "0.8", "sleep", "60"],
        check=True,
        capture_output=True,
    )
    with (program / "in-use").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody sweeps it away meanwhile
    shutil.rmtree(program)
    psutil.Process(int(started.stdout)).wait(10)


async def test_its_keeper_ends_the_runs_whose_leases_are_over_while_the_program_hangs(
    settings: BridgeSettings,
    scripted_model: ScriptedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeper, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(keeper, "UNREADABLE_SECONDS", 0.2)
    monkeypatch.setattr(stopping, "_LOOK_SECONDS", 0.5)  # the next turn begins between two looks
    has_stopped, stop_in = threading.Event(), detached.stop_in

    async def stop(folder: Path, folders: Callable[[], Collection[str]]) -> int:
        stopped = await stop_in(folder, folders)
        has_stopped.set()
        return stopped

    monkeypatch.setattr(detached, "stop_in", stop)
    gates = [Gate(), Gate()]
    scripted_model.script = (Say.text("Work", gates[0], "ing."),)
    folder, note = tmp_path / "data" / "codex", tmp_path / "data" / "leases.json"
    work = tmp_path / "data" / "worktrees" / "1"
    work.mkdir(parents=True)
    until = boot_seconds()
    held = {"number": 1, "folder": str(work), "until": until}
    async with trio.open_nursery() as nursery, open_bridge(settings) as bridged:
        thread_id = await bridged.begin(work)
        record = detached.read(folder)
        assert record is not None

        async def until_ended() -> None:
            with trio.fail_after(30):
                while await detached.works_in(folder):  # noqa: ASYNC110 - it is asked over a socket
                    await trio.sleep(0.05)
            assert record == detached.read(folder), "the app-server goes on"

        await bridged.prompt(thread_id, "Work.")
        await trio.to_thread.run_sync(gates[0].wait_until_reached)
        note.write_text(json.dumps({"held": [{**held, "until": until + 3600}]}))
        nursery.start_soon(trio.to_thread.run_sync, kept, record, folder, 0.1, 60.0)
        assert await detached.works_in(folder)
        note.write_text(json.dumps({"held": [held]}))
        await until_ended()
        note.write_text(json.dumps({"held": []}))
        gates[0].open()

        scripted_model.script = (Say.text("Work", gates[1], "ing."),)
        await bridged.prompt(thread_id, "Go on.")
        await trio.to_thread.run_sync(gates[1].wait_until_reached)
        assert await trio.to_thread.run_sync(has_stopped.wait, 30)
        assert await detached.works_in(folder), "another run's turn is spared"
        note.write_text('{"held"')
        await until_ended()
        gates[1].open()
    assert detached.read(folder) is None


async def test_its_keeper_leaves_it_to_a_server_that_uses_it(
    settings: BridgeSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "codex"
    record = await started(settings)
    lease = await detached.ServerLease.take(folder)
    assert lease is not None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, kept, record, folder, 0.1, 0.2)
        await trio.sleep(1)
        assert record == detached.read(folder)
        lease.release()
    assert detached.read(folder) is None


async def test_its_keeper_ends_it_with_its_turns_when_no_server_has_come_back_for_long(
    settings: BridgeSettings, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    folder = tmp_path / "data" / "codex"
    async with open_bridge(settings) as bridged:
        await bridged.prompt(await bridged.begin(tmp_path), "Work.")
        await trio.to_thread.run_sync(gate.wait_until_reached)
    record = detached.read(folder)
    assert record is not None
    await trio.to_thread.run_sync(kept, record, folder, 0.1, 0.2)
    assert detached.read(folder) is None
    gate.open()


async def test_a_new_one_is_started_where_the_old_one_was_killed(
    settings: BridgeSettings, tmp_path: Path
) -> None:
    async with open_bridge(settings) as bridged:
        await bridged.begin(tmp_path)
        record = detached.read(tmp_path / "data" / "codex")
        assert record is not None
        os.kill(record.pid, signal.SIGKILL)
        await bridged.until(lambda told: type(told).__name__ == "BridgeConnected")
        after = detached.read(tmp_path / "data" / "codex")
    assert after is not None
    assert record.pid != after.pid


async def test_a_program_that_does_not_say_its_version_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detached, "_VERSION_SECONDS", 1.0)
    mute = tmp_path / "codex"
    mute.write_text("#!/bin/sh\nsleep 600\n")
    mute.chmod(0o755)
    marked = {"PATH": os.environ["PATH"], "MARK": str(tmp_path)}
    assert "" == await detached._version_of([str(mute)], marked)
    wait_for_no_process(f"MARK={tmp_path}")
