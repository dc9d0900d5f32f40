"""The doctor: looks for what keeps Command Center from working on this machine, and says its mend.

`check` has what a check is and what it sees, `table` all checks, each declared once, and
`examination` makes them side by side, each within its time; `findings` is what comes of it. The
`clinic` examines a server from within. `programs` look at git and Codex, `ways` at the port, the
certificate and the addresses, `channels` at Telegram and push, `machine` at the disk and the clock,
`data` at the data folder and the database, `hosts` at the other
machines, and `settings` at settings that go ill together. `child`
runs a program for a moment.
"""
