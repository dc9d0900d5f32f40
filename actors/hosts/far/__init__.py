"""The program on the other machine: its folders, its git and its Codex, behind a link.

It is `main`, which speaks over its standard input and output. It runs with the standard library and
pure Python alone, since a host needs no installation: `hosts.ssh` brings it there. `stand_ins` has
what stands there for the two packages that are not pure.
"""
