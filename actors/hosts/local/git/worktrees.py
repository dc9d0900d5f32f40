"""The worktrees of this machine as folders: what is done to them beside git.

Deleting is no work for git: it would walk paths, in which an agent may put a link between one look
and the next, and delete what that leads to. Here, each folder is held open while what is in it is
deleted. Each function blocks, and is called in a thread.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from command_center.actors.git.errors import NotAWorkTree, UnsafeRepository
from command_center.actors.git.ports import Checkout
from command_center.actors.hosts.local.git.folders import held
from command_center.actors.hosts.local.git.layout import resolved
from command_center.actors.hosts.local.git.locks import clear
from command_center.actors.hosts.local.git.snapshots import read_small
from command_center.actors.rules.errors import Conflict

PIECE: Final = 1024 * 1024
"""Bytes of a file that are read at once."""

INITIALIZING: Final = "initializing"
"""The reason for which git locks a worktree while it adds it."""

SHARED: Final = ("objects", "refs", "reftable", "logs")
"""Folders of the shared git directory that a commit writes to."""


def is_being_filled(added: Checkout) -> bool:
    """Return True if git, by its `index.lock`, writes the files of a worktree.

    A lock that a killed server left says nothing.
    """
    with suppress(UnsafeRepository), held(added.git_dir, added.layout.identities[0]) as folder:
        clear(folder, "index.lock")
    return os.path.lexists(added.git_dir / "index.lock")


def read_begun(added: Checkout, algorithm: str) -> dict[bytes, str]:
    """Return all files of a worktree, each with the id that its content has as a blob.

    Raises:
        Conflict: something there can be read by nobody, or is neither a file nor a link.
    """
    found: dict[bytes, str] = {}
    top = os.fsencode(added.path)
    for folder, names, files in os.walk(top, onerror=_raise):
        names[:] = [name for name in names if folder != top or name != b".git"]
        links = [name for name in names if os.path.islink(os.path.join(folder, name))]  # noqa: PTH114, PTH118 - names are bytes
        for name in [*links, *files]:
            path = os.path.join(folder, name)  # noqa: PTH118 - as above
            if folder != top or name != b".git":
                found[os.path.relpath(path, top).replace(os.fsencode(os.sep), b"/")] = blob_id(
                    path, algorithm
                )
    return found


def blob_id(path: bytes, algorithm: str) -> str:
    """Return the id that the content of a file or a link has as a blob.

    Raises:
        Conflict: it cannot be read, or is neither.
    """
    try:
        state = os.lstat(path)
        if stat.S_ISLNK(state.st_mode):
            content = os.readlink(path)  # noqa: PTH115 - as above
            return hashlib.new(algorithm, b"blob %d\0" % len(content) + content).hexdigest()
        if not stat.S_ISREG(state.st_mode):
            raise Conflict(f"{os.fsdecode(path)} is no file.", path=os.fsdecode(path))
        digest = hashlib.new(algorithm, b"blob %d\0" % state.st_size)
        with Path(os.fsdecode(path)).open("rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
    except OSError as error:
        _raise(error)
    return digest.hexdigest()


def _raise(error: OSError) -> NoReturn:
    raise Conflict(f"{error.filename} cannot be read: {error.strerror}.") from error


def reclaim(main: Checkout, path: Path) -> bool:
    """Have a worktree lead to its git directory where git or the server was killed before it did.

    Returns:
        True if it leads there, or does now; False where git keeps none of that path, its folder is
        gone, or it leads somewhere else that is there.
    """
    name = _administration(main, path)
    if name is None or not path.is_dir() or path.resolve() != path:
        return False
    administration = main.common_dir / "worktrees" / name
    if read_small(administration / "locked") == INITIALIZING:
        with held(administration) as folder:
            folder.unlink("locked")
    if not os.path.lexists(path / ".git"):
        with held(path) as folder:
            folder.create(".git").close()
    leads_to = resolved(path, (read_small(path / ".git") or "").removeprefix("gitdir:").strip())
    if leads_to == administration.resolve():
        return True
    if leads_to != path and os.path.lexists(leads_to):
        return False
    claim(main, path)
    return True


def take_away(main: Checkout, path: Path) -> None:
    """Delete what was made of a worktree, and nothing that came in its place meanwhile."""
    if path.resolve() == path and _administration(main, path) is not None:
        with suppress(Conflict):
            delete(main, path)
        with suppress(OSError):
            forget(main, path)
    with suppress(OSError):
        path.rmdir()  # git has not begun, and it is empty


def claim(main: Checkout, path: Path) -> None:
    """Have the new worktree name the git directory that it has, not that of the stand-in."""
    name = _administration(main, path)
    if name is None:
        raise NotAWorkTree(path, "git has made no worktree of it.")
    leads_to = main.common_dir / "worktrees" / name
    with held(path) as folder:
        folder.unlink(".git")
        with folder.create(".git") as file:
            file.write(os.fsencode(f"gitdir: {leads_to}\n"))


def delete(main: Checkout, path: Path) -> None:
    """Delete a worktree with all that is in it, and what git keeps of it."""
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
    forget(main, path)


def forget(main: Checkout, path: Path) -> bool:
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
    """Return the name under which git keeps a worktree; None if it keeps none of that path."""
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


def commit_folders(checkout: Checkout) -> list[Path]:
    """Name the folders that a commit in the checkout writes to, as they are now.

    In the main checkout that is the whole git directory, as the index and HEAD lie at its top,
    beside the hooks and the configuration. A linked worktree has an index and a HEAD of its own,
    and of what it shares needs only the objects, the refs and their logs: the hooks and the
    configuration stay out of reach. A folder that leads elsewhere is left out: a run before this
    one may have made it a link, so that its successor would be let out by it.
    """
    if not checkout.linked:
        return [checkout.git_dir]
    shared = (checkout.common_dir / name for name in SHARED)
    return [
        checkout.git_dir,
        *(path for path in shared if path.is_dir() and path.resolve() == path),
    ]
