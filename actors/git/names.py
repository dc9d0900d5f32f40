"""Names that git is handed: branches and commits, checked before they are arguments.

A branch called `--output=x` is an option to a careless caller, `@{-1}` is another branch than it
says, and `main:file` is no commit. Each name goes through git's own check first, and what comes
back is used from there on.
"""

from __future__ import annotations

from command_center.actors.git.errors import BadBranchName, GitFailed, UnknownRef
from command_center.actors.git.ports import Checkout
from command_center.actors.rules.branch_names import LONGEST, is_branch_name
from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.paths import is_in_work_tree


async def check_branch_name(checkout: Checkout, name: str, field: str = "branchName") -> str:
    """Return the name if it is a valid branch name that git reads as it is written.

    Raises:
        BadBranchName: it is none; the message names the field.
    """
    if not is_branch_name(name):
        raise BadBranchName(name, field)
    try:
        answer = await checkout.run("check-ref-format", "--branch", name)
    except GitFailed as error:
        raise BadBranchName(name, field) from error
    if answer.text != name:
        raise BadBranchName(name, field)
    return name


async def resolve_commit(checkout: Checkout, name: str) -> str:
    """Return the id of the commit that a branch, tag or id names.

    Raises:
        UnknownRef: it names none.
    """
    if not name or len(name) > LONGEST or not name.isprintable():
        raise UnknownRef(name)
    answer = await checkout.run(
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        f"{name}^{{commit}}",
        accepted=(0, 1, 128),
    )
    found = answer.text
    if answer.exit_code != 0 or not found.isalnum():
        raise UnknownRef(name)
    return found


def check_path(path: str, field: str) -> None:
    """Refuse what cannot be the path of a file in a work tree.

    Raises:
        Invalid: it leads out of it, or into the git directory; the message names the field.
    """
    if not is_in_work_tree(path):
        raise Invalid.field(field, f"{path!r} is no path in the work tree.")


async def has_commit(checkout: Checkout, branch: str, sha: str) -> bool:
    """Return True if there is such a branch, and it has a commit."""
    if await branch_commit(checkout, branch) is None:
        return False
    answer = await checkout.run(
        "merge-base",
        "--is-ancestor",
        "--end-of-options",
        sha,
        f"refs/heads/{branch}",
        accepted=(0, 1, 128),
    )
    return answer.exit_code == 0


async def branch_commit(checkout: Checkout, branch: str) -> str | None:
    """Return the commit of a branch of this repository; None if there is no such branch."""
    answer = await checkout.run(
        "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", accepted=(0, 1, 128)
    )
    return answer.text if answer.exit_code == 0 else None
