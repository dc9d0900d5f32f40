"""The messages that `/telegram/inbox` takes from outside; they need no connection to Telegram."""

from __future__ import annotations

import msgspec

from command_center.actors.telegram.updates import Update
from command_center.runtime import Address, Request


class KeepUpdates(msgspec.Struct, Request[int], frozen=True):
    """Keep these updates; the answer, when it is durable, is how many were new and allowed.

    `offset`, if there is one, is kept in the same transaction: polling goes on from there.
    """

    updates: tuple[Update, ...]
    offset: int | None = None


INBOX: Address[KeepUpdates] = Address("/telegram/inbox")
