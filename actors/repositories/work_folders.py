"""The folder of a repository that somebody means, wherever a path leads to."""

from __future__ import annotations

from pathlib import Path

import attrs

from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.worktrees import (
    FindCheckout,
    FindFolder,
    SessionCheckout,
    WorkFolder,
)
from command_center.actors.core.storage import Storage
from command_center.actors.git import NotAWorkTree
from command_center.actors.git.facts import WorktreeEntry, read_worktrees
from command_center.actors.repositories.lost_worktrees import (
    check_lost,
    find_lost,
)
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.actors.rules.paths import same_place
from command_center.store import (
    Repository,
    Session,
    repositories,
    sessions,
)


@attrs.frozen
class WorkFolders:
    """Finds folders; each public method answers a message."""

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

    async def find_checkout(self, message: FindCheckout) -> SessionCheckout:
        """Say in which checkout a session's folder is, as git lists them now.

        Raises:
            Conflict: the folder is not there, or lies in no checkout of the session's repository.
        """
        session = await self._storage.read(lambda db: sessions.get(db, message.session_id))
        repository = await self._repository(session.repository_id)
        host = self._hosts.of(repository)
        gone = Conflict(
            f"The folder of session {session.id}, {session.cwd}, is not there any more as a "
            f"checkout of repository {repository.id}.",
            cwd=session.cwd,
        )
        try:
            main = await open_main(host, repository)
            folder = await host.folders.resolve(session.cwd, "cwd")
            listed = {Path(entry.path): entry for entry in await read_worktrees(main)}
            around = await _innermost(host, folder, list(listed))
            if around is None or not _is_of(session, listed[around]):
                raise gone
            await main.git.open(around, common_dir=main.common_dir)
        except (Invalid, NotAWorkTree) as error:
            raise gone from error
        is_main = listed[around].is_main
        return SessionCheckout(folder=str(folder), checkout=str(around), is_main=is_main)

    async def _repository(self, repository_id: int) -> Repository:
        return await self._storage.read(lambda db: repositories.get(db, repository_id))


def _is_of(session: Session, entry: WorktreeEntry) -> bool:
    """Say whether it is the session's, as it is spelled: a link may lead to another by now."""
    if session.worktree_path is None:
        return entry.is_main
    return same_place(entry.path, session.worktree_path)


async def _innermost(host: Host, path: Path, folders: list[Path]) -> Path | None:
    """Return the folder that a path lies in; of several the innermost, None if there is none."""
    around = [folder for folder in folders if await host.folders.within(path, folder)]
    return max(around, key=lambda folder: len(folder.parts), default=None)
