"""Telegram: what people decide and ask for from their phones, and what they are told there.

Telegram is a channel: `channel` says what a notice says here, and `carrier` sends it. `tree` has
the actors: a follower of the log and an outbox as every channel has them, `inbox` (how updates come
to be acted on) and `polling` (how they are fetched). `messages` is what the inbox is asked from
outside.

`updates` reads an update. `commands` and `callbacks` find out what it leads to, which is an act
(`effects`); `automations`, `preferences` and `requests` have parts of that, and `buttons` what a
button does. `files` fetches what people send with their words. What a message says is in `wording`,
and of an approval in `approval_wording`, in the styled text of `markup`; `outgoing` writes it into
the outbox. `chats` knows who may act, and what each chat wants to hear. `api` is the Bot API's
client, `settings` what all of them need to know, and `errors` what can go wrong.
"""
