"""Steps of a work tree from one commit to another, which lose no file that git does not keep.

Git refuses such a step where a file that it knows, or would show, is not as that commit has it.
A file that is ignored is nothing to git: it would write over that one without a word, also within
a repository of its own.

Git first looks whether all can be done, and then does it, file by file. Where the disk is full, or
a folder lets nobody replace a file in it, git goes on with the others and fails at the end. Some
files are as the other commit has them then. So it is asked in a run of its own whether all can be
done: what fails there has changed nothing. What fails later is stepped back, but for a file that is
as neither commit has it, such as the one that found the disk full.
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
from command_center.actors.rules.errors import Conflict, Unavailable
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
    begun: Collection[bytes] = (),
) -> None:
    """Take the files and the index of a work tree from one commit to another.

    Args:
        checkout: the work tree.
        before: the commit that it is as.
        after: the commit that it is to be as.
        staged: the files that are as `before` has them, but not in the index.
        begun: the files that are as `after` has them already.

    Raises:
        StepCutOff: git began and did not come to the end. Each file that it has written is as it
            was again, if it can be; `paths` are those that are not. The index is as it was.
        Conflict: a file is not as `before` has it, or one that it lacks is in the way. Then nothing
            has changed.
    """
    await _check_lost(checkout, before, after)
    try:
        await _step(
            checkout,
            before,
            after,
            writes=Writes.TREE | Writes.INDEX,
            staged=staged or begun,
            staging=Staging.READ if staged else Staging.HASHED,
        )
    except StepCutOff as error:
        try:
            left = await _step_back(checkout, before, after, staged, begun)
        except (Conflict, Unavailable):
            raise StepCutOff(f"{error} It cannot be said which files have changed.") from error
        names = [shown(name) for name in left[:_MOST_NAMED]]
        more = f" and {len(left) - len(names)} more" if len(left) > len(names) else ""
        state = f"Changed are {', '.join(names)}{more}." if left else "All files are again as then."
        raise StepCutOff(f"{error} {state}", paths=names) from error


async def _step(
    checkout: Checkout,
    before: str,
    after: str,
    *,
    writes: Writes,
    staged: Collection[bytes],
    staging: Staging,
    index_of: str | None = None,
) -> None:
    for how in (("--dry-run",), ()):
        try:
            await checkout.run(
                "read-tree",
                *how,
                "--no-recurse-submodules",
                "-m",
                "-u",
                before,
                after,
                writes=Writes.NOTHING if how else writes,
                staged=staged,
                staging=staging,
                index_of=index_of,
                deadline=CHECKOUT_DEADLINE,
            )
        except Conflict as error:
            if how:
                raise
            raise StepCutOff(f"Not all files could be replaced: {error}") from error


async def _step_back(
    checkout: Checkout,
    before: str,
    after: str,
    staged: Collection[bytes],
    begun: Collection[bytes],
) -> list[bytes]:
    """Take the files back where a step was cut off; list those that are not as `before` has them.

    A file that is as neither commit has it stays: it is incomplete, or somebody else has written
    it. So does one that was begun. Git is given an index, and where it needs them trees, in which
    those are the same before and after. The repository's own index is as it was, but for the times
    of the files.
    """
    stepped = set(await list_stepped(checkout, before, after)).difference(begun)
    names = dict.fromkeys((*staged, *stepped))
    unlike = await differing_from_index(checkout, before, names, index_of=before)
    foreign = set(await differing_from_index(checkout, after, unlike, index_of=after))
    written = [name for name in unlike if name not in foreign]
    if not written:
        return unlike
    added = await list_stepped(checkout, before, after, letters="A")
    kept = [name for name in added if name in foreign or name in begun]
    with suppress(Conflict):
        sides = [
            await _with_empty(checkout, side, kept) if kept else side for side in (after, before)
        ]
        await _step(
            checkout,
            *sides,
            writes=Writes.TREE,
            staged=written,
            staging=Staging.READ,
            index_of=sides[1],
        )
    with suppress(Conflict):
        await checkout.run(
            "update-index",
            "-q",
            "--ignore-submodules",
            "--refresh",
            writes=Writes.INDEX,
            accepted=(0, 1),
            deadline=SCAN_DEADLINE,
        )
    return await differing_from_index(checkout, before, unlike, index_of=before)


async def _with_empty(checkout: Checkout, side: str, names: Collection[bytes]) -> str:
    """Make a tree as a commit has it, in which some files are empty."""
    made = await checkout.run(
        "write-tree",
        "--missing-ok",
        writes=Writes.OBJECTS,
        staged=names,
        staging=Staging.NAMED,
        index_of=side,
        deadline=SCAN_DEADLINE,
    )
    return made.text


async def list_stepped(
    checkout: Checkout, before: str, after: str, *, letters: str = "ADMT"
) -> list[bytes]:
    """List the files in which two commits differ, without repositories of their own.

    `letters` are git's of the kinds of differences.
    """
    answer = await checkout.run(
        "diff-tree",
        "-r",
        "-z",
        "--raw",
        "--no-renames",
        f"--diff-filter={letters}",
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
