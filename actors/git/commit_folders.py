"""Where `git commit` writes: what a sandbox has to let through for a run that may commit.

In the main checkout that is the whole git directory, as the index and HEAD lie at its top, beside
the hooks and the configuration. A linked worktree has an index and a HEAD of its own, and of what
it shares needs only the objects, the refs and their logs: the hooks and the configuration stay out
of reach. So a run that may commit is kept better in a worktree.
"""

from __future__ import annotations

from pathlib import Path

from command_center.actors.git.checkout import Checkout

SHARED = ("objects", "refs", "reftable", "logs")
"""What a commit writes to of the git directory that all worktrees share."""


def commit_folders(checkout: Checkout) -> list[Path]:
    """The folders that a commit in the checkout writes to, as they are now.

    A folder that leads elsewhere is left out: a run before this one may have made it a link, so
    that its successor would be let out by it.
    """
    if not checkout.linked:
        return [checkout.git_dir]
    shared = (checkout.common_dir / name for name in SHARED)
    return [
        checkout.git_dir,
        *(path for path in shared if path.is_dir() and path.resolve() == path),
    ]
