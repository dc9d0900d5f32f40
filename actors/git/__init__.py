"""Git: the only part of the program that starts it, held against hostile repositories.

Start with `hardening` (what git is kept from, and how), `process` (one git process) and `checkout`
(a work tree that was looked at); everything else takes a checkout. `facts` reads what a repository
is like, `diffs` what was changed in it; `names` checks branches and commits before they are
arguments; `trees` makes and removes worktrees, `merging` brings their branches back, and
`commit_folders` says where a commit writes. `errors` is what can go wrong.
"""

from command_center.actors.git.checkout import Checkout, open_checkout
from command_center.actors.git.errors import (
    BadBranchName,
    GitAnswerTooLong,
    GitFailed,
    GitMissing,
    GitTimedOut,
    NotAWorkTree,
    UnknownRef,
    UnsafeRepository,
    WorktreeUnfinished,
)
from command_center.actors.git.process import Answer, Git

__all__ = [
    "Answer",
    "BadBranchName",
    "Checkout",
    "Git",
    "GitAnswerTooLong",
    "GitFailed",
    "GitMissing",
    "GitTimedOut",
    "NotAWorkTree",
    "UnknownRef",
    "UnsafeRepository",
    "WorktreeUnfinished",
    "open_checkout",
]
