"""Automations: schedules that make and run tasks, each due time exactly once.

`schedule` is the pure part: expressions and the times they name. `claims` and `outcomes` are what
is written, as units of a transaction; `scheduler` keeps the automations and the one timer, and
`actor` stands for one enabled automation. Each is imported by its own name: the sessions' ledger
uses `outcomes`, and the actors use the ledger.
"""
