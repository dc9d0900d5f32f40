"""Hosts: the adapters behind the port `contracts.hosts`, a folder for each kind of host.

`registry` makes them by name; nobody else imports an adapter. `local` is this machine, and the only
place of the actors that looks at it: a test sees to that. docs/hosts.md shows how to write another.
"""
