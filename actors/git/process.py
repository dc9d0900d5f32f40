"""One git process: hardened, off the event loop, with a deadline, no terminal and bounded output.

This is the only place of the program that starts git. A process that is to be ended is killed
with all that it started; one whose output is cut is killed at the cut, so that a diff of any size
costs no more than its limit.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import attrs
import trio

from command_center.actors.git.errors import (
    GitAnswerTooLong,
    GitFailed,
    GitMissing,
    GitTimedOut,
    NotAWorkTree,
)
from command_center.actors.git.hardening import environment

PROGRAM: Final = "git"
"""The program's name; nothing but this file starts it."""

DEADLINE: Final = 30.0
"""Seconds that a command may take unless it is given its own."""

ANSWER_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of output that are kept unless a command is given its own limit."""

COMPLAINT_LIMIT: Final = 16 * 1024
"""Bytes of stderr that are kept."""

OLDEST: Final = (2, 41)
"""The first git that takes attributes from a tree everywhere."""

AT_ONCE: Final = 8
"""Git processes that run at the same time; more wait for their turn within their deadline."""


if sys.platform == "win32":
    APART: Final[Mapping[str, Any]] = {
        "creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    }
else:
    APART: Final[Mapping[str, Any]] = {"start_new_session": True}
"""No terminal to ask on, and a group of its own to be killed with."""


@attrs.frozen
class Answer:
    """What git printed. `cut` says that there was more; `complaint` is its stderr."""

    stdout: bytes
    cut: bool
    exit_code: int
    complaint: str

    @property
    def text(self) -> str:
        """The output as text without its last line end; bytes that are not UTF-8 are escaped."""
        return shown(self.stdout).rstrip("\n")


def shown(raw: bytes) -> str:
    r"""Bytes as text for people and JSON: what is not UTF-8 becomes `\xNN`. Not to be undone."""
    return raw.decode("utf-8", errors="backslashreplace")


@attrs.define
class _Run:
    process: trio.Process
    limit: int
    sink: Callable[[bytes], None] | None
    kept: bytearray = attrs.field(factory=bytearray)
    complaint: bytearray = attrs.field(factory=bytearray)
    cut: bool = False

    async def read_output(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - it was opened with a pipe
        seen = 0
        async for chunk in self.process.stdout:
            room = self.limit - seen
            seen += len(chunk)
            part = bytes(chunk[:room])
            if self.sink is None:
                self.kept += part
            else:
                self.sink(part)
            if seen > self.limit:
                self.cut = True
                end(self.process)
                return

    async def read_complaint(self) -> None:
        assert self.process.stderr is not None  # noqa: S101 - it was opened with a pipe
        async for chunk in self.process.stderr:
            self.complaint += chunk[: COMPLAINT_LIMIT - len(self.complaint)]

    async def feed(self, sent: bytes) -> None:
        assert self.process.stdin is not None  # noqa: S101 - it was opened with a pipe
        async with self.process.stdin as stdin:
            try:
                await stdin.send_all(sent)
            except trio.BrokenResourceError:
                return  # git did not want the rest; its exit code tells


@attrs.define
class Git:
    """Starts git. One of it serves the whole program.

    `executable` is found on the PATH unless given. `inherited` is the environment of which a few
    variables reach git.
    """

    executable: str | None = None
    inherited: Mapping[str, str] = attrs.field(factory=lambda: dict(os.environ))
    _turns: trio.CapacityLimiter = attrs.field(
        factory=lambda: trio.CapacityLimiter(AT_ONCE), init=False
    )
    _found: str | None = attrs.field(default=None, init=False)

    async def run(
        self,
        directory: Path,
        *arguments: str,
        configuration: Sequence[tuple[str, str]] = (),
        attr_source: str | None = None,
        extra: Mapping[str, str] = MappingProxyType({}),
        sent: bytes | None = None,
        limit: int = ANSWER_LIMIT,
        may_cut: bool = False,
        sink: Callable[[bytes], None] | None = None,
        deadline: float = DEADLINE,
        accepted: Collection[int] = (0,),
    ) -> Answer:
        """Run one command in a folder and wait for it.

        Args:
            directory: where it runs; git looks for a repository there and no higher.
            arguments: the command and its arguments.
            configuration: overrides found in this repository.
            attr_source: the tree that attributes come from.
            extra: variables that this command needs.
            sent: what git reads on its stdin, which is empty otherwise.
            limit: bytes of output that are taken.
            may_cut: whether more output than that is cut (and the process ended), or an error.
            sink: takes the output as it comes, which is then not kept.
            deadline: seconds, waiting for a turn included.
            accepted: exit codes that are answers.

        Raises:
            GitMissing: there is no git, or one that is too old.
            GitTimedOut: the deadline passed.
            GitAnswerTooLong: more output than `limit`, where it may not be cut.
            GitFailed: any other exit code.
            NotAWorkTree: the folder is not there.
        """
        with trio.move_on_after(deadline):
            executable = await self._find()
            async with self._turns:
                answer = await self._run(
                    [executable, *arguments],
                    directory,
                    environment(
                        self.inherited,
                        configuration=configuration,
                        attr_source=attr_source,
                        ceiling=directory.parent,
                        extra=extra,
                    ),
                    sent=sent,
                    limit=limit,
                    sink=sink,
                )
            if answer.cut:
                if not may_cut:
                    raise GitAnswerTooLong(arguments[0], limit)
                return answer
            if answer.exit_code not in accepted:
                raise GitFailed(arguments[0], answer.exit_code, answer.complaint)
            return answer
        raise GitTimedOut(arguments[0], deadline)

    async def _find(self) -> str:
        if self._found is not None:
            return self._found
        found = self.executable or shutil.which(PROGRAM, path=self.inherited.get("PATH"))
        if found is None or not Path(found).is_absolute():
            raise GitMissing("No git was found.")
        answer = await self._run(
            [found, "--version"],
            Path(found).parent,
            environment(self.inherited),
            sent=None,
            limit=1000,
            sink=None,
        )
        version = re.match(r"git version (\d+)\.(\d+)", answer.text)
        if version is None or (int(version[1]), int(version[2])) < OLDEST:
            raise GitMissing(f"This is {answer.text[:60]!r}, which is too old or unknown.")
        self._found = found
        return found

    async def _run(
        self,
        command: Sequence[str],
        directory: Path,
        variables: Mapping[str, str],
        *,
        sent: bytes | None,
        limit: int,
        sink: Callable[[bytes], None] | None,
    ) -> Answer:
        try:
            process = await trio.lowlevel.open_process(
                list(command),
                stdin=subprocess.DEVNULL if sent is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=directory,
                env=variables,
                **APART,
            )
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            if error.filename == command[0] and await trio.Path(directory).is_dir():
                raise GitMissing("Git could not be started.") from error
            raise NotAWorkTree(directory, "the folder cannot be entered.") from error
        running = _Run(process, limit, sink)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(running.read_output)
                nursery.start_soon(running.read_complaint)
                if sent is not None:
                    nursery.start_soon(running.feed, sent)
            exit_code = await process.wait()
        finally:
            await _bury(process)
        return Answer(bytes(running.kept), running.cut, exit_code, shown(bytes(running.complaint)))


def end(process: trio.Process) -> None:
    """Kill the process and, where the platform groups them, all that it started."""
    if process.returncode is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


async def _bury(process: trio.Process) -> None:
    """See that nothing of the process is left, whatever ended the wait for it."""
    end(process)
    with trio.move_on_after(2) as grace:
        grace.shield = True
        await process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            await trio.aclose_forcefully(pipe)
