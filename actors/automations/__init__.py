"""Automations: schedules that make and run tasks, each due time exactly once.

`schedule` is the pure part: expressions and the times they name. `changes`, `claims` and
`outcomes` are what is written, as units of a transaction. `scheduler` keeps the automations and
the one timer, over the heap in `alarms`, and `actor` stands for one enabled automation; `messages`
is what the two are asked, and `clock` the wall clock that they follow. `templates` has automations
to begin from, and `errors` says what is wrong with a schedule.

Each is imported by its own name: the sessions' ledger uses `outcomes`, and the actors use the
ledger.
"""
