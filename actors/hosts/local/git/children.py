"""A running child process that was started by other means than trio's own.

`trio.lowlevel.open_process` starts a process on whatever thread it has. One that is started with
rules of a thread's own (see `confinement`) comes as a `subprocess.Popen`, and is waited for here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Protocol

import attrs
import trio


class Process(Protocol):
    """A running process, however it was started; `trio.Process` is one too."""

    @property
    def pid(self) -> int:
        """Return its process id."""

    @property
    def stdin(self) -> trio.abc.SendStream | None:
        """Return the pipe to its standard input; None if it has no pipe there."""

    @property
    def stdout(self) -> trio.abc.ReceiveStream | None:
        """Return the pipe of its standard output; None if it has no pipe there."""

    @property
    def stderr(self) -> trio.abc.ReceiveStream | None:
        """Return the pipe of its standard error; None if it has no pipe there."""

    @property
    def returncode(self) -> int | None:
        """Return its exit code, negative for a signal; None while it runs."""

    async def wait(self) -> int:
        """Wait until it has ended."""

    def kill(self) -> None:
        """End it."""


if sys.platform != "win32":

    @attrs.define
    class Child:
        """A process of `subprocess`, for trio; only on Linux."""

        _popen: subprocess.Popen[bytes]
        stdin: trio.abc.SendStream | None
        stdout: trio.abc.ReceiveStream | None
        stderr: trio.abc.ReceiveStream | None

        @classmethod
        def of(cls, popen: subprocess.Popen[bytes]) -> Child:
            """Take over a process and its pipes."""
            streams: list[trio.lowlevel.FdStream | None] = []
            for pipe in (popen.stdin, popen.stdout, popen.stderr):
                if pipe is None:
                    streams.append(None)
                    continue
                streams.append(trio.lowlevel.FdStream(os.dup(pipe.fileno())))
                pipe.close()
            return cls(popen, *streams)

        @property
        def pid(self) -> int:
            """Return its process id."""
            return self._popen.pid

        @property
        def returncode(self) -> int | None:
            """Return its exit code, negative for a signal; None while it runs."""
            return self._popen.poll()

        async def wait(self) -> int:
            """Wait until it has ended."""
            if sys.platform == "linux" and self._popen.poll() is None:
                descriptor = os.pidfd_open(self._popen.pid)
                try:
                    await trio.lowlevel.wait_readable(descriptor)
                finally:
                    os.close(descriptor)
            return self._popen.wait()

        def kill(self) -> None:
            """End it."""
            self._popen.kill()
