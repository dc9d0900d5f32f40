"""The program of a host that dials out: it does on its machine what its server asks.

`program` runs it, as a small tree of actors of its own. `centre_link` is the actor that keeps the
connection to the server, by a WebSocket that `dialling` opens. `identity` is what it has on its
disk: the server's address, its own key, and the numbers by which copies are found out. `ceiling` is
what its user lets be done there; `held_folders`, `held_git` and `held_codex` hold the folders, git
and Codex to it: `wire_rules` reads what is said to Codex, requests by `held_requests`, answers by
`held_answers`. `pool` clones what runs need, and `leases` ends those
that the server is not heard of for.
"""
