"""Forges, where branches that were pushed become pull requests: GitHub, and links to the others.

`actor` is `/pull-requests`: it opens them and keeps what the forge tells of them. `ports` is what
it needs of a forge, and `github` the one that has it; `news` reads what there is to tell;
`settings` says how that is reached. `links` says which project an address is of, and where a person
opens a pull request of another forge.
"""
