"""Linked worktrees: made, removed and pruned without running anything of the repository's.

`git worktree add` would check the files out itself, under a configuration that may differ in the
new place (`includeIf "gitdir:…"`). So it is told not to, the new worktree is opened and its
configuration listed like any other's, and only then are the files written.

Where the process ends in between, git has no index for the worktree yet, as it writes that behind
the last of the files. Such a one is filled when it is to be used (`finish_worktree`).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import trio

from command_center.actors.git.checkout import Checkout, open_checkout, read_small
from command_center.actors.git.errors import (
    GitFailed,
    GitTimedOut,
    UnknownRef,
    WorktreeUnfinished,
)
from command_center.actors.git.facts import WorktreeEntry, read_worktrees
from command_center.actors.git.names import branch_commit, check_branch_name, resolve_commit
from command_center.actors.rules.errors import Conflict

CHECKOUT_DEADLINE: Final = 180.0
"""Seconds to write all files of a commit."""

REMOVAL_DEADLINE: Final = 60.0
"""Seconds to delete them."""


async def add_worktree(
    main: Checkout, path: Path, branch: str, base: str | None = None
) -> Checkout:
    """Make a worktree on a branch; the branch is made too, at `base` or HEAD, where there is none.

    If it fails, what was made of it is taken away again.

    Args:
        main: any checkout of the repository.
        path: where it goes: a folder that does not exist or is empty.
        branch: its branch.
        base: the branch, tag or commit that a new branch starts from.

    Raises:
        BadBranchName: git does not accept the name.
        UnknownRef: there is no such base, or no commit at all.
        Conflict: the branch exists and a base was named that it is not at, the folder cannot be
            made, or git says no (the branch is checked out elsewhere, …).
    """
    await check_branch_name(main, branch)
    existing = await branch_commit(main, branch)
    wanted = await resolve_commit(main, base) if base is not None else None
    if existing is None:
        start = wanted or await resolve_commit(main, "HEAD")
        naming = ["-b", branch, "--no-track"]
    else:
        if wanted not in {None, existing}:
            raise Conflict(
                f"Branch {branch} exists already and is not at {base}.", branchName=branch
            )
        start, naming = branch, []
    try:
        await trio.to_thread.run_sync(lambda: path.parent.mkdir(parents=True, exist_ok=True))
    except OSError as error:
        raise Conflict(
            f"{path.parent} cannot be made: {error.strerror}.", path=str(path)
        ) from error
    try:
        await main.run(
            "worktree", "add", "--no-checkout", "--no-guess-remote", *naming, "--", str(path), start
        )
        made = await open_checkout(main.git, path, common_dir=main.common_dir)
        await _fill(made)
    except BaseException:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + REMOVAL_DEADLINE):
            await _undo(main, path, branch if existing is None else None)
        raise
    return made


async def finish_worktree(found: Checkout) -> None:
    """Fill a worktree that was added, and then was not filled.

    Only one that has no index and no file, so that nobody can have worked there and nothing is
    written over. Every other is left as it is.

    Raises:
        WorktreeUnfinished: git may still be filling it, or has left it with a part of its files.
    """
    if not found.linked or await trio.to_thread.run_sync(os.path.lexists, found.git_dir / "index"):
        return
    try:
        await resolve_commit(found, "HEAD")
    except UnknownRef:
        return  # its branch has no commit yet, and so no files
    if not await trio.to_thread.run_sync(_is_untouched, found):
        raise WorktreeUnfinished(found.path)
    await _fill(found)


async def remove_worktree(main: Checkout, path: Path) -> None:
    """Delete a worktree with all that is in it; its branch stays.

    Git's own look for changes is left out (`--force`): it runs inside of the worktree and of its
    submodules. Who calls has looked already.

    Raises:
        Conflict: git says no; it is locked, or its `.git` does not lead back.
    """
    await main.run("worktree", "remove", "--force", "--", str(path), deadline=REMOVAL_DEADLINE)


async def prune_worktrees(main: Checkout) -> list[WorktreeEntry]:
    """Forget the worktrees whose folders are gone; returns those that were forgotten."""
    before = await read_worktrees(main)
    await main.run("worktree", "prune", "--expire=now")
    left = {entry.path for entry in await read_worktrees(main)}
    return [entry for entry in before if entry.path not in left]


async def _fill(made: Checkout) -> None:
    await made.run(
        "reset", "--hard", "--quiet", "--no-recurse-submodules", deadline=CHECKOUT_DEADLINE
    )


def _is_untouched(added: Checkout) -> bool:
    """Whether there is no file yet, and git, which holds `index.lock` meanwhile, writes none."""
    try:
        names = [entry.name for entry in added.path.iterdir()]
    except OSError:
        return False
    return names == [".git"] and not os.path.lexists(added.git_dir / "index.lock")


async def _undo(main: Checkout, path: Path, branch: str | None) -> None:
    """Take away a worktree that was not finished, and the branch that was made for it."""
    if await trio.to_thread.run_sync(_is_worktree_of, main, path):
        try:
            await remove_worktree(main, path)
        except (GitFailed, GitTimedOut):
            await trio.to_thread.run_sync(lambda: shutil.rmtree(path, ignore_errors=True))
            await main.run("worktree", "prune", "--expire=now")
    if branch is not None and await branch_commit(main, branch) is not None:
        await main.run("branch", "--delete", "--force", "--end-of-options", branch)


def _is_worktree_of(main: Checkout, path: Path) -> bool:
    """Whether that is what stands there, and nothing that came in its place meanwhile."""
    leads_to = path / (read_small(path / ".git") or "").removeprefix("gitdir: ")
    try:
        return path.resolve() == path and leads_to.parent.samefile(main.common_dir / "worktrees")
    except OSError:
        return False
