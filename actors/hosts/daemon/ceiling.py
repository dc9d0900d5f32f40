"""The ceiling of a host: what its own user lets be done there, whoever has the server.

It is said on the host, by flags or a file of its user's, and held by the host: `held_git` refuses
commands of git, `held_codex` what Codex is asked for. A server may be hostile, so whatever is not
known to be within the ceiling is refused. Only with `escalation` may a command leave Codex's
sandbox, and then nothing holds it: a host that allows all has no ceiling but its roots.
"""

from __future__ import annotations

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


class BeyondCeiling(Conflict):
    """The host's own user does not let this be done there, whoever asks."""

    def __init__(self, what: str) -> None:
        """Name what was asked for."""
        super().__init__(
            f"The host does not allow {what}: its own user has set a ceiling there "
            "(`command-center host --allow`, `--root`)."
        )


@attrs.frozen
class Ceiling:
    """Folders in which anything may be done, and what may be done there.

    Attributes:
        roots: folders, as they were named; repositories may be nowhere else.
        allows: of `ALLOWANCES`.
        own: the folder of the host's own data, in which worktrees are.
    """

    roots: tuple[Path, ...]
    allows: frozenset[str]
    own: Path

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
            return found.is_relative_to(own / "worktrees")
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
        return f"in {roots}: {allows}"


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
    own: Path, roots: Iterable[str | Path] = (), allows: Iterable[str] | None = None
) -> Ceiling:
    """Make a ceiling; without roots that is the home folder.

    Raises:
        ValueError: an allowance is not known, or a root is no path.
    """
    given = USUAL if allows is None else frozenset(allows)
    unknown = given - {*ALLOWANCES}
    if unknown:
        raise ValueError(f"There is no allowance {min(unknown)}. Known: {', '.join(ALLOWANCES)}.")
    named = tuple(Path(root).expanduser() for root in roots) or (Path.home(),)
    for root in named:
        if not root.is_absolute():
            raise ValueError(f"The root {root} is not absolute.")
    return Ceiling(named, given, own)


def read_ceiling(file: Path, own: Path) -> Ceiling:
    """Read the ceiling of a file: `roots` and `allow`, each a list of texts.

    Raises:
        ValueError: it says something else.
        OSError: it cannot be read.
    """
    said: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    strange = said.keys() - {"roots", "allow"}
    if strange:
        raise ValueError(f"{file} has {min(strange)}. Known: roots, allow.")
    for name, value in said.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ValueError(f"{file}: {name} is no list of texts.")
    return make_ceiling(own, said.get("roots", ()), said.get("allow"))
