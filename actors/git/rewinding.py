"""Putting the files of a work tree back to a state that was kept.

The branch stays where it is, so that no commit is lost: where the files are other than its last
commit has them, they are changes that are not committed. Nothing is staged then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from command_center.actors.git.changes import list_changes
from command_center.actors.git.kept_work import KeptWork, keep_left, read_left
from command_center.actors.git.ports import Checkout, Writes
from command_center.actors.git.stepping import step_tree
from command_center.actors.git.trees import CHECKOUT_DEADLINE
from command_center.actors.rules.errors import Conflict

SNAPSHOTS_BELOW: Final = "refs/command-center/snapshots"
"""The refs that keep snapshots, each named by its commit."""


MOST_BYTES: Final = 256 * 1024 * 1024
"""Bytes of the files in a snapshot that are not committed, since each turn is followed by one."""


async def take_snapshot(checkout: Checkout, message: str, *, head: str | None = None) -> KeptWork:
    """Keep the files of a work tree as they are; folders with a repository of their own are not.

    Args:
        checkout: the work tree, which stays as it is.
        message: of the commit.
        head: the commit that must be checked out still.

    Raises:
        Conflict: the branch has moved or has no commit, a merge is not finished, or more is not
            committed than `MOST_BYTES`.
    """
    found = await read_left(checkout, head=head)
    own = attrs.evolve(found, names=_without_repositories(found.names))
    if await checkout.git.measure(checkout, own.names, MOST_BYTES) > MOST_BYTES:
        raise Conflict(
            f"Files of more than {MOST_BYTES >> 20} MB are not committed in {checkout.path}. "
            "Commit them, or have git ignore those that are made anew."
        )
    return await keep_left(checkout, own, message, below=SNAPSHOTS_BELOW)


async def put_back(checkout: Checkout, before: str, after: str) -> tuple[bytes, ...]:
    """Take the files from one snapshot to another; go on where a crash cut that off.

    Return the files that are other than the last commit has them then.

    Raises:
        Conflict: a file is as neither of them has it, or an ignored one is in the way; or a
            snapshot is kept no longer. Then nothing was put back.
    """
    for sha in (before, after):
        found = await checkout.run(
            "rev-parse", "--verify", "--quiet", f"{sha}^{{commit}}", accepted=(0, 1, 128)
        )
        if found.exit_code:
            raise Conflict("Its commit is not in the repository any more.")
    await step_tree(checkout, before, after, staged=await _changed(checkout))
    await checkout.run(
        "read-tree",
        "--no-recurse-submodules",
        "-m",
        "HEAD",
        writes=Writes.INDEX,
        deadline=CHECKOUT_DEADLINE,
    )
    return await _changed(checkout)


async def _changed(checkout: Checkout) -> tuple[bytes, ...]:
    """List the files that differ from the last commit, without repositories of their own."""
    changes, _ = await list_changes(checkout)
    return _without_repositories(name for _, name in changes)


def _without_repositories(names: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(name for name in names if not name.endswith(b"/"))
