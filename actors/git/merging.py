"""Bringing a worktree's branch back into the branch that it came from, or into another one.

The merge is worked out among git's objects first (`merge-tree`, git 2.38): where it conflicts,
nothing was touched and nothing has to be undone. Only a merge that is whole reaches the checkout,
as a step forward from the commit that it was worked out for, and only if the branch is still
there (`update-ref` with the old value). One that a kill cut off in between goes on when it is asked
for again: the changes of the checkout are those of the merge, and nobody's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import msgspec

from command_center.actors.git.changes import differing_from_index, list_changes
from command_center.actors.git.errors import GitFailed
from command_center.actors.git.facts import SCAN_DEADLINE, read_status, read_worktrees
from command_center.actors.git.making_commits import NOBODY, make_commit
from command_center.actors.git.marked_merges import check_resolved, merge_trees, named
from command_center.actors.git.names import branch_commit
from command_center.actors.git.ports import Checkout
from command_center.actors.git.refs import set_ref
from command_center.actors.git.stepping import step_tree
from command_center.actors.rules.errors import Conflict, HeadMoved

Strategy = Literal["auto", "fast-forward", "merge-commit"]


class MergeResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Commit of the target branch after a merge, and the way it came there."""

    target_branch: str
    branch_name: str
    how: Literal["up-to-date", "fast-forward", "merge-commit"]
    before_sha: str
    head_sha: str


async def merge_branch(
    target: Checkout,
    branch: str,
    *,
    into: str | None = None,
    head: str | None = None,
    strategy: Strategy = "auto",
    message: str | None = None,
    signs: bool = False,
    intend: Callable[[MergeResult], Awaitable[None]] | None = None,
) -> MergeResult:
    """Merge a branch into the branch that `target` has checked out, or into another one.

    Args:
        target: the checkout; it must be clean if its branch is the one that is merged into.
        branch: a local branch.
        into: a local branch that is checked out nowhere else; that of `target` unless given.
        head: the commit that the branch must be at still.
        strategy: `auto` steps forward where it can and makes a merge commit elsewhere.
        message: of the merge commit.
        signs: whether that is signed.
        intend: is told what will have been done, before anything of the checkout is touched.

    Raises:
        Conflict: the target is dirty or on no branch, there is no such branch, it has moved, `into`
            is checked out in another work tree, the merge conflicts (`conflicts` names the files),
            an ignored file is in its way, it cannot be a fast-forward as asked, or it cannot be
            signed.
        Unavailable: what signs does not answer.
    """
    status = await read_status(target)
    name = into or status.branch
    is_here = name == status.branch
    if name is None or (is_here and status.head is None):
        raise Conflict("The target checkout is on no branch, or has no commit yet.")
    if not is_here:
        await _check_free(target, name)
    merge = await _work_out(
        target, name, branch, head=head, strategy=strategy, message=message, signs=signs
    )
    begun = await begun_already(target, merge.head_sha) if is_here and status.dirty else []
    if begun is None or (begun and merge.how == "up-to-date"):
        raise Conflict(
            f"The target checkout {target.path} has changes that are not committed.",
            targetBranch=name,
        )
    if merge.how != "up-to-date":
        if intend is not None:
            await intend(merge)
        await (step_to(target, merge, begun=begun) if is_here else _move(target, merge))
    return merge


async def _check_free(target: Checkout, into: str) -> None:
    """Refuse a branch that a work tree has checked out, whose files would stay behind."""
    for tree in await read_worktrees(target):
        if tree.branch_name == into:
            raise Conflict(
                f"{into} is checked out in {tree.path}. Merge there, or check out another branch.",
                targetBranch=into,
                path=tree.path,
            )


async def _work_out(
    target: Checkout,
    into: str,
    branch: str,
    *,
    head: str | None,
    strategy: Strategy,
    message: str | None,
    signs: bool,
) -> MergeResult:
    """Work out what a branch becomes by a merge, among git's objects alone."""
    tips = []
    for name in (into, branch):
        tip = await branch_commit(target, name)
        if tip is None:
            raise Conflict(f"There is no branch {name}.", branchName=name)
        tips.append(tip)
    before, tip = tips
    if head is not None and tip != head:
        raise HeadMoved(branch, tip)
    await check_resolved(target, branch, tip, there=[before])
    fork = await target.run("merge-base", before, tip, accepted=(0, 1), deadline=SCAN_DEADLINE)
    if fork.text == tip:
        how: Literal["up-to-date", "fast-forward", "merge-commit"] = "up-to-date"
        after = before
    elif fork.text == before and strategy != "merge-commit":
        how, after = "fast-forward", tip
    elif strategy == "fast-forward":
        raise Conflict(
            f"{into} has commits that {branch} lacks, so it cannot be fast-forwarded.",
            targetBranch=into,
            branchName=branch,
        )
    else:
        how = "merge-commit"
        tree = await _merged_tree(target, into, before, branch, tip=tip)
        known = await target.run("var", "GIT_COMMITTER_IDENT", accepted=(0, 128))
        after = await make_commit(
            target,
            tree,
            (before, tip),
            message or f"Merge branch '{branch}' into {into}",
            signs=signs,
            extra=NOBODY if known.exit_code else {},
        )
    return MergeResult(
        target_branch=into, branch_name=branch, how=how, before_sha=before, head_sha=after
    )


def _counted(conflicts: Sequence[bytes]) -> str:
    return "1 file" if len(conflicts) == 1 else f"{len(conflicts)} files"


async def _merged_tree(target: Checkout, into: str, head: str, branch: str, *, tip: str) -> str:
    tree, conflicts = await merge_trees(target, head, tip)
    if conflicts:
        raise Conflict(
            f"{branch} conflicts with {into} in {_counted(conflicts)}; nothing was changed.",
            targetBranch=into,
            branchName=branch,
            conflicts=named(conflicts),
        )
    return tree


async def begun_already(target: Checkout, after: str) -> list[bytes] | None:
    """Return the files that are changed already, if all are as a merge has them.

    A server that was killed in the middle of that merge leaves it so. None if one is not.
    """
    changes, _ = await list_changes(target)
    letters_of = {name: letters for letters, name in changes}
    names = list(letters_of)
    if any(name.endswith(b"/") for name in names):
        return None
    staged = {name for name, letters in letters_of.items() if letters[0] not in " ?"}
    if staged.intersection(await differing_from_index(target, after, ())):
        return None
    unlike = await differing_from_index(target, after, names)
    return None if set(names).intersection(unlike) else names


async def step_to(target: Checkout, merge: MergeResult, *, begun: Sequence[bytes]) -> None:
    """Take the checkout and its branch from one commit to the next, both or neither.

    Raises:
        StepCutOff: as `step_tree`. The branch is where it was.
        Conflict: a file or the branch is not as it was; then nothing has changed.
    """
    await step_tree(target, merge.before_sha, merge.head_sha, begun=begun)
    try:
        await _move(target, merge)
    except GitFailed:
        await step_tree(target, merge.head_sha, merge.before_sha)
        raise


async def _move(target: Checkout, merge: MergeResult) -> None:
    """Take the branch to the merge, if it is still where it was."""
    await set_ref(
        target,
        f"refs/heads/{merge.target_branch}",
        merge.head_sha,
        before=merge.before_sha,
        why=f"merge {merge.branch_name}",
    )
