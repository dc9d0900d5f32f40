"""This product's actors, the messages they take, and the rules they apply.

`tree` is the whole of it, and `center` the one object through which it is used. Most actors have a
folder with a page like this one: `sessions`, `tasks`, `automations`, `telegram`, and `codex` with
the bridge to Codex. The others are here: `storage`, `events`, `repositories`, `approvals`,
`slots`, `bridge_watch`, `clock_watch` and `operations`.

`repository_messages` and `worktree_messages` are what `/repositories` is asked; `worktrees`,
`worktree_cleaning` and `workplaces` do the work, `main_checkout` and `worktree_use` look first
whether it may be done, and `repository_ledger` and `worktree_events` are what is written of it.
Only `git` starts git.

The rules: `policy` says what a run may do, `deadlines` how long an approval waits, `paths`,
`places` and `branch_names` what people may name, `conditions` what a change may be made to depend
on, and `errors` how any of it is refused. `clock` waits by the wall clock, and `locks` does work
on one thing a piece at a time.
"""
