"""`.worktreeinclude`: files that git ignores, such as `.env`, and that a new worktree gets, too.

The file lies at the top of the main checkout and has patterns as a `.gitignore` has. What they
match is copied from there, if git ignores it: what git follows, a worktree has anyway.
"""

from __future__ import annotations

import os
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
    if not names:
        return []
    ignored = await main.run(
        "check-ignore",
        "-z",
        "--stdin",
        "--no-index",
        extra={"GIT_LITERAL_PATHSPECS": "0"},  # it knows no other
        sent=b"".join(b"./%s\0" % name for name in names),  # so that none is a magic word
        deadline=SCAN_DEADLINE,
        accepted=(0, 1),
    )
    found = sorted(name.removeprefix(b"./") for name in ignored.stdout.split(b"\0") if name)
    if len(found) > MOST_FILES:
        raise _too_many()
    return found


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
