"""Files of a work tree: what is in a folder, what a file says, and where a text is.

They are shown as they are on the disk now. What git ignores is not: that is where secrets are kept,
and what can be made again. So nothing is shown here that a commit of all would not have. No link is
followed, and no repository within the work tree is entered.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final, Literal

import msgspec
import trio

from command_center.actors.git.changes import records_of
from command_center.actors.git.errors import FileChanged
from command_center.actors.git.including import ignored_among
from command_center.actors.git.names import check_path
from command_center.actors.git.patches import PAGE_BYTES, PATCH_BYTES, PageCursor
from command_center.actors.git.ports import Checkout, EntryKind, SeenEntry, SeenFile, shown
from command_center.actors.rules.errors import Invalid, NotFound
from command_center.actors.rules.file_names import best_names

NAMES_BYTES: Final = 16 * 1024 * 1024
"""Bytes of the list of files that is searched for a name."""

HITS_BYTES: Final = 256 * 1024
"""Bytes of the list of places that have a text."""

SEARCHED_BYTES: Final = 1024 * 1024
"""Bytes of a file in which the lines are looked up that have a text."""

HITS_OF_A_FILE: Final = 20
"""Lines of a file that are found at most."""

FIND_DEADLINE: Final = 15.0
"""Seconds for a search."""

SHOWN_LINE: Final = 240
"""Characters of a line that are shown, from a little before what was looked for."""

BEFORE_IT: Final = 60

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
    listed = [_entry(name, entry) for name, entry in names.items() if name not in ignored]
    listed.sort(key=lambda entry: (entry.kind not in {"folder", "repository"}, entry.path))
    return FileView(path=path, kind="folder", items=listed, is_cut=seen.is_cut)


async def find_names(checkout: Checkout, query: str, limit: int) -> FoundFiles:
    """Find files by their names: all words of the query are in the path, letter by letter.

    Raises:
        Invalid: that cannot be looked for.
    """
    _check_query(query)
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
        deadline=FIND_DEADLINE,
    )

    def best() -> tuple[list[str], bool]:
        names, gone = set(), set()
        for record in records_of(answer.stdout):
            if record.startswith(b"R "):
                gone.add(record[2:])
            elif not record.endswith(b"/"):  # a repository of its own
                names.add(record[2:])
        return best_names([shown(name) for name in names - gone], query, limit)

    found, is_cut = await trio.to_thread.run_sync(best)
    return FoundFiles(items=[FoundFile(path=path) for path in found], is_cut=is_cut or answer.cut)


async def find_text(checkout: Checkout, query: str, limit: int) -> FoundFiles:
    """Find a text in the files, in any case of its letters unless it has capital ones.

    Git says where it is; the lines are read by the host, which follows no link on the way.

    Raises:
        Invalid: that cannot be looked for.
    """
    _check_query(query)
    if not query.strip():
        raise Invalid.field("query", "Name the text to look for.")
    answer = await checkout.run(
        "grep",
        "-I",
        "-z",
        "--line-number",
        "--only-matching",
        "--no-color",
        "--untracked",
        "--fixed-strings",
        *(["--ignore-case"] * query.islower()),
        f"--max-count={HITS_OF_A_FILE}",
        "-e",
        query,
        "--",
        limit=HITS_BYTES,
        may_cut=True,
        deadline=FIND_DEADLINE,
        accepted=(0, 1),
    )
    places: dict[str, list[int]] = {}
    count = 0
    for path, line in _places(answer.stdout):
        if count > limit:
            break
        lines = places.setdefault(path, [])
        if line not in lines:
            lines.append(line)
            count += 1
    found: list[FoundFile] = []
    is_cut = answer.cut
    for path, lines in places.items():
        seen = await checkout.git.look(checkout, path, 0, SEARCHED_BYTES)
        if isinstance(seen, SeenFile):
            found += _lines_of(path, seen.content, lines, query)
            is_cut = is_cut or seen.size > SEARCHED_BYTES
    return FoundFiles(items=found[:limit], is_cut=is_cut or len(found) > limit)


def _check_query(query: str) -> None:
    if len(query) > LONGEST_QUERY or not query.isprintable():
        raise Invalid.field("query", f"A query has at most {LONGEST_QUERY} printable characters.")


def _places(listed: bytes) -> list[tuple[str, int]]:
    """Read what `grep -z --line-number --only-matching` says."""
    found = []
    for record in listed.split(b"\n"):
        path, _, rest = record.partition(b"\0")
        line, mark, _ = rest.partition(b"\0")
        if mark and line.isdigit():
            found.append((os.fsdecode(path), int(line)))
    return found


def _lines_of(path: str, content: bytes, lines: Sequence[int], query: str) -> list[FoundFile]:
    texts = content.split(b"\n")
    found = []
    for line in lines:
        if line > len(texts):
            continue
        text = shown(texts[line - 1]).rstrip("\r")
        at = text.find(query) if not query.islower() else text.lower().find(query)
        if at < 0:
            continue  # it has changed meanwhile, or was read in part
        begin = max(0, at - BEFORE_IT)
        found.append(FoundFile(path=path, line=line, text=text[begin : begin + SHOWN_LINE]))
    return found


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
        page = page[: page.rfind(b"\n") + 1] or page
    end = begin + len(page)
    is_over = not has_more or not page or end >= PATCH_BYTES
    return msgspec.structs.replace(
        view,
        text=shown(page),
        is_cut=has_more and is_over,
        next_cursor=None if is_over else str(PageCursor(end, seen.mark)),
    )
