"""The things that the Telegram channel keeps of its chats."""

from typing import Any, Literal

import msgspec

from command_center.store.records.record import Record
from command_center.store.timestamps import Timestamp


class TelegramUpdate(Record, frozen=True, kw_only=True, rename="camel"):
    """One update of the Bot API from somebody who is allowed, kept before Telegram is answered.

    Attributes:
        update_id: the Bot API's own number, so that a repeated update does nothing.
        body: the update as it came, secrets aside.
        status: ``received``, ``begun`` while it is acted on, ``again`` where that was cut off
            and is tried once more, then ``done``.
    """

    update_id: int
    body: dict[str, Any]
    status: Literal["received", "begun", "again", "done"] = "received"


class TelegramChat(Record, frozen=True, kw_only=True, rename="camel"):
    """A chat that the bot talks to, and the notices that its people want.

    Attributes:
        muted: kinds of messages that are not sent.
        quiet_hours: ``HH:MM-HH:MM``, in which messages come without a sound.
        silent_until: a timestamp up to which all messages come without a sound.
        waits_for: by user id, what that user's next text is the answer to.
        migrated_to: the chat that took this one's place.
        unreachable: why Telegram takes no message for it; None once it speaks again.
    """

    chat_id: int
    muted: list[str] = msgspec.field(default_factory=list)
    quiet_hours: str | None = None
    silent_until: Timestamp | None = None
    waits_for: dict[str, Any] = msgspec.field(default_factory=dict)
    migrated_to: int | None = None
    unreachable: str | None = None


class TelegramMessage(Record, frozen=True, kw_only=True, rename="camel"):
    """A message of the bot, from when it is decided on: the outbox, and what each message shows.

    Attributes:
        purpose: why it was written, such as ``approval`` or ``session``.
        content: its text in styled pieces, its buttons, and how it is sent.
        edits: the id of the message that this one changes; None for one of its own.
        message_id: the Bot API's number of it, once sent.
        attempts: how often it was tried.
        not_before: a timestamp before which it may not be tried again.
        error: why the last attempt failed.
    """

    chat_id: int
    purpose: str
    content: dict[str, Any]
    status: Literal["waiting", "sent", "failed"] = "waiting"
    edits: int | None = None
    approval_id: int | None = None
    session_id: int | None = None
    message_id: int | None = None
    attempts: int = 0
    not_before: Timestamp | None = None
    error: str | None = None


class TelegramButton(Record, frozen=True, kw_only=True, rename="camel"):
    """A button and what it does, known to Telegram by a nonce that is good once.

    Attributes:
        message: the id of the ``TelegramMessage`` that it is on.
        used_by: the update that pressed it.
    """

    nonce: str
    chat_id: int
    message: int
    approval_id: int | None = None
    action: dict[str, Any]
    used_by: int | None = None
