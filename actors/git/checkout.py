"""A work tree that was looked at and may be worked in: every git command starts from one.

`open_checkout` checks that the folder is the top of a work tree, that the git directory belongs
to it, and which programs the configuration names, so that they can be overridden. It is made anew
for every operation, as an agent may have changed any of that since: a checkout is never stored.

**Which git directory.** Git follows a `.git` file to wherever it points, so that a hostile one can
put another repository's history under this folder. A `.git` folder belongs to the work tree that
it lies in; where `.git` is a file, the git directory has to name this work tree in return, as the
ones of linked worktrees (`gitdir`) and of submodules (`core.worktree`) do.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import attrs
import trio

from command_center.actors.git.errors import GitFailed, NotAWorkTree, UnsafeRepository
from command_center.actors.git.hardening import EMPTY_TREE, overrides
from command_center.actors.git.process import ANSWER_LIMIT, DEADLINE, Answer, Git
from command_center.actors.rules.paths import same_file

CONFIGURATION_LIMIT: Final = 1024 * 1024
"""Bytes of configuration that a repository may have."""

SMALL_FILE: Final = 64 * 1024
"""Bytes of one of git's own small files at most."""


@attrs.frozen
class Checkout:
    """A verified work tree.

    Attributes:
        path: its top, resolved.
        git_dir: its own git directory.
        common_dir: the git directory that all worktrees of the repository share.
        configuration: the repository's settings as git reads them here, keys in lower case but
            for the middle; a key may be there more than once.
    """

    git: Git
    path: Path
    git_dir: Path
    common_dir: Path
    object_format: str
    configuration: tuple[tuple[str, str], ...]
    guards: tuple[tuple[str, str], ...]

    @property
    def linked(self) -> bool:
        """Whether it is a linked worktree rather than the main checkout."""
        return self.git_dir != self.common_dir

    async def run(
        self,
        *arguments: str,
        extra: Mapping[str, str] = MappingProxyType({}),
        sent: bytes | None = None,
        limit: int = ANSWER_LIMIT,
        may_cut: bool = False,
        sink: Callable[[bytes], None] | None = None,
        deadline: float = DEADLINE,
        accepted: Collection[int] = (0,),
    ) -> Answer:
        """Run a git command here; see `Git.run`."""
        return await self.git.run(
            self.path,
            *arguments,
            configuration=self.guards,
            attr_source=EMPTY_TREE[self.object_format],
            extra=extra,
            sent=sent,
            limit=limit,
            may_cut=may_cut,
            sink=sink,
            deadline=deadline,
            accepted=accepted,
        )

    def values(self, key: str) -> list[str]:
        """All values of a setting, in git's order."""
        return [value for found, value in self.configuration if found == key]


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
    kind = await trio.to_thread.run_sync(_look_at, path)
    object_format, top, git_dir, found_common = await _ask_git(git, path, kind)
    if not await same_file(top, path):
        raise NotAWorkTree(path, f"git takes {top} for its work tree.")
    settings = await _configuration(git, path)
    guards = overrides(path, [key for key, _ in settings])
    checkout = Checkout(
        git=git,
        path=path,
        git_dir=git_dir,
        common_dir=found_common,
        object_format=object_format,
        configuration=settings,
        guards=guards,
    )
    await trio.to_thread.run_sync(_check_belonging, checkout, kind)
    if common_dir is not None and not await same_file(found_common, common_dir):
        raise NotAWorkTree(path, "it belongs to another repository now.")
    return checkout


def read_small(path: Path) -> str | None:
    """One of git's own small files, or None where there is none that can be read.

    A pipe is none, and nobody waits for what comes out of it; nor is a file that is not small.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > SMALL_FILE:
                return None
            return os.fsdecode(file.read(SMALL_FILE)).strip()
    except (OSError, ValueError):
        return None


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def says_something(path: Path) -> bool:
    """Whether one of git's own small files has more than comments; if it cannot be read, it may."""
    text = read_small(path)
    if text is None:
        return os.path.lexists(path)
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.split("\n"))


def own_attributes(checkout: Checkout) -> bool:
    """Whether `info/attributes`, which no setting turns off, has anything in it."""
    return says_something(checkout.common_dir / "info" / "attributes")


def _look_at(path: Path) -> str:
    """What kind of `.git` stands where the path leads, which has to be the path itself."""
    try:
        if path.resolve() != path:
            raise NotAWorkTree(path, "the path leads somewhere else now.")
        return _kind_of_git_entry(path)
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead round in a circle
        reason = getattr(error, "strerror", None) or str(error)
        raise NotAWorkTree(path, f"it cannot be looked at: {reason}.") from error


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


async def _ask_git(git: Git, path: Path, kind: str) -> tuple[str, Path, Path, Path]:
    try:
        answer = await git.run(
            path,
            "rev-parse",
            "--path-format=absolute",
            "--show-object-format",
            "--show-toplevel",
            "--absolute-git-dir",
            "--git-common-dir",
            limit=SMALL_FILE,
        )
    except GitFailed as error:
        raise NotAWorkTree(path, _why_not(error, kind)) from error
    lines = os.fsdecode(answer.stdout).rstrip("\n").split("\n")
    if len(lines) != 4 or lines[0] not in EMPTY_TREE:  # noqa: PLR2004 - one line for each question
        raise NotAWorkTree(path, "git describes it in a way that cannot be understood.")
    top, git_dir, common = await trio.to_thread.run_sync(_resolve_all, lines[1:])
    return lines[0], top, git_dir, common


def _resolve_all(lines: list[str]) -> list[Path]:
    return [Path(os.path.realpath(line)) for line in lines]


def _why_not(error: GitFailed, kind: str) -> str:
    complaint = error.complaint
    if "dubious ownership" in complaint:
        return (
            "it belongs to another user, so git does not work in it. If you trust it, tell git: "
            "git config --global --add safe.directory PATH"
        )
    if "must be run in a work tree" in complaint:
        return "it is a bare repository, which has no work tree."
    if kind == "file":
        return f"its .git file leads to no repository ({complaint.splitlines()[0][:200]})."
    return f"git does not take it for a repository ({complaint.splitlines()[0][:200]})."


async def _configuration(git: Git, path: Path) -> tuple[tuple[str, str], ...]:
    answer = await git.run(
        path, "config", "--list", "--includes", "-z", limit=CONFIGURATION_LIMIT, may_cut=True
    )
    if answer.cut:
        raise UnsafeRepository(
            path, f"its configuration is larger than {CONFIGURATION_LIMIT >> 20} MiB."
        )
    entries = []
    for entry in os.fsdecode(answer.stdout).split("\0"):
        key, _, value = entry.partition("\n")
        if key:
            entries.append((key, value))
    return tuple(entries)


def _check_belonging(checkout: Checkout, kind: str) -> None:
    """Refuse a git directory that does not belong to the work tree."""
    path, git_dir = checkout.path, checkout.git_dir
    entry = path / ".git"
    if kind == "folder":
        if git_dir != entry or checkout.common_dir != git_dir:
            raise NotAWorkTree(path, "its .git folder points to another one.")
        return
    back = read_small(git_dir / "gitdir")
    if back is not None and git_dir.parent == checkout.common_dir / "worktrees":
        named = Path(os.path.realpath(os.path.join(git_dir, back)))  # noqa: PTH118 - an absolute second part wins
        if named == entry:
            return
    elif checkout.common_dir == git_dir:
        for value in checkout.values("core.worktree"):
            if Path(os.path.realpath(os.path.join(git_dir, value))) == path:  # noqa: PTH118 - the same
                return
    raise NotAWorkTree(
        path, f"its .git file leads to {git_dir}, which does not name this folder in return."
    )
