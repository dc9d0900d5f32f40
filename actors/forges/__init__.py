"""Forges, where branches that were pushed become pull requests: GitHub, and links to the others.

`actor` is `/pull-requests`: it opens them and keeps what the forge tells of them; `news` reads what
there is to tell. `issues` is `/issues`, which makes tasks of issues. `ports` is what both need of a
forge, `github` the one that has it, which reads answers by `wire`, and `shared` the one client that
both speak by; `settings` says how it is reached. `rounds` says what is to be read again, each by
itself.
"""
