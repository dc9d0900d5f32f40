"""`command-center service`: have this machine start the server, and start it again.

`commands` are what is typed. `manager` is what each manager of services can do: `systemd` on Linux,
`launchd` on macOS, `task_scheduler` on Windows; `managers` finds that of this machine. All of it is
the user's own; nothing needs root.
`logs` shows what the server says, from systemd's journal or the file of the log.
"""
