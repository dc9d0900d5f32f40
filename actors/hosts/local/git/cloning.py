"""Fetching from a remote into a clone that is ours: what is there, and nothing that it would run.

No tag follows that no branch has, no submodule is fetched, and git checks each object that comes.
"""

from __future__ import annotations

import re
from typing import Final

from command_center.actors.git.errors import GitFailed, GitTimedOut
from command_center.actors.git.facts import read_status
from command_center.actors.git.names import branch_commit, check_branch_name, resolve_commit
from command_center.actors.git.ports import Checkout, Writes, shown
from command_center.actors.git.refs import set_ref
from command_center.actors.git.remotes import LOOK_DEADLINE, RemoteSilent, problem_of
from command_center.actors.git.trees import fill
from command_center.actors.rules.errors import Conflict

FETCH_DEADLINE: Final = 900.0
"""Seconds that a fetch may take."""

_HEAD: Final = re.compile(r"ref: refs/heads/(\S+)\tHEAD")


async def read_default_branch(checkout: Checkout, address: str) -> str:
    """Ask a remote for its default branch.

    Raises:
        KeptOut: it does not let the user in.
        Unavailable: it cannot be reached, or took longer than LOOK_DEADLINE.
        Conflict: it has no commit, or git has any other complaint.
    """
    try:
        answer = await checkout.run(
            "ls-remote", "--symref", "--", address, "HEAD", reaches=True, deadline=LOOK_DEADLINE
        )
    except GitFailed as error:
        raise problem_of(error.complaint, address) from error
    except GitTimedOut as error:
        raise RemoteSilent(address, error.seconds) from error
    for line in shown(answer.stdout).splitlines():
        if (found := _HEAD.fullmatch(line)) is not None:
            return await check_branch_name(checkout, found[1])
    raise Conflict(f"{address} has no commit on a default branch.", address=address)


async def fetch(
    checkout: Checkout, address: str, *, branch: str, depth: int | None, completes: bool = False
) -> None:
    """Fetch what is new, as the branches of `origin`.

    Args:
        checkout: of a clone that nobody else fetches into.
        address: where the remote is, as `fetch_address` returns it.
        branch: the only branch that is fetched with a depth.
        depth: commits of its history; all of all branches without it.
        completes: whether a history is completed that was cut.

    Raises:
        KeptOut: it does not let the user in.
        Unavailable: it cannot be reached, or took longer than FETCH_DEADLINE.
        Conflict: an object is not as git wants it, or git has any other complaint.
    """
    names = "*" if depth is None else branch
    bound = ["--unshallow"] if completes else [] if depth is None else [f"--depth={depth}"]
    try:
        await checkout.run(
            "fetch",
            "--quiet",
            "--no-tags",
            "--prune",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--no-write-fetch-head",
            "--no-write-commit-graph",
            *bound,
            "--",
            address,
            f"+refs/heads/{names}:refs/remotes/origin/{names}",
            writes=Writes.OBJECTS | Writes.REFS | Writes.PACKED | Writes.SHALLOW,
            reaches=True,
            deadline=FETCH_DEADLINE,
        )
    except GitFailed as error:
        raise problem_of(error.complaint, address) from error
    except GitTimedOut as error:
        raise RemoteSilent(address, error.seconds) from error


async def take_up(checkout: Checkout, branch: str) -> None:
    """Have a branch, and the files if it is checked out, be at what was fetched of it.

    A branch with a commit of its own stays, and so does a work tree with changes.
    """
    there = await resolve_commit(checkout, f"refs/remotes/origin/{branch}")
    here = await branch_commit(checkout, branch)
    if here == there:
        return
    if here is not None:
        own = await checkout.run("rev-list", "--count", here, "--not", "--remotes")
        if own.text != "0" or (await read_status(checkout)).dirty:
            return
    await set_ref(checkout, f"refs/heads/{branch}", there, before=here)
    await fill(checkout)
