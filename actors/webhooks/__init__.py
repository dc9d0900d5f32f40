"""Webhooks: events, as they are in the log, sent to addresses that an owner named.

Each delivery is signed as Standard Webhooks has it (`signing`). `carrier` brings what comes next to
a webhook, by the outbox that every channel has; `registry` keeps the webhooks, and has the outbox
look when something happens that one of them wants. `settings` is what both need to know, and `tree`
has the actors. What is written is in `ledger.webhooks`.
"""
