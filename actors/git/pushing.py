"""Pushing one commit to one branch of a remote: that commit, whatever its branch is by then.

No hook of the repository runs, no submodule is pushed, no tag follows. A push that is done twice is
done once: the branch is at the commit already.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from command_center.actors.git.errors import GitTimedOut
from command_center.actors.git.facts import LIST_LIMIT, SCAN_DEADLINE
from command_center.actors.git.ports import Checkout, shown
from command_center.actors.git.remotes import RemoteSilent, problem_of
from command_center.actors.rules.errors import Conflict

PUSH_DEADLINE: Final = 180.0
"""Seconds that a push may take."""

COMMITS_SHOWN: Final = 20
"""Commits of a push that are listed."""

_SUBJECT: Final = 200


class PushedCommit(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A commit that the remote lacks."""

    sha: str
    author: str
    subject: str


class PushRejected(Conflict):
    """The other side has refused the branch as it is; nothing has changed there."""


async def read_missing(
    checkout: Checkout, sha: str, there: list[str]
) -> tuple[list[PushedCommit], int]:
    """List the commits that a remote lacks, the newest first, and count them all.

    Args:
        checkout: of the repository.
        sha: the commit that is pushed.
        there: the commits that the remote's branches are at; those that are not known here are
            passed over.
    """
    sent = "".join(f"{line}\n" for line in (sha, *(f"^{known}" for known in there))).encode()
    chosen = ("--ignore-missing", "--stdin")
    count = await checkout.run(
        "rev-list", "--count", *chosen, sent=sent, deadline=SCAN_DEADLINE, limit=LIST_LIMIT
    )
    answer = await checkout.run(
        "log",
        f"--max-count={COMMITS_SHOWN}",
        f"--format=%H%x00%<({_SUBJECT},trunc)%an%x00%<({_SUBJECT},trunc)%s",
        "--encoding=UTF-8",
        "--no-show-signature",
        "--no-notes",
        "--no-mailmap",
        "--no-patch",
        "--no-color",
        "-z",
        *chosen,
        sent=sent,
        deadline=SCAN_DEADLINE,
        limit=LIST_LIMIT,
    )
    fields = [shown(field).rstrip() for field in answer.stdout.split(b"\0")]
    commits = [
        PushedCommit(sha=sha, author=author, subject=subject)
        for sha, author, subject in zip(fields[0::3], fields[1::3], fields[2::3], strict=False)
    ]
    return commits, int(count.text)


async def tracked_commit(checkout: Checkout, remote: str, branch: str) -> str | None:
    """Return the commit at which a remote's branch was when it was fetched or pushed last."""
    answer = await checkout.run(
        "rev-parse",
        "--verify",
        "--quiet",
        f"refs/remotes/{remote}/{branch}^{{commit}}",
        accepted=(0, 1, 128),
    )
    return answer.text if answer.exit_code == 0 else None


async def push_commit(
    checkout: Checkout, address: str, sha: str, branch: str, *, lease: str | None = None
) -> None:
    """Push a commit to a branch of a remote, which is made where there is none.

    Args:
        checkout: of the repository.
        address: where the remote is, as `push_address` returns it.
        sha: the commit.
        branch: the remote's.
        lease: the commit that the branch must be at there; it is then replaced, whatever it has.

    Raises:
        PushRejected: the other side refuses it; the message says what to do.
        KeptOut: it does not let the user in.
        Unavailable: it cannot be reached, or took longer than PUSH_DEADLINE (`RemoteSilent`).
        Conflict: git has any other complaint.
    """
    ref = f"refs/heads/{branch}"
    forced = [] if lease is None else [f"--force-with-lease={ref}:{lease}"]
    try:
        answer = await checkout.run(
            "push",
            "--porcelain",
            "--no-verify",
            "--no-signed",
            "--no-follow-tags",
            "--recurse-submodules=no",
            *forced,
            "--",
            address,
            f"{sha}:{ref}",
            reaches=True,
            deadline=PUSH_DEADLINE,
            accepted=(0, 1, 128),
        )
    except GitTimedOut as error:
        raise RemoteSilent(address, error.seconds) from error
    if answer.exit_code == 0:
        return
    refused = re.search(r"^!\t[^\t]*\t(.*)$", shown(answer.stdout), re.MULTILINE)
    if refused is None:
        raise problem_of(answer.complaint, address)
    raise PushRejected(
        _advice(refused[1], branch, _said(answer.complaint)), reason=refused[1][:300]
    )


def _said(complaint: str) -> str:
    """Return what the other side said itself."""
    lines = [
        line.removeprefix("remote:").strip()
        for line in complaint.splitlines()
        if line.startswith("remote:")
    ]
    return " ".join(line for line in lines if line)[:500]


def _advice(reason: str, branch: str, said: str) -> str:
    if "stale info" in reason:
        return (
            f"{branch} is not where it was last seen: somebody has pushed to it. Fetch it with "
            "your own git, look at what is new, and push again."
        )
    if "fetch first" in reason or "non-fast-forward" in reason:
        return (
            f"{branch} has commits there that this branch lacks. Fetch and merge them with "
            "your own git, or push to another branch, or replace them (force: with-lease)."
        )
    told = f" It says: {said}" if said else ""
    return (
        f"The remote refused {branch}: {reason[:300]}.{told} If its rules protect the branch, push "
        "to another one and open a pull request."
    )
