"""Committing what a work tree has: by git as it runs here, and by nobody's hooks.

No hook of the repository runs, nothing is signed, and no filter: a file that a filter keeps
(git-lfs, git-crypt) would be committed as it is on the disk, so it is refused, whether the last
commit's attributes say so or those that the work tree has now. Line ends are those that the
attributes of the last commit ask for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Annotated, Final

import msgspec
import trio

from command_center.actors.git.changes import is_unmerged, list_changes, records_of
from command_center.actors.git.diffs import PLAIN
from command_center.actors.git.errors import GitFailed
from command_center.actors.git.facts import (
    SCAN_DEADLINE,
    WorkTreeStatus,
    read_status,
    read_worktrees,
)
from command_center.actors.git.marked_merges import (
    MarkedMerge,
    named,
    read_marked_merge,
    still_marked,
)
from command_center.actors.git.names import branch_commit, check_path
from command_center.actors.git.ports import ANSWER_LIMIT, OF_THE_TREE, Checkout, Writes, shown
from command_center.actors.git.trees import CHECKOUT_DEADLINE
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.actors.rules.lengths import NOTE_LENGTH

FILES_LIMIT: Final = 50_000
"""Files that one commit takes."""

PATHS_LIMIT: Final = 200
"""Files and folders that may be named; more would not fit into a body."""


CommitMessage = Annotated[
    str,
    msgspec.Meta(
        max_length=NOTE_LENGTH,
        extra_json_schema={"pattern": r"^[^\x00]*[^\s\x00\x1c-\x1f\x85][^\x00]*$"},
    ),
]
"""A message: it says something, and is text."""


class Author(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Name and address of who wrote what is committed."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f<>\x7f]+$", max_length=200)]
    email: Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x20<>\x7f]+$", max_length=200)]


class CommitPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that is about to be made.

    Attributes:
        branch: its branch.
        head: the commit at which that is.
        parent: the commit that it follows: `head`, unless it takes the place of that.
        message: its message.
    """

    branch: str
    head: str | None
    parent: str | None
    message: str


class Committed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A commit that was made. `beforeSha` is the commit that it follows; None for the first."""

    branch_name: str
    before_sha: str | None
    sha: str
    message: str
    files: int


async def commit_changes(
    checkout: Checkout,
    message: str,
    *,
    paths: Sequence[str] = (),
    author: Author | None = None,
    head: str | None = None,
    intend: Callable[[CommitPlan], Awaitable[None]] | None = None,
) -> Committed:
    """Commit the changes of a work tree on its branch, new and deleted files among them.

    A commit after a merge with marked conflicts takes the place of that merge, and has to resolve
    all of them (see `marked_merges`).

    Args:
        checkout: the work tree.
        message: of the commit.
        paths: the files and folders whose changes are taken; all, if there are none.
        author: whoever git knows as the user, unless given.
        head: the commit that the branch must be at still.
        intend: is told of the commit before anything is written for it.

    Raises:
        Invalid: the message says nothing, or a path is not one of the work tree.
        Conflict: it is on no branch of its own, or its branch has moved; a merge is not finished;
            there is nothing to commit, or more than FILES_LIMIT files; git knows no user; a file
            is kept by a filter, or is a repository of its own; one that conflicts is not among
            them, and has its marks still.
    """
    if not message.strip() or "\0" in message:
        raise Invalid.field("message", "A commit needs a message, which is text.")
    for path in paths:
        check_path(path, "paths")
    status = await read_status(checkout)
    branch = await check_own_branch(checkout, status, head)
    changed = await _changed(checkout, paths)
    if not changed:
        raise Conflict("There is nothing to commit.", headSha=status.head)
    attributes = {} if status.head is None else {"GIT_ATTR_SOURCE": status.head}
    for source in (attributes, OF_THE_TREE):
        await _check_filters(checkout, changed, source)
    identity = attributes | await _identity(checkout, author)
    merge = None if status.head is None else await read_marked_merge(checkout, status.head)
    parent = status.head
    if merge is not None:
        await _check_marks(checkout, merge, changed)
        parent = merge.ours
    if intend is not None:
        await intend(CommitPlan(branch=branch, head=status.head, parent=parent, message=message))
    staged = await _stage(checkout, branch, changed, attributes)
    await checkout.run(
        "commit",
        "--quiet",
        "--no-verify",
        "--no-gpg-sign",
        "--no-status",
        "--cleanup=whitespace",
        *([] if merge is None else ["--amend", "--reset-author"]),
        f"--message={message}",
        "--only",
        "--pathspec-from-file=-",
        "--pathspec-file-nul",
        writes=Writes.OBJECTS | Writes.INDEX | Writes.REFS,
        branch=branch,
        extra=identity,
        sent=b"\0".join(_without_parents(staged)),
        deadline=CHECKOUT_DEADLINE,
    )
    sha = await branch_commit(checkout, branch)
    if sha is None:
        raise Conflict(f"{branch} is gone again.")
    return Committed(
        branch_name=branch,
        before_sha=await _parent(checkout, sha),
        sha=sha,
        message=message,
        files=len(staged),
    )


async def find_commit(checkout: Checkout, plan: CommitPlan) -> Committed | None:
    """Return the commit that was made as planned; None if there is none.

    It is the one that came after the plan's head on the branch, with the plan's parent and message.
    """
    branch = f"refs/heads/{plan.branch}"
    since = branch if plan.head is None else f"{plan.head}..{branch}"
    listed = await checkout.run(
        "rev-list",
        "--first-parent",
        "--end-of-options",
        since,
        accepted=(0, 128),
        deadline=SCAN_DEADLINE,
    )
    sha = listed.text.rpartition("\n")[2]
    if listed.exit_code or not sha or await _parent(checkout, sha) != plan.parent:
        return None
    found = await checkout.run("cat-file", "commit", sha)
    _, _, message = found.stdout.decode(errors="replace").partition("\n\n")
    if _words(message) != _words(plan.message):
        return None
    names = await checkout.run(
        "diff-tree",
        "-r",
        "-z",
        "--root",
        "--no-commit-id",
        "--name-only",
        "--no-renames",
        *(() if plan.head is None else (plan.head,)),
        sha,
        limit=4 * ANSWER_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    return Committed(
        branch_name=plan.branch,
        before_sha=plan.parent,
        sha=sha,
        message=plan.message,
        files=len(list(records_of(names.stdout))),
    )


async def _check_marks(checkout: Checkout, merge: MarkedMerge, changed: Sequence[bytes]) -> None:
    """Refuse a commit that would leave conflicts marked, as nobody would be told of them any more.

    Raises:
        Conflict: it would; `conflicts` names the files.
    """
    left = named(await still_marked(checkout, merge, set(changed)))
    if left:
        raise Conflict(
            f"{left[0]} has conflicts that are still marked. Resolve those of all files, and "
            "commit them together.",
            conflicts=left,
        )


def _words(message: str) -> list[str]:
    """Return what git leaves of a message, whatever it does with white space."""
    return message.split()


async def check_own_branch(checkout: Checkout, status: WorkTreeStatus, head: str | None) -> str:
    """Return the branch that the commit goes to, which is this work tree's alone.

    HEAD is a file that an agent may write: it can name what is no branch, or another's.

    Raises:
        Conflict: there is none, it has moved, or a merge into it is not finished.
    """
    branch = status.branch
    if branch is None:
        raise Conflict(f"{checkout.path} is on no branch.")
    if head is not None and status.head != head:
        raise Conflict(f"{branch} has moved meanwhile: look at it again.", headSha=status.head)
    if status.head is not None and await branch_commit(checkout, branch) != status.head:
        raise Conflict(f"{checkout.path} is on no branch: its HEAD is {branch}.")
    there = [tree for tree in await read_worktrees(checkout) if tree.branch_name == branch]
    if len(there) > 1:
        raise Conflict(
            f"{branch} is checked out in {len(there)} work trees.",
            paths=[tree.path for tree in there],
        )
    if await checkout.git.is_merging(checkout):
        raise Conflict(f"A merge into {branch} is not finished. End it with your own git.")
    return branch


async def _changed(checkout: Checkout, paths: Sequence[str]) -> list[bytes]:
    """List the files that differ from the last commit, as git names them.

    Raises:
        Conflict: one is a repository of its own, or has conflicts, or there are too many.
    """
    changes, _ = await list_changes(checkout)
    chosen = {os.fsencode(PurePosixPath(path)) for path in paths}
    return await trio.to_thread.run_sync(_chosen, changes, chosen)


def _chosen(changes: Iterable[tuple[str, bytes]], chosen: set[bytes]) -> list[bytes]:
    found: dict[bytes, None] = {}
    for letters, name in changes:
        bare = name.rstrip(b"/")
        if chosen and not chosen.intersection((bare, *_parents(bare))):
            continue
        if bare != name:
            raise Conflict(
                f"{shown(name)} is a repository of its own: a commit would have none of its files.",
                path=shown(bare),
            )
        if is_unmerged(letters):
            raise Conflict(f"{shown(name)} has conflicts.", path=shown(name))
        found[name] = None
        if len(found) > FILES_LIMIT:
            raise Conflict(
                f"More than {FILES_LIMIT:,} files differ from the last commit. Name fewer of them, "
                "or commit them with your own git."
            )
    return list(found)


def _parents(name: bytes) -> Iterator[bytes]:
    while b"/" in name:
        name = name.rpartition(b"/")[0]
        yield name


def _without_parents(names: Sequence[bytes]) -> list[bytes]:
    """Leave out the files in whose place there is a folder now: what is in it replaces them."""
    folders = {folder for name in names for folder in _parents(name)}
    return [name for name in names if name not in folders]


async def _check_filters(
    checkout: Checkout, changed: Sequence[bytes], attributes: Mapping[str, str]
) -> None:
    """Refuse files that a filter would have changed on their way into the repository.

    Raises:
        Conflict: one is kept by a filter.
    """
    if not attributes:
        return
    answer = await checkout.run(
        "check-attr",
        "-z",
        "--stdin",
        "filter",
        extra=attributes,
        sent=b"\0".join(changed),
        limit=4 * ANSWER_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    fields = answer.stdout.split(b"\0")
    for path, value in zip(fields[0::3], fields[2::3], strict=False):
        if value not in {b"unspecified", b"unset"}:
            raise Conflict(
                f"{shown(path)} is kept by the filter {shown(value)}, which is not run here. "
                "Commit it with your own git.",
                path=shown(path),
            )


async def _stage(
    checkout: Checkout, branch: str, changed: Sequence[bytes], attributes: dict[str, str]
) -> list[bytes]:
    """Take the files into the index, and list those that differ from the branch's last commit.

    `git add` would ask submodules for their state, by a git that reads their configuration.

    Raises:
        Conflict: none differs, or one has a name that git takes from nobody.
    """
    answer = await checkout.run(
        "update-index",
        "--add",
        "--remove",
        "--replace",
        "-z",
        "--stdin",
        writes=Writes.OBJECTS | Writes.INDEX,
        extra=attributes,
        sent=b"\0".join(changed),
        deadline=CHECKOUT_DEADLINE,
    )
    refused = re.search(r"^Ignoring path (.*)$", answer.complaint, re.MULTILINE)
    if refused is not None:
        raise Conflict(f"Git takes no file of the name {refused[1]}.", path=refused[1])
    answer = await checkout.run(
        "diff",
        "--cached",
        "--name-only",
        "--no-renames",
        "--ignore-submodules=dirty",
        *PLAIN,
        "-z",
        "--",
        branch=branch,
        limit=4 * ANSWER_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    staged = await trio.to_thread.run_sync(_common, changed, answer.stdout)
    if not staged:
        raise Conflict("There is nothing to commit.")
    return staged


def _common(changed: Sequence[bytes], listed: bytes) -> list[bytes]:
    """Return those of the files that are listed."""
    wanted = set(changed)
    differing = {name for name in records_of(listed) if name in wanted}
    return [name for name in changed if name in differing]


async def _parent(checkout: Checkout, sha: str) -> str | None:
    answer = await checkout.run("rev-parse", "--verify", "--quiet", f"{sha}^", accepted=(0, 1, 128))
    return answer.text if answer.exit_code == 0 else None


async def _identity(checkout: Checkout, author: Author | None) -> dict[str, str]:
    """Return the variables that say who commits.

    Raises:
        Conflict: nobody was named, and git knows no user.
    """
    try:
        await checkout.run("var", "GIT_COMMITTER_IDENT")
    except GitFailed as error:
        if author is None:
            raise Conflict(
                "Git does not know who you are. Set user.name and user.email in your git "
                "configuration, or name an author."
            ) from error
        return _variables("AUTHOR", author) | _variables("COMMITTER", author)
    return {} if author is None else _variables("AUTHOR", author)


def _variables(role: str, who: Author) -> dict[str, str]:
    return {f"GIT_{role}_NAME": who.name, f"GIT_{role}_EMAIL": who.email}
