"""Bringing a worktree's branch back into the checkout that it came from.

The merge is worked out among git's objects first (`merge-tree`, git 2.38): where it conflicts,
nothing was touched and nothing has to be undone. Only a merge that is whole reaches the checkout,
as a step forward from the commit that it was worked out for, and only if the branch is still
there (`update-ref` with the old value). One that a kill cut off in between goes on when it is asked
for again: the changes of the checkout are those of the merge, and nobody's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

import msgspec

from command_center.actors.git.changes import list_changes, records_of
from command_center.actors.git.diffs import PLAIN
from command_center.actors.git.errors import GitFailed
from command_center.actors.git.facts import SCAN_DEADLINE, read_status
from command_center.actors.git.names import branch_commit
from command_center.actors.git.ports import ANSWER_LIMIT, Checkout, Staging, Writes, shown
from command_center.actors.git.stepping import step_tree
from command_center.actors.git.trees import CHECKOUT_DEADLINE
from command_center.actors.rules.errors import Conflict

CONFLICTS_LIMIT: Final = 100
"""Files in conflict that are named."""

NOBODY: Final = {
    "GIT_AUTHOR_NAME": "Command Center",
    "GIT_AUTHOR_EMAIL": "command-center@localhost",
    "GIT_COMMITTER_NAME": "Command Center",
    "GIT_COMMITTER_EMAIL": "command-center@localhost",
}
"""Author and committer of a merge if git knows no user."""

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
    strategy: Strategy = "auto",
    message: str | None = None,
    intend: Callable[[MergeResult], Awaitable[None]] | None = None,
) -> MergeResult:
    """Merge a branch into the branch that `target` has checked out.

    Args:
        target: the checkout; it must be clean.
        branch: a local branch.
        strategy: `auto` steps forward where it can and makes a merge commit elsewhere.
        message: of the merge commit.
        intend: is told what will have been done, before anything of the checkout is touched.

    Raises:
        Conflict: the target is dirty or on no branch, there is no such branch, the merge
            conflicts (`conflicts` names the files), an ignored file is in its way, or it cannot be
            a fast-forward as asked.
    """
    status = await read_status(target)
    if status.branch is None or status.head is None:
        raise Conflict("The target checkout is on no branch, or has no commit yet.")
    tip = await branch_commit(target, branch)
    if tip is None:
        raise Conflict(f"There is no branch {branch}.", branchName=branch)
    fork = await target.run("merge-base", status.head, tip, accepted=(0, 1), deadline=SCAN_DEADLINE)
    if fork.text == tip:
        how: Literal["up-to-date", "fast-forward", "merge-commit"] = "up-to-date"
        after = status.head
    elif fork.text == status.head and strategy != "merge-commit":
        how, after = "fast-forward", tip
    elif strategy == "fast-forward":
        raise Conflict(
            f"{status.branch} has commits that {branch} lacks, so it cannot be fast-forwarded.",
            targetBranch=status.branch,
            branchName=branch,
        )
    else:
        how = "merge-commit"
        after = await _merge_commit(
            target, status.branch, status.head, branch, tip=tip, message=message
        )
    begun = await _begun(target, after) if status.dirty else []
    if begun is None or (begun and how == "up-to-date"):
        raise Conflict(
            f"The target checkout {target.path} has changes that are not committed.",
            targetBranch=status.branch,
        )
    result = MergeResult(
        target_branch=status.branch,
        branch_name=branch,
        how=how,
        before_sha=status.head,
        head_sha=after,
    )
    if how != "up-to-date":
        if intend is not None:
            await intend(result)
        why = f"merge {branch}"
        await _step(target, status.branch, status.head, after, why, begun=begun)
    return result


async def _merge_commit(
    target: Checkout, into: str, head: str, branch: str, *, tip: str, message: str | None
) -> str:
    worked_out = await target.run(
        "merge-tree",
        "--write-tree",
        "--name-only",
        "--no-messages",
        "-z",
        head,
        tip,
        writes=Writes.OBJECTS,
        accepted=(0, 1),
        deadline=CHECKOUT_DEADLINE,
    )
    tree, *conflicts = (shown(part) for part in worked_out.stdout.split(b"\0") if part)
    if worked_out.exit_code == 1:
        raise Conflict(
            f"{branch} conflicts with {into} in {len(conflicts)} file(s); nothing was changed.",
            targetBranch=into,
            branchName=branch,
            conflicts=conflicts[:CONFLICTS_LIMIT],
        )
    known = await target.run("var", "GIT_COMMITTER_IDENT", accepted=(0, 128))
    text = message or f"Merge branch '{branch}' into {into}"
    committed = await target.run(
        "commit-tree",
        "--no-gpg-sign",
        "-p",
        head,
        "-p",
        tip,
        tree,
        writes=Writes.OBJECTS,
        sent=text.encode(),
        extra=NOBODY if known.exit_code else {},
    )
    return committed.text


async def _begun(target: Checkout, after: str) -> list[bytes] | None:
    """Return the files that are changed already, if all are as a merge has them.

    A server that was killed in the middle of that merge leaves it so. None if one is not.
    """
    changes, _ = await list_changes(target)
    letters_of = {name: letters for letters, name in changes}
    names = list(letters_of)
    if any(name.endswith(b"/") for name in names):
        return None
    staged = {name for name, letters in letters_of.items() if letters[0] not in " ?"}
    if staged.intersection(await _unlike(target, after, ())):
        return None
    return None if set(names).intersection(await _unlike(target, after, names)) else names


async def _unlike(target: Checkout, after: str, staged: Sequence[bytes]) -> list[bytes]:
    """List the files that the index, with some files as they are, has unlike a commit."""
    answer = await target.run(
        "diff",
        "--cached",
        "--name-only",
        "--no-renames",
        "--ignore-submodules=dirty",
        *PLAIN,
        "-z",
        "--end-of-options",
        after,
        "--",
        staged=staged,
        staging=Staging.HASHED,
        limit=4 * ANSWER_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    return list(records_of(answer.stdout))


async def _step(
    target: Checkout, branch: str, before: str, after: str, why: str, *, begun: Sequence[bytes]
) -> None:
    """Take the checkout and its branch from one commit to the next, both or neither."""
    await step_tree(target, before, after, staged=begun)
    try:
        await target.run(
            "update-ref", "-m", why, f"refs/heads/{branch}", after, before, writes=Writes.REFS
        )
    except GitFailed:
        await step_tree(target, after, before)
        raise
