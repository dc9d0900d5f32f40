"""Files of a repository's main checkout, or of the folder that a session works in."""

from __future__ import annotations

from pathlib import Path
from weakref import WeakValueDictionary

import attrs
import trio

from command_center.actors.contracts.files import FilesOf, FindFiles, SeeFiles
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.core.storage import Storage
from command_center.actors.git import Checkout
from command_center.actors.git.files import (
    FileView,
    FoundFiles,
    find_names,
    find_text,
    read_files,
)
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.seen_changes import load_work, open_folder
from command_center.actors.rules.errors import Conflict
from command_center.store import repositories


@attrs.frozen
class Files:
    """The work behind the messages; each public method answers one of them."""

    _storage: Storage
    _hosts: Hosts[Host]
    _searches: WeakValueDictionary[Path, trio.Lock] = attrs.field(
        factory=WeakValueDictionary, init=False
    )

    async def see(self, message: SeeFiles) -> FileView:
        """Show a folder, or a page of a file.

        Raises:
            NotFound: there is no such session or repository, or nothing at that path.
            Invalid: the path is not one of the work tree.
            Conflict: the folder is gone or not the repository's, what is there is not shown, or it
                has changed since the page before.
        """
        return await read_files(await self._open(message.place), message.path, message.cursor)

    async def find(self, message: FindFiles) -> FoundFiles:
        """Find files by their names, or by a text.

        A repository is searched once at a time, in all its worktrees, so that searches take at most
        one of its turns for git, whoever asks for them.

        Raises:
            NotFound: there is no such session or repository.
            Invalid: that cannot be looked for.
            Conflict: the folder is gone, or not the repository's.
        """
        find = find_names if message.searched == "names" else find_text
        checkout = await self._open(message.place)
        searching = self._searches.setdefault(checkout.common_dir, trio.Lock())
        async with searching:
            return await find(checkout, message.query, message.limit)

    async def _open(self, place: FilesOf) -> Checkout:
        if place.kind == "repository":
            repository = await self._storage.read(lambda db: repositories.get(db, place.id))
            return await open_main(self._hosts.of(repository), repository)
        session, _, repository = await load_work(self._storage, place.id)
        if session.worktree_reserved:
            raise Conflict(f"The worktree of session {session.id} is made when it starts.")
        return await open_folder(self._hosts.of(repository), session, repository)
