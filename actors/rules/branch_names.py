"""Check names of branches as git does, without asking it.

The rules are those of `git check-ref-format --branch`, and a test compares the two. Stricter are
only names that people could not read or that mean something else: `@`, `HEAD`, unprintable ones.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 200
"""Characters of a branch name: its file has to fit the disk as well."""

_FORBIDDEN = re.compile(
    r"""
    ^- | ^/ | /$ | // | \.\. | @\{ | \.$   # an option, an empty part, a range, a reflog entry
    | (^|/)\. | \.lock(/|$)                # a part that is hidden or is git's own lock
    | [\x00-\x20\x7f~^:?*\[\\]             # what git gives a meaning
    """,
    re.VERBOSE,
)

_NO_LETTER = re.compile(r"[^A-Za-z0-9]+")


def branch_of_run(task_id: int, session_id: int) -> str:
    """Name the branch of a session that named none; where it exists already, a number follows."""
    return f"cc/task-{task_id}-session-{session_id}"


def folder_name(branch: str, *, longest: int = 60) -> str:
    """Name the folder of a branch's worktree, as every file system takes it."""
    return _NO_LETTER.sub("-", branch).strip("-")[:longest] or "worktree"


def is_branch_name(name: str) -> bool:
    """Tell whether a branch may be called this."""
    return (
        0 < len(name) <= LONGEST
        and name not in {"@", "HEAD"}
        and name.isprintable()
        and _FORBIDDEN.search(name) is None
    )
