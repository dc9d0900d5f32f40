"""An app-server of our own that outlives us: started apart, recorded, found again, ended.

It listens on a Unix socket in a folder that only its owner can enter, in a session of its own:
neither Ctrl-C nor `kill -9` of the server reaches it, and the next life joins it. `keeper` is its
parent, and ends it when no server has used it for a while and no turn runs in it.

A record says which process it is and of which program and environment. The process id alone is
never enough, since ids are used again: the start time must be that of the record.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Self

import attrs
import msgspec
import psutil
import trio

from command_center.actors.codex.active_turns import has_turns
from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.hosts.local.codex.environment import OWNER, agent_environment
from command_center.actors.hosts.local.codex.orphans import (
    descendants_of,
    is_alive,
    kill_all,
    kill_left,
)
from command_center.actors.hosts.local.codex.places import codex_home, inherited
from command_center.actors.hosts.local.codex.processes import Tail, find_program, start_child
from command_center.actors.hosts.local.codex.stopping import asking, stop_work_in
from command_center.actors.hosts.local.codex.transports import open_socket

if sys.platform != "win32":
    import fcntl

GRACE_SECONDS = 60.0
"""Seconds until an app-server without a turn ends, once no server is there to use it."""

LIMIT_SECONDS = 24 * 60 * 60.0
"""Seconds until one with running turns ends, once no server is there to use it."""

START_SECONDS = 20.0
"""Seconds that it may take until it listens."""

END_SECONDS = 5.0
"""Seconds that it may take to end by itself, once it was told to."""

LONGEST_PATH = 100
"""Bytes of a socket's path; the systems allow 103 and more."""

_VERSION_SECONDS = 10.0
_WORDS_SECONDS = 2.0
_LOOK_SECONDS = 0.02
_CLOCK_SLACK = 2.0

_PASSING = frozenset(
    {"_", "SHLVL", "PWD", "OLDPWD", "TERM", "COLUMNS", "LINES", "WINDOWID", "INVOCATION_ID"}
    | {"JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY"}
    | {"TERM_SESSION_ID", "XDG_SESSION_ID", "TMUX", "TMUX_PANE", "STY", OWNER}
)
"""Variables that say from where a program was started, and change nothing of what it does."""


class ServerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Record of a detached app-server: its process, its socket, and its version and environment."""

    pid: int
    started: float
    life: str
    """The mark in its environment, and in that of all that it starts."""
    socket: str
    version: str
    codex_home: str
    environment: str


@attrs.frozen
class ServerLease:
    """Our use of the app-server, which its keeper sees; ends with this process at the latest."""

    descriptor: int

    @classmethod
    async def take(cls, folder: Path) -> Self | None:
        """Take it, once a keeper that is ending the app-server has done so; None on Windows."""
        if sys.platform == "win32":
            return None
        else:  # noqa: RET505 - mypy knows the platform only so
            descriptor = os.open(
                private_folder(folder) / "app-server.lease", os.O_RDWR | os.O_CREAT
            )
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    await trio.sleep(_LOOK_SECONDS)
                else:
                    return cls(descriptor)

    def release(self) -> None:
        """Let the keeper end the app-server when no turn runs in it."""
        os.close(self.descriptor)


def folder_of(state_folder: Path) -> Path:
    """Return the folder of the app-server in a data folder."""
    return state_folder / "codex"


def read(folder: Path) -> ServerRecord | None:
    """Return the record of the app-server of a folder; None if it does not run."""
    try:
        record = msgspec.json.decode((folder / "app-server.json").read_bytes(), type=ServerRecord)
        process = psutil.Process(record.pid)
        is_it = abs(process.create_time() - record.started) <= _CLOCK_SLACK
    except (OSError, ValueError, msgspec.MsgspecError, psutil.Error):
        return None
    return record if is_it and is_alive(process) else None


def end(folder: Path) -> None:
    """End the app-server with all that it started, if there is one. Blocks for some seconds."""
    record = read(folder)
    if record is not None:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(record.pid)
            family = [*descendants_of(record.pid), process]
            process.terminate()
            deadline = time.monotonic() + END_SECONDS
            while is_alive(process) and time.monotonic() < deadline:
                time.sleep(_LOOK_SECONDS)
            kill_all(family)
        kill_left(OWNER, f"{record.life}:", record.pid)
    (folder / "app-server.json").unlink(missing_ok=True)


async def start(settings: BridgeSettings, state_folder: Path) -> ServerRecord:
    """Start one, and return when it listens; raises `WireClosed` with what to do."""
    folder = private_folder(folder_of(state_folder))
    socket = socket_in(folder)
    (folder / "app-server.log").unlink(missing_ok=True)
    life = secrets.token_hex(8)
    environment = agent_environment(
        inherited(settings), secrets=settings.secrets, state_folder=state_folder, life=life
    )
    program, *arguments = settings.program
    found = find_program(program, environment)
    version = await _version_of([found, *arguments], environment)
    command = [found, *arguments, "app-server", "--listen", f"unix://{socket}"]
    with trio.CancelScope(shield=True):  # what is started is recorded, or nobody would know it
        pid = await _start_kept(folder, command, environment)
        try:
            started = psutil.Process(pid).create_time()
        except psutil.Error:
            raise WireClosed(await _last_words(folder)) from None
        record = ServerRecord(
            pid=pid,
            started=started,
            life=life,
            socket=str(socket),
            version=version,
            codex_home=str(codex_home(settings)),
            environment=_digest(environment, settings.program),
        )
        partial = folder / "app-server.partial"
        partial.write_bytes(msgspec.json.encode(record))
        partial.replace(folder / "app-server.json")
    try:
        with trio.fail_after(START_SECONDS):
            await _until_it_listens(record, folder)
    except trio.TooSlowError:
        await trio.to_thread.run_sync(end, folder)
        raise WireClosed("Codex did not begin to listen in time.") from None
    return record


async def differences(record: ServerRecord, settings: BridgeSettings) -> str | None:
    """Return a sentence on why a fresh start would differ; None if it would not."""
    if record.codex_home != str(codex_home(settings)):
        return f"It works in {record.codex_home}, and CODEX_HOME is {codex_home(settings)}."
    environment = agent_environment(inherited(settings), secrets=settings.secrets)
    program, *arguments = settings.program
    try:
        found = find_program(program, environment)
        version = await _version_of([found, *arguments], environment)
    except WireClosed as error:
        return error.reason
    if version != record.version:
        return f"It is {record.version or 'of an unknown version'}, and the program is {version}."
    if _digest(environment, settings.program) != record.environment:
        return "It was started with another environment."
    return None


async def works_in(folder: Path) -> bool:
    """Return True if a turn runs in the app-server; raise `WireClosed` if it does not answer."""
    record = read(folder)
    return record is not None and await works(Path(record.socket))


async def stop_in(folder: Path, folders: Callable[[], Collection[str]]) -> int:
    """End what works in some folders; the app-server itself, with all turns, if that fails.

    Return how many turns there were; 0 also where no app-server runs. `folders` is called again
    and again, in a worker thread; see `stop_work_in`.
    """
    record = read(folder)
    if record is None:
        return 0
    try:
        return await stop_work_in(Path(record.socket), folders)
    except WireClosed:
        await trio.to_thread.run_sync(end, folder)
        return 1


async def works(socket: Path) -> bool:
    """Return True if a turn runs in the app-server at a socket; raise `WireClosed` without one."""
    async with asking(socket) as ask:
        return await has_turns(ask)


def private_folder(folder: Path) -> Path:
    """Make the folder if it is missing, let only its owner enter, and return it.

    Raises `WireClosed` if it belongs to another user or cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if sys.platform != "win32":
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
                raise WireClosed(f"{folder} is not a folder of this user.")
            if stat.S_IMODE(found.st_mode) & 0o077:
                folder.chmod(0o700)
    except OSError as error:
        raise WireClosed(f"{folder} cannot be used: {error.strerror or error}.") from None
    return folder


def socket_in(folder: Path) -> Path:
    """Return the path of the socket: in the folder, or elsewhere if that path is too long."""
    socket = folder / "app-server.sock"
    if len(os.fsencode(socket)) <= LONGEST_PATH:
        return socket
    name = f"command-center-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    runtime = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    socket = private_folder(Path(runtime) / name) / "app-server.sock"
    if len(os.fsencode(socket)) > LONGEST_PATH:
        raise WireClosed(f"The path {socket} is too long for a socket.")
    return socket


async def _version_of(program: list[str], environment: Mapping[str, str]) -> str:
    """Return the version that the program prints; empty if it prints none in time.

    It is ended with what it has started, as a wrapper that hangs may have.
    """
    said = b""
    async with trio.open_nursery() as nursery:
        try:
            child = await start_child([*program, "--version"], nursery, environment=environment)
        except WireClosed:
            return ""
        try:
            with trio.move_on_after(_VERSION_SECONDS) as deadline:
                await child.stdin.aclose()
                async for piece in child.stdout:
                    said = (said + piece)[:1000]
        finally:
            await child.end(0)
        nursery.cancel_scope.cancel()
    return "" if deadline.cancelled_caught else said.decode("utf-8", "replace").strip()[:100]


def _digest(environment: Mapping[str, str], program: tuple[str, ...]) -> str:
    said = sorted((k, v) for k, v in environment.items() if k not in _PASSING)
    return hashlib.sha256(repr((program, said)).encode("utf-8", "surrogateescape")).hexdigest()


async def _start_kept(folder: Path, command: list[str], environment: Mapping[str, str]) -> int:
    keeper = Path(__file__).with_name("keeper.py")
    times = (str(GRACE_SECONDS), str(LIMIT_SECONDS))
    try:
        with trio.fail_after(START_SECONDS):
            done = await trio.run_process(
                [sys.executable, "-P", str(keeper), str(folder), *times, *command],
                env=environment,
                capture_stdout=True,
                stderr=subprocess.DEVNULL,
                check=False,
            )
    except OSError as error:
        raise WireClosed(f"{sys.executable} could not be started: {error.strerror}.") from None
    except trio.TooSlowError:
        raise WireClosed("The keeper of Codex's app-server did not start in time.") from None
    said = done.stdout.decode("utf-8", "replace").strip()
    if not said.isdigit():
        raise WireClosed(said or "The keeper of Codex's app-server could not be started.")
    return int(said)


async def _until_it_listens(record: ServerRecord, folder: Path) -> None:
    while True:
        try:
            stream = await open_socket(Path(record.socket))
        except WireClosed:
            if read(folder) is None:
                raise WireClosed(await _last_words(folder)) from None
            await trio.sleep(_LOOK_SECONDS)
        else:
            await stream.aclose()
            return


async def _last_words(folder: Path) -> str:
    """Return why it has ended, if it has said so: its keeper writes that down just then."""
    log, tail = folder / "app-server.log", Tail()
    with trio.move_on_after(_WORDS_SECONDS):
        while not log.exists():  # noqa: ASYNC110 - another process makes it
            await trio.sleep(_LOOK_SECONDS)
        tail.add(log.read_bytes())
    said = tail.last_words()
    return f"Codex ended before it listened: {said}" if said else "Codex ended before it listened."
