"""Discarding what a work tree has that is not committed, and keeping it beside the branches.

The state of the work tree becomes a commit, which a ref of ours keeps, and only then are the files
taken back to the last commit. Git does that in one step from the one tree to the other, and refuses
where a file is not as it was kept: nothing is lost that nobody kept.
"""

from __future__ import annotations

from typing import Final

import attrs

from command_center.actors.git.changes import differing, list_changes
from command_center.actors.git.facts import read_status
from command_center.actors.git.kept_work import KeptWork, keep_left, read_left
from command_center.actors.git.names import branch_commit, check_branch_name
from command_center.actors.git.ports import Checkout, shown
from command_center.actors.git.refs import set_ref
from command_center.actors.git.stepping import step_tree
from command_center.actors.rules.errors import Conflict

KEPT_BELOW: Final = "refs/command-center/discarded"
"""The refs that keep what was discarded, each named by its commit."""


async def keep_work(checkout: Checkout, message: str, *, head: str | None = None) -> KeptWork:
    """Make a commit of what is not committed, new files among it, on no branch.

    Where the index has of a file what neither the last commit nor the disk has, that is kept, too:
    as the second parent of the commit.

    Args:
        checkout: the work tree, which stays as it is.
        message: of the commit.
        head: the commit that must be checked out still.

    Raises:
        Conflict: there is nothing, the branch has moved or has no commit, a merge is not finished,
            or a folder is a repository of its own.
    """
    found = await read_left(checkout, head=head)
    if not found.names:
        raise Conflict("There is nothing to discard.", headSha=found.head)
    for name in found.names:
        if name.endswith(b"/"):
            raise Conflict(f"{shown(name)} is a repository of its own, which is not kept here.")
    return await keep_left(checkout, found, message, below=KEPT_BELOW)


async def take_back(checkout: Checkout, kept: KeptWork) -> None:
    """Take the files of a work tree back to the last commit, from the state that was kept.

    Raises:
        StepCutOff: git began and did not come to the end; what was there is kept.
        Conflict: a file has changed since, or an ignored one is in the way; then nothing was.
    """
    await step_tree(checkout, kept.sha, kept.head, staged=kept.names)


async def take_back_again(checkout: Checkout, kept: KeptWork) -> bool:
    """Go on with `take_back` where a crash cut it off; `kept` need not have `names`.

    Return False, and leave all as it is, if anything in the work tree has changed since.
    """
    if (await read_status(checkout)).head != kept.head:
        return False
    changes, _ = await list_changes(checkout)
    names = tuple(name for _, name in changes)
    if not set(names) <= set(await differing(checkout, kept.head, kept.sha)):
        return False
    if not names:
        return True
    try:
        await take_back(checkout, attrs.evolve(kept, names=names))
    except Conflict:
        return False
    return True


async def restore_kept(checkout: Checkout, sha: str, branch: str) -> None:
    """Make a branch of what was kept.

    Raises:
        BadBranchName: git does not accept the name.
        Conflict: there is such a branch, or the commit is not kept any more.
    """
    await check_branch_name(checkout, branch)
    if await branch_commit(checkout, branch) is not None:
        raise Conflict(f"There is a branch {branch} already.", branchName=branch)
    found = await checkout.run(
        "rev-parse", "--verify", "--quiet", f"{sha}^{{commit}}", accepted=(0, 1, 128)
    )
    if found.exit_code:
        raise Conflict("Its commit is not in the repository any more.")
    await set_ref(checkout, f"refs/heads/{branch}", sha, before="0" * len(sha))
