"""Changes of a session: listed, shown file by file, and marked as viewed.

A session that has a worktree to itself has changed what differs there from where its branch began;
git says what. In the main checkout there is work of others, too, so what its agent told of the turn
counts there; and it is all that is left of a session whose worktree is gone.

What was viewed belongs to the session's task, so that the next turn shows what is new since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.repositories import FilesViewed
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.landing import (
    Changes,
    MarkViewed,
    SeeChanges,
    SeePatch,
    SeePicture,
    ViewedFiles,
)
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import Storage
from command_center.actors.git import Checkout, GitFailed, NotAWorkTree, UnsafeRepository
from command_center.actors.git.changes import (
    FILES_LIMIT,
    Against,
    ChangedFile,
    FileStatus,
    keep_contents,
    read_changes,
)
from command_center.actors.git.errors import FileChanged
from command_center.actors.git.patches import (
    PAGE_BYTES,
    PageCursor,
    Patch,
    read_patch,
    read_whole,
)
from command_center.actors.git.pictures import Picture, read_picture
from command_center.actors.ledger.sessions import tell
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.rules.errors import Conflict, NotFound
from command_center.actors.rules.unified_diffs import FileDiff, split_diff
from command_center.store import (
    Repository,
    Session,
    Task,
    Transaction,
    repositories,
    sessions,
    tasks,
    viewed_files,
)

T = TypeVar("T")


class FolderGone(Conflict):
    """The folder of a session is not there any more."""

    def __init__(self, folder: Path) -> None:
        """Name it, and where the work is."""
        super().__init__(f"The folder {folder} is gone. What was committed is on its branch.")


@attrs.frozen
class SeenChanges:
    """The work behind the messages; each public method answers one of them."""

    _storage: Storage
    _hosts: Hosts[Host]
    _locks: KeyedLocks

    async def see(self, message: SeeChanges) -> Changes:
        """List what a session has changed.

        Raises:
            NotFound: there is no such session.
            Conflict: the folder is not the repository's any more.
        """
        session, _, repository = await load_work(self._storage, message.session_id)
        viewed = await self._viewed(session)

        async def in_git(checkout: Checkout) -> Changes:
            return await self._listed(checkout, repository.default_branch, viewed, message.against)

        async def in_told(problem: str | None) -> Changes:
            return await self._told(session, viewed, message.against, problem)

        return await self._look(session, repository, in_git, in_told)

    async def _listed(
        self,
        checkout: Checkout,
        base: str | None,
        viewed: Mapping[str, str | None],
        against: Against,
    ) -> Changes:
        """List what differs in a worktree."""
        found = await read_changes(
            checkout,
            base,
            against="commit" if against == "commit" else "base",
            viewed=list(viewed),
        )
        files = [
            msgspec.structs.replace(file, is_viewed=viewed[file.path] == found.contents[file.path])
            if file.path in found.contents
            else file
            for file in found.files
        ]
        return _counted(
            Changes(
                source="git",
                path=str(checkout.path),
                branch_name=found.branch,
                head_sha=found.head,
                base_ref=base,
                base_sha=found.start,
                against=against,
                commits=found.commits,
                total=0,
                uncommitted=0,
                additions=0,
                deletions=0,
                is_cut=found.is_cut,
                items=_unseen(files, against),
            )
        )

    async def see_patch(self, message: SeePatch) -> Patch:
        """Show what a session has changed in a file, a page of it; empty where it has nothing.

        A file may have been put back since it was listed, and whoever has it open sees that so.

        Raises:
            NotFound: there is no such session, or it has neither a worktree nor changes.
            Invalid: the path is not one of the work tree.
            Conflict: it has changed since the page before, or the folder is not the repository's.
        """
        session, _, repository = await load_work(self._storage, message.session_id)
        viewed = await self._viewed(session) if message.against == "viewed" else {}

        async def in_git(checkout: Checkout) -> Patch:
            return await read_patch(
                checkout,
                repository.default_branch,
                message.path,
                previous=message.previous_path,
                against=message.against,
                viewed=viewed.get(message.path),
                context=message.context,
                ignores_space=message.ignores_space,
                cursor=message.cursor,
            )

        async def in_told(_: str | None) -> Patch:
            told = {file.path: file for file in await self._diff_of(session)}
            if not told:
                raise NotFound("Changed file", message.path)
            return _page_of(told.get(message.path), message.path, message.cursor)

        return await self._look(session, repository, in_git, in_told)

    async def see_picture(self, message: SeePicture) -> Picture:
        """Show a picture that a session has changed in its worktree.

        Raises:
            NotFound: there is no such session or picture, or its worktree is gone.
            Invalid: the path is not one of the work tree.
            Conflict: the folder is not the repository's any more.
        """
        session, _, repository = await load_work(self._storage, message.session_id)

        async def in_git(checkout: Checkout) -> Picture:
            base = repository.default_branch
            return await read_picture(checkout, base, message.path, message.side)

        async def in_told(_: str | None) -> Picture:
            raise NotFound("Picture", message.path)

        return await self._look(session, repository, in_git, in_told)

    async def read_file(self, session_id: int, path: str) -> str:
        """Return the diff of a file with all of its lines, or with those that the agent told.

        Raises:
            NotFound: there is no such session, or the file has not changed.
            Invalid: the path is not one of the work tree.
            Conflict: the folder is not the repository's any more.
        """
        session, _, repository = await load_work(self._storage, session_id)

        async def in_git(checkout: Checkout) -> str:
            return await read_whole(checkout, repository.default_branch, path)

        async def in_told(_: str | None) -> str:
            for file in await self._diff_of(session):
                if path in {file.path, file.previous}:
                    return file.text
            raise NotFound("Changed file", path)

        return await self._look(session, repository, in_git, in_told)

    async def mark(self, message: MarkViewed) -> ViewedFiles:
        """Keep that files were looked at, with the content that they have now.

        Raises:
            NotFound: there is no such session, or a file has not changed.
            Invalid: a path is not one of the work tree.
            Conflict: the folder is not the repository's any more.
        """
        wanted = message.wanted
        session, _, repository = await load_work(self._storage, message.session_id)
        contents: Mapping[str, str | None] = dict.fromkeys(wanted.paths)
        if wanted.is_viewed:
            contents = await self._contents(session, repository, wanted.paths)

        def keep(tx: Transaction) -> ViewedFiles:
            for path, content in contents.items():
                found = viewed_files.find(tx.db, {"task_id": session.task_id, "path": path})
                if found is not None:
                    viewed_files.update(tx, found.id, content=content)
                elif content is not None:
                    viewed_files.insert(tx, task_id=session.task_id, path=path, content=content)
            told = FilesViewed(paths=list(contents), is_viewed=wanted.is_viewed)
            tell(tx, session, told, actor=wanted.requested_by)
            return wanted

        return await self._storage.write(keep)

    async def _contents(
        self, session: Session, repository: Repository, paths: Sequence[str]
    ) -> dict[str, str]:
        async def in_git(checkout: Checkout) -> dict[str, str]:
            return await keep_contents(checkout, repository.default_branch, paths)

        async def in_told(_: str | None) -> dict[str, str]:
            told = {file.path: _mark(file) for file in await self._diff_of(session)}
            for path in paths:
                if path not in told:
                    raise NotFound("Changed file", path)
            return {path: told[path] for path in paths}

        return await self._look(session, repository, in_git, in_told)

    async def _told(
        self,
        session: Session,
        viewed: Mapping[str, str | None],
        against: Against,
        problem: str | None = None,
    ) -> Changes:
        """List what the agent has told of the session's turn."""
        told = await self._diff_of(session)
        files = [
            ChangedFile(
                path=file.path,
                previous_path=None if file.previous == file.path else file.previous,
                status=_status_of(file),
                additions=None if file.is_binary else file.additions,
                deletions=None if file.is_binary else file.deletions,
                is_binary=file.is_binary,
                is_new=file.previous is None,
                is_viewed=viewed.get(file.path) == _mark(file),
            )
            for file in sorted(told, key=lambda file: file.path)
        ]
        return _counted(
            Changes(
                source="agent",
                problem=problem,
                path=session.cwd,
                branch_name=session.branch_name,
                against=against,
                total=0,
                uncommitted=0,
                additions=0,
                deletions=0,
                is_cut=len(files) > FILES_LIMIT,
                items=_unseen(files[:FILES_LIMIT], against),
            )
        )

    async def _diff_of(self, session: Session) -> list[FileDiff]:
        """Read what the agent has told of the turn; of a file that it told of twice, the last."""

        def read(db: Database) -> str | None:
            whole: str | None = sessions.whole(db, sessions.get(db, session.id), "diff")
            return whole

        text = await self._storage.read_long(read)
        return list({file.path: file for file in split_diff(text or "")}.values())

    async def _viewed(self, session: Session) -> dict[str, str | None]:
        found = await self._storage.read(
            lambda db: viewed_files.every(db, {"task_id": session.task_id})
        )
        return {file.path: file.content for file in found if file.content is not None}

    async def _look(
        self,
        session: Session,
        repository: Repository,
        in_git: Callable[[Checkout], Awaitable[T]],
        in_told: Callable[[str | None], Awaitable[T]],
    ) -> T:
        """Look at the worktree of a session, or at what its agent told where it has none to itself.

        Where git cannot read the folder, it may be deleted just now: then it is looked at again
        once that has ended.

        Args:
            session: the session.
            repository: that of its task.
            in_git: looks at the worktree.
            in_told: looks at what was told; its argument says why there is no worktree any more.

        Raises:
            Conflict: the folder is not the repository's any more.
        """

        async def look() -> T:
            if session.worktree_path is None or session.worktree_reserved:
                return await in_told(None)
            try:
                checkout = await open_folder(self._hosts.of(repository), session, repository)
            except FolderGone as gone:
                return await in_told(str(gone))
            return await (in_git(checkout) if checkout.linked else in_told(None))

        try:
            return await look()
        except (NotAWorkTree, UnsafeRepository, GitFailed):
            async with self._locks.of(repository.id):
                return await look()


async def load_work(storage: Storage, session_id: int) -> tuple[Session, Task, Repository]:
    """Read a session, its task and its repository.

    Raises:
        RecordNotFound: there is no such session.
    """

    def load(db: Database) -> tuple[Session, Task, Repository]:
        session = sessions.get(db, session_id)
        task = tasks.get(db, session.task_id)
        return session, task, repositories.get(db, session.repository_id)

    return await storage.read(load)


async def open_folder(host: Host, session: Session, repository: Repository) -> Checkout:
    """Open the folder in which a session works or worked.

    Raises:
        FolderGone: it is not there any more.
        Conflict: it is not the repository's any more.
    """
    folder = Path(session.cwd)
    main = await open_main(host, repository)
    if not await host.folders.same(folder, folder):
        raise FolderGone(folder)
    return await main.git.open(folder, common_dir=main.common_dir)


def _unseen(files: list[ChangedFile], against: Against) -> list[ChangedFile]:
    return [file for file in files if not file.is_viewed] if against == "viewed" else files


def _counted(changes: Changes) -> Changes:
    return msgspec.structs.replace(
        changes,
        total=len(changes.items),
        uncommitted=sum(not file.is_committed for file in changes.items),
        additions=sum(file.additions or 0 for file in changes.items),
        deletions=sum(file.deletions or 0 for file in changes.items),
    )


def _status_of(file: FileDiff) -> FileStatus:
    if file.is_deleted:
        return "deleted"
    if file.previous is None:
        return "added"
    return "modified" if file.previous == file.path else "renamed"


def _mark(file: FileDiff) -> str:
    return hashlib.sha256(file.text.encode(errors="surrogatepass")).hexdigest()[:16]


def _page_of(file: FileDiff | None, path: str, cursor: PageCursor | None) -> Patch:
    """Show a page of what the agent has told of a file; empty where it has told nothing."""
    mark, begin = "" if file is None else _mark(file), 0
    if cursor is not None:
        if cursor.mark != mark:
            raise FileChanged(path)
        begin = cursor.end
    if file is None:
        return Patch(path=path, against="base", patch="")
    end = begin + PAGE_BYTES // 4
    return Patch(
        path=path,
        previous_path=None if file.previous == path else file.previous,
        against="base",
        patch=file.text[begin:end],
        is_binary=file.is_binary,
        next_cursor=None if end >= len(file.text) else str(PageCursor(end, mark)),
    )
