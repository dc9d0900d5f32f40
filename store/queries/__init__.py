"""Statements of SQL that ask or change more than a table does by itself.

`search` finds texts in transcripts, of which `snippets` shows parts; `telemetry` and `summaries`
count; `causes` follows events to those that led to them, and `turns` says of which turns something
is known. `event_removal` removes the oldest events, and
`transcript_removal` old transcripts, both by the age that `days_told` believes, and `removal` a
repository with all that refers to it.
`attachments` says which uploads are needed, and `telegram`, `webpush`, `notify` and `webhooks`
change many rows of their tables at once. `passkeys` and `rules` remove one, and `automation_runs`
counts what has begun. `stored_threads` keeps what was said elsewhere, `file_size` says how much
there is and gives free pages back, and `compacting` writes the file anew. `log_places` moves who
follows the log, and `inbox` removes the marks of an inbox that are past.
"""
