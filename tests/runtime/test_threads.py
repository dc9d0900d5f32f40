"""Threads for each kind of work: none keeps another kind waiting."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial

import pytest
import trio
import trio.testing

from command_center.runtime.threads import Threads
from tests.checkout import ROOT

OF_CHECKOUTS = ("actors/git", "actors/hosts/local/folders.py", "actors/hosts/local/git")


@pytest.fixture
def threads() -> Threads:
    return Threads("tests", at_once=1)


async def test_one_that_hangs_keeps_its_own_kind_waiting_alone(threads: Threads) -> None:
    let_go = threading.Event()
    done: list[str] = []

    def note(name: str) -> None:
        done.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(threads.run, let_go.wait))
        await trio.testing.wait_all_tasks_blocked()
        for name in ("second", "third"):
            nursery.start_soon(threads.run, note, name)
        await trio.testing.wait_all_tasks_blocked()
        assert 7 == await Threads("others", at_once=1).run(int, "7")
        assert 7 == await trio.to_thread.run_sync(int, "7")
        assert not done
        let_go.set()
    assert {"second", "third"} == set(done)


async def test_who_gives_up_waiting_has_nothing_done(threads: Threads) -> None:
    let_go = threading.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(threads.run, let_go.wait))
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(0) as waiting:
            await threads.run(pytest.fail)
        let_go.set()
    assert waiting.cancelled_caught


def test_no_work_in_checkouts_takes_the_threads_in_which_the_store_is_read() -> None:
    files = [
        file for place in OF_CHECKOUTS for file in [ROOT / place, *(ROOT / place).rglob("*.py")]
    ]
    sources = {file: file.read_text(encoding="utf-8") for file in files if file.is_file()}
    assert any("CHECKOUTS.run(" in source for source in sources.values())
    assert [] == [file for file, source in sources.items() if "to_thread.run_sync" in source]


ARENAS = """
import ctypes, threading
from command_center.runtime.threads import share_memory
share_memory()
kept = []
at_once = threading.Barrier(8)
def work():
    at_once.wait()
    kept.append([bytes(50_000 + number) for number in range(50)])
    at_once.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone gives each thread an arena")
def test_all_threads_take_memory_from_one_place() -> None:
    told = subprocess.run(
        [sys.executable, "-c", ARENAS], check=True, capture_output=True, text=True
    ).stdout
    assert 1 == told.count("<heap nr=")
