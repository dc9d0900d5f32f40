"""Committing what a work tree has: by git as it runs here, and by nobody's hooks.

The commit is made among git's objects, signed if that is wanted, before anything is changed. Then
the index takes the files, and the branch goes to the commit if it is where it was.

No hook of the repository runs; the answer names those that git would have run. No filter runs: a
file that a filter keeps (git-lfs, git-crypt) would be committed as it is on the disk, so it is
refused, whether the last commit's attributes say so or those that the work tree has now. Line ends
are those that the attributes of the last commit ask for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Annotated, Final

import msgspec

from command_center.actors.git.changes import differing, is_unmerged, list_changes
from command_center.actors.git.errors import GitFailed
from command_center.actors.git.facts import (
    SCAN_DEADLINE,
    WorkTreeStatus,
    read_status,
    read_worktrees,
)
from command_center.actors.git.hooks import COMMIT_HOOKS, list_hooks
from command_center.actors.git.making_commits import make_commit
from command_center.actors.git.marked_merges import (
    MarkedMerge,
    named,
    read_marked_merge,
    still_marked,
)
from command_center.actors.git.names import branch_commit, check_path
from command_center.actors.git.ports import (
    ANSWER_LIMIT,
    EMPTY_TREE,
    OF_THE_TREE,
    Checkout,
    Staging,
    Writes,
    shown,
)
from command_center.actors.git.refs import set_ref
from command_center.actors.git.trees import CHECKOUT_DEADLINE
from command_center.actors.rules.errors import Conflict, HeadMoved, Invalid
from command_center.actors.rules.lengths import NOTE_LENGTH
from command_center.runtime.threads import PROCESSOR

FILES_LIMIT: Final = 50_000
"""Files that one commit takes."""

PATHS_LIMIT: Final = 200
"""Files and folders that may be named; more would not fit into a body."""


CommitMessage = Annotated[
    str,
    msgspec.Meta(
        max_length=NOTE_LENGTH,
        extra_json_schema={"pattern": r"^[^\x00]*([^\s\x00\x1c-\x1f\x85]|\ufeff)[^\x00]*$"},
    ),
]
"""A message: it says something, and is text."""


class Author(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Name and address of who wrote what is committed."""

    name: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[^\x00-\x1f<>\x7f]+$(?!\n)",
            max_length=200,
            description="a name on one line, without < and >",
        ),
    ]
    email: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[^\x00-\x20<>\x7f]+$(?!\n)",
            max_length=200,
            description="a mail address, without spaces, < and >",
        ),
    ]


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
    """A commit that was made.

    Attributes:
        before_sha: the commit that it follows; None for the first.
        files: those that it changes.
        is_signed: whether it has a signature.
        hooks_skipped: the hooks of the repository that git would have run; none did.
    """

    branch_name: str
    before_sha: str | None
    sha: str
    message: str
    files: int
    is_signed: bool = False
    hooks_skipped: list[str] = []


async def commit_changes(
    checkout: Checkout,
    message: str,
    *,
    paths: Sequence[str] = (),
    author: Author | None = None,
    head: str | None = None,
    signs: bool = False,
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
        signs: whether it is signed, with the user's key.
        intend: is told of the commit before anything is written for it.

    Raises:
        Invalid: the message says nothing, or a path is not one of the work tree.
        Conflict: it is on no branch of its own, or its branch has moved; a merge is not finished;
            there is nothing to commit, or more than FILES_LIMIT files; git knows no user; a file
            is kept by a filter, or is a repository of its own; one that conflicts is not among
            them, and has its marks still; it cannot be signed.
        Unavailable: what signs does not answer.
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
    identity = await _identity(checkout, author)
    merge = None if status.head is None else await read_marked_merge(checkout, status.head)
    parents = [] if status.head is None else [status.head]
    if merge is not None:
        await _check_marks(checkout, merge, changed)
        parents = [merge.ours, merge.theirs]
    parent = parents[0] if parents else None
    if intend is not None:
        await intend(CommitPlan(branch=branch, head=status.head, parent=parent, message=message))
    before = status.head or EMPTY_TREE[checkout.object_format]
    tree = await _write_tree(checkout, before, changed, attributes)
    files = len(await differing(checkout, before, tree))
    if not files:
        raise Conflict("There is nothing to commit.")
    text = _cleaned(message)
    made = await make_commit(checkout, tree, parents, text, signs=signs, extra=identity)
    await _stage(checkout, changed, attributes)
    await _move(checkout, branch, status.head, made, f"commit: {text.partition(chr(10))[0]}")
    return Committed(
        branch_name=branch,
        before_sha=parent,
        sha=made,
        message=message,
        files=files,
        is_signed=signs,
        hooks_skipped=await list_hooks(checkout, COMMIT_HOOKS),
    )


async def _move(checkout: Checkout, branch: str, before: str | None, made: str, why: str) -> None:
    """Take the branch to the commit, if it is still where it was, and is itself no other's name.

    Raises:
        Conflict: it is not.
    """
    try:
        await set_ref(
            checkout,
            f"refs/heads/{branch}",
            made,
            before=before or "0" * len(made),
            why=why,
            branch=branch,
        )
    except GitFailed as error:
        now = await branch_commit(checkout, branch)
        if now == before:
            raise
        raise HeadMoved(branch, now) from error


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
    head, _, message = found.stdout.decode(errors="replace").partition("\n\n")
    if _words(message) != _words(plan.message):
        return None
    before = plan.head or EMPTY_TREE[checkout.object_format]
    return Committed(
        branch_name=plan.branch,
        before_sha=plan.parent,
        sha=sha,
        message=plan.message,
        files=len(await differing(checkout, before, sha)),
        is_signed="\ngpgsig" in head,
        hooks_skipped=await list_hooks(checkout, COMMIT_HOOKS),
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
        raise HeadMoved(branch, status.head)
    if status.head is not None and await branch_commit(checkout, branch) != status.head:
        raise Conflict(f"{checkout.path} is on no branch: its HEAD is {branch}.")
    there = [tree for tree in await read_worktrees(checkout) if tree.branch_name == branch]
    if len(there) > 1:
        raise Conflict(
            f"{branch} is checked out in {len(there)} work trees.",
            paths=[tree.path for tree in there],
        )
    if await checkout.git.find_unfinished(checkout) == "merge":
        raise Conflict(f"A merge into {branch} is not finished. End it with your own git.")
    return branch


async def _changed(checkout: Checkout, paths: Sequence[str]) -> list[bytes]:
    """List the files that differ from the last commit, as git names them.

    Raises:
        Conflict: one is a repository of its own, or has conflicts, or there are too many.
    """
    changes, _ = await list_changes(checkout)
    chosen = {os.fsencode(PurePosixPath(path)) for path in paths}
    return await PROCESSOR.run(_chosen, changes, chosen)


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


async def _write_tree(
    checkout: Checkout, before: str, changed: Sequence[bytes], attributes: Mapping[str, str]
) -> str:
    """Write a tree that has the files as they are now, and all others as a commit has them.

    Raises:
        Conflict: one has a name that git takes from nobody.
    """
    answer = await checkout.run(
        "write-tree",
        writes=Writes.OBJECTS,
        index_of=before,
        staged=_without_parents(changed),
        staging=Staging.STORED,
        extra=attributes,
        deadline=CHECKOUT_DEADLINE,
    )
    refused = re.search(r"^Ignoring path (.*)$", answer.complaint, re.MULTILINE)
    if refused is not None:
        raise Conflict(f"Git takes no file of the name {refused[1]}.", path=refused[1])
    return answer.text


async def _stage(
    checkout: Checkout, changed: Sequence[bytes], attributes: Mapping[str, str]
) -> None:
    """Take the files into the work tree's own index.

    `git add` would ask submodules for their state, by a git that reads their configuration.
    """
    await checkout.run(
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


def _cleaned(message: str) -> str:
    """Return a message as git keeps it: no white space at ends, no two empty lines in a row."""
    text = "\n".join(line.rstrip(" \t\r\v\f") for line in message.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


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
