"""The command line: what a user types, and what it starts.

`main` is `command-center` itself, which loads a command when it is asked for. `client` has those
that ask a server, from anywhere. `local` has those of the machine that serves, among them `serve`
itself. `manual` makes the man page. `operating` has `top`, which shows the running tree live in
a terminal, and `pair`, which lets a phone in. `telegram` is the command that sets the bot up, as
`telegram_setup` does it, `certificate` gives the server an encrypted address, and `doctor` looks
for what would keep the server from working. `backups` makes a backup and puts one back, and
`portable` writes the history as JSON Lines and takes one in. `host` has this machine be a host of a
server elsewhere. `cluster` shows the cluster of a server, or changes its leader. `service` has the
machine start the server, and shows what it says. `update` puts another version in the place of this
one. `mcp` serves an agent over standard input and output, by the `stdio_bridge` to a server.
`signals` has a command end in order, or go on to its end.
"""
