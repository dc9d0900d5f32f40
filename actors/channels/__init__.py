"""Channels: the ways by which people hear of what happened while they do not look.

`notices` says what of the event log is worth a notice, in words that belong to no channel.
`follower` is the actor that follows the log for a channel and hands it each notice once, in the
transaction that keeps its place. `outbox` is the actor that sends what a channel has written, at
least once and in order for each recipient. `wording` puts a notice into a title and a few words,
for channels that say no more. `quiet_hours` are those of a recipient. `ports` says
what a channel brings; docs/channels.md shows how to write one.

`posting` leaves messages at addresses that somebody named, but at none that is not public
(`addresses`); `errors` is what can go wrong there.
"""
