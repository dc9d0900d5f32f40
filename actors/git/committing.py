"""Committing what a work tree has: by git as it runs here, and by nobody's hooks.

No hook of the repository runs, nothing is signed, and no filter: a file that a filter keeps
(git-lfs, git-crypt) would be committed as it is on the disk, so it is refused. Line ends are those
that the attributes of the last commit ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated, Final

import msgspec

from command_center.actors.git.errors import GitFailed
from command_center.actors.git.facts import LIST_LIMIT, SCAN_DEADLINE, read_status
from command_center.actors.git.names import resolve_commit
from command_center.actors.git.ports import Checkout, Writes, shown
from command_center.actors.git.trees import CHECKOUT_DEADLINE
from command_center.actors.rules.errors import Conflict, Invalid

PATHS_LIMIT: Final = 2000
"""Files that one commit may be asked to have."""


class Author(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Name and address of who wrote what is committed."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f<>\x7f]+$", max_length=200)]
    email: Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x20<>\x7f]+$", max_length=200)]


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
) -> Committed:
    """Commit the changes of a work tree on its branch, new and deleted files among them.

    Args:
        checkout: the work tree.
        message: of the commit.
        paths: the files and folders whose changes are taken; all, if there are none.
        author: whoever git knows as the user, unless given.
        head: the commit that the branch must be at still.

    Raises:
        Invalid: the message says nothing, or a path is not one of the work tree.
        Conflict: it is on no branch, or its branch has moved; there is nothing to commit; git knows
            no user; or a file is kept by a filter.
    """
    if not message.strip():
        raise Invalid.field("message", "A commit needs a message.")
    for path in paths:
        _check_path(path)
    status = await read_status(checkout)
    if status.branch is None:
        raise Conflict(f"{checkout.path} is on no branch.")
    if head is not None and status.head != head:
        raise Conflict(
            f"{status.branch} has moved meanwhile: look at it again.", headSha=status.head
        )
    changed = await _changed(checkout, paths)
    if not changed:
        raise Conflict("There is nothing to commit.", headSha=status.head)
    attributes = {} if status.head is None else {"GIT_ATTR_SOURCE": status.head}
    await _check_filters(checkout, changed, attributes)
    identity = attributes | await _identity(checkout, author)
    chosen = b"\0".join(path.encode(errors="surrogateescape") for path in changed)
    await checkout.run(
        "add",
        "--all",
        "--pathspec-from-file=-",
        "--pathspec-file-nul",
        writes=Writes.OBJECTS | Writes.INDEX,
        extra=attributes,
        sent=chosen,
        deadline=CHECKOUT_DEADLINE,
    )
    await checkout.run(
        "commit",
        "--quiet",
        "--no-verify",
        "--no-gpg-sign",
        "--no-status",
        "--cleanup=whitespace",
        f"--message={message}",
        "--only",
        "--pathspec-from-file=-",
        "--pathspec-file-nul",
        writes=Writes.OBJECTS | Writes.INDEX | Writes.REFS,
        extra=identity,
        sent=chosen,
        deadline=CHECKOUT_DEADLINE,
    )
    return Committed(
        branch_name=status.branch,
        before_sha=status.head,
        sha=await resolve_commit(checkout, "HEAD"),
        message=message,
        files=len(changed),
    )


def _check_path(path: str) -> None:
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts or ".git" in parts or "\0" in path:
        raise Invalid.field("paths", f"{path!r} is no path in the work tree.")


async def _changed(checkout: Checkout, paths: Sequence[str]) -> list[str]:
    """List the files that differ from the last commit, as git names them."""
    answer = await checkout.run(
        "status",
        "--porcelain=v1",
        "--untracked-files=all",
        "--ignore-submodules=dirty",
        "--no-renames",
        "-z",
        "--",
        *paths,
        limit=LIST_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    records = answer.stdout.decode(errors="surrogateescape").split("\0")
    return [record[3:] for record in records if record]


async def _check_filters(
    checkout: Checkout, changed: Sequence[str], attributes: dict[str, str]
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
        sent=b"\0".join(path.encode(errors="surrogateescape") for path in changed),
        limit=4 * LIST_LIMIT,
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
