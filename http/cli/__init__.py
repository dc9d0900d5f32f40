"""The command line: what a user types, and what it starts.

`main` is `command-center` itself, which loads a command when it is asked for. `client` has those
that ask a server, from anywhere. `local` has those of the machine that serves, among them `serve`
itself. `telegram` is the command that sets the bot up, as `telegram_setup` does it, `top` shows the
running tree, live in a terminal, `pair` lets a phone in, `certificate` gives the server an
encrypted address, and `doctor` looks for what would keep the server from working. `asking` is how
`top` and `pair` speak to a server that runs.
"""
