"""Patches: what has changed in one file of a work tree, in pages.

Each page is worked out anew, so its cursor has a mark of the file's state: where the file has
changed since, the pages would not fit together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

import attrs
import msgspec

from command_center.actors.git.changes import PLAIN, Against, find_start, list_changes
from command_center.actors.git.errors import FileChanged, GitFailed
from command_center.actors.git.facts import LIST_LIMIT, SCAN_DEADLINE, read_status
from command_center.actors.git.names import check_path
from command_center.actors.git.ports import Checkout, GitOutput, shown
from command_center.actors.rules.errors import NotFound

PAGE_BYTES: Final = 256 * 1024
"""Bytes of a page of a patch at most."""

PATCH_BYTES: Final = 16 * 1024 * 1024
"""Bytes of a patch that can be read; a file of that size is binary anyway."""

CONTEXT: Final = 3
"""Lines around a change, unless more are asked for."""

WHOLE: Final = 1_000_000
"""Lines around a change that are all lines of a file."""


class Patch(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A page of the changes of one file, as a unified diff.

    Attributes:
        against: what it is counted from: `base` where what was viewed is not known any more.
        is_binary: it has no lines.
        is_cut: there is more than can be shown.
        next_cursor: gives the next page; null after the last.
    """

    path: str
    previous_path: str | None = None
    against: Against
    patch: str
    is_binary: bool = False
    is_cut: bool = False
    next_cursor: str | None = None


@attrs.frozen
class PageCursor:
    """The end of a page of a file or its patch, and the state of what it shows."""

    end: int
    mark: str

    def __str__(self) -> str:
        """Write it as text."""
        return f"{self.end}.{self.mark}"

    @classmethod
    def read(cls, text: str) -> PageCursor | None:
        """Read it again; None if it is none."""
        found = re.fullmatch(r"([0-9]{1,8})\.([0-9a-f]{16})", text)
        return None if found is None else cls(int(found[1]), found[2])


async def read_patch(
    checkout: Checkout,
    base: str | None,
    path: str,
    *,
    previous: str | None = None,
    against: Against = "base",
    viewed: str | None = None,
    context: int = CONTEXT,
    ignores_space: bool = False,
    cursor: PageCursor | None = None,
    size: int = PAGE_BYTES,
) -> Patch:
    """Show what has changed in one file, a page of it. Where nothing has, the patch is empty.

    Args:
        checkout: the work tree.
        base: the branch that its branch came from.
        path: the file.
        previous: where it was, if it was moved.
        against: what the changes are counted from.
        viewed: what the content is called that was viewed.
        context: lines around each change.
        ignores_space: whether changes of white space count as none.
        cursor: where the page before ended.
        size: bytes of the page at most.

    Raises:
        Invalid: the path is not one of the work tree.
        Conflict: it has changed since the page before.
    """
    check_path(path, "path")
    if previous is not None:
        check_path(previous, "previousPath")
    names = [path] if previous is None else [path, previous]
    flags = [f"--unified={context}", "--full-index", *(["--ignore-all-space"] * ignores_space)]
    found = await list_changes(checkout, paths=names, limit=LIST_LIMIT, may_cut=True)
    unknown = [name for letters, name in found[0] if letters == "??" and name == path.encode()]
    if against == "viewed" and viewed:
        try:
            compared = [*flags, "--end-of-options", viewed, "--", path]
            asked = Patch(path=path, previous_path=previous, against=against, patch="")
            return await _page(checkout, asked, compared, (), cursor=cursor, size=size)
        except GitFailed:
            against = "base"  # its content was not kept, or the file is gone
    elif against == "viewed":
        against = "base"
    status = await read_status(checkout)
    start = await find_start(checkout, status.head, base, against=against)
    compared = [*flags, "--find-renames", "--end-of-options", start, "--", *names]
    asked = Patch(path=path, previous_path=previous, against=against, patch="")
    return await _page(checkout, asked, compared, unknown, cursor=cursor, size=size)


async def read_whole(checkout: Checkout, base: str | None, path: str) -> str:
    """Return the diff of a changed file with all of its lines, as far as `PATCH_BYTES`.

    Raises:
        Invalid: the path is not one of the work tree.
        NotFound: the file has not changed.
    """
    found = await read_patch(checkout, base, path, context=WHOLE, size=PATCH_BYTES)
    if not found.patch:
        raise NotFound("Changed file", path)
    return found.patch


async def read_all(
    checkout: Checkout, start: str, unknown: Sequence[bytes], limit: int
) -> tuple[str, bool]:
    """Show what has changed in all files, as far as so many bytes.

    Args:
        checkout: the work tree.
        start: the commit that it is compared with.
        unknown: the files that git does not know yet.
        limit: bytes.

    Returns:
        the patch, and whether there is more.
    """
    compared = ["--find-renames", "--end-of-options", start, "--"]
    answer = await _compare(checkout, compared, unknown, limit)
    return shown(answer.stdout), answer.cut


async def _compare(
    checkout: Checkout, compared: Sequence[str], staged: Sequence[bytes], limit: int
) -> GitOutput:
    return await checkout.run(
        "diff",
        "--patch",
        *PLAIN,
        *compared,
        staged=staged,
        limit=limit,
        may_cut=True,
        deadline=SCAN_DEADLINE,
    )


async def _page(
    checkout: Checkout,
    asked: Patch,
    compared: Sequence[str],
    staged: Sequence[bytes],
    *,
    cursor: PageCursor | None,
    size: int,
) -> Patch:
    begin = 0 if cursor is None else min(cursor.end, PATCH_BYTES)
    answer = await _compare(checkout, compared, staged, begin + size)
    text = answer.stdout
    head = text[: text.find(b"\n@@") + 1 or len(text)]
    mark = hashlib.sha256(head).hexdigest()[:16]
    if cursor is not None and cursor.mark != mark:
        raise FileChanged(asked.path)
    page = text[begin : begin + size]
    if answer.cut:
        page = page[: page.rfind(b"\n") + 1] or page
    end = begin + len(page)
    is_over = not answer.cut or end >= PATCH_BYTES
    return msgspec.structs.replace(
        asked,
        patch=shown(page),
        is_binary=b"\nBinary files " in head,
        is_cut=answer.cut and is_over,
        next_cursor=None if is_over else str(PageCursor(end, mark)),
    )
