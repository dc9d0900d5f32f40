"""Set and take away refs, each as itself.

A ref may be a name for another one (`git symbolic-ref`), and an agent that may commit can make such
a one wherever git keeps refs. git follows it unless told otherwise: what was to be one branch, or a
ref of ours, would move or delete the branch that is checked out elsewhere.
"""

from __future__ import annotations

from command_center.actors.git.ports import Checkout, Writes


async def set_ref(
    checkout: Checkout,
    ref: str,
    sha: str,
    *,
    before: str | None = None,
    why: str | None = None,
    branch: str | None = None,
) -> None:
    """Have a ref name a commit.

    Args:
        checkout: any checkout of the repository.
        ref: its full name, such as `refs/heads/main`.
        sha: the commit.
        before: the commit that it must name until then; only zeros where there must be no such ref.
        why: told in its log.
        branch: the branch whose log is written, where that is one.

    Raises:
        GitFailed: it names another commit.
    """
    reason = () if why is None else ("-m", why)
    old = () if before is None else (before,)
    await checkout.run(
        "update-ref", "--no-deref", *reason, ref, sha, *old, writes=Writes.REFS, branch=branch
    )


async def delete_ref(checkout: Checkout, ref: str) -> None:
    """Take a ref away, whatever it names."""
    await checkout.run("update-ref", "--no-deref", "-d", ref, writes=Writes.REFS | Writes.PACKED)
