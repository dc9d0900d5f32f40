"""Putting the files of a work tree back to a state that was kept.

The branch stays where it is, so that no commit is lost: where the files are other than its last
commit has them, they are changes that are not committed. Nothing is staged then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import attrs

from command_center.actors.git.changes import (
    differing_from_index,
    is_unmerged,
    list_changes,
    records_of,
)
from command_center.actors.git.errors import GitFailed
from command_center.actors.git.facts import SCAN_DEADLINE
from command_center.actors.git.kept_work import KeptWork, LeftWork, keep_left, read_left
from command_center.actors.git.ports import ANSWER_LIMIT, Checkout, Writes, shown
from command_center.actors.git.stepping import list_stepped, step_tree
from command_center.actors.git.trees import CHECKOUT_DEADLINE
from command_center.actors.rules.errors import Conflict
from command_center.runtime.threads import PROCESSOR

SNAPSHOTS_BELOW: Final = "refs/command-center/snapshots"
"""The refs that keep snapshots, each named by its commit."""


MOST_BYTES: Final = 256 * 1024 * 1024
"""Bytes of the files in a snapshot that are not committed, since each turn is followed by one."""


MOST_KEPT_BYTES: Final = 1024 * 1024 * 1024
"""Bytes on the disk that the snapshots of a worktree have together."""


_LIST_LIMIT: Final = 4 * ANSWER_LIMIT
"""Bytes of a list of files."""

_CONVERTS: Final = ("filter", "eol", "working-tree-encoding")
"""The attributes by which the disk has other bytes of a file than git stores."""

_UNSET: Final = frozenset({b"unspecified", b"unset"})

_MOST_NAMED: Final = 10
"""Files that an error names."""


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
    names = dict.fromkeys((*_without_repositories(found.names), *await _hidden(checkout, found)))
    own = attrs.evolve(found, names=tuple(names))
    if await checkout.git.measure(checkout, own.names, MOST_BYTES) > MOST_BYTES:
        raise Conflict(
            f"Files of more than {MOST_BYTES >> 20} MB are not committed in {checkout.path}. "
            "Commit them, or have git ignore those that are made anew."
        )
    return await keep_left(checkout, own, message, below=SNAPSHOTS_BELOW)


async def count_beyond(checkout: Checkout, kept: Sequence[str], most_bytes: int) -> int:
    """Return how many of the oldest snapshots to let go, so that the others have no more bytes.

    What the branch has does not count, and what several have counts once, as git stores it.

    Args:
        checkout: the work tree.
        kept: the commits, the oldest first.
        most_bytes: on the disk.
    """
    low, high = 0, len(kept)
    middle = 0
    while low < high:
        if await _stored(checkout, kept[middle:]) > most_bytes:
            low = middle + 1
        else:
            high = middle
        middle = (low + high) // 2
    return low


async def _stored(checkout: Checkout, kept: Sequence[str]) -> int:
    """Return the bytes of the objects that are in these commits alone."""
    answer = await checkout.run(
        "rev-list",
        "--objects",
        "--disk-usage",
        "--ignore-missing",
        "--stdin",
        sent="".join(f"{name}\n" for name in ("^HEAD", *kept)).encode(),
        deadline=SCAN_DEADLINE,
    )
    return int(answer.text)


async def put_back(checkout: Checkout, before: str, after: str) -> None:
    """Take the files from one snapshot to another; go on where a crash cut that off.

    Then `unstage` has the index follow.

    Raises:
        Conflict: a file is as neither of them has it, git would convert one, or one that is kept
            nowhere is in the way; or a snapshot is kept no longer. Then nothing was put back.
        StepCutOff: as `step_tree`.
    """
    for sha in (before, after):
        found = await checkout.run(
            "rev-parse", "--verify", "--quiet", f"{sha}^{{commit}}", accepted=(0, 1, 128)
        )
        if found.exit_code:
            raise Conflict("Its commit is not in the repository any more.")
    changes, _ = await list_changes(checkout)
    for letters, name in changes:
        if is_unmerged(letters):
            raise Conflict(
                f"{shown(name)} has conflicts. Resolve them first. Nothing was put back.",
                path=shown(name),
            )
    stepped = await list_stepped(checkout, before, after)
    for side in (before, after):
        await _check_converted(checkout, side, stepped)
    staged = dict.fromkeys((*await _changed(checkout), *stepped))
    try:
        await step_tree(checkout, before, after, staged=staged)
    except GitFailed as error:
        raise Conflict(
            f"A file is not as it was kept, and nothing was put back: {error.complaint} See that "
            "nobody writes there, and ask again. If nobody did, `touch` the file first, so that "
            "git reads it anew."
        ) from error


async def unstage(checkout: Checkout) -> tuple[bytes, ...]:
    """Have the index be as the last commit; return the files that are other than it has them."""
    await checkout.run(
        "read-tree",
        "--no-recurse-submodules",
        "-m",
        "HEAD",
        writes=Writes.INDEX,
        deadline=CHECKOUT_DEADLINE,
    )
    return await _changed(checkout)


async def _hidden(checkout: Checkout, found: LeftWork) -> tuple[bytes, ...]:
    """List the files that differ from the last commit, but that git was told to pass over.

    What a sparse checkout leaves out is not there, and differs in nothing.
    """
    listed = await checkout.run("ls-files", "-v", "-z", limit=_LIST_LIMIT, deadline=SCAN_DEADLINE)
    passed = await PROCESSOR.run(_passed_over, listed.stdout)
    staged = await checkout.git.find_standing(checkout, passed) if passed else []
    if not staged:
        return ()
    return tuple(await differing_from_index(checkout, found.head, staged, index_of=found.head))


def _passed_over(listed: bytes) -> list[bytes]:
    """Return the files that are assumed to be unchanged, or whose file is not to be looked at."""
    return [
        record[2:] for record in records_of(listed) if record[:1].islower() or record[:1] == b"S"
    ]


async def _check_converted(checkout: Checkout, side: str, names: Collection[bytes]) -> None:
    """Refuse files that git would convert between the disk and what it stores.

    Raises:
        Conflict: the attributes of that commit give one a filter, `eol=crlf` or an encoding.
    """
    answer = await checkout.run(
        "check-attr",
        "-z",
        "--stdin",
        *_CONVERTS,
        extra={"GIT_ATTR_SOURCE": side},
        sent=b"".join(name + b"\0" for name in names),
        limit=3 * _LIST_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    fields = records_of(answer.stdout)
    converted = {
        f"{shown(path)} ({shown(key)}={shown(value)})": shown(path)
        for path, key, value in zip(fields, fields, fields, strict=True)
        if value not in _UNSET and (key, value) != (b"eol", b"lf")
    }
    if converted:
        raise Conflict(
            f"Git converts {', '.join(list(converted)[:_MOST_NAMED])} by its attributes, which is "
            "not done here. Nothing was put back: take such files from the snapshot with your own "
            "git.",
            paths=list(converted.values())[:_MOST_NAMED],
        )


async def _changed(checkout: Checkout) -> tuple[bytes, ...]:
    """List the files that differ from the last commit, without repositories of their own."""
    changes, _ = await list_changes(checkout)
    return _without_repositories(name for _, name in changes)


def _without_repositories(names: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(name for name in names if not name.endswith(b"/"))
