"""From the wheel to a program that runs: the ways to install it.

`wheel` builds it once a run. `ways` has the lines that the documentation tells, and runs them.
`formula` makes what Homebrew reads.
"""
