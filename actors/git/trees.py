"""Linked worktrees: made, removed and pruned without running anything of the repository's.

`git worktree add` is told not to check the files out. Its `.git` file names the stand-in that git
was given, so that one is put right first; the new worktree is then opened like any other, and only
then are the files written. Deleting is no work for git, but for whoever has the disk (see `ports`).

Where the process ends in between, git has no index for the worktree yet, as it writes that behind
the last of the files. Such a one is filled when it is to be used (`finish_worktree`), if it has
nothing that is not of its commit: a file to its end, or to where git was cut off. One that does not
even lead to its git directory is led there by whoever asks for it again (`take_up_worktree`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import trio

from command_center.actors.git.errors import UnknownRef, WorktreeUnfinished
from command_center.actors.git.facts import LIST_LIMIT, WorktreeEntry
from command_center.actors.git.including import include_files
from command_center.actors.git.names import branch_commit, check_branch_name, resolve_commit
from command_center.actors.git.ports import Checkout, Writes
from command_center.actors.git.refs import delete_ref
from command_center.actors.rules.errors import Conflict

CHECKOUT_DEADLINE: Final = 180.0
"""Seconds to write all files of a commit."""

CUT_OFF: Final = 64
"""Files that git may have been cut off in; it writes a few at once at most."""

LARGEST_CUT: Final = 64 * 1024 * 1024
"""Bytes of such a file at most."""

SHA1_LENGTH: Final = 40

REMOVAL_DEADLINE: Final = 60.0
"""Seconds to delete them."""


async def add_worktree(
    main: Checkout,
    path: Path,
    branch: str,
    base: str | None = None,
    *,
    include: Sequence[bytes] = (),
) -> Checkout:
    """Make a worktree on a branch; the branch is made too, at `base` or HEAD, where there is none.

    If it fails, what was made of it is taken away again.

    Args:
        main: any checkout of the repository.
        path: where it goes: a folder that does not exist or is empty.
        branch: its branch.
        base: the branch, tag or commit that a new branch starts from.
        include: files of `main` that are copied, as git does not follow them (see `including`).

    Raises:
        BadBranchName: git does not accept the name.
        UnknownRef: there is no such base, or no commit at all.
        Conflict: the branch exists and a base was named that it is not at, the folder cannot be
            made, a file cannot be copied, or git says no (the branch is checked out elsewhere, …).
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
    await main.git.make_folder(path)
    try:
        await main.run(
            "worktree",
            "add",
            "--no-checkout",
            "--no-guess-remote",
            *naming,
            "--",
            str(path),
            start,
            writes=Writes.REFS | Writes.WORKTREES,
            also=(path,),
        )
        await main.git.claim_worktree(main, path)
        made = await main.git.open(path, common_dir=main.common_dir)
        await fill(made)
        await include_files(main, made, include)
    except BaseException:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + REMOVAL_DEADLINE):
            await _undo(main, path, branch if existing is None else None)
        raise
    return made


async def finish_worktree(found: Checkout) -> None:
    """Fill a worktree that was added, and then was not filled, or not to its end.

    Only one that has no index, and no file but those that git wrote, so that nobody can have worked
    there and nothing of anybody's is written over. Every other is left as it is.

    Raises:
        WorktreeUnfinished: git may still be filling it, or there is something else in it.
    """
    if not found.linked or await found.git.has_index(found):
        return
    try:
        await resolve_commit(found, "HEAD")
    except UnknownRef:
        return  # its branch has no commit yet, and so no files
    if await found.git.is_being_filled(found) or not await _is_only_begun(found):
        raise WorktreeUnfinished(found.path)
    await fill(found)


async def take_up_worktree(main: Checkout, path: Path, *, also_full: bool) -> Checkout | None:
    """Finish a worktree that was begun for the same request, and cut off anywhere.

    Args:
        main: any checkout of the repository.
        path: where it is, as git lists it.
        also_full: return it also where it has all of its files already.

    Returns:
        None where there is nothing to be finished.

    Raises:
        WorktreeUnfinished: git may still be filling it, or there is something else in it.
    """
    if not await main.git.reclaim_worktree(main, path):
        return None
    made = await main.git.open(path, common_dir=main.common_dir)
    if await made.git.has_index(made) and not also_full:
        return None
    await finish_worktree(made)
    return made


async def _is_only_begun(found: Checkout) -> bool:
    """Say whether all files are of the commit, each to its end or to where git was cut off."""
    listed = await found.run("ls-tree", "-r", "-z", "HEAD", limit=LIST_LIMIT)
    wanted: dict[bytes, str] = {}
    for line in filter(None, listed.stdout.split(b"\0")):
        facts, _, name = line.partition(b"\t")
        wanted[name] = facts.split()[2].decode()
    algorithm = "sha256" if any(len(one) > SHA1_LENGTH for one in wanted.values()) else "sha1"
    try:
        there = await found.git.read_begun(found, algorithm)
    except Conflict:
        return False
    differing = [name for name, blob in there.items() if wanted.get(name) != blob]
    if len(differing) > CUT_OFF or not there.keys() <= wanted.keys():
        return False
    for name in differing:
        content = await found.git.read_file(found, os.fsdecode(name), LARGEST_CUT)
        whole = await found.run("cat-file", "blob", wanted[name], limit=LARGEST_CUT, may_cut=True)
        if content is None or not whole.stdout.startswith(content):
            return False
    return True


async def remove_worktree(main: Checkout, path: Path) -> None:
    """Delete a worktree with all that is in it; its branch stays.

    Nobody looks for changes; who calls has looked already.

    Raises:
        Conflict: it is none, it is locked, its `.git` does not lead back, or something in it
            cannot be deleted.
    """
    await main.git.delete_worktree(main, path)


def prunable(there: Sequence[WorktreeEntry]) -> list[WorktreeEntry]:
    """Return the worktrees whose folders are gone."""
    return [
        entry
        for entry in there
        if entry.prunable_reason is not None and entry.locked_reason is None
    ]


async def prune_worktrees(main: Checkout, found: Sequence[WorktreeEntry]) -> list[WorktreeEntry]:
    """Forget worktrees whose folders are gone; returns those that were forgotten."""
    return [entry for entry in found if await main.git.forget_worktree(main, Path(entry.path))]


async def fill(made: Checkout) -> None:
    """Write the files of HEAD into a work tree, in the place of what is there."""
    await made.run(
        "read-tree",
        "--reset",
        "-u",
        "--no-recurse-submodules",
        "HEAD",
        writes=Writes.TREE | Writes.INDEX,
        deadline=CHECKOUT_DEADLINE,
    )


async def _undo(main: Checkout, path: Path, branch: str | None) -> None:
    """Take away a worktree that was not finished, and the branch that was made for it."""
    await main.git.take_away_worktree(main, path)
    if branch is not None and await branch_commit(main, branch) is not None:
        await delete_ref(main, f"refs/heads/{branch}")
