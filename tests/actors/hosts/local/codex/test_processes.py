"""Children are started apart, ended as a whole, and heard to the end."""

import os
import sys
from pathlib import Path

import psutil
import pytest
import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.hosts.local.codex.orphans import is_alive
from command_center.actors.hosts.local.codex.processes import (
    ChildProcess,
    Tail,
    find_program,
    start_child,
)

# Announces a grandchild in a session of its own, then waits for the end of its input.
PARENT = """
import subprocess, sys
apart = {} if sys.platform == "win32" else {"start_new_session": True}
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], **apart)
print(child.pid, flush=True)
sys.stdin.read()
"""


async def start(nursery: trio.Nursery, code: str) -> ChildProcess:
    return await start_child([sys.executable, "-c", code], nursery, environment=os.environ)


async def read_line(child: ChildProcess) -> str:
    data = b""
    while not data.endswith(b"\n"):
        data += await child.stdout.receive_some(1)
    return data.decode().strip()


async def test_ending_a_child_ends_what_it_started_in_another_session() -> None:
    async with trio.open_nursery() as nursery:
        child = await start(nursery, PARENT)
        grandchild = psutil.Process(int(await read_line(child)))
        await child.end(5)
    assert child.process.returncode == 0
    assert not is_alive(grandchild)


HELPER = """
import os, subprocess, sys
bare = {"PATH": ""}
for name, environment in ("bwrap", bare), ("daemon", os.environ), ("tool", bare):
    words = [name, "-c", "import time; time.sleep(600)", "--codex-run-as-fs-helper"]
    if os.fork() == 0:
        apart = dict.fromkeys(["stdin", "stdout", "stderr"], subprocess.DEVNULL)
        apart |= {"env": environment, "start_new_session": name == "daemon"}
        child = subprocess.Popen(words, executable=sys.executable, **apart)
        print(child.pid, flush=True)
        os._exit(0)
    os.wait()
sys.stdin.read()
"""
"""Leaves processes that are nobody's: a helper of Codex in its sandbox, a command's, and a tool's.

As Codex starts them: the helper has no mark, the command a session of its own, and what a tool
server or `notify` has started to stay is in Codex's session.
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
async def test_ending_a_child_ends_its_helpers_that_are_nobody_s_children() -> None:
    async with trio.open_nursery() as nursery:
        child, other = await start(nursery, HELPER), await start(nursery, HELPER)
        left = [
            psutil.Process(int(await read_line(one))) for one in (child, other) for _ in range(3)
        ]
        assert [] == [one for one in left if one.parent() == psutil.Process(child.pid)]
        child.process.kill()
        await child.end(5)
        assert [False, True, True, True, True, True] == [is_alive(one) for one in left]
        await other.end(5)
        assert [False, True, True] * 2 == [is_alive(one) for one in left]
    for one in (*left[1:3], *left[4:]):
        one.kill()


async def test_a_child_that_ends_by_itself_is_waited_for_and_not_killed() -> None:
    code = "import sys; sys.stdin.read(); print('x' * 1_000_000); sys.exit(5)"
    async with trio.open_nursery() as nursery:
        child = await start(nursery, code)
        await child.end(10)
    assert child.process.returncode == 5


async def test_ending_is_not_undone_by_a_cancelled_caller() -> None:
    async with trio.open_nursery() as nursery:
        child = await start(nursery, "import sys; sys.stdin.read()")
        with trio.CancelScope() as scope:
            scope.cancel()
            await child.end(5)
    assert child.process.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX's")
async def test_a_child_has_a_process_group_of_its_own() -> None:
    async with trio.open_nursery() as nursery:
        child = await start(nursery, "import sys; sys.stdin.read()")
        assert os.getpgid(child.pid) == child.pid != os.getpgid(0)  # type: ignore[attr-defined,unused-ignore]
        await child.end(5)


def test_a_program_is_found_where_the_server_is_and_not_where_its_child_will_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "codex"
    program.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    assert str(program) == find_program("codex", {"PATH": "."}) == find_program("./codex", {})


async def test_a_program_that_cannot_run_is_named(tmp_path: Path) -> None:
    program = tmp_path / "codex"
    program.write_text("this is no program", encoding="utf-8")
    program.chmod(0o755)
    async with trio.open_nursery() as nursery:
        with pytest.raises(WireClosed, match="could not be started"):
            await start_child([str(program)], nursery, environment=os.environ)


def test_the_tail_of_standard_error_is_bounded_and_has_no_colours() -> None:
    tail = Tail()
    for number in range(1000):
        tail.add(f"\x1b[31mline {number}\x1b[0m\n".encode())
    tail.add(b"the begin" + b"ning")
    lines = tail.text().split("\n")
    assert len(lines) == 41
    assert lines[-2:] == ["line 999", "the beginning"]
    tail.add(b"x" * 100_000)
    assert len(tail.text()) < 3000


def test_the_last_words_are_the_error_and_not_its_backtrace() -> None:
    tail = Tail()
    tail.add(b"WARNING: something\nError: no such thread\n\nStack backtrace:\n   0: <unknown>\n")
    assert tail.last_words() == "Error: no such thread"
