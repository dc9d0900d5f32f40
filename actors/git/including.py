"""`.worktreeinclude`: files that git ignores, such as `.env`, and that a new worktree gets, too.

The file lies at the top of the main checkout and has patterns as a `.gitignore` has. What they
match is copied from there, if git ignores it: what git follows, a worktree has anyway. A worktree
whose commit does not ignore it does not get it either, or a secret would be committed there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from command_center.actors.git.errors import GitAnswerTooLong
from command_center.actors.git.facts import LIST_LIMIT, SCAN_DEADLINE
from command_center.actors.git.ports import Checkout
from command_center.actors.rules.errors import Conflict

NAME: Final = ".worktreeinclude"

PATTERNS_LIMIT: Final = 16 * 1024
"""Bytes of the file."""

MOST_FILES: Final = 2000
"""Files that are copied at most."""

MOST_BYTES: Final = 256 * 1024 * 1024
"""Bytes of all of them."""

_WILD: Final = frozenset(b"*?[\\")
"""Bytes that make a pattern of a name."""


async def read_patterns(main: Checkout) -> list[str]:
    """Return the patterns of a repository; none where it has no such file.

    Raises:
        UnsafeRepository: it is a link, no regular file, or too large.
    """
    content = await main.git.read_file(main, NAME, PATTERNS_LIMIT)
    return [] if content is None else patterns_of(content)


def patterns_of(content: bytes) -> list[str]:
    """Read a file of patterns as git reads one.

    Source: `add_patterns_from_buffer` and `trim_trailing_spaces` of git's dir.c.
    """
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    read = [line.removesuffix(b"\r") for line in lines if not line.startswith(b"#")]
    found = [_trimmed(line.partition(b"\0")[0]) for line in read]
    return [os.fsdecode(line) for line in found if line]


async def list_included(main: Checkout, patterns: list[str]) -> list[bytes]:
    """List the ignored files of the main checkout that the patterns match, in order.

    Raises:
        Conflict: there are too many of them.
    """
    if not patterns:
        return []
    try:
        matched = await main.run(
            "ls-files",
            "-z",
            "--others",
            "--ignored",
            *(f"--exclude={pattern}" for pattern in patterns),
            limit=LIST_LIMIT,
            deadline=SCAN_DEADLINE,
        )
    except GitAnswerTooLong as error:
        raise _too_many() from error
    names = [name for name in matched.stdout.split(b"\0") if name and not name.endswith(b"/")]
    found = await only_ignored(main, names)
    if len(found) > MOST_FILES:
        raise _too_many()
    return found


async def include_files(main: Checkout, made: Checkout, names: Sequence[bytes]) -> None:
    """Copy files of the main checkout to a worktree that ignores them, too.

    Raises:
        Conflict: one cannot be copied, or they are too large.
    """
    await made.git.copy_files(main, made, await only_ignored(made, names), MOST_BYTES)


async def only_ignored(checkout: Checkout, names: Sequence[bytes]) -> list[bytes]:
    """Return those of the names that a work tree has patterns against, in order."""
    return await _matched(checkout, names, "--no-index")


async def ignored_among(checkout: Checkout, names: Sequence[bytes]) -> list[bytes]:
    """Return those of the names that git ignores in a work tree, in order; what it tracks is none.

    A name that git could take for a pattern of other names counts as untracked.
    """
    patterns = [name for name in names if _WILD & set(name)]
    plain = [name for name in names if not _WILD & set(name)]
    found = await _matched(checkout, plain) + await _matched(checkout, patterns, "--no-index")
    return sorted(found)


async def _matched(checkout: Checkout, names: Sequence[bytes], *options: str) -> list[bytes]:
    if not names:
        return []
    answer = await checkout.run(
        "check-ignore",
        "-z",
        "--stdin",
        *options,
        extra={"GIT_LITERAL_PATHSPECS": "0"},  # it knows no other
        sent=b"".join(b"./%s\0" % name for name in names),  # so that none is a magic word
        deadline=SCAN_DEADLINE,
        accepted=(0, 1),
    )
    return sorted(name.removeprefix(b"./") for name in answer.stdout.split(b"\0") if name)


def _too_many() -> Conflict:
    return Conflict(
        f"{NAME} matches more than {MOST_FILES} files. Name fewer; what can be installed or built "
        "belongs into the set-up script."
    )


def _trimmed(line: bytes) -> bytes:
    """Take away the spaces at the end that no backslash stands before."""
    end = 0
    at = 0
    while at < len(line):
        if line[at : at + 1] == b"\\":
            at += 2
            end = min(at, len(line))
        else:
            at += 1
            if line[at - 1 : at] != b" ":
                end = at
    return line[:end]
