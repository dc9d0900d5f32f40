"""A work tree that was looked at and may be worked in: every git command starts from one.

`open_checkout` finds the git directory, sees that it belongs to the work tree, and takes from its
configuration what git is to be told. It is made anew for every operation, as an agent may have
changed any of that since: a checkout is never stored. An agent may go on changing it meanwhile.
So nothing that a command is held by rests on what was seen: git never reads the repository's own
configuration, as each command is given a stand-in for the git directory (see `shadow`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import attrs
import trio

from command_center.actors.git.configuration import (
    check_named,
    check_owner,
    repository_settings,
    user_settings,
    values,
)
from command_center.actors.git.errors import GitFailed, NotAWorkTree, UnsafeRepository
from command_center.actors.git.folders import on_disk
from command_center.actors.git.hardening import EMPTY_TREE
from command_center.actors.git.layout import Layout, find_layout
from command_center.actors.git.process import ANSWER_LIMIT, DEADLINE, Answer, Git
from command_center.actors.git.settings import Setting, is_true, written_settings
from command_center.actors.git.shadow import Writes, make_shadow
from command_center.actors.rules.paths import same_file

AGAIN: Final = 3
"""How often a command that only reads is run where refs are packed meanwhile."""


@attrs.frozen
class Checkout:
    """A verified work tree.

    Attributes:
        layout: where it and its git directories are.
        configuration: what the repository's own settings are, keys in lower case but for the
            middle; a key may be there more than once. Git is not told them.
        settings: the configuration file that git is given.
    """

    git: Git
    layout: Layout
    object_format: str
    configuration: tuple[Setting, ...]
    settings: bytes

    @property
    def path(self) -> Path:
        """The top of the work tree, resolved."""
        return self.layout.path

    @property
    def git_dir(self) -> Path:
        """Its own git directory."""
        return self.layout.git_dir

    @property
    def common_dir(self) -> Path:
        """The git directory that all worktrees of the repository share."""
        return self.layout.common_dir

    @property
    def linked(self) -> bool:
        """Whether it is a linked worktree rather than the main checkout."""
        return self.git_dir != self.common_dir

    async def run(
        self,
        *arguments: str,
        writes: Writes = Writes.NOTHING,
        also: Collection[Path] = (),
        extra: Mapping[str, str] = MappingProxyType({}),
        sent: bytes | None = None,
        limit: int = ANSWER_LIMIT,
        may_cut: bool = False,
        sink: Callable[[bytes], None] | None = None,
        deadline: float = DEADLINE,
        accepted: Collection[int] = (0,),
    ) -> Answer:
        """Run a git command here, when it is this repository's turn.

        Args:
            arguments: the command and its arguments.
            writes: what it changes.
            also: folders beside the repository that it writes to.
            extra: variables that this command needs.
            sent: what git reads on its stdin, which is empty otherwise.
            limit: bytes of output that are taken.
            may_cut: whether more output than that is cut (and the process ended), or an error.
            sink: takes the output as it comes, which is then not kept.
            deadline: seconds for git's work; waiting for a turn does not count.
            accepted: exit codes that are answers.

        Raises:
            UnsafeRepository: a pipe or the like is in the place of one of git's files.
            Conflict: the index is to be written, and another git holds it.
            GitFailed, …: see `Git.run`.
        """
        repeatable = not writes and not also and sink is None
        async with self.git.turns.of(self.common_dir):
            for left in reversed(range(AGAIN if repeatable else 1)):
                shadow = await on_disk(
                    self.path,
                    make_shadow,
                    self.git.home,
                    self.layout,
                    self.settings,
                    arguments[0],
                    writes,
                )
                failed: GitFailed | None = None
                answer: Answer | None = None
                try:
                    answer = await self.git.run(
                        self.path,
                        *arguments,
                        where={
                            **extra,
                            **shadow.variables(),
                            "GIT_ATTR_SOURCE": EMPTY_TREE[self.object_format],
                        },
                        writable=(*shadow.writable(), *also),
                        sent=sent,
                        limit=limit,
                        may_cut=may_cut,
                        sink=sink,
                        deadline=deadline,
                        accepted=accepted,
                    )
                    await on_disk(self.path, shadow.bring_back, self._keeps_logs)
                    refs_moved = await trio.to_thread.run_sync(shadow.refs_were_packed)
                except GitFailed as error:
                    complaint = shadow.named_as_it_is(error.complaint)
                    failed = GitFailed(error.command, error.exit_code, complaint)
                    refs_moved = await trio.to_thread.run_sync(shadow.refs_were_packed)
                finally:
                    with trio.CancelScope(shield=True):
                        await trio.to_thread.run_sync(shadow.discard)
                if left and refs_moved:
                    continue
                if failed is not None:
                    raise failed
                if answer is not None:
                    return answer
        raise AssertionError  # the last round returns or raises

    @property
    def _keeps_logs(self) -> bool:
        return is_true(self.configuration, "core.logallrefupdates", unset=True)


async def open_checkout(git: Git, path: Path, *, common_dir: Path | None = None) -> Checkout:
    """Look at a work tree before working in it.

    Args:
        git: the wrapper.
        path: the top of the work tree.
        common_dir: the git directory that it is known to belong to, if it is known.

    Raises:
        NotAWorkTree: it is none, or not the one that it was.
        UnsafeRepository: git could not be run in it safely.
    """
    layout = await trio.to_thread.run_sync(find_layout, path)
    async with git.turns.of(layout.common_dir):
        user = await user_settings(git, layout)
        repository = await repository_settings(git, layout)
    await on_disk(path, check_owner, layout, user)
    check_named(layout, repository)
    if common_dir is not None and not await same_file(layout.common_dir, common_dir):
        raise NotAWorkTree(path, "it belongs to another repository now.")
    (object_format,) = values(repository, "extensions.objectformat")[-1:] or ["sha1"]
    if object_format not in EMPTY_TREE:
        raise UnsafeRepository(path, f"its object format {object_format[:60]!r} is not known.")
    return Checkout(
        git=git,
        layout=layout,
        object_format=object_format,
        configuration=repository,
        settings=written_settings(path, user, repository),
    )
