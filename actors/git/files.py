"""Files of a work tree: what is in a folder, what a file says, and where a text is.

They are shown as they are on the disk now. What git ignores is not: that is where secrets are kept,
and what can be made again. So nothing is shown here that a commit of all would not have. No link is
followed, and no repository within the work tree is entered.
"""

from __future__ import annotations

import codecs
import os
import time
from pathlib import PurePosixPath
from typing import Final, Literal

import msgspec

from command_center.actors.git.changes import records_of
from command_center.actors.git.errors import FileChanged, UnsafeRepository
from command_center.actors.git.including import ignored_among
from command_center.actors.git.names import check_path
from command_center.actors.git.patches import PAGE_BYTES, PATCH_BYTES, PageCursor
from command_center.actors.git.ports import (
    Checkout,
    EntryKind,
    SeenEntry,
    SeenFile,
    TextSearch,
    shown,
)
from command_center.actors.rules.errors import Invalid, NotFound
from command_center.actors.rules.file_names import BestNames
from command_center.actors.rules.paths import is_in_work_tree
from command_center.runtime.threads import PROCESSOR

NAMES_BYTES: Final = 12 * 1024 * 1024
"""Bytes of the list of files that are searched."""

MOST_NAMES: Final = 200_000
"""Files that are searched."""

NAMES_OF_A_PIECE: Final = 4_000
"""Names that are compared before others have their turn."""

SEARCHED_BYTES: Final = 4 * 1024 * 1024
"""Bytes of a file in which a text is looked for."""

HITS_OF_A_FILE: Final = 20
"""Lines of a file that are found at most."""

LIST_DEADLINE: Final = 15.0
"""Seconds for the list of the files."""

NAMES_DEADLINE: Final = 2.0
"""Seconds in which their names are compared, so that no search takes more processor time."""

TEXT_DEADLINE: Final = 10.0
"""Seconds in which they are read."""

SHORT_DEADLINE: Final = 2.0
"""Seconds in which they are read where other searches wait."""

MOST_REFUSED: Final = 100
"""Names that are passed over, as their files cannot be read, before fewer are found."""

MOST_WORDS: Final = 8
"""Words that are looked for in names."""

LONGEST_QUERY: Final = 200
"""Characters that are looked for."""


class FileEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file, or another thing in a folder.

    Attributes:
        path: where it is, from the top of the work tree.
        kind: a `repository` is one of its own, which is not looked into.
        size: its bytes, of a file.
        target: what a link says; no link is followed.
    """

    path: str
    kind: EntryKind
    size: int | None = None
    target: str | None = None


class FileView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A folder with what is in it, or a page of a file.

    Attributes:
        path: where it is, from the top of the work tree, which is empty.
        items: what is in a folder: folders first, each by name.
        text: a page of a file; null of a folder, and of a binary file.
        size: bytes of the file.
        is_binary: the file is no text.
        is_cut: there is more than can be shown.
        next_cursor: gives the next page; null after the last.
    """

    path: str
    kind: Literal["folder", "file"]
    items: list[FileEntry] = []
    text: str | None = None
    size: int | None = None
    is_binary: bool = False
    is_cut: bool = False
    next_cursor: str | None = None


class FoundFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file that was found; `line` is where in it, and `text` that line, of a text."""

    path: str
    line: int | None = None
    text: str | None = None


class FoundFiles(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The files that were found; of names, the best come first. `isCut`: there are more."""

    items: list[FoundFile]
    is_cut: bool = False


async def read_files(checkout: Checkout, path: str, cursor: PageCursor | None = None) -> FileView:
    """Show a folder, or a page of a file.

    Args:
        checkout: the work tree.
        path: from its top, which is the empty path.
        cursor: where the page before ended.

    Raises:
        Invalid: the path is not one of the work tree.
        NotFound: there is nothing there, or git ignores it.
        UnsafeRepository: it is a link, no regular file, or in a repository of its own.
        FileChanged: it has changed since the page before.
    """
    if path:
        check_path(path, "path")
        path = str(PurePosixPath(path))
    begin = 0 if cursor is None else min(cursor.end, PATCH_BYTES)
    seen = await checkout.git.look(checkout, path, begin, PAGE_BYTES)
    if seen is None:
        raise NotFound("File", path)
    entries = () if isinstance(seen, SeenFile) else seen.entries
    names = {os.fsencode(_named(path, entry)): entry for entry in entries}
    ignored = set(await ignored_among(checkout, [*([path.encode()] * bool(path)), *names]))
    if path.encode() in ignored:
        raise NotFound("File", path)
    if isinstance(seen, SeenFile):
        return _page(seen, path, begin, cursor)

    def listed() -> list[FileEntry]:
        items = [_entry(name, entry) for name, entry in names.items() if name not in ignored]
        items.sort(key=lambda item: (item.kind not in {"folder", "repository"}, item.path))
        return items

    items = await PROCESSOR.run(listed)
    return FileView(path=path, kind="folder", items=items, is_cut=seen.is_cut)


async def find_names(checkout: Checkout, query: str, limit: int) -> FoundFiles:
    """Find files by their names: all words of the query are in the path, letter by letter.

    Only those are named that `read_files` shows.

    Raises:
        Invalid: that cannot be looked for.
    """
    _check_query(query)
    if len(query.split()) > MOST_WORDS:
        raise Invalid.field("query", f"A query for names has at most {MOST_WORDS} words.")
    listed, is_cut = await _listed_files(checkout)
    until = time.monotonic() + NAMES_DEADLINE
    best = BestNames(query, limit + MOST_REFUSED)
    for begin in range(0, len(listed), NAMES_OF_A_PIECE):
        if time.monotonic() >= until:
            is_cut = True
            break
        await PROCESSOR.run(_compare, best, listed[begin : begin + NAMES_OF_A_PIECE])
    is_more = best.is_cut
    items: list[FoundFile] = []
    for path in best.names():
        if await _is_shown(checkout, path):
            items.append(FoundFile(path=path))
            if len(items) > limit:
                break
    return FoundFiles(items=items[:limit], is_cut=is_cut or is_more or len(items) > limit)


async def find_text(
    checkout: Checkout, query: str, limit: int, deadline: float = TEXT_DEADLINE
) -> FoundFiles:
    """Find a text in the files, in any case of its letters unless it has capital ones.

    Git says which files there are; the host reads them, and follows no link on the way. What it may
    not read is passed over, and so is the end of a large file, and what the deadline leaves.

    Raises:
        Invalid: that cannot be looked for.
    """
    _check_query(query)
    if not query.strip():
        raise Invalid.field("query", "Name the text to look for.")
    listed, is_cut = await _listed_files(checkout)
    wanted = TextSearch(
        query=query,
        names=listed,
        limit=limit,
        of_a_file=HITS_OF_A_FILE,
        size=SEARCHED_BYTES,
        deadline=deadline,
    )
    seen = await checkout.git.search(checkout, wanted)
    items = [
        FoundFile(path=shown(one.name), line=one.line, text=one.text)
        for one in seen.lines
        if is_in_work_tree(shown(one.name))
    ]
    return FoundFiles(items=items, is_cut=is_cut or seen.is_cut)


def _compare(best: BestNames, names: list[bytes]) -> None:
    best.add(filter(_is_text, map(os.fsdecode, names)))


async def _listed_files(checkout: Checkout) -> tuple[list[bytes], bool]:
    """List the files that git tracks or does not ignore, by name; say whether there are more."""
    answer = await checkout.run(
        "ls-files",
        "-z",
        "-t",
        "--cached",
        "--others",
        "--deleted",
        "--exclude-standard",
        limit=NAMES_BYTES,
        may_cut=True,
        deadline=LIST_DEADLINE,
    )
    names = await PROCESSOR.run(_names_in, answer.stdout)
    return names, answer.cut or len(names) == MOST_NAMES


def _names_in(listed: bytes) -> list[bytes]:
    """Return the names that git has listed, sorted, without those of files that are gone.

    Git lists what it does not track, then what it does, both in order; a file that is gone a second
    time, after itself. One that has conflicts is listed once for each side.
    """
    names: list[bytes] = []
    for record in records_of(listed):
        name, is_known = record[2:], bool(names) and names[-1] == record[2:]
        if record.startswith(b"R "):
            if is_known:
                names.pop()
        elif not is_known and not name.endswith(b"/"):  # a repository of its own
            if len(names) == MOST_NAMES:
                break
            names.append(name)
    names.sort()
    return names


async def _is_shown(checkout: Checkout, path: str) -> bool:
    """Return True for a file that can be read in pages."""
    try:
        return isinstance(await checkout.git.look(checkout, path, 0, 0), SeenFile)
    except UnsafeRepository:
        return False


def _is_text(path: str) -> bool:
    """Return True for a path that can be asked for: one in UTF-8, in the work tree."""
    return path.isascii() or is_in_work_tree(path)


def _check_query(query: str) -> None:
    if len(query) > LONGEST_QUERY or not query.isprintable():
        raise Invalid.field("query", f"A query has at most {LONGEST_QUERY} printable characters.")


def _named(folder: str, entry: SeenEntry) -> str:
    return f"{folder}/{entry.name}" if folder else entry.name


def _entry(name: bytes, entry: SeenEntry) -> FileEntry:
    return FileEntry(
        path=shown(name),
        kind=entry.kind,
        size=entry.size if entry.kind == "file" else None,
        target=None if entry.target is None else shown(os.fsencode(entry.target)),
    )


def _page(seen: SeenFile, path: str, begin: int, cursor: PageCursor | None) -> FileView:
    if cursor is not None and cursor.mark != seen.mark:
        raise FileChanged(path)
    view = FileView(path=path, kind="file", size=seen.size)
    if b"\0" in seen.content:
        return msgspec.structs.replace(view, is_binary=True)
    page = seen.content
    has_more = begin + len(page) < seen.size
    if has_more:
        page = page[: page.rfind(b"\n") + 1] or _whole_characters(page)
    end = begin + len(page)
    is_over = not has_more or not page or end >= PATCH_BYTES
    return msgspec.structs.replace(
        view,
        text=shown(page),
        is_cut=has_more and is_over,
        next_cursor=None if is_over else str(PageCursor(end, seen.mark)),
    )


def _whole_characters(page: bytes) -> bytes:
    """Cut off the last character where it has come in part; what is not UTF-8 stays."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    decoder.decode(page)
    part, _ = decoder.getstate()
    return page[: len(page) - len(part)]
