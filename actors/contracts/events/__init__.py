"""The events: each type is one class, with its data as typed fields.

A class is tagged with the event's type, is emitted as itself, and its docstring says when the event
happens. The AsyncAPI document, the types of the page and the table in docs/events.md come from
here.

`repositories`, `pull_requests`, `tasks`, `sessions`, `approvals`, `automations`, `backups`,
`devices`, `webpush`, `notify`, `webhooks`, `uploads`, `accounts`, `threads`, `extensions`,
`usage_limits` and `operator` have the events about these; `operator` also has those of the clock,
of Codex's connection, of actors and of Telegram's chats. `streams` has what a stream says of
itself. `catalogue` has them all, and makes of a stored event's data its class again.
`prompts` has those of prompts that are saved, `shells` those of terminals, and `hosts` those of
other machines and of the leases of runs there.
"""
