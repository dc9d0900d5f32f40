"""Diffs of a whole work tree: what differs from where its branch left another, with one patch.

The files are those that `changes` lists, and the patch is that of `patches`, for all of them at
once. It is cut at its limit, with a marker as its last line, and git is ended there: a diff of any
size costs no more than that.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from command_center.actors.git.changes import ChangedFile, find_fork, read_changes
from command_center.actors.git.names import resolve_commit
from command_center.actors.git.patches import read_all
from command_center.actors.git.ports import Checkout

PATCH_LIMIT: Final = 512 * 1024
"""Bytes of a patch, unless fewer are asked for."""

MARKER: Final = "\n[… cut here: the diff is longer than {limit} bytes …]\n"
"""The last line of a patch that was cut."""


class Diff(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The changes since the work tree's branch left `baseRef`, committed or not.

    `isCut` says that the patch or the list is not whole; a patch that is cut ends with a line that
    says so too.
    """

    base_ref: str
    base_sha: str
    head_sha: str
    files: list[ChangedFile]
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
    start = await find_fork(checkout, wanted, head) or wanted
    found = await read_changes(checkout, None, start=start)
    patch, is_cut = await read_all(checkout, start, found.unknown, limit)
    return Diff(
        base_ref=base,
        base_sha=start,
        head_sha=head,
        files=found.files,
        patch=patch + MARKER.format(limit=limit) if is_cut else patch,
        is_cut=is_cut or found.is_cut,
    )
