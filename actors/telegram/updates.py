"""Updates as the Bot API sends them, as far as they mean something here.

Only `update_id` must be there. Everything else is read if it is what it should be: an update of
a kind that is not known here, or a known kind in an unexpected shape, is an update that says
nothing.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from command_center.actors.rules.lengths import PROMPT_LENGTH
from command_center.actors.telegram.errors import NotAnUpdate

DEEPEST = 100
"""Levels of nesting that an update may have."""


class Chat(msgspec.Struct, frozen=True):
    """The chat in which something was said."""

    id: int
    type: str = "private"


class User(msgspec.Struct, frozen=True):
    """The person who said it."""

    id: int
    is_bot: bool = False


class ReceivedFile(msgspec.Struct, frozen=True):
    """A file that somebody sent, which is to be fetched by its id; of a photo, one of its sizes."""

    file_id: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    file_size: int = 0
    file_name: Annotated[str, msgspec.Meta(max_length=300)] = ""


class Replied(msgspec.Struct, frozen=True):
    """The message that somebody replies to."""

    message_id: int


class Message(msgspec.Struct, frozen=True, rename={"user": "from"}):
    """A message, or a note of the chat's own such as its migration."""

    message_id: int
    chat: Chat
    user: User | None = None
    text: Annotated[str, msgspec.Meta(max_length=PROMPT_LENGTH)] | None = None
    caption: Annotated[str, msgspec.Meta(max_length=PROMPT_LENGTH)] | None = None
    photo: list[ReceivedFile] = []
    document: ReceivedFile | None = None
    media_group_id: str | None = None
    reply_to_message: Replied | None = None
    migrate_to_chat_id: int | None = None

    @property
    def said(self) -> str:
        """Return the words: a text, or what stands below a file."""
        return (self.text or self.caption or "").strip()

    @property
    def file(self) -> ReceivedFile | None:
        """Return what was sent with it: a file as it is, or the largest size of a photo."""
        return self.document or max(self.photo, key=lambda size: size.file_size, default=None)


class CallbackQuery(msgspec.Struct, frozen=True, rename={"user": "from"}):
    """A button was pressed."""

    id: str
    user: User
    message: Message | None = None
    data: str | None = None


class _Number(msgspec.Struct, frozen=True):
    update_id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _Kinds(msgspec.Struct, frozen=True):
    message: Message | None = None
    callback_query: CallbackQuery | None = None


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """One update; where both `message` and `callback_query` are None, it says nothing here."""

    update_id: int
    body: dict[str, Any]
    message: Message | None = None
    callback_query: CallbackQuery | None = None

    @property
    def chat(self) -> Chat | None:
        """Return the chat in which it happened."""
        if self.message is not None:
            return self.message.chat
        if self.callback_query is not None and self.callback_query.message is not None:
            return self.callback_query.message.chat
        return None

    @property
    def user(self) -> User | None:
        """Return the person who did it; None for a channel or an anonymous administrator."""
        if self.message is not None:
            return self.message.user
        return None if self.callback_query is None else self.callback_query.user


def decode_update(body: bytes) -> Update:
    """Read an update from JSON text.

    Raises:
        NotAnUpdate: it is no JSON, or has no update's number.
    """
    try:
        plain = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAnUpdate("it is not valid JSON") from error
    return read_update(plain)


def read_update(plain: Any) -> Update:
    """Read an update from plain JSON.

    Raises:
        NotAnUpdate: it has no update's number, or is nested too deep to be kept.
    """
    try:
        number = msgspec.convert(plain, _Number)
    except msgspec.ValidationError as error:
        raise NotAnUpdate("it has no update_id") from error
    if not isinstance(plain, dict) or is_deep(plain):
        raise NotAnUpdate(f"it is nested deeper than {DEEPEST} levels")
    try:
        kinds = msgspec.convert(plain, _Kinds)
    except (msgspec.ValidationError, RecursionError):
        kinds = _Kinds()
    return Update(
        update_id=number.update_id,
        body=plain,
        message=kinds.message,
        callback_query=kinds.callback_query,
    )


def is_deep(plain: object) -> bool:
    """Tell whether JSON is nested deeper than an update has reason to be."""
    waiting = [(plain, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            return True
        if isinstance(value, dict):
            waiting.extend((part, depth + 1) for part in value.values())
        elif isinstance(value, list):
            waiting.extend((part, depth + 1) for part in value)
    return False
