"""This product's actors, the messages they take, and the rules they apply.

`center` is the whole tree and the one object through which it is used; `sessions/`, `tasks`,
`approvals`, `repositories`, `events`, `slots` and `storage` are its actors, `codex/` the bridge to
Codex, `git/` the only place that starts git, and `policy` the rules for what a run may do.
"""
