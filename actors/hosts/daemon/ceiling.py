"""The ceiling of a host: what its own user lets be done there, whoever has the server.

It is said on the host, by flags or a file of its user's, and held by the host: `held_git` refuses
commands of git, `held_codex` what Codex is asked for. A server may be hostile, so whatever is not
known to be within the ceiling is refused. Only with `escalation` may a command leave Codex's
sandbox, and then nothing holds it: a host that allows all has no ceiling but its roots.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import attrs

from command_center.actors.rules.errors import Conflict

ALLOWANCES: Final = ("write", "network", "commit", "push", "escalation")
"""Things that a ceiling may allow: to change files, to use the network, to commit, to push, and to
run what a person has approved outside of the sandbox."""

USUAL: Final = frozenset({"write", "commit"})
"""Allowances of a host whose user has said nothing."""


POOL_BYTES: Final = 20 * 10**9
"""Bytes that the clones of a pool may take whose user has said nothing."""

_PATTERN: Final = re.compile(r"(?:(?:https|ssh)://|[^/@:\s]+@)[^*\s]+(?:/\*)?")
_SIGNED_IN: Final = re.compile(r"https://[^/]*@|ssh://[^/@]*:[^/@]*@")
_STRANGE: Final = re.compile(r"[%?#\\*]|(?<!:)//")


_OF_COMMITS: Final = frozenset({"objects", "refs", "logs", "worktrees"})
"""Folders of a git directory in which no git looks for hooks or settings."""


class BeyondCeiling(Conflict):
    """The host's own user does not let this be done there, whoever asks."""

    def __init__(self, what: str) -> None:
        """Name what was asked for."""
        super().__init__(
            f"The host does not allow {what}: its own user has set a ceiling there "
            "(`command-center host --allow`, `--root`, `--pool`)."
        )


@attrs.frozen
class PoolCeiling:
    """Remotes that may be cloned here, and the bytes that their clones may take.

    Attributes:
        remotes: addresses; `/*` at the end of one stands for all below it.
    """

    remotes: tuple[str, ...]
    limit: int = POOL_BYTES

    def has(self, remote: str) -> bool:
        """Say whether a remote may be cloned; what leads upwards, or is written in code, may not.

        assert PoolCeiling(("https://forge.example/acme/*",)).has("https://forge.example/acme/a")
        """
        steps = re.split(r"[/:]", remote)
        if _STRANGE.search(remote) or "." in steps or ".." in steps:
            return False
        return any(
            remote == one
            or (one.endswith("/*") and remote.startswith(one[:-1]) and one[:-1] != remote)
            for one in self.remotes
        )


@attrs.frozen
class Ceiling:
    """Folders in which anything may be done, and what may be done there.

    Attributes:
        roots: folders, as they were named; repositories may be nowhere else.
        allows: of `ALLOWANCES`.
        own: the folder of the host's own data, in which worktrees and clones are.
        pool: the remotes that may be cloned; None if the host is no pool.
    """

    roots: tuple[Path, ...]
    allows: frozenset[str]
    own: Path
    pool: PoolCeiling | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """Return the names of the folders of our own that have repositories."""
        return ("worktrees",) if self.pool is None else ("worktrees", "pool")

    def check(self, allowance: str, what: str) -> None:
        """Raise `BeyondCeiling` unless it is allowed."""
        if allowance not in self.allows:
            raise BeyondCeiling(what)

    def check_path(self, path: str | Path) -> None:
        """Raise `BeyondCeiling` unless a path leads to below a root, or to a worktree.

        Links are followed. A root that has the home folder in it has neither that folder itself nor
        what is hidden there, and none has the data of this host: who writes there has programs run
        outside of any sandbox. It looks at the disk: to be called in a thread.
        """
        found = Path(path)
        if not found.is_absolute() or not self._has(found.resolve()):
            raise BeyondCeiling(f"work in {str(path)[:200]}")

    def _has(self, found: Path) -> bool:
        own = self.own.resolve()
        if found.is_relative_to(own):
            is_pool = found == own / "pool"  # has notes of our own beside the clones
            return not is_pool and any(found.is_relative_to(own / name) for name in self.places)
        if own.is_relative_to(found):
            return False
        home = Path.home().resolve()
        return any(
            found.is_relative_to(root) and (not home.is_relative_to(root) or _is_open(found, home))
            for root in (root.resolve() for root in self.roots)
        )

    def told(self) -> str:
        """Return it as a line for people."""
        roots = ", ".join(map(str, self.roots))
        allows = ", ".join(one for one in ALLOWANCES if one in self.allows) or "reading alone"
        pool = "" if self.pool is None else f"; clones of {', '.join(self.pool.remotes)}"
        return f"in {roots}: {allows}{pool}"


_STARTED: Final = frozenset({"bin", "library", "appdata"})
"""Folders of a home folder from which programs are started, hidden ones aside."""


def _is_open(found: Path, home: Path) -> bool:
    """Say whether nothing of a user's own setting up is in a folder."""
    if home.is_relative_to(found):
        return False
    if not found.is_relative_to(home):
        return True
    first = found.relative_to(home).parts[0]
    return not first.startswith(".") and first.lower() not in _STARTED


def make_ceiling(
    own: Path,
    roots: Iterable[str | Path] = (),
    allows: Iterable[str] | None = None,
    *,
    pool: Iterable[str] = (),
    pool_bytes: int = POOL_BYTES,
) -> Ceiling:
    """Make a ceiling; without roots that is the home folder, and without remotes it is no pool.

    Raises:
        ValueError: an allowance is not known, a root is no path, or a remote no address.
    """
    given = USUAL if allows is None else frozenset(allows)
    unknown = given - {*ALLOWANCES}
    if unknown:
        raise ValueError(f"There is no allowance {min(unknown)}. Known: {', '.join(ALLOWANCES)}.")
    named = tuple(Path(root).expanduser() for root in roots) or (Path.home(),)
    for root in named:
        if not root.is_absolute():
            raise ValueError(f"The root {root} is not absolute.")
    remotes = tuple(pool)
    for remote in remotes:
        if _SIGNED_IN.match(remote) is not None:
            raise ValueError(
                "A remote of a pool has a password or token in it, which the server would see. "
                "Take it out, and let git's credential helper of this machine have it."
            )
        if _PATTERN.fullmatch(remote) is None:
            raise ValueError(
                f"{remote} is no remote of a pool. Give an address of https or ssh, or all below "
                "one: https://forge.example/acme/*"
            )
    return Ceiling(named, given, own, PoolCeiling(remotes, pool_bytes) if remotes else None)


def read_ceiling(file: Path, own: Path) -> Ceiling:
    """Read the ceiling of a file: `roots`, `allow` and `pool`, lists of texts, and `pool_gb`.

    Raises:
        ValueError: it says something else.
        OSError: it cannot be read.
    """
    said: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    strange = said.keys() - {"roots", "allow", "pool", "pool_gb"}
    if strange:
        raise ValueError(f"{file} has {min(strange)}. Known: roots, allow, pool, pool_gb.")
    room = said.pop("pool_gb", POOL_BYTES // 10**9)
    if type(room) is not int or room < 1:
        raise ValueError(f"{file}: pool_gb is no number of gigabytes.")
    for name, value in said.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ValueError(f"{file}: {name} is no list of texts.")
    return make_ceiling(
        own,
        said.get("roots", ()),
        said.get("allow"),
        pool=said.get("pool", ()),
        pool_bytes=room * 10**9,
    )


def is_in_git_directory(folder: Path) -> bool:
    """Say whether a folder that links were followed to is a git directory, or lies in one."""
    return any(part.lower() == ".git" for part in folder.parts)


def has_hooks(folder: Path) -> bool:
    """Say whether what writes in such a folder could leave hooks or settings for a user's own git.

    A commit in a worktree needs the rest: its own folder below `worktrees`, and the objects, the
    refs and their logs.
    """
    parts = [part.lower() for part in folder.parts]
    below = parts[parts.index(".git") + 1 :]
    return below[:1] == ["worktrees"] == below or not {*below[:1]} & _OF_COMMITS
