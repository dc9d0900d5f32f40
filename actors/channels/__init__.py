"""Channels: the ways by which people hear of what happened while they do not look.

`notices` says what of the event log is worth a notice, in words that belong to no channel.
`follower` is the actor that follows the log for a channel and hands it each notice once, in the
transaction that keeps its place. `outbox` is the actor that sends what a channel has written, at
least once and in order for each recipient. `ports` says what the two need of a channel; Telegram is
one, and docs/channels.md shows how to write another.
"""
