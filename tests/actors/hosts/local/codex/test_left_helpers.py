"""Processes that the real Codex leaves, killed while it sets a helper's sandbox up, are ended.

Bubblewrap's inner process waits until the outer one has mapped its users, and only then asks to
be killed with it. The outer one is stopped in this moment and killed with Codex, so that the
inner one waits for ever.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import trio

from command_center.actors.hosts.local.codex.environment import CHILD
from command_center.actors.hosts.local.codex.orphans import is_alive
from tests.codex.bridging import open_bridge, real
from tests.codex.script import AddFile, Say
from tests.codex.scripted_model import ScriptedModel

PATCHES = 30
GLANCES = 400
"""Looks at one process of bubblewrap, which is stopped for each and goes on between them."""
CATCH_SECONDS = 60.0
"""Seconds after which no sandbox can be caught any more: all patches are done."""


def started_by(pid: int) -> list[int]:
    """Return its children; looked up where the kernel lists them, as `psutil` is too slow."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


def all_started_by(pid: int) -> Iterator[int]:
    for child in started_by(pid):
        yield child
        yield from all_started_by(child)


def read(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


def stop(process: psutil.Process) -> None:
    process.suspend()
    while read(process.pid, "stat").rpartition(")")[2].split()[0] not in "TZ":
        pass


def killed_before(codex: int, outer: psutil.Process, inner: int) -> psutil.Process:
    """Kill Codex and the outer process; look at the inner one before anybody can have ended it.

    It does so in the loop's own thread, in which the bridge hears later that Codex has ended.
    """
    helper = psutil.Process(inner)
    psutil.Process(codex).kill()
    outer.kill()
    assert CHILD not in helper.environ()
    assert is_alive(helper)
    return helper


def left_waiting(codex: int) -> psutil.Process:
    """Kill Codex while it sets a sandbox up; return the inner process, which waits for ever."""
    seen: set[int] = set()
    deadline = time.monotonic() + CATCH_SECONDS
    while time.monotonic() < deadline:
        for pid in all_started_by(codex):
            with contextlib.suppress(OSError, psutil.Error):
                if pid in seen or not read(pid, "cmdline").startswith("bwrap"):
                    continue
                seen.add(pid)
                outer = psutil.Process(pid)
                for _ in range(GLANCES):
                    stop(outer)
                    inner = started_by(pid)
                    if inner and not read(inner[0], "uid_map"):
                        return trio.from_thread.run_sync(killed_before, codex, outer, inner[0])
                    outer.resume()
                    if inner:
                        break
    raise AssertionError("No sandbox was caught while it was set up.")


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
async def test_a_helper_that_waits_for_a_codex_that_was_killed_is_ended(
    codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, repository: Path
) -> None:
    patches = [AddFile(f"new-{number}.txt", "hello\n") for number in range(PATCHES)]
    scripted_model.script = (*patches, Say.text("Done."))
    async with open_bridge(real(codex_binary, codex_home)) as bridged:
        await bridged.prompt(await bridged.begin(repository), "Add files.")
        codex = bridged.system.snapshot_of("/bridge").description["processId"]
        assert isinstance(codex, int)
        helper = await trio.to_thread.run_sync(left_waiting, codex)
    assert not is_alive(helper)
