"""The folders of this machine: where paths lead to, and what may lie where.

Whatever touches the disk does so in a worker thread.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import attrs
import psutil
import trio

from command_center.actors.contracts.hosts import FolderLook, MachineLoad
from command_center.actors.hosts.local.finding import find_repositories
from command_center.actors.rules.errors import Invalid, Unavailable
from command_center.actors.rules.paths import CONTROL, check_path
from command_center.runtime.threads import CHECKOUTS, FINDING

SIZE_LIMIT: Final = 200_000
"""Files of a folder that are counted for its size."""

LOOK_SECONDS: Final = 10.0
"""Seconds until a look for repositories is given up, which takes one where the disks answer."""

WORKTREES: Final = "worktrees"
"""The folder in the data folder of worktrees for which nobody named a place."""

UNTOLD: Final = frozenset({"leases.json", "leases.partial", "starts.json", "starts.json.partial"})
"""The files in a data folder that are replaced again and again, and tell no secret.

So is the mark beside a database. Nothing hides a file that another one replaces meanwhile, and
a command whose sandbox is made in that moment fails. The same goes for what is written beside them
before it takes their place.
"""

_MARKS: Final = ("-mark", "-mark.partial")
"""The ends of the names of a database's mark."""

UPLOADS: Final = "uploads"
"""The folder in the data folder of what people have sent, of which runs are told where it is."""


@attrs.frozen
class LocalFolders:
    """Looks at this machine; see `contracts.hosts` for what each method does.

    Attributes:
        data_dir: the server's data folder; worktrees go to `worktrees` in it.
        roots: where repositories and asked-for worktrees may be; anywhere if empty.
        places: names of folders in the data folder that repositories are in, and worktrees.
        private: names of folders in the data folder that hide what is put there later.
    """

    data_dir: Path
    roots: tuple[Path, ...] = ()
    places: tuple[str, ...] = (WORKTREES,)
    private: tuple[str, ...] = ()

    @property
    def home(self) -> Path:
        """Return the folder of the worktrees for which nobody named a place."""
        return self.data_dir / WORKTREES

    async def expand(self, text: str, field: str) -> Path:
        """Read a path that somebody sent; `~/` is the home folder of this process's user."""
        check_path(text, field)
        return _at_home(text) if text.startswith("~/") else Path(text)

    async def resolve(self, text: str, field: str) -> Path:
        """Follow a path that somebody sent to the folder that it leads to."""
        path = await self.expand(text, field)

        def resolve() -> Path | str:
            try:
                found = path.resolve(strict=True)
            except (FileNotFoundError, NotADirectoryError):
                return f"{text} does not exist."
            except (OSError, RuntimeError) as error:
                return f"{text} cannot be reached: {getattr(error, 'strerror', None) or error}."
            if not found.is_dir():
                return f"{text} is a file, not a folder."
            if not os.access(found, os.R_OK | os.X_OK):
                return f"{text} cannot be read by this server."
            return found

        found = await CHECKOUTS.run(resolve)
        if isinstance(found, str):
            raise Invalid.field(field, found)
        if CONTROL.search(str(found)):
            raise Invalid.field(field, "The path has control characters in it.")
        if not await self.may_have(found):
            raise Invalid.field(
                field, f"{found} lies outside the folders that repositories may be in."
            )
        return found

    async def resolve_new(self, text: str, field: str) -> Path:
        """Say where a worktree that somebody asks for would be."""
        path = await self.expand(text, field)

        def resolve() -> Path | str:
            try:
                found = path.resolve()
            except (OSError, RuntimeError) as error:
                return f"{text} cannot be reached: {error}."
            try:
                if os.path.lexists(path) and not (found.is_dir() and not any(found.iterdir())):
                    return f"{text} exists already."
            except OSError as error:
                return f"{text} cannot be looked into: {error.strerror}."
            return found

        found = await CHECKOUTS.run(resolve)
        if isinstance(found, str):
            raise Invalid.field(field, found)
        if await self.is_kept(found):
            return found
        if await self.within(found, self.data_dir):
            raise Invalid.field(field, f"{found} lies in the data folder of this server.")
        if not await self.may_have(found):
            raise Invalid.field(
                field, f"{found} lies outside the folders that repositories may be in."
            )
        return found

    async def make_place(self, repository_id: int, name: str) -> Path:
        """Find a free place in the data folder; what leads there is this user's alone."""
        folder = self.home / str(repository_id)

        def find() -> Path:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            free = folder.resolve() / name
            number = 2
            while os.path.lexists(free):
                free = folder.resolve() / f"{name}-{number}"
                number += 1
            return free

        return await CHECKOUTS.run(find)

    async def worktrees(self) -> Path:
        """Return the folder for worktrees in the data folder, links followed."""
        return await CHECKOUTS.run(self.home.resolve)

    async def is_kept(self, path: Path) -> bool:
        """Say whether a folder lies where worktrees go that nobody named a place for."""
        return await self.within(path, self.home)

    async def may_have(self, path: Path) -> bool:
        """Say whether a repository may lie there."""
        if not self.roots:
            return True
        own = [self.data_dir / name for name in self.places if name != WORKTREES]
        return await _within(path, (*self.roots, *own))

    async def has_data_in(self, path: Path) -> bool:
        """Say whether the data folder lies in that folder."""
        return await CHECKOUTS.run(lambda: self.data_dir.resolve().is_relative_to(path))

    async def hidden_from(self, folder: Path, *, writes: bool) -> list[Path]:
        """Say what a shell may not read: the data folder, or all in it but the worktrees."""

        def find() -> list[Path]:
            data = self.data_dir.resolve()
            if writes or not folder.is_relative_to(data):
                return [data]
            return _entries(data, self.places)

        return await CHECKOUTS.run(find)

    async def private_data(self) -> list[Path]:
        """Name what no run reads of the data folder; Codex hides nothing on Windows."""
        if sys.platform == "win32":
            return []
        else:  # noqa: RET505 - mypy knows the platform only so
            shown = {*self.places, UPLOADS}

            def find() -> list[Path]:
                for name in self.private:
                    (self.data_dir / name).mkdir(mode=0o700, exist_ok=True)
                return _entries(self.data_dir.resolve(), shown)

            return await CHECKOUTS.run(find)

    async def within(self, path: Path, folder: Path) -> bool:
        """Say whether a resolved path is the folder or lies below it, links followed."""
        return await _within(path, (folder,))

    async def same(self, left: Path, right: Path) -> bool:
        """Say whether two paths lead to one thing; what is missing is like nothing else."""
        return await same_file(left, right)

    async def find_repositories(self, after: Path | None) -> FolderLook:
        """Look for repositories behind a folder, for a second; a disk may keep it waiting."""

        def find() -> FolderLook:
            roots = [root.resolve() for root in self.roots or (Path.home(),)]
            return find_repositories(roots, after, hidden=[self.data_dir.resolve()])

        with trio.move_on_after(LOOK_SECONDS):
            return await FINDING.run(find, is_abandoned=True)
        raise Unavailable(
            "A disk does not answer, so no repositories were found. Try again, or name the folder "
            "of a repository."
        )

    async def size(self, path: Path) -> int:
        """Add up the bytes of the files below a folder, at most `SIZE_LIMIT` of them."""
        return await CHECKOUTS.run(_size_of, path)

    async def machine_load(self) -> MachineLoad:
        """Measure how busy the machine is, and how full the disk that has our data."""
        try:
            return await CHECKOUTS.run(lambda: _load_of(self.data_dir))
        except OSError as error:
            raise Unavailable(f"This machine cannot be measured: {error.strerror}.") from None

    async def clock(self) -> float:
        """Read the clock of this machine."""
        return time.time()


def _entries(folder: Path, but: Collection[str]) -> list[Path]:
    but = {*but, *UNTOLD}
    found = (one for one in folder.iterdir() if one.name not in but)
    return sorted(one for one in found if not one.name.endswith(_MARKS))


async def same_file(left: Path, right: Path) -> bool:
    """Say whether two paths lead to one thing on disk; what is missing is like nothing else."""

    def look() -> bool:
        try:
            return left.samefile(right)
        except OSError:
            return False

    return await CHECKOUTS.run(look)


def _load_of(folder: Path) -> MachineLoad:
    disk = shutil.disk_usage(folder)
    return MachineLoad(round(psutil.getloadavg()[0], 2), os.cpu_count() or 1, disk.free, disk.total)


async def _within(path: Path, roots: Sequence[Path]) -> bool:
    return await CHECKOUTS.run(lambda: any(path.is_relative_to(root.resolve()) for root in roots))


def _at_home(text: str) -> Path:
    return Path(text).expanduser()


def _size_of(path: Path) -> int:
    total = count = 0
    waiting = [os.fspath(path)]
    while waiting and count < SIZE_LIMIT:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total
