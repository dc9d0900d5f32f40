"""Child processes of Codex: started apart, ended as a whole, never left behind.

A child gets a process group (POSIX: a session) of its own, so that a Ctrl-C meant for the server
does not reach it and so that a wrapper ends together with what it started. Commands that Codex
runs stand in sessions of their own again and are reached as descendants. Ending has three steps,
each bounded: the child's input is closed, which ends a healthy Codex; then it is asked by a
signal; then the group and all descendants are killed.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import psutil
import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.hosts.local.codex.environment import CHILD
from command_center.actors.hosts.local.codex.orphans import (
    ProcessRecord,
    descendants_of,
    kill_all,
    kill_left,
)
from command_center.store.redaction.redact import redact

_TAIL_LINES = 40
_TAIL_LINE_BYTES = 1000
_TERMINATE_SECONDS = 1.0
_KILL_SECONDS = 2.0
_STDERR_SECONDS = 1.0
_FRAME = re.compile(r"\d+: |Stack backtrace:|note: run with `RUST_BACKTRACE|$")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Tail:
    """The last lines that a process wrote to its standard error, bounded and redacted."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_TAIL_LINES)
        self._rest = b""

    def add(self, data: bytes) -> None:
        """Take more of what the process wrote."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_TAIL_LINE_BYTES:]
        for line in lines[-_TAIL_LINES:]:
            self._keep(line)

    def text(self) -> str:
        """Return the lines so far, without secrets and without terminal colours."""
        rest = [self._clean(self._rest)] if self._rest.strip() else []
        return "\n".join([*self._lines, *rest])

    def last_words(self) -> str:
        """Return the newest line that names an error, else the newest line, else an empty text."""
        lines = [line for line in self.text().split("\n") if not _FRAME.match(line)]
        errors = [line for line in lines if line.lower().startswith("error:")]
        return (errors or lines or [""])[-1]

    def _keep(self, line: bytes) -> None:
        text = self._clean(line)
        if text:
            self._lines.append(text)

    @staticmethod
    def _clean(line: bytes) -> str:
        text = _ANSI.sub("", line[:_TAIL_LINE_BYTES].decode("utf-8", "replace")).strip()
        return str(redact(text))


@attrs.define(eq=False)
class ChildProcess:
    """A running child with pipes on its three standard streams."""

    process: trio.Process
    stdin: trio.abc.SendStream
    stdout: trio.abc.ReceiveStream
    tail: Tail
    stderr_done: trio.Event
    record: ProcessRecord | None
    mark: str

    @property
    def pid(self) -> int:
        """Return the process id, which is also that of its group on POSIX."""
        return self.process.pid

    def last_words(self) -> str:
        """Return the line of its standard error that says best why it ended."""
        return self.tail.last_words()

    async def wait_for_end(self, seconds: float) -> int | None:
        """Wait for the child's end; return its exit code, or None after `seconds`."""
        with trio.move_on_after(seconds):
            await self.process.wait()
        if self.process.returncode is not None:
            await self._hear_out()
        return self.process.returncode

    async def end(self, grace: float) -> None:
        """End the child and all that it started, within `grace` seconds and a few more.

        `grace` is for the child to end by itself once its input is closed. Shielded, so that a
        cancelled caller leaves nothing behind.
        """
        with trio.CancelScope(shield=True):
            family = await trio.to_thread.run_sync(descendants_of, self.pid)
            with trio.move_on_after(grace):
                await self.stdin.aclose()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._read_on)
                    await self.process.wait()
                    nursery.cancel_scope.cancel()
            if self.process.returncode is None:
                self._signal_group(hard=False)
                with trio.move_on_after(_TERMINATE_SECONDS):
                    await self.process.wait()
            if self.process.returncode is None:
                self._signal_group(hard=True)
            with trio.move_on_after(_KILL_SECONDS):
                await self.process.wait()
            await trio.to_thread.run_sync(kill_all, family)
            await trio.to_thread.run_sync(kill_left, CHILD, self.mark, self.pid)
            await self._hear_out()
            with contextlib.suppress(trio.BusyResourceError, trio.ClosedResourceError):
                await self.stdout.aclose()
            if self.record is not None:
                self.record.forget()

    async def _hear_out(self) -> None:
        """Read what an ended child has said; one that it left behind may keep the pipe open."""
        with trio.move_on_after(_STDERR_SECONDS):
            await self.stderr_done.wait()

    async def _read_on(self) -> None:
        # A child that has something left to say would wait for a reader, and not end.
        with contextlib.suppress(
            trio.BrokenResourceError, trio.BusyResourceError, trio.ClosedResourceError
        ):
            while await self.stdout.receive_some(64 * 1024):
                pass

    def _signal_group(self, *, hard: bool) -> None:
        # The child is not reaped yet, so its id, and its group's, can't belong to another.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                if hard:
                    self.process.kill()
                else:
                    self.process.send_signal(signal.CTRL_BREAK_EVENT)
            else:
                os.killpg(self.pid, signal.SIGKILL if hard else signal.SIGTERM)


def find_program(program: str, environment: Mapping[str, str]) -> str:
    """Return the absolute path of the program; raise `WireClosed` with what to do about it.

    A relative one would be looked for in the folder that a child is started in.
    """
    found = shutil.which(program, path=environment.get("PATH"))
    if found is None:
        raise WireClosed(
            f"`{program}` was not found. Install Codex, or set CC_CODEX_COMMAND to its program."
        )
    return str(Path(found).absolute())


async def start_child(
    command: Sequence[str],
    nursery: trio.Nursery,
    *,
    environment: Mapping[str, str],
    state_folder: Path | None = None,
    cwd: Path | None = None,
) -> ChildProcess:
    """Start a program apart from us; raises `WireClosed` if it can't be started.

    Its standard error is read in `nursery` for as long as it lives. With a `state_folder` the
    child is recorded there until it has ended.
    """
    program, *arguments = command
    found = find_program(program, environment)
    mark = secrets.token_hex(16)
    try:
        process = await _open_apart([found, *arguments], {**environment, CHILD: mark}, cwd)
    except OSError as error:
        raise WireClosed(f"`{found}` could not be started: {error.strerror or error}.") from None
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("All three streams were asked for.")
    record = None
    if state_folder is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            record = ProcessRecord.write(state_folder, process.pid, found)
    tail, done = Tail(), trio.Event()
    nursery.start_soon(_drain, process.stderr, tail, done)
    return ChildProcess(process, process.stdin, process.stdout, tail, done, record, mark)


async def _open_apart(
    command: Sequence[str], environment: Mapping[str, str], cwd: Path | None
) -> trio.Process:
    pipe = subprocess.PIPE
    if sys.platform == "win32":
        return await trio.lowlevel.open_process(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=environment,
            cwd=cwd,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW,
        )
    else:  # noqa: RET505 - mypy knows the platform only so
        return await trio.lowlevel.open_process(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=environment,
            cwd=cwd,
            start_new_session=True,
        )


async def _drain(stream: trio.abc.ReceiveStream, tail: Tail, done: trio.Event) -> None:
    try:
        async with stream:
            while data := await stream.receive_some(16 * 1024):
                tail.add(bytes(data))
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    finally:
        done.set()
