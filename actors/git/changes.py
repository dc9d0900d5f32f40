"""Changes of a work tree that are not committed, and how far its branch is from its base."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from command_center.actors.git.diffs import FILES_LIMIT, PLAIN
from command_center.actors.git.facts import LIST_LIMIT, SCAN_DEADLINE, read_status
from command_center.actors.git.names import branch_commit
from command_center.actors.git.ports import ANSWER_LIMIT, Checkout, shown

FileStatus = Literal["added", "modified", "deleted", "type_changed", "conflicted"]

_STATUSES: Final[dict[str, FileStatus]] = {
    "A": "added",
    "?": "added",
    "M": "modified",
    "D": "deleted",
    "T": "type_changed",
    "U": "conflicted",
}


class UncommittedFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file that differs from the last commit.

    `added` and `removed` count lines. They are None for a binary file, and for one that git does
    not know yet.
    """

    path: str
    status: FileStatus
    added: int | None = None
    removed: int | None = None


class Uncommitted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The state of a work tree before a commit.

    `commits` counts those that its base lacks; None where there is no base. `isCut` says that there
    are more files.
    """

    path: str
    branch_name: str | None
    head_sha: str | None
    base_ref: str | None
    commits: int | None
    files: list[UncommittedFile]
    is_cut: bool


async def list_changes(
    checkout: Checkout, *, limit: int = ANSWER_LIMIT, may_cut: bool = False
) -> tuple[list[tuple[str, bytes]], bool]:
    """List the files that differ from the last commit, each with the two letters of git's status.

    A folder that is a repository of its own has a slash at its end.

    Args:
        checkout: the work tree.
        limit: bytes of the list.
        may_cut: whether a longer one is cut, or an error.

    Returns:
        the files, and whether there are more.
    """
    answer = await checkout.run(
        "status",
        "--porcelain=v1",
        "--untracked-files=all",
        "--ignore-submodules=dirty",
        "--no-renames",
        "-z",
        limit=limit,
        may_cut=may_cut,
        deadline=SCAN_DEADLINE,
    )
    records = answer.stdout.split(b"\0")[:-1]
    return [(record[:2].decode(), record[3:]) for record in records], answer.cut


async def read_uncommitted(checkout: Checkout, base: str | None) -> Uncommitted:
    """Compare a work tree with its last commit, and its branch with the branch `base`."""
    status = await read_status(checkout)
    changes, is_cut = await list_changes(checkout, limit=LIST_LIMIT, may_cut=True)
    lines = {} if status.head is None else await _lines(checkout, status.head)
    files = []
    for letters, name in changes[:FILES_LIMIT]:
        added, removed = lines.get(name, (None, None))
        files.append(
            UncommittedFile(
                path=shown(name), status=_status_of(letters), added=added, removed=removed
            )
        )
    return Uncommitted(
        path=str(checkout.path),
        branch_name=status.branch,
        head_sha=status.head,
        base_ref=base,
        commits=await _commits(checkout, base, status.head),
        files=files,
        is_cut=is_cut or len(changes) > FILES_LIMIT,
    )


def is_unmerged(letters: str) -> bool:
    """Say whether a file has conflicts, by the two letters that git's status has for it."""
    return "U" in letters or letters in {"AA", "DD"}


def _status_of(letters: str) -> FileStatus:
    if is_unmerged(letters):
        return "conflicted"
    work_tree = letters[1] if letters[1] != " " else letters[0]
    return _STATUSES.get(work_tree, "modified")


async def _lines(checkout: Checkout, head: str) -> dict[bytes, tuple[int | None, int | None]]:
    answer = await checkout.run(
        "diff",
        "--numstat",
        "-z",
        "--no-renames",
        *PLAIN,
        "--end-of-options",
        head,
        "--",
        limit=LIST_LIMIT,
        may_cut=True,
        deadline=SCAN_DEADLINE,
    )
    counted = (line.split(b"\t", 2) for line in answer.stdout.split(b"\0")[:-1])
    return {name: (_number(added), _number(removed)) for added, removed, name in counted}


def _number(text: bytes) -> int | None:
    return int(text) if text.isdigit() else None


async def _commits(checkout: Checkout, base: str | None, head: str | None) -> int | None:
    if base is None or head is None or await branch_commit(checkout, base) is None:
        return None
    answer = await checkout.run(
        "rev-list", "--count", f"refs/heads/{base}..{head}", "--", deadline=SCAN_DEADLINE
    )
    return int(answer.text)
