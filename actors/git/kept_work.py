"""The state of a work tree, kept as a commit on no branch by a ref of ours.

What is kept is what the disk has: files that are not committed, and those that git does not know
yet, but none that it ignores. Neither the work tree nor its index is touched for that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import attrs

from command_center.actors.git.changes import differing, list_changes
from command_center.actors.git.facts import SCAN_DEADLINE, read_status
from command_center.actors.git.making_commits import NOBODY, make_commit
from command_center.actors.git.ports import Checkout, Staging, Writes
from command_center.actors.git.refs import delete_ref, set_ref
from command_center.actors.git.trees import CHECKOUT_DEADLINE
from command_center.actors.rules.errors import Conflict, HeadMoved


@attrs.frozen
class LeftWork:
    """The part of a work tree that is not committed.

    Attributes:
        branch: the branch that is checked out; None where there is none.
        head: the last commit.
        names: the files that differ from `head`; a folder with a slash at its end is a repository
            of its own.
    """

    branch: str | None
    head: str
    names: tuple[bytes, ...]


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


async def read_left(checkout: Checkout, *, head: str | None = None) -> LeftWork:
    """Read what is not committed.

    Args:
        checkout: the work tree.
        head: the commit that must be checked out still.

    Raises:
        Conflict: the branch has moved or has no commit, or a merge, a rebase, a cherry-pick or a
            revert is not finished.
    """
    status = await read_status(checkout)
    if status.head is None:
        raise Conflict("There is no commit yet to go back to.")
    if head is not None and status.head != head:
        raise HeadMoved(status.branch, status.head)
    unfinished = await checkout.git.find_unfinished(checkout)
    if unfinished is not None:
        raise Conflict(f"A {unfinished} is not finished. End it with your own git.")
    changes, _ = await list_changes(checkout)
    return LeftWork(status.branch, status.head, tuple(name for _, name in changes))


async def keep_left(checkout: Checkout, found: LeftWork, message: str, *, below: str) -> KeptWork:
    """Keep the state of a work tree by a ref that is named by its commit.

    Where nothing differs from the last commit, that is the state. Where the index has of a file
    what neither the last commit nor the disk has, that is the second parent of the commit.

    Args:
        checkout: the work tree, which stays as it is.
        found: what it has that is not committed, without a repository of its own.
        message: of the commit.
        below: the refs among which it is kept.
    """
    made = found.head
    if found.names:
        made = await _commit_left(checkout, found, message)
    await set_ref(checkout, f"{below}/{made}", made)
    return KeptWork(found.branch, found.head, made, found.names)


async def _commit_left(checkout: Checkout, found: LeftWork, message: str) -> str:
    tree = await checkout.run(
        "write-tree",
        writes=Writes.OBJECTS,
        index_of=found.head,  # which has no note of when a file was read, so that all are
        staged=found.names,
        staging=Staging.STORED,
        deadline=CHECKOUT_DEADLINE,
    )
    parents: Sequence[str] = [found.head]
    index = await _staged_alone(checkout, found.head, tree.text)
    if index is not None:
        staged = await make_commit(checkout, index, parents, f"Staged: {message}", extra=NOBODY)
        parents = [found.head, staged]
    return await make_commit(checkout, tree.text, parents, message, extra=NOBODY)


async def _staged_alone(checkout: Checkout, head: str, tree: str) -> str | None:
    """Write the index as a tree, if it has of a file what neither the commit nor the disk has."""
    index = await checkout.run(
        "write-tree", writes=Writes.OBJECTS, accepted=(0, 128), deadline=CHECKOUT_DEADLINE
    )
    if index.exit_code:
        return None  # it has conflicts, whose sides are in commits
    staged = set(await differing(checkout, head, index.text))
    return None if staged.isdisjoint(await differing(checkout, index.text, tree)) else index.text


async def forget_unknown(
    checkout: Checkout, known: Collection[str], below: str, *, before: float
) -> None:
    """Keep no longer what nobody knows and is older.

    A younger one may be known to another server, or to a copy of the database that is put back.

    Args:
        checkout: a work tree of the repository.
        known: the commits that stay.
        below: the refs among which they are.
        before: the time in seconds.
    """
    for sha, moment in (await _list_kept(checkout, below)).items():
        if sha not in known and moment < before:
            await forget_kept(checkout, sha, below)


async def _list_kept(checkout: Checkout, below: str) -> dict[str, float]:
    """Return the commits that are kept below a name of refs, each with its time in seconds."""
    answer = await checkout.run(
        "for-each-ref",
        "--format=%(refname:lstrip=3) %(committerdate:unix)",
        f"{below}/",
        deadline=SCAN_DEADLINE,
    )
    pairs = (line.split(" ") for line in answer.text.split("\n") if line)
    return {sha: float(moment or 0) for sha, moment in pairs}


async def forget_kept(checkout: Checkout, sha: str, below: str) -> None:
    """Keep a commit no longer; git takes it away when it tidies up."""
    await delete_ref(checkout, f"{below}/{sha}")
