"""Settings: what the server is told before it starts.

`settings` declares every setting and finds its value; `parsers` turns its text into that value.
`runner` decides what the runner `auto` means here, `logs` sets up the log, `log_file` keeps it,
`colours` says whether a terminal shows them, `urls` spells an address as a browser takes it,
`addresses` finds those of this machine, and `local_authority` makes certificates for them.
"""
