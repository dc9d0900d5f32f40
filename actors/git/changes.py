"""Changes of a work tree: what differs from where its branch began, or from its last commit.

Git compares a commit with the files on the disk, as they are. Files that it does not know yet are
named to it for that one comparison (see `Staging`), so that they are shown as any other, with their
content, and found again where they were moved. Nothing is written into the repository.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

import attrs
import msgspec

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
from command_center.runtime.threads import PROCESSOR

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

Against = Literal["base", "commit", "viewed"]
"""The state that changes are counted from: as the branch began, as committed, or as seen last."""

FileStatus = Literal["added", "modified", "deleted", "renamed", "type_changed", "conflicted"]

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
        unknown: the files among them that git does not know yet, as it names them.
        is_cut: there are more files.
    """

    branch: str | None
    head: str | None
    start: str
    commits: int | None
    files: list[ChangedFile]
    contents: Mapping[str, str]
    unknown: Sequence[bytes]
    is_cut: bool


async def differing(checkout: Checkout, before: str, after: str) -> list[bytes]:
    """List the files in which one commit or tree differs from another."""
    answer = await checkout.run(
        "diff-tree",
        "-r",
        "-z",
        "--name-only",
        "--no-renames",
        before,
        after,
        limit=4 * ANSWER_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    return list(records_of(answer.stdout))


async def differing_from_index(
    checkout: Checkout,
    commit: str,
    staged: Collection[bytes],
    *,
    index_of: str | None = None,
) -> list[bytes]:
    """List the files that the index, with some files as the disk has them, has unlike a commit.

    With `index_of` it is an index that has the files of that commit.
    """
    answer = await checkout.run(
        "diff",
        "--cached",
        "--name-only",
        "--no-renames",
        *PLAIN,
        "-z",
        "--end-of-options",
        commit,
        "--",
        index_of=index_of,
        staged=staged,
        staging=Staging.HASHED,
        limit=4 * ANSWER_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    return list(records_of(answer.stdout))


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
    checkout: Checkout,
    base: str | None,
    *,
    against: Against = "base",
    viewed: Sequence[str] = (),
    start: str | None = None,
) -> WorkTreeChanges:
    """List what has changed in a work tree, committed or not.

    Args:
        checkout: the work tree.
        base: the branch that its branch came from.
        against: `commit` for what is not committed alone.
        viewed: files whose content is to be named.
        start: the commit that they are counted from, if it is not to be found by the base.
    """
    status = await read_status(checkout)
    changed, is_cut = await list_changes(checkout, limit=LIST_LIMIT, may_cut=True)
    letters_of = await PROCESSOR.run(_by_name, changed)
    if start is None:
        start = await find_start(checkout, status.head, base, against=against)
    unknown = [name for name, letters in letters_of.items() if letters == "??"]
    named = [name for name in unknown[:FILES_LIMIT] if not name.endswith(b"/")]
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
        staged=named,
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
        unknown=named,
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
    return await find_fork(checkout, tip, head) or head


async def find_fork(checkout: Checkout, tip: str, head: str) -> str | None:
    """Return the last commit that two commits have in common; None if they have none."""
    fork = await checkout.run("merge-base", tip, head, accepted=(0, 1), deadline=SCAN_DEADLINE)
    return fork.text.split("\n")[0] if fork.exit_code == 0 else None


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
