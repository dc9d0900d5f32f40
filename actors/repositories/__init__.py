"""Repositories, their checkouts and worktrees, on this machine.

`actor` is `/repositories`, the only actor that works with git. `registrations` says which there are
and what is kept of each, `workplace_facts` what a session's folder is like. `worktrees` makes,
lists, compares, merges and removes them, `seen_changes` shows what a session changed, `comments`
are remarks on that, `landing` commits what it left, `pushes` sends that to a remote, `discards`
takes it away and keeps it, `snapshots` puts it back to what it was after a turn, `cleanup` removes
those that are no longer needed, at the times of `tidying`, and `workspaces` makes ready the folder
that a session works in; `bounds` says where that session ends, and `work_folders` which folder
somebody means. `setup` reads what a new worktree is given, and `lost_worktrees` sees which can be
made again. `main_checkout` and `worktree_checks` look first whether something may be done;
`locations` says what people may name.
`files` shows all that is there, and `prompts` what is said again.
"""
