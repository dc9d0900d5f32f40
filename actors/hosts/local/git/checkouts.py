"""The git of this machine: it looks at a work tree, and runs each command beside a stand-in.

To open a checkout is to find the git directory, see that it belongs to the work tree, and take from
its configuration what git is to be told. An agent may go on changing all that meanwhile. So nothing
that a command is held by rests on what was seen: git never reads the repository's own
configuration, as each command is given a stand-in for the git directory (see `shadow`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import trio

from command_center.actors.git.errors import GitFailed, NotAWorkTree, UnsafeRepository
from command_center.actors.git.ports import (
    EMPTY_BLOB,
    EMPTY_TREE,
    Checkout,
    GitCommand,
    GitOutput,
    Layout,
    SeenFile,
    SeenFolder,
    SeenLines,
    Staging,
    TextSearch,
    Unfinished,
    Writes,
)
from command_center.actors.git.settings import (
    Setting,
    is_true,
    settings_to_reach,
    settings_to_sign,
    values,
    written_settings,
)
from command_center.actors.hosts.local.folders import same_file
from command_center.actors.hosts.local.git import copying, looking, searching, standing, worktrees
from command_center.actors.hosts.local.git.configuration import (
    check_named,
    check_owner,
    repository_settings,
    user_settings,
)
from command_center.actors.hosts.local.git.folders import on_disk
from command_center.actors.hosts.local.git.layout import find_layout, resolved
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.actors.hosts.local.git.shadow import Shadow, make_shadow
from command_center.actors.hosts.local.git.snapshots import says_something
from command_center.actors.rules.errors import Conflict
from command_center.runtime.threads import CHECKOUTS

AGAIN: Final = 3
"""Times that a reading command is run if refs are packed meanwhile."""


@attrs.frozen
class LocalGit:
    """Works in the repositories of this machine; see `git.ports` for what each method does."""

    program: GitProgram

    async def version(self) -> str:
        """Return what git says of its version."""
        return await self.program.version()

    async def open(self, path: Path, *, common_dir: Path | None = None) -> Checkout:
        """Look at a work tree before working in it."""
        layout = await CHECKOUTS.run(find_layout, path)
        async with self.program.turns.of(layout.common_dir):
            user = await user_settings(self.program, layout)
            repository = await repository_settings(self.program, layout)
        await on_disk(path, check_owner, layout, user)
        check_named(layout, repository)
        if common_dir is not None and not await same_file(layout.common_dir, common_dir):
            raise NotAWorkTree(path, "it belongs to another repository now.")
        (object_format,) = values(repository, "extensions.objectformat")[-1:] or ["sha1"]
        if object_format not in EMPTY_TREE:
            raise UnsafeRepository(path, f"its object format {object_format[:60]!r} is not known.")
        return Checkout(
            git=self,
            layout=layout,
            main=_main_of(layout, repository),
            object_format=object_format,
            configuration=repository,
            user=user,
            settings=written_settings(path, user, repository),
        )

    async def run(
        self, checkout: Checkout, command: GitCommand, sink: Callable[[bytes], None] | None = None
    ) -> GitOutput:
        """Run a command in a checkout, when it is that repository's turn."""
        repeatable = not (command.writes or command.also or command.is_free) and sink is None
        settings = checkout.settings
        if command.reaches:
            settings += settings_to_reach(checkout.user)
        if command.signs:
            settings += settings_to_sign(checkout.user)
        extra = dict(command.extra)
        attributes = {"GIT_ATTR_SOURCE": EMPTY_TREE[checkout.object_format]}
        if extra.get("GIT_ATTR_SOURCE") == "":
            attributes.clear()
            del extra["GIT_ATTR_SOURCE"]
        keeps_logs = is_true(checkout.configuration, "core.logallrefupdates", unset=True)
        if Writes.REFS in command.writes:
            await self.program.settle(checkout.common_dir)
        async with self.program.turns.of(checkout.common_dir):
            for left in reversed(range(AGAIN if repeatable else 1)):
                shadow = await on_disk(
                    checkout.path,
                    make_shadow,
                    self.program.home,
                    checkout.layout,
                    settings,
                    command,
                )
                failed: GitFailed | None = None
                answer: GitOutput | None = None
                killed = True
                try:
                    where = attributes | extra | shadow.variables()
                    staged = await self._fill_index(checkout, command, shadow, where)
                    answer = await self.program.run(
                        checkout.path,
                        *command.arguments,
                        where=where,
                        writable=(*shadow.writable(), *command.also),
                        holds=shadow.holds(),
                        sent=command.sent,
                        limit=command.limit,
                        may_cut=command.may_cut,
                        sink=sink,
                        deadline=command.deadline,
                        accepted=command.accepted,
                        reaches=command.reaches,
                        signs=command.signs,
                    )
                    answer = attrs.evolve(answer, complaint=staged + answer.complaint)
                    killed = answer.cut
                    await on_disk(checkout.path, shadow.bring_back, keeps_logs)
                    refs_moved = await CHECKOUTS.run(shadow.refs_were_packed)
                except GitFailed as error:
                    killed = error.exit_code < 0
                    complaint = shadow.named_as_it_is(error.complaint)
                    failed = GitFailed(error.command, error.exit_code, complaint)
                    refs_moved = await CHECKOUTS.run(shadow.refs_were_packed)
                finally:
                    with trio.CancelScope(shield=True):
                        await CHECKOUTS.run(partial(shadow.discard, killed=killed))
                if left and refs_moved:
                    continue
                if failed is not None:
                    raise failed
                if answer is not None:
                    return answer
        raise AssertionError  # the last round returns or raises

    async def _fill_index(
        self, checkout: Checkout, command: GitCommand, shadow: Shadow, where: Mapping[str, str]
    ) -> str:
        """Have the index as a command wants it; return what git says of the files."""
        run = partial(
            self.program.run,
            checkout.path,
            where=where,
            writable=shadow.writable(),
            holds=shadow.holds(),
            deadline=command.deadline,
        )
        if command.index_of is not None:
            await run("read-tree", command.index_of)
        if not command.staged:
            return ""
        names = command.staged
        if command.staging is Staging.READ:
            found = await on_disk(checkout.path, standing.part, checkout.path, names)
            await run("update-index", *_FORGET, sent=_ended(found.forgotten))
            names = found.read
        sent = _named(checkout, command.staging, names)
        done = await run("update-index", *_STAGE[command.staging], sent=sent)
        return done.complaint

    async def says_something(self, checkout: Checkout, name: str) -> bool:
        """Say whether a small file of the common directory has more in it than comments."""
        return await CHECKOUTS.run(says_something, checkout.common_dir / name)

    async def read_file(self, checkout: Checkout, name: str, limit: int) -> bytes | None:
        """Read a file of a work tree."""
        return await on_disk(checkout.path, copying.read_file, checkout.layout, name, limit)

    async def look(
        self, checkout: Checkout, name: str, begin: int, size: int
    ) -> SeenFolder | SeenFile | None:
        """Show a folder of a work tree, or a part of a file."""
        return await on_disk(checkout.path, looking.look, checkout.layout, name, begin, size)

    async def search(self, checkout: Checkout, wanted: TextSearch) -> SeenLines:
        """Find the lines that have a text."""
        return await searching.search(checkout.layout, wanted)

    async def copy_files(
        self, source: Checkout, target: Checkout, names: Sequence[bytes], limit: int
    ) -> list[bytes]:
        """Copy files from one work tree to another."""
        return await on_disk(
            target.path, copying.copy_files, source.layout, target.layout, names, limit
        )

    async def measure(self, checkout: Checkout, names: Sequence[bytes], limit: int) -> int:
        """Add up the bytes of files of a work tree, no further than beyond the limit."""
        return await CHECKOUTS.run(copying.measure, checkout.path, names, limit)

    async def find_standing(self, checkout: Checkout, names: Collection[bytes]) -> list[bytes]:
        """Return those of the names that are files or links of a work tree just now."""
        return await on_disk(checkout.path, standing.find_standing, checkout.path, names)

    async def find_lost(
        self, checkout: Checkout, added: Mapping[bytes, str], removed: Collection[bytes]
    ) -> bytes | None:
        """Name a file of a work tree that would be lost if others were written there."""
        path, algorithm = checkout.path, checkout.object_format
        return await on_disk(path, standing.find_lost, path, added, removed, algorithm)

    async def commit_folders(self, checkout: Checkout) -> list[Path]:
        """Name the folders that a commit writes to, as they are now; no link among them."""
        return await CHECKOUTS.run(worktrees.commit_folders, checkout)

    async def make_folder(self, path: Path) -> None:
        """Make a folder for a worktree, and those above it."""
        try:
            await CHECKOUTS.run(lambda: path.mkdir(parents=True, exist_ok=True))
        except OSError as error:
            raise Conflict(f"{path} cannot be made: {error.strerror}.", path=str(path)) from error

    async def claim_worktree(self, main: Checkout, path: Path) -> None:
        """Have a worktree that was just added name the git directory that it has."""
        await on_disk(path, worktrees.claim, main, path)

    async def find_unfinished(self, checkout: Checkout) -> Unfinished | None:
        """Name what was begun in a work tree and not finished."""
        return await CHECKOUTS.run(_unfinished, checkout.git_dir)

    async def has_index(self, checkout: Checkout) -> bool:
        """Say whether git has written an index."""
        return await CHECKOUTS.run(os.path.lexists, checkout.git_dir / "index")

    async def is_being_filled(self, checkout: Checkout) -> bool:
        """Say whether git writes the files of a work tree just now."""
        return await CHECKOUTS.run(worktrees.is_being_filled, checkout)

    async def read_begun(self, checkout: Checkout, algorithm: str) -> Mapping[bytes, str]:
        """Name all files of a work tree, each with the id that its content has as a blob."""
        return await CHECKOUTS.run(worktrees.read_begun, checkout, algorithm)

    async def reclaim_worktree(self, main: Checkout, path: Path) -> bool:
        """Have a worktree lead to its git directory where it was killed before it did."""
        return await on_disk(path, worktrees.reclaim, main, path)

    async def delete_worktree(self, main: Checkout, path: Path) -> None:
        """Delete a worktree with all that is in it, and what git keeps of it."""
        await on_disk(path, worktrees.delete, main, path)

    async def forget_worktree(self, main: Checkout, path: Path) -> bool:
        """Delete what git keeps of a worktree."""
        return await on_disk(main.path, worktrees.forget, main, path)

    async def take_away_worktree(self, main: Checkout, path: Path) -> None:
        """Delete what was made of a worktree."""
        await on_disk(path, worktrees.take_away, main, path)


_HASHED: Final = ("--add", "--remove", "--replace", "--info-only", "-z", "--stdin")
_FORGET: Final = ("--force-remove", "-z", "--stdin")
_STAGE: Final = {
    Staging.NAMED: ("-z", "--index-info"),
    Staging.HASHED: _HASHED,
    Staging.STORED: ("--add", "--remove", "--replace", "-z", "--stdin"),
    Staging.READ: _HASHED,
}


def _named(checkout: Checkout, staging: Staging, names: Iterable[bytes]) -> bytes:
    """Name the files to stage: as git lists them, or as entries of an index for empty ones."""
    if staging is Staging.NAMED:
        head = f"100644 {EMPTY_BLOB[checkout.object_format]}\t".encode()
        names = (head + name for name in names)
    return _ended(names)


def _ended(names: Iterable[bytes]) -> bytes:
    return b"".join(name + b"\0" for name in names)


_MARKS: Final[Mapping[str, Unfinished]] = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}


def _unfinished(git_dir: Path) -> Unfinished | None:
    found = (kind for name, kind in _MARKS.items() if os.path.lexists(git_dir / name))
    return next(found, None)


def _main_of(layout: Layout, repository: Sequence[Setting]) -> Path:
    """Return the main work tree; git does not know it, as it works on a stand-in."""
    common = layout.common_dir
    for value in values(repository, "core.worktree")[-1:]:
        return resolved(common, value)
    return common.parent if common.name == ".git" else common
