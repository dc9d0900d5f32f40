"""Tasks, and their runs.

`actor` is `/tasks`. `runs` begins the sessions of a task, `successors` those that follow another,
and `session_starts` sees to it that each has its actor.
"""
