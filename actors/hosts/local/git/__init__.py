"""Git on this machine: the only part of the program that starts it, held against repositories.

Start with `checkouts` (the port's `LocalGit`) and `shadow` (the git directory that git is given in
the place of the repository's). `layout` finds the real one, and `configuration` reads what it says;
`hardening` is the environment of git. `process` runs one git, when `turns` let it, as `confinement`
has the system hold it and `children` waits for it. `snapshots` read files and `folders` change
folders that an agent may be changing, too; `worktrees` makes and deletes those of worktrees, and
`copying` copies files to them. `cloning` fetches from a remote into a clone of ours. `standing`
finds files that git would write over. `looking` shows one, and `searching` finds a text in one.
`locks` are git's own, which a kill may leave.
"""
