"""Codex on this machine: the only part of the actors that starts it, and looks for its processes.

`codex` is the port's `LocalCodex`. `transports` open what carries messages, `ways` chooses which
app-server is reached, `detached` is one of our own that outlives us, and `keeper` the program that
ends it when nobody needs it. `stopping` ends what works in a folder. `processes` starts and ends
children, `environment` is what they inherit, `places` says where Codex is, `orphans` ends what a
former life has left, and `writers` tells who writes a thread. `project_files` reads the files by
which a project configures Codex.
"""
