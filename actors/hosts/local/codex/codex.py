"""Codex on this machine."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import attrs
import structlog
import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.ports import Way
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.contracts.project_configuration import ProjectConfiguration, ProjectFiles
from command_center.actors.hosts.local.codex import detached, orphans, project_files
from command_center.actors.hosts.local.codex.environment import agent_environment
from command_center.actors.hosts.local.codex.places import inherited
from command_center.actors.hosts.local.codex.processes import ChildProcess, start_child
from command_center.actors.hosts.local.codex.ways import listens_for_terminals, open_way
from command_center.actors.hosts.local.codex.writers import is_written

log = structlog.get_logger(__name__)


@attrs.frozen
class LocalCodex:
    """Reaches the Codex of this machine; see `codex.ports` for what each method does."""

    settings: BridgeSettings

    async def connect(self, nursery: trio.Nursery) -> Way:
        """Reach an app-server as the settings' transport wants."""
        return await open_way(self.settings, nursery)

    async def listens_for_terminals(self) -> bool:
        """Say whether an app-server can be reached at Codex's control socket."""
        return await listens_for_terminals(self.settings)

    async def take_over(self) -> detached.ServerLease | None:
        """Take our lease, and end what former lives have left."""
        lease = None
        own = self._own_folder
        if own is not None:
            try:
                lease = await detached.ServerLease.take(own)
            except (OSError, WireClosed) as error:
                log.warning("codex.lease_missing", reason=str(error))
        try:
            await self._end_orphans()
        except BaseException:
            if lease is not None:
                lease.release()
            raise
        return lease

    async def end_own(self) -> None:
        """End our detached app-server."""
        own = self._own_folder
        if own is not None:
            await trio.to_thread.run_sync(detached.end, own)

    async def start(
        self, arguments: Sequence[str], nursery: trio.Nursery, *, cwd: str
    ) -> ChildProcess:
        """Start `codex` in a folder."""
        settings = self.settings
        environment = agent_environment(
            inherited(settings), secrets=settings.secrets, state_folder=settings.state_folder
        )
        return await start_child(
            [*settings.program, *arguments],
            nursery,
            environment=environment,
            state_folder=settings.state_folder,
            cwd=Path(cwd),
        )

    async def platform(self) -> str:
        """Name this system."""
        return sys.platform

    async def script_command(self, script: str, variables: Mapping[str, str]) -> Sequence[str]:
        """Return the command: a login shell's, which knows the tools that its user has."""
        if sys.platform == "win32":
            set_all = "".join(f"$env:{name} = {_quoted(v)}; " for name, v in variables.items())
            command = f"{set_all}& {{ {script}\n}} *>&1; exit $LASTEXITCODE"
            return ("powershell", "-NoProfile", "-NonInteractive", "-Command", command)
        else:  # noqa: RET505 - a type checker reads one of the two
            shell = "bash" if shutil.which("bash") else "sh"
            pairs = [f"{name}={value}" for name, value in variables.items()]
            return ("env", *pairs, shell, "-lc", f"exec 2>&1 </dev/null\n{script}")

    @asynccontextmanager
    async def file_of(self, content: bytes) -> AsyncIterator[str]:
        """Keep a file with that content while the block runs."""
        with tempfile.TemporaryDirectory(prefix="command-center-") as folder:
            path = Path(folder) / "answer.schema.json"
            await trio.to_thread.run_sync(path.write_bytes, content)
            yield str(path)

    async def end_commands(self, thread_id: str, seconds: float) -> list[int]:
        """End the commands of a thread that are no older than that."""
        return await trio.to_thread.run_sync(orphans.end_commands, thread_id, seconds)

    async def is_written(self, home: str, thread_id: str) -> bool:
        """Say whether a process writes the thread, as its lock tells."""
        return await trio.to_thread.run_sync(is_written, Path(home), thread_id)

    async def project_files(self, cwd: Path, main: Path) -> ProjectFiles:
        """Say where Codex looks."""
        return await trio.to_thread.run_sync(
            lambda: ProjectFiles(
                paths=project_files.project_paths(cwd, main),
                obeyed=project_files.codex_folders(cwd, main),
            )
        )

    async def read_configuration(self, cwd: Path, main: Path) -> ProjectConfiguration | None:
        """Read the files that Codex obeys there where it trusts them."""
        return await trio.to_thread.run_sync(project_files.read_configuration, cwd, main)

    @property
    def _own_folder(self) -> Path | None:
        """Return the folder with the record of our own app-server; None if there may be none."""
        settings = self.settings
        if settings.state_folder is None or settings.transport is not Transport.AUTO:
            return None
        return None if settings.disabled else detached.folder_of(settings.state_folder)

    async def _end_orphans(self) -> None:
        folder = self.settings.state_folder
        if folder is None:
            return
        own = None if self._own_folder is None else detached.read(self._own_folder)
        if own is None:
            await trio.to_thread.run_sync(detached.end, detached.folder_of(folder))
        spared = () if own is None else (own.life,)
        ended = await trio.to_thread.run_sync(partial(orphans.end_orphans, folder, spared))
        if ended:
            log.warning("codex.orphans_ended", process_ids=ended)


def _quoted(text: str) -> str:
    """Quote a text for PowerShell."""
    return "'" + text.replace("'", "''") + "'"
