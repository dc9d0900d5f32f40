"""Steps of a work tree from one commit to another, which lose no file that git does not keep.

Git refuses such a step where a file that it knows, or would show, is not as that commit has it.
A file that is ignored is nothing to git: it would write over that one without a word, also within
a repository of its own.

Git first looks whether all can be done, and then does it, file by file. Where the disk is full, or
a folder lets nobody replace a file in it, git goes on with the others and fails at the end. Some
files are as the other commit has them then. So it is asked in a run of its own whether all can be
done: what fails there has changed nothing. What fails later is stepped back.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Final

from command_center.actors.git.changes import differing_from_index, records_of
from command_center.actors.git.errors import StepCutOff
from command_center.actors.git.facts import SCAN_DEADLINE
from command_center.actors.git.ports import ANSWER_LIMIT, Checkout, Staging, Writes, shown
from command_center.actors.git.trees import CHECKOUT_DEADLINE
from command_center.actors.rules.errors import Conflict
from command_center.runtime.threads import PROCESSOR

_LIST_LIMIT: Final = 4 * ANSWER_LIMIT
"""Bytes of a list of files."""

REPOSITORY: Final = b"160000"
"""The mode of a folder that is a repository of its own: git writes nothing there."""

_MOST_NAMED: Final = 10
"""Files that an error names."""


async def step_tree(
    checkout: Checkout,
    before: str,
    after: str,
    *,
    staged: Collection[bytes] = (),
    staging: Staging = Staging.HASHED,
) -> None:
    """Take the files and the index of a work tree from one commit to another.

    Args:
        checkout: the work tree.
        before: the commit that it is as.
        after: the commit that it is to be as.
        staged: the files that are as `before` has them, but not in the index.
        staging: how they come there.

    Raises:
        StepCutOff: git began and did not come to the end. What could be is as it was again;
            `paths` are the files that are not. The index is as it was.
        Conflict: a file is not as `before` has it, or one that it lacks is in the way. Then nothing
            has changed.
    """
    await _check_lost(checkout, before, after)
    try:
        await _step(checkout, before, after, staged=staged, staging=staging)
    except StepCutOff as error:
        left = await _step_back(checkout, before, after, staged)
        names = [shown(name) for name in left[:_MOST_NAMED]]
        more = f" and {len(left) - len(names)} more" if len(left) > len(names) else ""
        state = f"Changed are {', '.join(names)}{more}." if left else "All files are again as then."
        raise StepCutOff(f"{error} {state}", paths=names) from error


async def _step(
    checkout: Checkout,
    before: str,
    after: str,
    *,
    staged: Collection[bytes],
    staging: Staging,
) -> None:
    step = ("--no-recurse-submodules", "-m", "-u", before, after)
    await checkout.run(
        "read-tree",
        "--dry-run",
        *step,
        staged=staged,
        staging=staging,
        deadline=CHECKOUT_DEADLINE,
    )
    try:
        await checkout.run(
            "read-tree",
            *step,
            writes=Writes.TREE | Writes.INDEX,
            staged=staged,
            staging=staging,
            deadline=CHECKOUT_DEADLINE,
        )
    except Conflict as error:
        raise StepCutOff(f"Not all files could be replaced: {error}") from error


async def _step_back(
    checkout: Checkout, before: str, after: str, staged: Collection[bytes]
) -> list[bytes]:
    """Take the files back where a step was cut off; list those that are not as `before` has them.

    Git refuses, and leaves all as it is, where one is as neither commit has it. That one is
    incomplete, or somebody else has written it.
    """
    names = dict.fromkeys((*staged, *await list_stepped(checkout, before, after)))
    with suppress(Conflict):
        await _step(checkout, after, before, staged=names, staging=Staging.READ)
    return await differing_from_index(checkout, before, names, index_of=before)


async def list_stepped(checkout: Checkout, before: str, after: str) -> list[bytes]:
    """List the files in which two commits differ, without repositories of their own."""
    answer = await checkout.run(
        "diff-tree",
        "-r",
        "-z",
        "--raw",
        "--no-renames",
        before,
        after,
        limit=_LIST_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    records = records_of(answer.stdout)
    return [
        name
        for facts, name in zip(records, records, strict=True)
        if REPOSITORY not in facts[1:].split(b" ")[:2]
    ]


async def _check_lost(checkout: Checkout, before: str, after: str) -> None:
    """Refuse a step that would write over a file that `before` lacks.

    Git looks for none in a repository within the work tree, whose files may be ignored, too. So it
    is the disk that is asked.
    """
    listed = await checkout.run(
        "diff-tree",
        "-r",
        "-z",
        "--raw",
        "--no-abbrev",
        "--no-renames",
        "--diff-filter=AD",
        before,
        after,
        limit=_LIST_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    added, removed = await PROCESSOR.run(_parted, listed.stdout)
    lost = await checkout.git.find_lost(checkout, added, removed) if added else None
    if lost is not None:
        raise Conflict(
            f"{shown(lost)} is in the way and kept nowhere, as git ignores it, a repository of its "
            "own has it, or it came just now. Move it elsewhere.",
            path=shown(lost),
        )


def _parted(listed: bytes) -> tuple[dict[bytes, str], set[bytes]]:
    """Return the added files, each with the id of its content, and the removed ones."""
    added, removed = {}, set()
    records = records_of(listed)
    for facts, name in zip(records, records, strict=True):
        _, mode, _, content, letter = facts.split(b" ")
        if letter == b"D":
            removed.add(name)
        elif mode != REPOSITORY:
            added[name] = content.decode()
    return added, removed
