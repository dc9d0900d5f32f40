"""Tasks, and their runs.

`actor` is `/tasks`, and `threads` what it needs to know of Codex's own threads.
"""
