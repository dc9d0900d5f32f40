"""One git process: confined, off the event loop, with a deadline, no terminal and bounded output.

This is the only place of the program that starts git. A process that is to be ended is killed
with all that it started; one whose output is cut is killed at the cut, so that a diff of any size
costs no more than its limit. One that waits at a pipe, which somebody has put in the place of a
file, is ended as soon as that is seen.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import attrs
import structlog
import trio

from command_center.actors.core.turns import Turns
from command_center.actors.git.errors import (
    GitAnswerTooLong,
    GitFailed,
    GitMissing,
    GitTimedOut,
    NotAWorkTree,
    UnsafeRepository,
)
from command_center.actors.git.ports import ANSWER_LIMIT, DEADLINE, PROGRAM, GitOutput, shown
from command_center.actors.git.settings import Setting
from command_center.actors.hosts.local.git.children import Process
from command_center.actors.hosts.local.git.confinement import (
    ConfinementSupport,
    Grant,
    limit_process,
    programs,
)
from command_center.actors.hosts.local.git.hardening import NOWHERE, environment
from command_center.actors.hosts.local.git.shadow import StandInFolder
from command_center.runtime.threads import CHECKOUTS

if sys.platform != "win32":
    from command_center.actors.hosts.local.git.children import Child

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

COMPLAINT_LIMIT: Final = 16 * 1024
"""Bytes of stderr that are kept."""

SMALL_ANSWER: Final = 4096
"""Bytes of what git tells of itself."""

OLDEST: Final = (2, 41)
"""The first git that takes attributes from a tree everywhere."""

AT_ONCE: Final = 8
"""Git processes that run at the same time; more wait for their turn."""

SHARE: Final = 2
"""Those of one repository."""

SETTLE_SECONDS: Final = 10.0
"""Seconds that a command waits for the end of what killed ones left."""

LOOK_SECONDS: Final = 0.3
"""Seconds between two looks at a process that has not ended yet."""

AT_A_PIPE: Final = frozenset({"wait_for_partner", "pipe_read", "anon_pipe_read", "fifo_pipe_read"})
"""Linux's names of the waits of a process that opens or reads a named pipe."""

if sys.platform == "win32":
    APART: Final[Mapping[str, Any]] = {
        "creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    }
else:
    APART: Final[Mapping[str, Any]] = {"start_new_session": True}
"""No terminal to ask on, and a group of its own to be killed with."""


@attrs.define
class _Run:
    process: Process
    limit: int
    sink: Callable[[bytes], None] | None
    kept: bytearray = attrs.field(factory=bytearray)
    complaint: bytearray = attrs.field(factory=bytearray)
    cut: bool = False
    stuck: bool = False

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

    async def watch(self) -> None:
        """End it where it waits at a pipe twice in a row; there is none that it should wait at."""
        before = False
        while True:
            await trio.sleep(LOOK_SECONDS)
            now = _waits_for(self.process.pid) in AT_A_PIPE
            if now and before:
                self.stuck = True
                end(self.process)
                return
            before = now


@attrs.frozen
class _Program:
    """Git as it was found on this machine."""

    path: str
    confinement: ConfinementSupport
    executes: tuple[Path, ...]


@attrs.define
class GitProgram:
    """Starts git on this machine. One of it serves the whole program.

    Attributes:
        home: a folder of the server's alone, where what a command needs is kept while it runs.
        executable: found on the PATH unless given.
        inherited: the environment of which a few variables reach git.
        turns: who may start one next, by repository.
        parsed: what configurations say, by a digest of their content.
        of_users: until when it is believed what the user's configuration says, and that, by git
            directory.
    """

    home: StandInFolder = attrs.field(converter=StandInFolder)
    executable: str | None = None
    inherited: Mapping[str, str] = attrs.field(factory=lambda: dict(os.environ))
    turns: Turns = attrs.field(factory=lambda: Turns(AT_ONCE, SHARE), init=False)
    parsed: dict[bytes, tuple[Setting, ...]] = attrs.field(factory=dict, init=False)
    of_users: dict[Path, tuple[float, tuple[Setting, ...]]] = attrs.field(factory=dict, init=False)
    _found: _Program | None = attrs.field(default=None, init=False)
    _finding: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def run(
        self,
        directory: Path,
        *arguments: str,
        where: Mapping[str, str] = NOWHERE,
        users: bool = False,
        writable: Sequence[Path] = (),
        holds: Sequence[int] = (),
        sent: bytes | None = None,
        limit: int = ANSWER_LIMIT,
        may_cut: bool = False,
        sink: Callable[[bytes], None] | None = None,
        deadline: float = DEADLINE,
        accepted: Collection[int] = (0,),
        reaches: bool = False,
        signs: bool = False,
    ) -> GitOutput:
        """Run one command in a folder and wait for it.

        Args:
            directory: the folder.
            arguments: the command and its arguments.
            where: the variables that say where the repository is, which is not looked for, and
                what else this command needs.
            users: whether git reads the configuration of the user and of the system.
            writable: the folders that it may write to, where the system can hold it to that.
            holds: descriptors that it keeps open while it runs.
            sent: what git reads on its stdin, which is empty otherwise.
            limit: bytes of output that are taken.
            may_cut: whether more output than that is cut (and the process ended), or an error.
            sink: takes the output as it comes, which is then not kept.
            deadline: seconds.
            accepted: exit codes that are answers.
            reaches: whether it speaks with another machine, by programs of the user's. They write
                where they will, so that the system holds nothing of this command.
            signs: whether it signs, by programs of the user's; the same holds.

        Raises:
            GitMissing: there is no git, or one that is too old.
            GitTimedOut: the deadline passed.
            GitAnswerTooLong: more output than `limit`, where it may not be cut.
            GitFailed: any other exit code.
            NotAWorkTree: the folder is not there.
            UnsafeRepository: git came to a pipe in the place of a file.
        """
        with trio.move_on_after(deadline):
            program = await self._find()
            if reaches or signs:
                program = attrs.evolve(program, confinement=ConfinementSupport(0))
            answer, stuck = await self._run(
                program,
                arguments,
                directory,
                environment(
                    self.inherited,
                    ceiling=directory.parent,
                    users=users,
                    reaches=reaches,
                    signs=signs,
                    extra=where,
                ),
                watched=sent is None and not (reaches or signs),
                writable=writable,
                holds=holds,
                sent=sent,
                limit=limit,
                sink=sink,
            )
            if stuck:
                raise UnsafeRepository(
                    directory, f"git {arguments[0]} came to a pipe where a file should be."
                )
            if answer.cut:
                if not may_cut:
                    raise GitAnswerTooLong(arguments[0], limit)
                return answer
            if answer.exit_code not in accepted:
                raise GitFailed(arguments[0], answer.exit_code, answer.complaint)
            return answer
        raise GitTimedOut(arguments[0], deadline)

    async def settle(self, common_dir: Path) -> None:
        """Take away the locks that killed commands left in a repository, if any; wait for it."""
        await self._find()
        if not self.home.left:
            return
        with trio.move_on_after(SETTLE_SECONDS):
            while True:
                seconds = await CHECKOUTS.run(self.home.settle, common_dir)
                if not seconds:
                    return
                await trio.sleep(seconds)

    async def _find(self) -> _Program:
        async with self._finding:
            if self._found is None:
                self._found = await self._look()
            return self._found

    async def version(self) -> str:
        """Return what git says of its version; raises `GitMissing` where it cannot be used."""
        return await self._ask(await self._find(), "--version")

    async def _look(self) -> _Program:
        found = self.executable or shutil.which(PROGRAM, path=self.inherited.get("PATH"))
        if found is None or not Path(found).is_absolute():
            raise GitMissing("No git was found.")
        free = _Program(found, ConfinementSupport(0), ())
        answer = await self._ask(free, "--version")
        version = re.match(r"git version (\d+)\.(\d+)", answer)
        if version is None or (int(version[1]), int(version[2])) < OLDEST:
            raise GitMissing(f"This is {answer[:60]!r}, which is too old or unknown.")
        await CHECKOUTS.run(self.home.prepare)
        return await self._confined(free)

    async def _confined(self, free: _Program) -> _Program:
        """Return the program with the limits of this system; with none if git fails in them."""
        folder = Path(await self._ask(free, "--exec-path"))
        program = await CHECKOUTS.run(
            lambda: _Program(
                free.path, ConfinementSupport.found(), programs(Path(free.path).resolve(), folder)
            )
        )
        if program.confinement.version:
            for attempt in (program, attrs.evolve(program, executes=())):
                with suppress(OSError):
                    if (await self._ask(attempt, "--version")).startswith("git version"):
                        return attempt
        log.warning(
            "git.unconfined",
            problem="The system does not confine git here. See /docs/git.html#what-is-not-held.",
        )
        return free

    async def _ask(self, program: _Program, question: str) -> str:
        answer, _ = await self._run(
            program,
            (question,),
            Path(program.path).parent,
            environment(self.inherited),
            writable=(),
            holds=(),
            sent=None,
            limit=SMALL_ANSWER,
            sink=None,
        )
        return answer.text

    async def _run(
        self,
        program: _Program,
        arguments: Sequence[str],
        directory: Path,
        variables: Mapping[str, str],
        *,
        watched: bool = True,
        writable: Sequence[Path],
        holds: Sequence[int],
        sent: bytes | None,
        limit: int,
        sink: Callable[[bytes], None] | None,
    ) -> tuple[GitOutput, bool]:
        try:
            process = await _start(
                program,
                [program.path, *arguments],
                writable,
                stdin=subprocess.DEVNULL if sent is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=directory,
                env=variables,
                **({"pass_fds": holds} if holds else {}),
                **APART,
            )
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            if error.filename == program.path and await trio.Path(directory).is_dir():
                raise GitMissing("Git could not be started.") from error
            raise NotAWorkTree(directory, "the folder cannot be entered.") from error
        running = _Run(process, limit, sink)
        try:
            async with trio.open_nursery() as watching:
                if sys.platform == "linux" and watched:
                    watching.start_soon(running.watch)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(running.read_output)
                    nursery.start_soon(running.read_complaint)
                    if sent is not None:
                        nursery.start_soon(running.feed, sent)
                exit_code = await process.wait()
                watching.cancel_scope.cancel()
        finally:
            await _bury(process)
        complaint = shown(bytes(running.complaint))
        return GitOutput(bytes(running.kept), running.cut, exit_code, complaint), running.stuck


async def _start(
    program: _Program, command: list[str], writable: Sequence[Path], **options: Any
) -> Process:
    if sys.platform != "win32" and program.confinement.version:

        def start() -> subprocess.Popen[bytes]:
            popen = subprocess.Popen(command, **options)  # noqa: S603 - git, as it was found
            limit_process(popen.pid)
            return popen

        grant = Grant(tuple(writable), program.executes)
        return Child.of(await CHECKOUTS.run(program.confinement.start, grant, start))
    process = await trio.lowlevel.open_process(command, **options)
    limit_process(process.pid)
    return process


def _waits_for(process: int) -> str:
    """Return Linux's name of what a process waits for; empty on other systems."""
    try:
        return Path(f"/proc/{process}/wchan").read_text(encoding="ascii")
    except OSError:
        return ""


def end(process: Process) -> None:
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


async def _bury(process: Process) -> None:
    """See that nothing of the process is left, whatever ended the wait for it."""
    end(process)
    with trio.move_on_after(2) as grace:
        grace.shield = True
        await process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            await trio.aclose_forcefully(pipe)
