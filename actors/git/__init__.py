"""Git, as questions that are put to it: each host runs it itself, held against repositories.

Start with `ports` (the git of a host, and the checkouts that it opens; everything else takes one).
`settings` decides what git is told of a repository's own configuration. `facts` reads what a
repository is like, `diffs` all that was changed in it; `names` checks branches and commits before
they are arguments; `trees` makes and removes worktrees, `including` finds the ignored files that
they are given, `changes` lists what differs in one and `patches` shows it file by file, `pictures`
the pictures, `files` what is there and where a text is, `committing` commits it, `hooks` names the
hooks that did not run, `discarding` takes it away, `rewinding` puts it back to what it was, both by
what `kept_work` keeps, and `merging` brings their branches back, all of them with `making_commits`.
`conflicts` marks what does not fit, and `marked_merges`
knows what nobody has resolved yet. `stepping` takes the files from one commit to another, and
`refs` sets refs. `remotes` says where others are and what they have, and `pushing` pushes to them.
`errors` is what can go wrong.
"""

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
from command_center.actors.git.ports import Checkout, Git, GitOutput

__all__ = [
    "BadBranchName",
    "Checkout",
    "Git",
    "GitAnswerTooLong",
    "GitFailed",
    "GitMissing",
    "GitOutput",
    "GitTimedOut",
    "NotAWorkTree",
    "UnknownRef",
    "UnsafeRepository",
    "WorktreeUnfinished",
]
