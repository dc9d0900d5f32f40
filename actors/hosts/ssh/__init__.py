"""Hosts that are reached over ssh, with nothing installed on them.

`address` reads an address, `client` starts OpenSSH and reads what it complains of, `trial` is the
first visit to a machine, at which somebody accepts its key. `bundle` is the program that is brought
there, `boot` what takes it there, `keeper` the actor that keeps the link up, and `host` the host
that all of it makes.
"""
