"""Discarding what a work tree has that is not committed, and keeping it beside the branches.

The state of the work tree becomes a commit, which a ref of ours keeps, and only then are the files
taken back to the last commit. Git does that in one step from the one tree to the other, and refuses
where a file is not as it was kept: nothing is lost that nobody kept.
"""

from __future__ import annotations

import attrs

from command_center.actors.git.changes import list_changes
from command_center.actors.git.facts import read_status
from command_center.actors.git.merging import NOBODY
from command_center.actors.git.names import branch_commit, check_branch_name
from command_center.actors.git.ports import Checkout, Staging, Writes, shown
from command_center.actors.git.stepping import step_tree
from command_center.actors.git.trees import CHECKOUT_DEADLINE
from command_center.actors.rules.errors import Conflict

KEPT_BELOW = "refs/command-center/discarded"
"""The refs that keep what was discarded, each named by its commit."""


@attrs.frozen
class KeptWork:
    """The state of a work tree as a commit.

    Attributes:
        branch: the branch that is checked out; None where there is none.
        head: the commit that it follows.
        sha: the commit.
        names: the files that differ from `head`.
    """

    branch: str | None
    head: str
    sha: str
    names: tuple[bytes, ...]


async def keep_work(checkout: Checkout, message: str, *, head: str | None = None) -> KeptWork:
    """Make a commit of what is not committed, new files among it, on no branch.

    Args:
        checkout: the work tree, which stays as it is.
        message: of the commit.
        head: the commit that must be checked out still.

    Raises:
        Conflict: there is nothing, the branch has moved or has no commit, a merge is not finished,
            or a folder is a repository of its own.
    """
    status = await read_status(checkout)
    if status.head is None:
        raise Conflict("There is no commit yet to go back to.")
    if head is not None and status.head != head:
        raise Conflict("The branch has moved meanwhile: look at it again.", headSha=status.head)
    if await checkout.git.is_merging(checkout):
        raise Conflict("A merge is not finished. End it with your own git.")
    changes, _ = await list_changes(checkout)
    names = tuple(name for _, name in changes)
    if not names:
        raise Conflict("There is nothing to discard.", headSha=status.head)
    for name in names:
        if name.endswith(b"/"):
            raise Conflict(f"{shown(name)} is a repository of its own, which is not kept here.")
    tree = await checkout.run(
        "write-tree",
        writes=Writes.OBJECTS,
        staged=names,
        staging=Staging.STORED,
        deadline=CHECKOUT_DEADLINE,
    )
    made = await checkout.run(
        "commit-tree",
        "--no-gpg-sign",
        "-p",
        status.head,
        tree.text,
        writes=Writes.OBJECTS,
        sent=message.encode(),
        extra=NOBODY,
    )
    await checkout.run("update-ref", f"{KEPT_BELOW}/{made.text}", made.text, writes=Writes.REFS)
    return KeptWork(status.branch, status.head, made.text, names)


async def take_back(checkout: Checkout, kept: KeptWork) -> None:
    """Take the files of a work tree back to the last commit, from the state that was kept.

    Raises:
        Conflict: a file has changed since, or an ignored one is in the way; then nothing was.
    """
    await step_tree(checkout, kept.sha, kept.head, staged=kept.names)


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
    await checkout.run(
        "update-ref", f"refs/heads/{branch}", sha, "0" * len(sha), writes=Writes.REFS
    )


async def forget_kept(checkout: Checkout, sha: str) -> None:
    """Keep what was discarded no longer; git takes it away when it tidies up."""
    await checkout.run(
        "update-ref", "-d", f"{KEPT_BELOW}/{sha}", writes=Writes.REFS | Writes.PACKED
    )
