"""A handler that computes or blocks for long is seen, by name, while it does."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
import trio

from command_center.runtime import ChildSpec, Signal, Stalled, handles, open_system
from command_center.runtime.watchdog import Watchdog
from tests.runtime.probes import Echo, Note, Probe, probe, tree


class Blocks(Probe):
    """Blocks the loop until it was seen to."""

    def __init__(self, seen: threading.Event) -> None:
        super().__init__()
        self.seen = seen

    @handles(Note)
    def note(self, message: Note) -> None:
        if message.text == "in a task":
            self.ctx.start_task(self.block)
        else:
            assert self.seen.wait(60)

    async def block(self) -> None:
        assert self.seen.wait(60)


class Witness:
    """Notes the stalls of one actor; on a busy machine others may be seen before."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self.stalls: list[Stalled] = []
        self.seen = threading.Event()
        self.over = trio.Event()

    def on_stall(self, stalled: Stalled) -> None:
        if stalled.path == self.path:
            self.stalls.append(stalled)
            self.seen.set()

    def on_signal(self, signal: Signal) -> None:
        if isinstance(signal, Stalled) and signal.path == self.path:
            self.over.set()


@pytest.mark.parametrize(
    ("text", "where"),
    [("in a handler", "note (test_watchdog.py"), ("in a task", "block (test_watchdog.py")],
)
async def test_an_actor_that_blocks_the_loop_is_named_while_it_does(text: str, where: str) -> None:
    witness = Witness("/a")
    spec = tree(ChildSpec("a", lambda: Blocks(witness.seen)), probe("b"))
    async with open_system(
        spec, stall_seconds=0.05, on_stall=witness.on_stall, on_signal=witness.on_signal
    ) as system:
        await system.lookup("/a").tell(Note(text))
        with trio.fail_after(60):
            await witness.over.wait()
        assert where in " ".join(witness.stalls[0].stack)
        assert witness.stalls[0].seconds >= 0.05
        assert system.snapshot_of("/a").stalls >= 1
        assert "hi" == await system.lookup("/b").ask(Echo("hi"))


async def test_what_blocks_the_loop_and_is_no_actor_is_seen_as_well() -> None:
    witness = Witness(None)
    async with open_system(tree(), stall_seconds=0.05, on_stall=witness.on_stall):
        assert witness.seen.wait(60)
    assert witness.stalls[0].path is None


async def test_the_watch_ends_with_the_system() -> None:
    before = set(threading.enumerate())
    async with open_system(tree(), stall_seconds=0.05):
        (thread,) = set(threading.enumerate()) - before
        assert "watchdog" == thread.name
    await trio.to_thread.run_sync(thread.join)


async def test_a_watch_that_ends_while_it_begins_to_look_again_tells_of_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Stalled] = []
    is_here = threading.Event()

    def tell(stalled: Stalled) -> None:
        told.append(stalled)
        watchdog.stop()

    class Event(threading.Event):
        def __init__(self) -> None:
            super().__init__()
            if threading.current_thread().name == "watchdog":
                assert is_here.wait(60)
                watchdog.stop()

    monkeypatch.setattr(threading, "Event", Event)
    before = set(threading.enumerate())
    watchdog = Watchdog(0.05, tell, told.append)
    (thread,) = set(threading.enumerate()) - before
    is_here.set()
    thread.join(60)  # nothing else is served meanwhile
    assert ([], False) == (told, thread.is_alive())


PROGRAM = """
import os, threading, trio
from command_center.runtime import Actor, ChildSpec, SupervisorSpec, open_system

class Stuck(Actor):
    async def on_start(self):
        threading.Event().wait()

def end(stalled):
    if stalled.path == "/a":
        os._exit(70)

async def main():
    spec = SupervisorSpec("", [ChildSpec("a", Stuck)])
    async with open_system(spec, stall_seconds=0.05, on_stall=end):
        pass

trio.run(main)
"""


def test_a_process_whose_loop_stands_still_is_ended_and_its_log_says_by_whom() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=False
    )
    said = run.stdout + run.stderr
    assert (70, True, True) == (run.returncode, "path=/a" in said, "on_start (<string>" in said)
