"""Worktrees that are gone while a thread still works in them.

Codex keeps for good in which folder a thread works. A worktree that nobody needs is deleted, and
its branch stays: so it can be made again, at its own place, when the thread is gone on with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs

from command_center.actors.core.storage import Storage
from command_center.actors.git import Checkout
from command_center.actors.git.facts import WorktreeEntry
from command_center.actors.git.names import branch_commit
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.paths import lies_in, pure_path, same_place
from command_center.store import Repository
from command_center.store.queries.summaries import used_worktrees

OR_ELSEWHERE = "or prompt the thread with the folder to work in as cwd."


@attrs.frozen
class LostWorktree:
    """A worktree that sessions have worked in, and the branch that it was on, if that is known."""

    path: str
    branch_name: str | None


async def find_lost(storage: Storage, repository: Repository, path: str) -> LostWorktree | None:
    """Find the worktree that a path was, or lay in; of several the innermost."""
    used = await storage.read(lambda db: used_worktrees(db, repository.id))
    around = [place for place in used if lies_in(path, place)]
    if not around:
        return None
    innermost = max(around, key=lambda place: len(pure_path(place).parts))
    return LostWorktree(innermost, used[innermost])


async def is_kept(main: Checkout, lost: LostWorktree) -> bool:
    """Return whether there is still the branch on which a lost worktree was."""
    return lost.branch_name is not None and await branch_commit(main, lost.branch_name) is not None


async def clear_place(main: Checkout, entries: Sequence[WorktreeEntry], lost: LostWorktree) -> str:
    """See that a lost worktree can be made again, and have git forget the old one.

    Return the branch that it is to be on: the one that git still knows it by, else the last that a
    session had there.

    Raises:
        Conflict: it cannot be; the error says what to do.
    """
    branch = await check_lost(main, entries, lost)
    for entry in entries:
        if same_place(entry.path, lost.path):
            await main.git.forget_worktree(main, Path(entry.path))
    return branch


async def check_lost(main: Checkout, entries: Sequence[WorktreeEntry], lost: LostWorktree) -> str:
    """See that a lost worktree can be made again; return the branch that it is to be on.

    Raises:
        Conflict: it cannot be; the error says what to do.
    """
    gone = f"The thread works in {lost.path}, which is not there any more"
    branch = lost.branch_name
    for entry in entries:
        if same_place(entry.path, lost.path):
            branch = entry.branch_name or branch
            if entry.locked_reason is not None:
                raise Conflict(
                    f"{gone}, and git has it locked. Unlock it (git worktree unlock {lost.path}), "
                    f"{OR_ELSEWHERE}",
                    threadCwd=lost.path,
                )
    if branch is None:
        raise Conflict(
            f"{gone}, and which branch it was on is not known. Make it again "
            f"(git worktree add {lost.path} BRANCH), {OR_ELSEWHERE}",
            threadCwd=lost.path,
        )
    if await branch_commit(main, branch) is None:
        raise Conflict(
            f"{gone}, nor is its branch {branch}. Make the branch again "
            f"(git branch {branch} COMMIT), {OR_ELSEWHERE}",
            threadCwd=lost.path,
            branchName=branch,
        )
    for entry in entries:
        if entry.branch_name == branch and not same_place(entry.path, lost.path):
            raise Conflict(
                f"{gone}, and its branch {branch} is checked out in {entry.path}. Switch that to "
                f"another branch, {OR_ELSEWHERE}",
                threadCwd=lost.path,
                branchName=branch,
            )
    return branch
