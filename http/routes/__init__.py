"""The routes, one noun each: a request becomes a message for an actor, or a read of the store.

`repos`, `worktrees`, `tasks`, `sessions`, `landing`, `pushes`, `pull_requests`, `issues`,
`messages`, `uploads`, `comments`, `reviews`, `followups`, `approvals`, `automations`, `search` and
`events` are the product's nouns, and `long_texts` shows of them what is too long for a row. `codex`
reads Codex's own threads, `codex_extensions` its MCP servers, skills and hooks, `rules` are what is
always allowed in a repository, `runtime` looks into the tree of actors, `health`, `metrics` and
`telemetry` tell how all of it is, `telegram` and `github` take what those send, `devices` are who
else is let in, `pairing` lets them in by a code, and `signin` gives a browser its cookie. `table`
lists all of them. `certificate` has a phone install the authority of this machine, and `dashboard`
serves the page at `/`, whose files are in `http/web/`. `webpush` has browsers told with the page
closed, `notify` shows who else is told, `spending` caps what runs use in a day, and `webhooks` has
what happens sent elsewhere.
`backups` are those of the installation. `passkeys` lets a device in by a browser's authenticator.
`mcp` takes the messages of agents, and `hooks` the deliveries that start automations. `inbox`
has what people have dismissed or put off.
`sharing` gives a session as one document.
`files` are those of a checkout, `snapshots` what they were in a session's worktree, and `prompts`
what is said again in a repository.
`shells` are terminals where sessions work, `hosts` the machines that repositories lie on,
`host_links` the ways in for those that dial out, `cluster` the one that this server is of, and
`settings` shows what the server was told at its start, and
`doctor` looks for what keeps the server from working.
"""
