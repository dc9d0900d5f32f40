"""Threads for each kind of work: none keeps another kind waiting."""

from __future__ import annotations

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
