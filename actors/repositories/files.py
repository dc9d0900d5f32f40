"""Files of a repository's main checkout, or of the folder that a session works in."""

from __future__ import annotations

from typing import Final

import attrs

from command_center.actors.contracts.files import FilesOf, FindFiles, SeeFiles
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.core.storage import Storage
from command_center.actors.core.turns import Turns
from command_center.actors.git import Checkout
from command_center.actors.git.files import (
    SHORT_DEADLINE,
    TEXT_DEADLINE,
    FileView,
    FoundFiles,
    find_names,
    find_text,
    read_files,
)
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.seen_changes import load_work, open_folder
from command_center.actors.rules.errors import Conflict
from command_center.store import Repository, Session, repositories

LOOKS: Final = 6
"""Folders and files that are shown at the same time."""

LOOKS_SHARE: Final = 2
"""Those of one repository."""

LOOKS_WAITING: Final = 32
"""Those of one repository that wait."""

SEARCHES: Final = 3
"""Repositories that are searched at the same time; each holds the names of its files meanwhile."""

SEARCHES_WAITING: Final = 8
"""Searches of one repository that wait."""


@attrs.frozen
class Files:
    """The work behind the messages; each public method answers one of them."""

    _storage: Storage
    _hosts: Hosts[Host]
    _looks: Turns = attrs.field(
        factory=lambda: Turns(LOOKS, LOOKS_SHARE, LOOKS_WAITING), init=False
    )
    _searches: Turns = attrs.field(
        factory=lambda: Turns(SEARCHES, share=1, queue=SEARCHES_WAITING), init=False
    )

    async def see(self, message: SeeFiles) -> FileView:
        """Show a folder, or a page of a file.

        Raises:
            NotFound: there is no such session or repository, or nothing at that path.
            Invalid: the path is not one of the work tree.
            Conflict: the folder is gone or not the repository's, what is there is not shown, or it
                has changed since the page before.
            Unavailable: too many wait to see files of that repository.
        """
        session, repository = await self._work_at(message.place)
        async with self._looks.of(repository.id):
            checkout = await self._open(session, repository)
            return await read_files(checkout, message.path, message.cursor)

    async def find(self, message: FindFiles) -> FoundFiles:
        """Find files by their names, or by a text.

        A repository is searched once at a time, in all its worktrees, and has its turn before the
        next search of another one that had its own. While others wait, texts are read for less
        long.

        Raises:
            NotFound: there is no such session or repository.
            Invalid: that cannot be looked for.
            Conflict: the folder is gone, or not the repository's.
            Unavailable: too many searches of that repository wait.
        """
        session, repository = await self._work_at(message.place)
        async with self._searches.of(repository.id):
            checkout = await self._open(session, repository)
            if message.searched == "names":
                return await find_names(checkout, message.query, message.limit)
            deadline = SHORT_DEADLINE if self._searches.waiting else TEXT_DEADLINE
            return await find_text(checkout, message.query, message.limit, deadline)

    async def _work_at(self, place: FilesOf) -> tuple[Session | None, Repository]:
        if place.kind == "repository":
            return None, await self._storage.read(lambda db: repositories.get(db, place.id))
        session, _, repository = await load_work(self._storage, place.id)
        if session.worktree_reserved:
            raise Conflict(f"The worktree of session {session.id} is made when it starts.")
        return session, repository

    async def _open(self, session: Session | None, repository: Repository) -> Checkout:
        host = self._hosts.of(repository)
        if session is None:
            return await open_main(host, repository)
        return await open_folder(host, session, repository)
