"""A session: one run of a task, from its queue to its end.

`actor` is the live session; `messages` what it is asked and told; `services` what it is given;
`transitions` its state machine. `asking` is how others reach it, whether it has an actor or not,
and `strays` ends the turns that outlive it. `launch`, `drive`, `questions`, `steering`,
`interruption` and `ending` are its parts, each of them what is done about one kind of message,
with `transcript` for what it keeps of its turn, `facts` for how that is read, and `watch` for its
silence.

`ledger`, `settlement`, `admission`, `budgets` and `sequels` are what is written of it, `limits`
and `reports` what is read in what Codex asks and says. `runner` is what it needs of a runner, with
`app_server`, `cli`, `stub` and `absent` as the ways to carry it out; `assignments` has what Codex
is told, and `turns` how its turn is found in Codex's thread.
"""
