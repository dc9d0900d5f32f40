"""Git: the only part of the program that starts it, held against hostile repositories.

Start with `checkout` (a work tree that was looked at; everything else takes one) and `shadow` (the
git directory that git is given in the place of the repository's). `layout` finds the real one,
`configuration` reads what it says, and `settings` decides what git is told of that; `hardening` is
the environment of git. `process` runs one git, when `turns` let it, as `confinement` has the system
hold it and `children` waits for it. `snapshots` read files and `folders` change folders that an
agent may be changing, too. `facts` reads what a repository
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
