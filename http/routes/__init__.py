"""The routes, one noun each: a request becomes a message for an actor, or a read of the store.

`health`, `repos`, `tasks`, `sessions`, `followups`, `approvals`, `automations`, `search` and
`events` are the product's nouns; `codex` reads Codex's own threads, `runtime` looks into the tree
of actors, `telemetry` sums up a span of time, `telegram` takes what Telegram sends, and
`dashboard` serves the page at `/`, whose files are in `http/web/`.
"""
