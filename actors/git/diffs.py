"""Diffs of a worktree against the branch that it came from, with what is not committed yet.

The patch is cut at its limit, with a marker as its last line, and git is ended there: a diff of
any size costs no more than that. Files that git does not track yet are named, not shown.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from command_center.actors.git.facts import LIST_LIMIT, SCAN_DEADLINE
from command_center.actors.git.names import resolve_commit
from command_center.actors.git.ports import Checkout, shown

PATCH_LIMIT: Final = 512 * 1024
"""Bytes of a patch, unless fewer are asked for."""

MARKER: Final = "\n[… cut here: the diff is longer than {limit} bytes …]\n"
"""The last line of a patch that was cut."""

FILES_LIMIT: Final = 2000
"""Files that are listed."""

PLAIN: Final = (
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--ignore-submodules=dirty",
    "--submodule=short",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
"""Nothing of the repository's own runs, and the output looks the same whatever it is set to."""


class ComparedFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Lines added and deleted in one file; a binary file has no lines to count."""

    path: str
    added: int | None
    removed: int | None


class Diff(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The changes since the work tree's branch left `baseRef`.

    `isCut` says that the patch or a list is not whole; a patch that is cut ends with a line that
    says so too.
    """

    base_ref: str
    base_sha: str
    head_sha: str
    files: list[ComparedFile]
    untracked: list[str]
    patch: str
    is_cut: bool


Limit = Annotated[int, msgspec.Meta(ge=0, le=PATCH_LIMIT)]


async def read_diff(checkout: Checkout, base: str, *, limit: int = PATCH_LIMIT) -> Diff:
    """Compare the work tree with the commit where its branch left `base`.

    If the two have no commit in common, compare with `base` itself.

    Raises:
        UnknownRef: no commit has the name `base`.
    """
    wanted = await resolve_commit(checkout, base)
    head = await resolve_commit(checkout, "HEAD")
    fork = await checkout.run("merge-base", wanted, head, accepted=(0, 1), deadline=SCAN_DEADLINE)
    start = fork.text.split("\n")[0] if fork.exit_code == 0 else wanted
    counted = await checkout.run(
        "diff",
        "--numstat",
        "-z",
        "--no-renames",
        *PLAIN,
        "--end-of-options",
        start,
        "--",
        limit=LIST_LIMIT,
        may_cut=True,
        deadline=SCAN_DEADLINE,
    )
    files = [_change(line) for line in counted.stdout.split(b"\0")[:-1]]
    others = await checkout.run(
        "ls-files",
        "--others",
        "--exclude-standard",
        "--directory",
        "--no-empty-directory",
        "-z",
        limit=LIST_LIMIT,
        may_cut=True,
        deadline=SCAN_DEADLINE,
    )
    untracked = [shown(name) for name in others.stdout.split(b"\0")[:-1]]
    patch = await checkout.run(
        "diff",
        "--patch",
        *PLAIN,
        "--end-of-options",
        start,
        "--",
        limit=limit,
        may_cut=True,
        deadline=SCAN_DEADLINE,
    )
    text = shown(patch.stdout)
    return Diff(
        base_ref=base,
        base_sha=start,
        head_sha=head,
        files=files[:FILES_LIMIT],
        untracked=untracked[:FILES_LIMIT],
        patch=text + MARKER.format(limit=limit) if patch.cut else text,
        is_cut=patch.cut
        or counted.cut
        or others.cut
        or len(files) > FILES_LIMIT
        or len(untracked) > FILES_LIMIT,
    )


def _change(line: bytes) -> ComparedFile:
    added, removed, name = line.split(b"\t", 2)
    return ComparedFile(
        path=shown(name),
        added=int(added) if added.isdigit() else None,
        removed=int(removed) if removed.isdigit() else None,
    )
