"""A session: one run of a task, from its queue to its end.

`actor` is the live session, a table of what is taken when, and `services` what it is given. Its
parts each do what is to be done about one kind of message: `state` holds the row and writes it,
`launch` takes the session to its turn, `turn_driver` has the turn begun or found again, `hearing`
reads what is told of it, and `transcript` keeps that, with `drafts` for what is not complete.
`questions` are what is asked of people, `agents` who else works for the session. `steering`,
`goals` and `interruption` hand on what people want of the turn, `limits` and `stall_detector` end
it at a limit, `turn_ends` says whether the session goes on when it has ended, and `ending` ends the
session. `slots` says which session begins next, `directory` is how others reach a session whether
it has an actor or not. `orphaned_turns` ends the turns that outlive it, and `foreign_turns` finds
those that never had one.

`runner` is what a session needs of a runner, and `runners` has the ways to carry it out. `prompts`
has what Codex is told, `turns` how a turn is found in Codex's thread, `agent_threads` how its
sub-agents' are, `user_rules` what Codex's user lets it do unasked, and `permission_hints` what a
question of Codex asks beyond the run's leave.
"""
