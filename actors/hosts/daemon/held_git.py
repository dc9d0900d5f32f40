"""Git of a host, held by its ceiling, whatever the server sends.

A checkout comes back from the server as data, with the settings that git is given. So one counts
only if this very git has opened it: a server that makes one up could have git run programs.
"""

from __future__ import annotations

import inspect
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from command_center.actors.git.ports import Checkout, Git, GitCommand, GitOutput, Writes
from command_center.actors.hosts.daemon.ceiling import (
    BeyondCeiling,
    Ceiling,
    has_hooks,
    is_in_git_directory,
)
from command_center.actors.rules.paths import CONTROL

OPENED: Final = 512
"""Checkouts that are remembered; the oldest are forgotten first."""

VARIABLES: Final = frozenset(
    {
        *("GIT_ATTR_SOURCE", "GIT_LITERAL_PATHSPECS"),
        *("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE"),
        *("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_DATE"),
    }
)
"""Variables that a command may have; none of them names a program or a file."""

READS: Final = frozenset(
    {
        *("cat-file", "check-attr", "check-ignore", "check-ref-format", "count-objects", "diff"),
        *("diff-tree", "for-each-ref", "grep", "log", "ls-files", "ls-tree", "merge-base"),
        *("merge-tree", "read-tree", "rev-list", "rev-parse", "status", "symbolic-ref"),
        *("update-index", "var", "write-tree", "commit-tree"),
    }
)
"""Commands that change no branch; what they write of the work tree is told by `-u` or `Writes`."""

CHANGES: Final = frozenset({"update-ref", "worktree"})
REACHES: Final = frozenset({"push", "ls-remote"})

OPTIONS: Final = frozenset(
    {
        *("--add", "--branch", "--cached", "--count", "--deleted", "--diff-filter", "--disk-usage"),
        *("--dry-run", "--dst-prefix", "--encoding", "--exclude", "--exclude-standard"),
        *("--files-with-matches", "--find-renames", "--first-parent", "--fixed-strings"),
        *("--force-with-lease", "--format", "--full-index", "--full-name", "--full-tree"),
        *("--gpg-sign", "--grep", "--heads", "--ignore-all-space", "--ignore-missing"),
        *("--ignore-submodules", "--ignored", "--is-ancestor", "--max-count", "--max-parents"),
        *("--min-parents", "--missing-ok", "--name-only", "--no-abbrev", "--no-checkout"),
        *("--no-color", "--no-commit-header", "--no-deref", "--no-ext-diff", "--no-follow-tags"),
        *("--no-gpg-sign", "--no-guess-remote", "--no-index", "--no-mailmap", "--no-messages"),
        *("--no-notes", "--no-patch", "--no-recurse-submodules", "--no-relative", "--no-renames"),
        *("--no-show-signature", "--no-signed", "--no-textconv", "--no-track", "--no-verify"),
        *("--no-walk", "--numstat", "--objects", "--others", "--patch", "--porcelain", "--quiet"),
        *("--raw", "--recurse-submodules", "--refresh", "--remove", "--replace", "--reset"),
        *("--src-prefix", "--stage", "--stdin", "--submodule", "--unified", "--untracked-files"),
        *("--verify", "--write-tree", "-I", "-b", "-d", "-e", "-l", "-m", "-p", "-q", "-r", "-t"),
        *("-u", "-v", "-z"),
    }
)
"""Options that a command may have, whole: git takes a beginning of one for it, and several letters
behind one dash. None of them runs a program, or names a file to read or to write."""

_OWN: Final = "refs/command-center/"
"""The beginning of the refs that are nobody's branch."""

_BRANCHES: Final = ("refs/heads/", "refs/tags/", "refs/remotes/")


@attrs.frozen(eq=False)
class HeldGit:
    """All of git's port; what is not refused is done by the `git` behind it."""

    git: Git
    ceiling: Ceiling
    _opened: OrderedDict[Checkout, None] = attrs.field(factory=OrderedDict, init=False)

    async def open(self, path: Path, *, common_dir: Path | None = None) -> Checkout:
        """Open a checkout within the roots, with its git directories."""
        await self._check_path(path)
        found = await self.git.open(path, common_dir=common_dir)
        for place in (found.path, found.common_dir, found.main):
            await self._check_path(place)
        self._opened[attrs.evolve(found, git=self)] = None
        self._opened.move_to_end(attrs.evolve(found, git=self))
        while len(self._opened) > OPENED:
            self._opened.popitem(last=False)
        return found

    async def run(
        self, checkout: Checkout, command: GitCommand, sink: Callable[[bytes], None] | None = None
    ) -> GitOutput:
        """Run a command that is within the ceiling."""
        self._check_command(command)
        for place in (*command.also, *_places_in(command.arguments)):
            await self._check_path(place)
        known = await self._known(checkout)
        return await self.git.run(known, command, sink)

    async def commit_folders(self, checkout: Checkout) -> list[Path]:
        """Name the folders that a commit writes to; a main checkout's has hooks, and has none."""
        found = await self.git.commit_folders(await self._known(checkout))
        if "escalation" in self.ceiling.allows:
            return found
        return [one for one in found if not (is_in_git_directory(one) and has_hooks(one))]

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return what carries a further method of the port out, once its arguments are checked."""
        if not inspect.iscoroutinefunction(getattr(Git, method, None)):
            raise AttributeError(method)

        async def perform(**named: Any) -> Any:
            if method in _WRITES_FILES:
                self.ceiling.check("write", "changing files")
            given = {}
            for name, value in named.items():
                given[name] = value
                if isinstance(value, Checkout):
                    given[name] = await self._known(value)
                elif isinstance(value, Path):
                    await self._check_path(value)
            return await getattr(self.git, method)(**given)

        return perform

    async def _known(self, checkout: Checkout) -> Checkout:
        """Return a checkout that was opened here; what a server made up is refused."""
        if attrs.evolve(checkout, git=self) not in self._opened:
            raise BeyondCeiling(f"a checkout of {checkout.path} that was not opened here")
        await self._check_path(checkout.path)
        return attrs.evolve(checkout, git=self.git)

    def _check_command(self, command: GitCommand) -> None:
        name, *rest = command.arguments or ("",)
        strange = command.extra.keys() - VARIABLES
        if strange:
            raise BeyondCeiling(f"git with {min(strange)[:60]}")
        if name not in READS | CHANGES | REACHES:
            raise BeyondCeiling(f"git {name[:60]}")
        for word in (command.index_of, command.branch):
            if word is not None and (word.startswith("-") or CONTROL.search(word)):
                raise BeyondCeiling(f"git for {word[:60]}")
        _check_options(name, rest)
        if _changes_files(name, rest) or command.writes & (Writes.TREE | Writes.WORKTREES):
            self.ceiling.check("write", "changing files")
        has_key = any(word.partition("=")[0] == "--gpg-sign" for word in rest)
        if command.signs or has_key or _moves_branch(name, rest):
            self.ceiling.check("commit", "commits")
            if command.signs and name != "commit-tree":
                raise BeyondCeiling(f"git {name} that signs")
        if command.reaches or name in REACHES:
            self.ceiling.check("push", "pushes")
            if name not in REACHES or any("::" in one for one in rest):
                raise BeyondCeiling(f"git {name} to another machine")

    async def _check_path(self, path: Path) -> None:
        await trio.to_thread.run_sync(self.ceiling.check_path, path)


_WRITES_FILES: Final = frozenset(
    {
        *("copy_files", "make_folder", "claim_worktree", "reclaim_worktree", "delete_worktree"),
        *("forget_worktree", "take_away_worktree"),
    }
)


def _check_options(name: str, words: Sequence[str]) -> None:
    """Raise `BeyondCeiling` for an option that is not known."""
    for word in words:
        if word in {"--", "--end-of-options"}:
            return
        is_known = word[:1] != "-" or word.partition("=")[0] in OPTIONS
        if not is_known or (word == "--no-index" and name != "check-ignore"):
            raise BeyondCeiling(f"git {name} {word[:60]}")


def _changes_files(name: str, words: Sequence[str]) -> bool:
    """Say whether a command changes files, or makes a worktree; raises `BeyondCeiling`."""
    if name == "worktree":
        if words[:1] not in (["add"], ["list"]):
            raise BeyondCeiling("git worktree for that")
        return words[0] == "add"
    return name == "read-tree" and "-u" in words


def _moves_branch(name: str, words: Sequence[str]) -> bool:
    """Say whether a command has a branch, or HEAD, be at another commit."""
    plain = [word for word in words if not word.startswith("-")]
    if name == "update-ref":
        return (
            "--stdin" in words
            or not any(word.startswith(_OWN) for word in plain)
            or any(word.endswith("HEAD") or word.startswith(_BRANCHES) for word in plain)
        )
    return name == "symbolic-ref" and (len(plain) > 1 or "-d" in words)


def _places_in(words: Sequence[str]) -> list[Path]:
    """Return each path of a command that need not lie in the work tree; raises `BeyondCeiling`."""
    found = []
    for word in words:
        if word.startswith("/") or Path(word).is_absolute():
            found.append(Path(word))
        elif _UPWARDS.search(word) is not None:
            raise BeyondCeiling(f"git with {word[:60]}")
    if words[0] == "worktree" and not found and "add" in words:
        raise BeyondCeiling("git worktree add in a place that is not absolute")
    return found


_UPWARDS: Final = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|$)")
"""A path that leads out of where it begins."""
