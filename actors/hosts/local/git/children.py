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
    """What is needed of a process, however it was started; `trio.Process` has it too."""

    @property
    def pid(self) -> int:
        """Its id."""

    @property
    def stdin(self) -> trio.abc.SendStream | None:
        """What it reads, where that is a pipe."""

    @property
    def stdout(self) -> trio.abc.ReceiveStream | None:
        """What it prints, where that is a pipe."""

    @property
    def stderr(self) -> trio.abc.ReceiveStream | None:
        """What it complains of, where that is a pipe."""

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""

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
            """Its id."""
            return self._popen.pid

        @property
        def returncode(self) -> int | None:
            """How it ended; None while it runs."""
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
