"""A session: one run of a task, from its queue to its end.

`actor` is the live session; `messages` what it is asked and told; `transitions` its state machine;
`ledger`, `settlement`, `admission` and `sequels` what is written of it; `transcript` what it
keeps of its turn. `runner` is what it needs of a runner, with `app_server`, `cli`, `stub` and
`absent` as the ways to carry it out.
"""
