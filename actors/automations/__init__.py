"""Automations: schedules that make and run tasks, each due time exactly once.

`scheduler` keeps the automations and the one timer, over the heap in `alarms`, and `actor` stands
for one enabled automation; `clock` is the wall clock that both follow. The expressions are in
`rules.schedule`, and what is written in the `ledger`.
"""
