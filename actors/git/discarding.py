"""Discarding what a work tree has that is not committed, and keeping it beside the branches.

The state of the work tree becomes a commit, which a ref of ours keeps, and only then are the files
taken back to the last commit. Git does that in one step from the one tree to the other, and refuses
where a file is not as it was kept: nothing is lost that nobody kept.
"""

from __future__ import annotations

import attrs

from command_center.actors.git.changes import list_changes, records_of
from command_center.actors.git.facts import SCAN_DEADLINE, read_status
from command_center.actors.git.making_commits import NOBODY, make_commit
from command_center.actors.git.names import branch_commit, check_branch_name
from command_center.actors.git.ports import ANSWER_LIMIT, Checkout, Staging, Writes, shown
from command_center.actors.git.refs import delete_ref, set_ref
from command_center.actors.git.stepping import step_tree
from command_center.actors.git.trees import CHECKOUT_DEADLINE
from command_center.actors.rules.errors import Conflict, HeadMoved

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
    status = await read_status(checkout)
    if status.head is None:
        raise Conflict("There is no commit yet to go back to.")
    if head is not None and status.head != head:
        raise HeadMoved(status.branch, status.head)
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
    parents = [status.head]
    index = await _staged_alone(checkout, status.head, tree.text)
    if index is not None:
        staged = f"Staged: {message}"
        parents.append(await make_commit(checkout, index, parents, staged, extra=NOBODY))
    made = await make_commit(checkout, tree.text, parents, message, extra=NOBODY)
    await set_ref(checkout, f"{KEPT_BELOW}/{made}", made)
    return KeptWork(status.branch, status.head, made, names)


async def _staged_alone(checkout: Checkout, head: str, tree: str) -> str | None:
    """Write the index as a tree, if it has of a file what neither the commit nor the disk has."""
    index = await checkout.run(
        "write-tree", writes=Writes.OBJECTS, accepted=(0, 128), deadline=CHECKOUT_DEADLINE
    )
    if index.exit_code:
        return None  # it has conflicts, whose sides are in commits
    staged = set(await _differing(checkout, head, index.text))
    return None if staged.isdisjoint(await _differing(checkout, index.text, tree)) else index.text


async def _differing(checkout: Checkout, before: str, after: str) -> list[bytes]:
    """List the files in which one tree differs from another."""
    answer = await checkout.run(
        "diff-tree",
        "-r",
        "-z",
        "--name-only",
        "--no-renames",
        before,
        after,
        limit=4 * ANSWER_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    return list(records_of(answer.stdout))


async def take_back(checkout: Checkout, kept: KeptWork) -> None:
    """Take the files of a work tree back to the last commit, from the state that was kept.

    Raises:
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
    if not set(names) <= set(await _differing(checkout, kept.head, kept.sha)):
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


async def list_kept(checkout: Checkout) -> dict[str, float]:
    """Return the commits that are kept, each with its time in seconds."""
    answer = await checkout.run(
        "for-each-ref",
        "--format=%(refname:lstrip=3) %(committerdate:unix)",
        f"{KEPT_BELOW}/",
        deadline=SCAN_DEADLINE,
    )
    pairs = (line.split(" ") for line in answer.text.split("\n") if line)
    return {sha: float(moment or 0) for sha, moment in pairs}


async def forget_kept(checkout: Checkout, sha: str) -> None:
    """Keep what was discarded no longer; git takes it away when it tidies up."""
    await delete_ref(checkout, f"{KEPT_BELOW}/{sha}")
