"""A session: one run of a task, from its queue to its end.

`actor` is the live session; `messages` what it is asked and told; `transitions` its state machine;
`ledger` and `admission` everything that is written of it; `runner` what it needs of a runner, with
`app_server` and `stub` as the ways to carry it out.
"""
