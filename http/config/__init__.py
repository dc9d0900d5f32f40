"""Settings: what the server is told before it starts.

`settings` declares every setting and finds its value; `parsers` turns its text into that value.
`runner` decides what the runner `auto` means here, `logs` sets up the log, `urls` spells an address
as a browser takes it, and `addresses` finds those of this machine.
"""
