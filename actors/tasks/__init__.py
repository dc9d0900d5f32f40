"""What somebody wants done, and the runs of it.

`actor` is `/tasks`, and `threads` what it needs to know of Codex's own threads.
"""
