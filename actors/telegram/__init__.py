"""Telegram: what people decide and ask for from their phones, and what they are told there.

Start with `inbox` (how updates come to be acted on), `notifier` (how events become messages) and
`outbox` (how messages are sent). What a message says is in `wording`, what a command or a button
does in `commands` and `presses`.
"""
