"""Start Command Center in a process that has its modules loaded already.

Python loads what the server imports once for all tests of a process; each start is then a fork of
it, and takes a twelfth of the time. All else is as after `python -m command_center.http`: a process
with its own environment, folder, output, signals and end. What Python reads when an interpreter
starts has no say in it; a library in front of libc (`LD_PRELOAD`) has, as it gets forks of its own.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TextIO

import attrs
import pytest

from command_center.http.cli.main import main

LOADED = (__name__, "tests.end_to_end.loaded")


@attrs.frozen
class Forked:
    """A process that was forked; used as one of `subprocess.Popen` is."""

    process: BaseProcess
    stdout: TextIO

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code once it has ended, minus the signal where one ended it."""
        return self.process.exitcode

    def poll(self) -> int | None:
        """See whether it has ended, and with which exit code."""
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, and return its exit code."""
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired("command-center", timeout or 0)
        return self.process.exitcode

    def send_signal(self, which: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.process.exitcode is None:
            os.kill(self.pid, which)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()


def fork(environment: Mapping[str, str], cwd: Path, log: Path, *words: str) -> Forked:
    """Start `command-center WORDS` with the environment, in the folder; the log gets what it says.

    On Linux alone: elsewhere a fork may not use what the system's libraries had begun.
    """
    context: Any = get_context("forkserver")
    context.set_forkserver_preload([*LOADED])
    reads, writes = context.Pipe(duplex=False)
    with writes, _forks_behind(environment.get("LD_PRELOAD")):
        process = context.Process(target=_serve, args=(dict(environment), cwd, writes, log, words))
        process.start()
    with reads:
        return Forked(process, os.fdopen(os.dup(reads.fileno())))


@contextmanager
def _forks_behind(library: str | None) -> Iterator[None]:
    """Have processes forked from one that was started behind the library, if there is one."""
    with pytest.MonkeyPatch.context() as patch:
        if library is not None:
            patch.setenv("LD_PRELOAD", library)  # read once, as its process begins
            connect = _server_behind(library).connect_to_new_process
            patch.setattr(forkserver, "connect_to_new_process", connect)
        yield


@cache
def _server_behind(_library: str) -> forkserver.ForkServer:
    server = forkserver.ForkServer()
    server.set_forkserver_preload([*LOADED])
    return server


def _serve(
    environment: dict[str, str],
    cwd: Path,
    stdout: Connection[str, str],
    log: Path,
    words: tuple[str, ...],
) -> None:
    """Be the program, from its first line."""
    os.environ.clear()
    os.environ.update(environment)
    if library := environment.get("LD_PRELOAD"):
        ctypes.CDLL(library).begin()  # it was loaded before its orders were there
    os.chdir(cwd)
    os.dup2(stdout.fileno(), sys.stdout.fileno())
    stdout.close()
    with log.open("a") as stderr:
        os.dup2(stderr.fileno(), sys.stderr.fileno())
    sys.argv = ["command-center", *words]
    main(prog_name="command-center")
