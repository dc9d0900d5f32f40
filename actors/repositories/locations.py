"""Where worktrees may be: in the data folder, or where somebody asks, but never in the way."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import attrs
import trio

from command_center.actors.core.storage import Storage
from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.paths import resolve_new, within
from command_center.store import Repository, repositories

SIZE_LIMIT: Final = 200_000
"""Files of a folder that are counted for its size."""


@attrs.frozen
class Places:
    """Finds and checks places for worktrees.

    Attributes:
        data_dir: the server's data folder; worktrees go to `worktrees` in it.
        repo_roots: where repositories and asked-for worktrees may be; anywhere if empty.
    """

    _storage: Storage
    data_dir: Path
    repo_roots: tuple[Path, ...] = ()

    @property
    def home(self) -> Path:
        """Where worktrees go that nobody named a place for."""
        return self.data_dir / "worktrees"

    async def free(self, repository: Repository, branch: str) -> Path:
        """A place in the data folder that nothing is at; what leads there is this user's alone."""
        slug = re.sub(r"[^A-Za-z0-9]+", "-", branch).strip("-")[:60] or "worktree"
        folder = self.home / str(repository.id)

        def find() -> Path:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            free = folder.resolve() / slug
            number = 2
            while os.path.lexists(free):
                free = folder.resolve() / f"{slug}-{number}"
                number += 1
            return free

        return await trio.to_thread.run_sync(find)

    async def asked(self, wanted: str, field: str) -> Path:
        """Where somebody wants a worktree, if one may be there.

        Raises:
            Invalid: something is there already, or it lies where none may.
        """
        path = await resolve_new(wanted, field)
        if await within(path, [self.home]):
            return path
        if await within(path, [self.data_dir]):
            raise Invalid.field(field, f"{path} lies in the data folder of this server.")
        if self.repo_roots and not await within(path, self.repo_roots):
            raise Invalid.field(
                field, f"{path} lies outside the folders that repositories may be in."
            )
        known = await self._storage.read(lambda db: repositories.every(db, {"host": "local"}))
        for repository in known:
            if await within(path, [Path(repository.local_path)]):
                raise Invalid.field(
                    field, f"{path} lies inside repository {repository.id} ({repository.name})."
                )
        return path


def size_of(path: Path) -> int:
    """Bytes of the files below a folder, no link followed, at most `SIZE_LIMIT` of them."""
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
