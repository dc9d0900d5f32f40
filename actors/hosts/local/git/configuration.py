"""The configuration of a repository and of its user, read without trusting it.

The repository's is taken as bytes and handed to git on its stdin, so that git looks for no
repository and follows no `include`. What is made of it, `settings` decides. The user's own may
depend on the repository (`includeIf "gitdir:…"`), so git reads it with that git directory named,
but with an empty folder in the place of the one that would have a configuration.

Both are kept in mind: the repository's by its content, the user's for some seconds.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

import trio

from command_center.actors.git.errors import GitFailed, NotAWorkTree, UnsafeRepository
from command_center.actors.git.ports import Layout
from command_center.actors.git.settings import Setting, is_true, values
from command_center.actors.hosts.local.git.layout import does_not_name, resolved
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.actors.hosts.local.git.snapshots import check_regular, read_regular
from command_center.runtime.threads import CHECKOUTS

K = TypeVar("K")
V = TypeVar("V")

CONFIGURATION_LIMIT: Final = 1024 * 1024
"""Bytes of configuration that a repository may have."""

FRESH_SECONDS: Final = 10.0
"""Seconds for which the user's own configuration is kept in memory."""

KNOWN: Final = 256
"""Configurations that are kept in mind."""


async def repository_settings(git: GitProgram, layout: Layout) -> tuple[Setting, ...]:
    """Read the repository's own configuration, and what this worktree adds to it.

    Raises:
        NotAWorkTree: git does not understand it.
        UnsafeRepository: it is no regular file, or too large.
    """
    found = await _parsed(git, layout.path, layout.common_dir / "config")
    if is_true(found, "extensions.worktreeconfig"):
        found += await _parsed(git, layout.path, layout.git_dir / "config.worktree")
    return found


async def user_settings(git: GitProgram, layout: Layout) -> tuple[Setting, ...]:
    """Read what the user's and the system's configuration say, here.

    Raises:
        GitFailed: git does not understand it.
    """
    now = trio.current_time()
    known = git.of_users.get(layout.common_dir)
    if known is not None and known[0] > now:
        return known[1]
    await CHECKOUTS.run(check_regular, layout.common_dir / "HEAD")
    answer = await git.run(
        layout.path,
        "config",
        "--list",
        "--includes",
        "-z",
        users=True,
        where={
            "GIT_DIR": os.fspath(layout.common_dir),
            "GIT_COMMON_DIR": os.fspath(git.home.no_repository),
        },
        limit=CONFIGURATION_LIMIT,
    )
    found = _settings(answer.stdout)
    _keep(git.of_users, layout.common_dir, (now + FRESH_SECONDS, found))
    return found


def check_named(layout: Layout, repository: Sequence[Setting]) -> None:
    """Refuse a git directory whose configuration says that it belongs to another work tree.

    Raises:
        NotAWorkTree: it does, or it belongs to none.
    """
    if layout.git_dir != layout.common_dir:
        return
    named = [resolved(layout.git_dir, value) for value in values(repository, "core.worktree")]
    if layout.asserted and layout.path not in named:
        raise does_not_name(layout.path, layout.git_dir)
    if named and named[-1] != layout.path:
        raise NotAWorkTree(layout.path, f"git takes {named[-1]} for its work tree.")
    if not named and is_true(repository, "core.bare"):
        raise NotAWorkTree(layout.path, "it is a bare repository, which has no work tree.")


def check_owner(layout: Layout, user: Sequence[Setting]) -> None:
    """Refuse the repository of somebody else, unless the user has told git to trust it.

    Windows does not tell whose a folder is.

    Raises:
        NotAWorkTree: it is another user's.
    """
    if sys.platform != "win32":
        places = (layout.path, layout.path / ".git", layout.git_dir)
        owners = {place.lstat().st_uid for place in places if os.path.lexists(place)}
        trusted = values(user, "safe.directory")
        if not owners <= {os.geteuid()} and not _is_trusted(layout.path, trusted):
            raise NotAWorkTree(
                layout.path,
                "it belongs to another user, so git does not work in it. If you trust it, tell "
                "git: git config --global --add safe.directory PATH",
            )


def _is_trusted(path: Path, trusted: Sequence[str]) -> bool:
    found = False
    for value in trusted:
        if not value:
            found = False  # what was said before does not count any more
        elif value == "*":
            found = True
        elif value.endswith("/*"):
            found = found or path.is_relative_to(Path(os.path.realpath(value[:-2])))
        else:
            found = found or path == Path(os.path.realpath(Path(value).expanduser()))
    return found


async def _parsed(git: GitProgram, path: Path, file: Path) -> tuple[Setting, ...]:
    content = await CHECKOUTS.run(_read, path, file)
    digest = hashlib.sha256(content).digest()
    known = git.parsed.get(digest)
    if known is not None:
        return known
    try:
        answer = await git.run(
            git.home.path, "config", "--file=-", "--no-includes", "--list", "-z", sent=content
        )
    except GitFailed as error:
        reason = error.complaint.splitlines()[0][:200]
        raise NotAWorkTree(
            path, f"git does not take it for a repository ({file}: {reason})."
        ) from error
    found = _settings(answer.stdout)
    _keep(git.parsed, digest, found)
    return found


def _read(path: Path, file: Path) -> bytes:
    try:
        return read_regular(file, CONFIGURATION_LIMIT) or b""
    except UnsafeRepository as error:
        raise UnsafeRepository(path, f"of its configuration {file}: {error.problem}") from error


def _settings(listed: bytes) -> tuple[Setting, ...]:
    """Parse the keys and values of a list; a key without a value is true."""
    found = []
    for entry in os.fsdecode(listed).split("\0"):
        key, mark, value = entry.partition("\n")
        if key:
            found.append((key, value if mark else "true"))
    return tuple(found)


def _keep(known: dict[K, V], key: K, value: V) -> None:
    """Keep one more, and forget the one that was kept first where there are too many."""
    known[key] = value
    while len(known) > KNOWN:
        del known[next(iter(known))]
