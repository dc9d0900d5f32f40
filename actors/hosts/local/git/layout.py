"""The git directory of a work tree, found without asking git.

A `.git` folder belongs to the work tree that it lies in. Where `.git` is a file, it can lead
anywhere, so that a hostile one could put another repository's history under this folder: the git
directory has to name this work tree in return, as the ones of linked worktrees (`gitdir`) and of
submodules (`core.worktree`) do.

The common directory of a linked worktree is the one that its git directory lies in. Git itself
reads it from `commondir`, which an agent may write; here that has to say the same, and is not
followed.
"""

from __future__ import annotations

import os
from pathlib import Path

from command_center.actors.git.errors import NotAWorkTree
from command_center.actors.git.ports import Layout
from command_center.actors.hosts.local.git.folders import identity
from command_center.actors.hosts.local.git.snapshots import read_small


def find_layout(path: Path) -> Layout:
    """Find the git directories of the work tree with this top.

    Raises:
        NotAWorkTree: there is none, or the path leads elsewhere.
    """
    try:
        if path.resolve() != path:
            raise NotAWorkTree(path, "the path leads somewhere else now.")
        return _find(path)
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead round in a circle
        reason = getattr(error, "strerror", None) or str(error)
        raise NotAWorkTree(path, f"it cannot be looked at: {reason}.") from error


def resolved(base: Path, text: str) -> Path:
    """Resolve a path that is written in a file of the folder `base`, through every link."""
    return Path(os.path.realpath(os.path.join(base, text)))  # noqa: PTH118 - an absolute second part wins


def _find(path: Path) -> Layout:
    entry = path / ".git"
    if _kind_of_git_entry(path) == "folder":
        if os.path.lexists(entry / "commondir"):
            raise NotAWorkTree(path, "its .git folder points to another one.")
        git_dir = common_dir = entry
    else:
        git_dir = _follow(path)
        common_dir = _common(path, git_dir)
    for name in ("objects", "refs"):
        if not (common_dir / name).is_dir():
            raise NotAWorkTree(
                path,
                f"git does not take it for a repository ({common_dir} has no folder {name}).",
            )
    return Layout(
        path,
        git_dir,
        common_dir,
        asserted=git_dir == common_dir != entry,
        identities=(identity(git_dir), identity(common_dir)),
        top=identity(path),
    )


def _follow(path: Path) -> Path:
    text = read_small(path / ".git") or ""
    if not text.startswith("gitdir:"):
        raise NotAWorkTree(path, "its .git file leads to no repository (it has no gitdir line).")
    found = resolved(path, text.removeprefix("gitdir:").strip())
    if not found.is_dir():
        raise NotAWorkTree(path, f"its .git file leads to no repository ({found} is no folder).")
    return found


def _common(path: Path, git_dir: Path) -> Path:
    """Return the directory that all worktrees share; for a main checkout, its git directory."""
    back = read_small(git_dir / "gitdir")
    shared = read_small(git_dir / "commondir")
    if back is None and shared is None and git_dir.parent.name != "worktrees":
        return git_dir
    common = git_dir.parent.parent
    if (
        back is None
        or resolved(git_dir, back) != path / ".git"
        or git_dir.parent.name != "worktrees"
        or shared is None
        or resolved(git_dir, shared) != common
    ):
        raise does_not_name(path, git_dir)
    return common


def does_not_name(path: Path, git_dir: Path) -> NotAWorkTree:
    """Refuse a git directory that belongs to another work tree."""
    return NotAWorkTree(
        path, f"its .git file leads to {git_dir}, which does not name this folder in return."
    )


def _kind_of_git_entry(path: Path) -> str:
    """`folder` or `file`; refuses everything else with a sentence that helps."""
    entry = path / ".git"
    if entry.is_symlink():
        raise NotAWorkTree(path, f"its .git is a symbolic link (to {entry.readlink()}).")
    if entry.is_dir():
        return "folder"
    if entry.is_file():
        return "file"
    if (path / "HEAD").is_file() and (path / "objects").is_dir():
        raise NotAWorkTree(path, "it is a bare repository, which has no work tree.")
    for parent in path.parents:
        above = parent / ".git"
        if above.is_file() or (above / "HEAD").is_file():
            raise NotAWorkTree(
                path, f"it is not a git repository itself, but a folder in the one at {parent}."
            )
    raise NotAWorkTree(path, "it is not a git repository.")
