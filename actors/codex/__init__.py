"""Everything that knows Codex: its app-server's protocol, and what a host's Codex is asked.

`bridge` is the actor of the connection, which `connector` keeps up; `messages` says what it is
asked and what it tells, `settings` how it reaches Codex, and `ports` what the Codex of a host does.
Below it, from the bytes upwards: `lines` and `websocket` carry messages, `protocol` is a message's
envelope, and `connection` matches answers with requests. `routing` hands what Codex tells to the
session that it is about, by its `inbox`; `open_requests` are what Codex asks, `watchers` are told
of the connection itself, `kept_threads` are loaded for whoever goes on in them, `lineage` knows
which thread was started from which, and `active_turns` whether any is at work.

`requests` spells what is asked of Codex, `pages` reads its lists, `confinement` what a run lets it
do, `allow_rules` what its user's rules let through, and `allowed_tools` which tools its user is
never asked about. `shapes`, `approvals` and `diffs` make of a question of Codex's what a person is
shown, and of the decision its answer. `exec_runner` runs `codex exec` where no app-server is
wanted, `exec_lines` reads what that prints, and `exec_servers` asks which MCP servers it would
start; `mcp_servers` knows those that lead to Command Center itself. `accounts` reads who is signed
in, `usage_limits` how much of its plan is used, `extensions` what it is extended by, `warnings`
what Codex warns of, `vocabulary` says what is new in what it tells, and `versions` which can be
used. `errors` is what can go wrong.

Nothing imports it but the runners for Codex, the adapters of hosts, and what puts the parts
together: all others speak of any agent, in the words of `contracts`.
"""
