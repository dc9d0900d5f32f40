"""Bringing a base into a worktree's branch where the two conflict, so that somebody resolves it.

The merge becomes a commit whose files have the conflicts marked in them, and whose message says so.
The next commit on the branch takes its place, as the merge with its conflicts resolved (see
`marked_merges`).
"""

from __future__ import annotations

import msgspec

from command_center.actors.git.committing import check_own_branch
from command_center.actors.git.facts import read_status
from command_center.actors.git.making_commits import NOBODY, make_commit
from command_center.actors.git.marked_merges import (
    UNRESOLVED,
    find_unresolved,
    merge_trees,
    named,
)
from command_center.actors.git.merging import (
    MergeResult,
    begun_already,
    step_to,
)
from command_center.actors.git.names import branch_commit
from command_center.actors.git.ports import Checkout
from command_center.actors.rules.errors import Conflict, HeadMoved


class MarkedConflicts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The merge of a base into a branch, with the files in which the conflicts are marked."""

    branch_name: str
    base_ref: str
    sha: str
    conflicts: list[str]


async def mark_conflicts(
    checkout: Checkout, base: str, *, head: str | None = None, signs: bool = False
) -> MarkedConflicts:
    """Merge a local branch into the one that is checked out, and mark what conflicts in the files.

    Asked again before all of them are resolved, it says which are left.

    Args:
        checkout: the work tree.
        base: the branch that is merged.
        head: the commit that the branch must be at still, or was at before the merge.
        signs: whether the merge is signed.

    Raises:
        Conflict: the work tree is dirty or on no branch of its own, there is no such base, the
            branch has moved, the two do not conflict, or the merge cannot be signed.
        Unavailable: what signs does not answer.
    """
    status = await read_status(checkout)
    branch = await check_own_branch(checkout, status, None)
    tip = await branch_commit(checkout, base)
    if tip is None or status.head is None:
        raise Conflict(f"There is no branch {base}.", branchName=base)
    unresolved = await find_unresolved(checkout, status.head, there=[tip])
    heads = {status.head} if unresolved is None else {status.head, unresolved[0].ours}
    if head is not None and head not in heads:
        raise HeadMoved(branch, status.head)
    if unresolved is not None:
        merge, conflicts = unresolved
        made = merge.sha
    else:
        before = status.head
        tree, conflicts = await merge_trees(checkout, before, tip)
        if not conflicts:
            raise Conflict(f"{branch} does not conflict with {base}.", branchName=branch)
        message = (
            f"Merge branch '{base}' into {branch}\n\nThe conflicts are marked in the files.\n\n"
            f"{UNRESOLVED}\n"
        )
        made = await make_commit(checkout, tree, (before, tip), message, signs=signs, extra=NOBODY)
        begun = await begun_already(checkout, made) if status.dirty else []
        if begun is None:
            raise Conflict(f"Worktree {checkout.path} has changes that are not committed.")
        step = MergeResult(
            target_branch=branch,
            branch_name=base,
            how="merge-commit",
            before_sha=before,
            head_sha=made,
        )
        await step_to(checkout, step, begun=begun)
    return MarkedConflicts(branch_name=branch, base_ref=base, sha=made, conflicts=named(conflicts))
