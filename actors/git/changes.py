"""Changes of a work tree: what differs from where its branch began, or from its last commit.

Git compares a commit with the files on the disk, as they are. Files that it does not know yet are
named to it for that one comparison (see `Staging`), so that they are shown as any other, with their
content, and found again where they were moved. Nothing is written into the repository.

A patch comes in pages. Each page is worked out anew, so its cursor has a mark of the file's state:
where the file has changed since, the pages would not fit together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

import attrs
import msgspec
import trio

from command_center.actors.git.diffs import FILES_LIMIT, PLAIN
from command_center.actors.git.errors import GitFailed, PatchChanged
from command_center.actors.git.facts import LIST_LIMIT, SCAN_DEADLINE, read_status
from command_center.actors.git.names import branch_commit, check_path
from command_center.actors.git.ports import (
    ANSWER_LIMIT,
    EMPTY_TREE,
    Checkout,
    Staging,
    Writes,
    shown,
)
from command_center.actors.rules.errors import NotFound

Against = Literal["base", "commit", "viewed"]
"""The state that changes are counted from: as the branch began, as committed, or as seen last."""

FileStatus = Literal["added", "modified", "deleted", "renamed", "type_changed", "conflicted"]

PAGE_BYTES: Final = 256 * 1024
"""Bytes of a page of a patch at most."""

PATCH_BYTES: Final = 16 * 1024 * 1024
"""Bytes of a patch that can be read; a file of that size is binary anyway."""

CONTEXT: Final = 3
"""Lines around a change, unless more are asked for."""

WHOLE: Final = 1_000_000
"""Lines around a change that are all lines of a file."""

_STATUSES: Final[Mapping[str, FileStatus]] = {
    "A": "added",
    "D": "deleted",
    "M": "modified",
    "R": "renamed",
    "T": "type_changed",
    "U": "conflicted",
}


class ChangedFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file that has changed.

    Attributes:
        path: where it is; a folder that is a repository of its own has a slash at its end.
        previous_path: where it was, if it was moved.
        additions: lines; None for a binary file, and for what is no file.
        deletions: the same.
        is_new: there was none of it where the changes are counted from.
        is_committed: the last commit has it as it is.
        is_viewed: somebody has looked at it as it is.
    """

    path: str
    previous_path: str | None = None
    status: FileStatus
    additions: int | None = None
    deletions: int | None = None
    is_binary: bool = False
    is_new: bool = False
    is_committed: bool = False
    is_viewed: bool = False


@attrs.frozen(kw_only=True)
class WorkTreeChanges:
    """The changes of a work tree.

    Attributes:
        head: its last commit; None before the first.
        start: the commit or tree that they are counted from.
        commits: those of its branch that the base lacks; None where there is no base.
        contents: what the content of each viewed file is called; empty for one that is gone.
        is_cut: there are more files.
    """

    branch: str | None
    head: str | None
    start: str
    commits: int | None
    files: list[ChangedFile]
    contents: Mapping[str, str]
    is_cut: bool


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


async def list_changes(
    checkout: Checkout,
    *,
    paths: Sequence[str] = (),
    limit: int = ANSWER_LIMIT,
    may_cut: bool = False,
) -> tuple[Iterator[tuple[str, bytes]], bool]:
    """List the files that differ from the last commit, each with the two letters of git's status.

    A folder that is a repository of its own has a slash at its end. There may be a million of them:
    go through them all in a thread.

    Args:
        checkout: the work tree.
        paths: which; all, if there are none.
        limit: bytes of the list.
        may_cut: whether a longer one is cut, or an error.

    Returns:
        the files, and whether there are more.
    """
    answer = await checkout.run(
        "status",
        "--porcelain=v1",
        "--untracked-files=all",
        "--ignore-submodules=dirty",
        "--no-renames",
        "-z",
        "--",
        *paths,
        limit=limit,
        may_cut=may_cut,
        deadline=SCAN_DEADLINE,
    )
    return ((record[:2].decode(), record[3:]) for record in records_of(answer.stdout)), answer.cut


def records_of(listed: bytes) -> Iterator[bytes]:
    """Yield what a zero byte ends, one after the other."""
    begin = 0
    while (end := listed.find(b"\0", begin)) >= 0:
        yield listed[begin:end]
        begin = end + 1


async def read_changes(
    checkout: Checkout, base: str | None, *, against: Against = "base", viewed: Sequence[str] = ()
) -> WorkTreeChanges:
    """List what has changed in a work tree, committed or not.

    Args:
        checkout: the work tree.
        base: the branch that its branch came from.
        against: `commit` for what is not committed alone.
        viewed: files whose content is to be named.
    """
    status = await read_status(checkout)
    changed, is_cut = await list_changes(checkout, limit=LIST_LIMIT, may_cut=True)
    letters_of = await trio.to_thread.run_sync(_by_name, changed)
    start = await find_start(checkout, status.head, base, against=against)
    unknown = [name for name, letters in letters_of.items() if letters == "??"]
    answer = await checkout.run(
        "diff",
        "--raw",
        "--numstat",
        "-z",
        "--no-abbrev",
        "--find-renames",
        *PLAIN,
        "--end-of-options",
        start,
        "--",
        staged=[name for name in unknown[:FILES_LIMIT] if not name.endswith(b"/")],
        limit=2 * LIST_LIMIT,
        may_cut=True,
        deadline=SCAN_DEADLINE,
    )
    found = {file.name: file for file in _parsed(answer.stdout)}
    for name in unknown:
        if name.endswith(b"/"):
            found[name] = _Found(name, None, "A")
    committed = set(found).difference(letters_of)
    files = [
        _shown_file(
            found[name],
            is_conflicted=is_unmerged(letters_of.get(name, "  ")),
            is_committed=name in committed,
        )
        for name in sorted(found)
    ]
    wanted = {shown(name): name for name in found}
    known = [wanted[path] for path in viewed if path in wanted]
    return WorkTreeChanges(
        branch=status.branch,
        head=status.head,
        start=start,
        commits=await _commits(checkout, base, status.head),
        files=files[:FILES_LIMIT],
        contents=await _contents(checkout, start, known, Staging.HASHED),
        is_cut=is_cut or answer.cut or len(unknown) > FILES_LIMIT or len(files) > FILES_LIMIT,
    )


async def keep_contents(
    checkout: Checkout, base: str | None, paths: Sequence[str]
) -> dict[str, str]:
    """Keep the content of changed files among the repository's objects, and name it.

    Git may take it away again after two weeks, as nothing refers to it. A file that is gone has an
    empty name.

    Raises:
        Invalid: a path is not one of the work tree.
        NotFound: a file has not changed, or is a repository of its own.
    """
    for path in paths:
        check_path(path, "paths")
    status = await read_status(checkout)
    start = await find_start(checkout, status.head, base)
    names = [path.encode() for path in paths]
    kept = await _contents(checkout, start, names, Staging.STORED)
    for path in paths:
        if path not in kept:
            raise NotFound("Changed file", path)
    return kept


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
    cursor: PatchCursor | None = None,
    size: int = PAGE_BYTES,
) -> Patch:
    """Show what has changed in one file, a page of it.

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
        NotFound: the file has not changed.
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
    return (await read_patch(checkout, base, path, context=WHOLE, size=PATCH_BYTES)).patch


async def find_start(
    checkout: Checkout, head: str | None, base: str | None, *, against: Against = "base"
) -> str:
    """Return the commit where the branch of a work tree left another, or the tree of no files.

    Where the two have no commit in common, or there is no such branch, it is the last commit.
    """
    if head is None:
        return EMPTY_TREE[checkout.object_format]
    tip = None if against == "commit" or base is None else await branch_commit(checkout, base)
    if tip is None:
        return head
    fork = await checkout.run("merge-base", tip, head, accepted=(0, 1), deadline=SCAN_DEADLINE)
    return fork.text.split("\n")[0] if fork.exit_code == 0 else head


@attrs.frozen
class PatchCursor:
    """The end of a page of a patch, and the state of the file that it shows."""

    end: int
    mark: str

    def __str__(self) -> str:
        """Write it as text."""
        return f"{self.end}.{self.mark}"

    @classmethod
    def read(cls, text: str) -> PatchCursor | None:
        """Read it again; None if it is none."""
        found = re.fullmatch(r"([0-9]{1,8})\.([0-9a-f]{16})", text)
        return None if found is None else cls(int(found[1]), found[2])


async def _page(
    checkout: Checkout,
    asked: Patch,
    compared: Sequence[str],
    staged: Sequence[bytes],
    *,
    cursor: PatchCursor | None,
    size: int,
) -> Patch:
    begin = 0 if cursor is None else min(cursor.end, PATCH_BYTES)
    answer = await checkout.run(
        "diff",
        "--patch",
        *PLAIN,
        *compared,
        staged=staged,
        limit=begin + size,
        may_cut=True,
        deadline=SCAN_DEADLINE,
    )
    text = answer.stdout
    if not text and asked.against != "viewed" and "--ignore-all-space" not in compared:
        raise NotFound("Changed file", asked.path)
    head = text[: text.find(b"\n@@") + 1 or len(text)]
    mark = hashlib.sha256(head).hexdigest()[:16]
    if cursor is not None and cursor.mark != mark:
        raise PatchChanged(asked.path)
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
        next_cursor=None if is_over else str(PatchCursor(end, mark)),
    )


def _by_name(changed: Iterable[tuple[str, bytes]]) -> dict[bytes, str]:
    return {name: letters for letters, name in changed}


@attrs.frozen
class _Found:
    """A file as git's lists have it."""

    name: bytes
    previous: bytes | None
    letter: str
    additions: int | None = None
    deletions: int | None = None
    is_binary: bool = False


def _parsed(listed: bytes) -> Iterator[_Found]:
    """Read what `diff --raw --numstat -z` says: first what became of each file, then its lines."""
    fields = iter(listed.split(b"\0")[:-1])
    letters: dict[bytes, str] = {}
    previous: dict[bytes, bytes] = {}
    lines: dict[bytes, tuple[bytes, bytes]] = {}
    for field in fields:
        if field.startswith(b":"):
            letter = field.rpartition(b" ")[2][:1].decode()
            name = next(fields, b"")
            if letter == "R":
                before, name = name, next(fields, b"")
                previous[name] = before
            if letters.get(name) != "U":  # one with conflicts is there twice
                letters[name] = letter
            continue
        added, _, rest = field.partition(b"\t")
        removed, _, name = rest.partition(b"\t")
        if not name:
            next(fields, None)
            name = next(fields, b"")
        lines[name] = (added, removed)
    for name, letter in letters.items():
        added, removed = lines.get(name, (b"", b""))
        yield _Found(
            name,
            previous.get(name),
            letter,
            int(added) if added.isdigit() else None,
            int(removed) if removed.isdigit() else None,
            added == b"-",
        )


def _shown_file(found: _Found, *, is_conflicted: bool, is_committed: bool) -> ChangedFile:
    return ChangedFile(
        path=shown(found.name),
        previous_path=None if found.previous is None else shown(found.previous),
        status="conflicted" if is_conflicted else _STATUSES.get(found.letter, "modified"),
        additions=found.additions,
        deletions=found.deletions,
        is_binary=found.is_binary,
        is_new=found.letter == "A",
        is_committed=is_committed,
    )


async def _contents(
    checkout: Checkout, start: str, names: Sequence[bytes], staging: Staging
) -> dict[str, str]:
    """Name the content of those of the files that have changed."""
    if not names:
        return {}
    answer = await checkout.run(
        "diff",
        "--cached",
        "--raw",
        "-z",
        "--no-abbrev",
        "--no-renames",
        *PLAIN,
        "--end-of-options",
        start,
        "--",
        writes=Writes.OBJECTS if staging is Staging.STORED else Writes.NOTHING,
        staged=names,
        staging=staging,
        limit=2 * LIST_LIMIT,
        may_cut=True,
        deadline=SCAN_DEADLINE,
    )
    fields = answer.stdout.split(b"\0")[:-1]
    wanted = set(names)
    found = {}
    for head, name in zip(fields[0::2], fields[1::2], strict=False):
        _, mode, _, content, _ = head.split(b" ")
        if name in wanted:
            found[shown(name)] = "" if not mode.strip(b"0") else content.decode()
    return found


def is_unmerged(letters: str) -> bool:
    """Say whether a file has conflicts, by the two letters that git's status has for it."""
    return "U" in letters or letters in {"AA", "DD"}


async def _commits(checkout: Checkout, base: str | None, head: str | None) -> int | None:
    if base is None or head is None or await branch_commit(checkout, base) is None:
        return None
    answer = await checkout.run(
        "rev-list", "--count", f"refs/heads/{base}..{head}", "--", deadline=SCAN_DEADLINE
    )
    return int(answer.text)
