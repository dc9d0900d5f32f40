"""Merges whose conflicts are marked in their files, until somebody has resolved those.

`conflicts` makes one, and its message says so. It is resolved once somebody has committed, and no
file that conflicted has its marks still. Until then its branch is neither merged nor pushed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Final

import attrs

from command_center.actors.git.changes import differing, records_of
from command_center.actors.git.facts import SCAN_DEADLINE
from command_center.actors.git.ports import ANSWER_LIMIT, Checkout, Writes, shown
from command_center.actors.git.trees import CHECKOUT_DEADLINE
from command_center.actors.rules.errors import Conflict

CONFLICTS_LIMIT: Final = 100
"""Files in conflict that are named."""

UNRESOLVED: Final = "Command-Center-Unresolved: yes"
"""The line at the end of the message of such a merge."""


@attrs.frozen
class MarkedMerge:
    """A merge whose conflicts were marked: its commit, and the two that it merges."""

    sha: str
    ours: str
    theirs: str


async def read_marked_merge(checkout: Checkout, sha: str) -> MarkedMerge | None:
    """Return the merge that a commit is; None if it is none whose conflicts are marked."""
    return await _find(checkout, sha, walk="--no-walk")


async def _find(checkout: Checkout, *revisions: str, walk: str) -> MarkedMerge | None:
    answer = await checkout.run(
        "rev-list",
        walk,
        "--no-commit-header",
        "--format=%H %P",
        "--max-count=1",
        "--min-parents=2",
        "--max-parents=2",
        "--fixed-strings",
        f"--grep={UNRESOLVED}",
        "--ignore-missing",
        "--stdin",
        sent="".join(f"{revision}\n" for revision in revisions).encode(),
        deadline=SCAN_DEADLINE,
    )
    return MarkedMerge(*answer.text.split()) if answer.text else None


async def merge_trees(checkout: Checkout, head: str, tip: str) -> tuple[str, list[bytes]]:
    """Merge two commits into a tree, which is whole if no file conflicts.

    Returns:
        the tree, and the files that conflict, as git names them; they are marked in the tree.
    """
    answer = await checkout.run(
        "merge-tree",
        "--write-tree",
        "--name-only",
        "--no-messages",
        "-z",
        head,
        tip,
        writes=Writes.OBJECTS,
        accepted=(0, 1),
        limit=4 * ANSWER_LIMIT,
        deadline=CHECKOUT_DEADLINE,
    )
    tree, *conflicts = records_of(answer.stdout)
    return shown(tree), conflicts if answer.exit_code else []


def named(conflicts: Sequence[bytes]) -> list[str]:
    """Return the files in conflict as they are shown, and no more than can be."""
    return [shown(name) for name in conflicts[:CONFLICTS_LIMIT]]


async def still_marked(
    checkout: Checkout, merge: MarkedMerge, changed: Collection[bytes]
) -> list[bytes]:
    """List the files that have the marks of a merge still, as they have not changed since it.

    A file that conflicts and has no marks, such as a picture, may stay as the merge has it.
    """
    _, conflicts = await merge_trees(checkout, merge.ours, merge.theirs)
    left = [name for name in conflicts if name not in changed]
    found: list[bytes] = []
    for start in range(0, len(left), CONFLICTS_LIMIT):
        answer = await checkout.run(
            "grep",
            "-z",
            "-I",
            "--files-with-matches",
            "--no-textconv",
            "--no-recurse-submodules",
            "--full-name",
            "-e",
            "^<<<<<<< ",
            merge.sha,
            "--",
            *map(os.fsdecode, left[start : start + CONFLICTS_LIMIT]),
            accepted=(0, 1),
            limit=4 * ANSWER_LIMIT,
            deadline=SCAN_DEADLINE,
        )
        head = f"{merge.sha}:".encode()
        found += [name.removeprefix(head) for name in records_of(answer.stdout)]
    return found


async def find_unresolved(
    checkout: Checkout, tip: str, *, there: Collection[str] = ()
) -> tuple[MarkedMerge, list[bytes]] | None:
    """Return the newest merge of a branch whose conflicts nobody has resolved, and its files.

    Where nobody has committed since, those are all that conflict, else those with marks still.

    Args:
        checkout: of the repository.
        tip: the commit of the branch.
        there: commits whose own history is not looked at.
    """
    without = (f"^{sha}" for sha in there)
    merge = await _find(checkout, tip, *without, walk="--first-parent")
    if merge is None:
        return None
    if merge.sha == tip:
        _, conflicts = await merge_trees(checkout, merge.ours, merge.theirs)
        return merge, conflicts
    left = await still_marked(checkout, merge, set(await differing(checkout, merge.sha, tip)))
    return (merge, left) if left else None


async def check_resolved(
    checkout: Checkout, branch: str, tip: str, *, there: Collection[str] = ()
) -> None:
    """Refuse a branch in which conflicts are marked that nobody has resolved.

    Args:
        checkout: of the repository.
        branch: the branch.
        tip: its commit.
        there: the commits of those to whom it would go.

    Raises:
        Conflict: there are such; `conflicts` names the files.
    """
    found = await find_unresolved(checkout, tip, there=there)
    if found is not None:
        raise Conflict(
            f"{branch} has conflicts that are not resolved. Resolve them, and commit.",
            branchName=branch,
            conflicts=named(found[1]),
        )
