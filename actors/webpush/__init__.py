"""Web Push: what people are told by their browsers, with the page closed, and decide there.

Web Push is a channel: `channel` writes what a notice says for each browser that is
subscribed, and `carrier` leaves it at the browser's push service. `tree` has the actors: a follower
of the log and an outbox as every channel has them, and `subscriptions`, which takes browsers in and
the decisions that are made on notifications.

`encryption` is RFC 8291, by which nobody but the browser reads a message, and RFC 8292, by which
the push service knows whose it is. `sender` leaves messages at push services. Both are loaded with
the first message alone. `capabilities` are what lets a notification decide, and `settings` is what
all of them need to know.
"""
