"""Steps of a work tree from one commit to another, which lose no file that git does not keep.

Git refuses such a step where a file that it knows, or would show, is not as that commit has it.
A file that is ignored is nothing to git: it would write over that one without a word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from command_center.actors.git.changes import records_of
from command_center.actors.git.facts import SCAN_DEADLINE
from command_center.actors.git.ports import ANSWER_LIMIT, Checkout, Staging, Writes, shown
from command_center.actors.git.trees import CHECKOUT_DEADLINE
from command_center.actors.rules.errors import Conflict
from command_center.runtime.threads import PROCESSOR

_LIST_LIMIT: Final = 4 * ANSWER_LIMIT
"""Bytes of a list of files."""


async def step_tree(
    checkout: Checkout, before: str, after: str, *, staged: Collection[bytes] = ()
) -> None:
    """Take the files and the index of a work tree from one commit to another, all or none.

    Args:
        checkout: the work tree.
        before: the commit that it is as.
        after: the commit that it is to be as.
        staged: the files that are as `before` has them, but not in the index.

    Raises:
        Conflict: a file is not as `before` has it, or an ignored one is in the way.
    """
    await _check_ignored(checkout, before, after)
    await checkout.run(
        "read-tree",
        "--no-recurse-submodules",
        "-m",
        "-u",
        before,
        after,
        writes=Writes.TREE | Writes.INDEX,
        staged=staged,
        staging=Staging.HASHED,
        deadline=CHECKOUT_DEADLINE,
    )


async def _check_ignored(checkout: Checkout, before: str, after: str) -> None:
    """Refuse a step that would write over a file that git ignores."""
    added = await checkout.run(
        "diff-tree",
        "-r",
        "-z",
        "--name-only",
        "--no-renames",
        "--diff-filter=A",
        before,
        after,
        limit=_LIST_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    if not added.stdout:
        return
    ignored = await checkout.run(
        "ls-files",
        "-z",
        "--others",
        "--ignored",
        "--exclude-standard",
        limit=_LIST_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    lost = await PROCESSOR.run(_first_lost, added.stdout, ignored.stdout)
    if lost is not None:
        raise Conflict(
            f"{shown(lost)} is a file that git ignores, and it is in the way. Move it elsewhere.",
            path=shown(lost),
        )


def _first_lost(added: bytes, ignored: bytes) -> bytes | None:
    """Return an ignored file that has the name of an added one, or of a folder of it, or is below.

    Both are lists as git writes them.
    """
    files = set(records_of(added))
    folders = {folder for name in files for folder in _folders(name)}
    for record in records_of(ignored):
        name = record.rstrip(b"/")
        if name in files or name in folders or not files.isdisjoint(_folders(name)):
            return name
    return None


def _folders(name: bytes) -> Iterator[bytes]:
    while b"/" in name:
        name = name.rpartition(b"/")[0]
        yield name
