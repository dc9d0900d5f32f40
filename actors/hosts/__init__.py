"""Hosts: the adapters behind the port `contracts.hosts`, a folder for each kind of host.

`registry` makes them, and `fleet` adds and removes them while the server runs; nobody else imports
an adapter. `local` is this machine. `ssh` is another, which is reached over ssh: it brings there
the program `far`, which does by `local` what it is asked, and `link` is what both speak. `dial` is
one that dials out to this server: the program `daemon`, which is installed there, speaks the same.
docs/hosts.md shows how to write another.
"""
