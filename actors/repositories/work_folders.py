"""The folder of a repository that somebody means, wherever a path leads to."""

from __future__ import annotations

from pathlib import Path

import attrs

from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.worktrees import (
    FindFolder,
    WorkFolder,
)
from command_center.actors.core.storage import Storage
from command_center.actors.git.facts import read_worktrees
from command_center.actors.repositories.lost_worktrees import (
    check_lost,
    find_lost,
)
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.actors.rules.policy import same_place
from command_center.store import (
    Repository,
    repositories,
)


@attrs.frozen
class WorkFolders:
    """Finds folders; its public method answers a message."""

    _storage: Storage
    _hosts: Hosts[Host]

    async def find_folder(self, message: FindFolder) -> WorkFolder:
        """Say which folder of a repository is meant, comparing where paths lead to.

        Raises:
            Invalid: the path that was named does not exist, or is none of its folders.
            Conflict: none was named, and the thread works in another place; or it works in a
                worktree that is gone and that cannot be made again.
        """
        repository = await self._repository(message.repository_id)
        named = message.cwd is not None
        text = message.cwd if message.cwd is not None else message.thread_cwd
        host = self._hosts.of(repository)
        if text is None or await host.folders.same(Path(text), Path(repository.local_path)):
            return WorkFolder(repository.local_path)
        main = await open_main(host, repository)
        entries = await read_worktrees(main)
        try:
            wanted = await host.folders.resolve(text, "cwd")
        except Invalid:
            lost = await find_lost(self._storage, repository, text)
            if lost is not None and (not named or same_place(text, lost.path)):
                return WorkFolder(lost.path, await check_lost(main, entries, lost))
            if named:
                raise
            wanted = None
        folders = [
            Path(repository.local_path if entry.is_main else entry.path) for entry in entries
        ]
        around = None if wanted is None else await _innermost(host, wanted, folders)
        if around is not None and (not named or await host.folders.same(around, Path(text))):
            return WorkFolder(str(around))
        if named and around is not None:
            raise Invalid.field(
                "cwd", f"{text} lies inside {around}. Codex works in a whole checkout: name that."
            )
        if named:
            where = f"the folder of repository {repository.id} ({repository.local_path})"
            raise Invalid.field("cwd", f"{text} is neither {where} nor one of its worktrees.")
        why = "is not there any more" if wanted is None else "is none of the repository's folders"
        raise Conflict(
            f"The thread works in {text}, which {why}. Name the folder to work in as cwd.",
            threadCwd=text,
        )

    async def _repository(self, repository_id: int) -> Repository:
        return await self._storage.read(lambda db: repositories.get(db, repository_id))


async def _innermost(host: Host, path: Path, folders: list[Path]) -> Path | None:
    """Return the folder that a path lies in; of several the innermost, None if there is none."""
    around = [folder for folder in folders if await host.folders.within(path, folder)]
    return max(around, key=lambda folder: len(folder.parts), default=None)
