"""A session: one run of a task, from its queue to its end.

`actor` is the live session, a table of what is taken when, and `services` what it is given. Its
parts each do what is to be done about one kind of message: `state` holds the row and writes it,
`launch` takes the session to its turn, `turn_driver` has the turn begun or found again, `hearing`
reads what is told of it, and `transcript` keeps that, with `drafts` for what is not complete and
`hook_answers` for what hooks decide.
`questions` are what is asked of people, `agents` who else works for the session. `steering`,
`goals` and `interruption` hand on what people want of the turn, `limits` and `stall_detector` end
it at a limit, `turn_ends` says whether the session goes on when it has ended, and `ending` ends the
session. `slots` says which session begins next, and `directory` is how others reach a session
whether it has an actor or not. `prompts` has what the agent is told, and `permission_hints` what a
question of the agent asks beyond the run's leave, and `command_risks` what is risky in it.

`runner` is what a session needs of a runner, and `runners` has the ways to carry it out. What is
Codex's own lies in `runners.codex`; nothing outside of `runners` reads it but what puts the parts
together, and the API's own pages of Codex.
"""
