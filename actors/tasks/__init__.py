"""What somebody wants done, and the runs of it.

`actor` is `/tasks`; `messages` what it is asked; `ledger` everything that is written of a task;
`threads` what it needs to know of Codex's own threads.
"""
