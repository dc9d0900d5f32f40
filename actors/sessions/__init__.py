"""A session: one run of a task, from its queue to its end.

`actor` is the live session, and `services` what it is given. `launch`, `turn_driver`, `questions`,
`steering`, `interruption` and `ending` are its parts, each of them what is done about one kind of
message, with `transcript` for what it keeps of its turn and `drafts` for what of it is not
complete, `turn_events` for how that is read, `agents` for who else works for it, and
`stall_detector` for its silence. `slots` says which session begins next, `directory` is how others
reach a session whether it has an actor or not. `orphaned_turns` ends the turns that outlive it, and
`foreign_turns` finds those that never had one; `goals` is what makes Codex begin some of these.

`runner` is what a session needs of a runner, and `runners` has the ways to carry it out. `prompts`
has what Codex is told, `confining` what it is let do, `turns` how a turn is found in Codex's
thread, `agent_threads` how its sub-agents' are, `user_rules` what Codex's user lets it do unasked,
and `permission_hints` what a question of Codex asks beyond the run's leave.
"""
