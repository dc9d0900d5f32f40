"""Linked worktrees: made, removed and pruned without running anything of the repository's.

`git worktree add` is told not to check the files out. Its `.git` file names the stand-in that git
was given, so that one is put right first; the new worktree is then opened like any other, and only
then are the files written. Deleting is no work for git: it would walk paths, in which an agent may
put a link between one look and the next, and delete what that leads to. Here, each folder is held
open while what is in it is deleted.

Where the process ends in between, git has no index for the worktree yet, as it writes that behind
the last of the files. Such a one is filled when it is to be used (`finish_worktree`).
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio

from command_center.actors.git.checkout import Checkout, open_checkout
from command_center.actors.git.errors import NotAWorkTree, UnknownRef, WorktreeUnfinished
from command_center.actors.git.facts import WorktreeEntry, read_worktrees
from command_center.actors.git.folders import held, on_disk
from command_center.actors.git.layout import resolved
from command_center.actors.git.names import branch_commit, check_branch_name, resolve_commit
from command_center.actors.git.shadow import Writes
from command_center.actors.git.snapshots import read_small
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
        await trio.to_thread.run_sync(lambda: path.mkdir(parents=True, exist_ok=True))
    except OSError as error:
        raise Conflict(f"{path} cannot be made: {error.strerror}.", path=str(path)) from error
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
        await on_disk(path, _name_git_directory, main, path)
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

    Nobody looks for changes; who calls has looked already.

    Raises:
        Conflict: it is none, it is locked, its `.git` does not lead back, or something in it
            cannot be deleted.
    """
    await on_disk(path, _delete, main, path)


async def prune_worktrees(main: Checkout) -> list[WorktreeEntry]:
    """Forget the worktrees whose folders are gone; returns those that were forgotten."""
    forgotten = []
    for entry in await read_worktrees(main):
        if entry.prunable_reason is None or entry.locked_reason is not None:
            continue
        if await on_disk(main.path, _forget, main, Path(entry.path)):
            forgotten.append(entry)
    return forgotten


async def _fill(made: Checkout) -> None:
    await made.run(
        "read-tree",
        "--reset",
        "-u",
        "--no-recurse-submodules",
        "HEAD",
        writes=Writes.TREE | Writes.INDEX,
        deadline=CHECKOUT_DEADLINE,
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
    await on_disk(path, _take_away, main, path)
    if branch is not None and await branch_commit(main, branch) is not None:
        await main.run(
            "branch", "--delete", "--force", "--end-of-options", branch, writes=Writes.REFS
        )


def _take_away(main: Checkout, path: Path) -> None:
    """Delete what was made of a worktree, and nothing that came in its place meanwhile."""
    if path.resolve() == path and _administration(main, path) is not None:
        with suppress(Conflict):
            _delete(main, path)
        with suppress(OSError):
            _forget(main, path)
    with suppress(OSError):
        path.rmdir()  # git has not begun, and it is empty


def _name_git_directory(main: Checkout, path: Path) -> None:
    """Have the new worktree name the git directory that it has, not that of the stand-in."""
    name = _administration(main, path)
    if name is None:
        raise NotAWorkTree(path, "git has made no worktree of it.")
    leads_to = main.common_dir / "worktrees" / name
    with held(path) as folder:
        folder.unlink(".git")
        with folder.create(".git") as file:
            file.write(os.fsencode(f"gitdir: {leads_to}\n"))


def _delete(main: Checkout, path: Path) -> None:
    name = _administration(main, path)
    if name is None:
        raise Conflict(f"{path} is no worktree of this repository.", path=str(path))
    administration = main.common_dir / "worktrees" / name
    if os.path.lexists(administration / "locked"):
        raise Conflict(f"Worktree {path} is locked.", path=str(path))
    if os.path.lexists(path):
        text = read_small(path / ".git") or ""
        if resolved(path, text.removeprefix("gitdir:").strip()) != administration.resolve():
            raise Conflict(f"{path}: its .git file does not lead back.", path=str(path))
        try:
            with held(path.parent) as parent:
                parent.remove_tree(path.name)
        except OSError as error:
            raise Conflict(
                f"{path} cannot be deleted: {error.filename or path}: {error.strerror}.",
                path=str(path),
            ) from error
    _forget(main, path)


def _forget(main: Checkout, path: Path) -> bool:
    """Delete what git keeps of a worktree."""
    name = _administration(main, path)
    if name is None:
        return False
    with (
        held(main.common_dir, main.layout.identities[1]) as common,
        common.enter("worktrees") as worktrees,
    ):
        worktrees.remove_tree(name)
    return True


def _administration(main: Checkout, path: Path) -> str | None:
    """The name under which git keeps a worktree; None where there is none of that path."""
    worktrees = main.common_dir / "worktrees"
    try:
        names = sorted(entry.name for entry in worktrees.iterdir())
    except OSError:
        return None
    for name in names:
        back = read_small(worktrees / name / "gitdir")
        if back is not None and resolved(worktrees / name, back) == path / ".git":
            return name
    return None
