"""Messages as they are decided on: units of a transaction, which the outbox later carries out.

A message, its buttons and what it tells of are committed together. So nothing is told that did
not happen, and what happened is told even if the process ends right after.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import attrs
import msgspec

from command_center.actors.telegram import buttons as actions
from command_center.actors.telegram.markup import StyledText, Text, fit, shorten
from command_center.store import (
    TelegramMessage,
    Transaction,
    telegram_buttons,
    telegram_messages,
)
from command_center.store.queries.telegram import remove_buttons

Document: TypeAlias = Literal["diff"]
"""The contents that may be sent as a file."""

LABEL = 60
"""Characters of a button's label."""


@attrs.frozen
class Button:
    """A button, by what it says and what it does."""

    label: str
    action: actions.Action


Keyboard = tuple[tuple[Button, ...], ...]
"""Rows of buttons."""


@attrs.frozen(kw_only=True)
class Outgoing:
    """A message to be written.

    Attributes:
        text: what it says.
        purpose: why it is written; the notifier's kinds, or `reply`.
        keyboard: its buttons.
        approval_id: the approval that it shows.
        session_id: the session that it shows; a reply to it is for that session.
        reply_to: the Bot API's number of the message that it answers.
        asks: what the next text is expected to be, as a hint in the input field.
        document: what is sent as a file beside it: the diff of its session, as it is then.
    """

    text: Text
    purpose: str = "reply"
    keyboard: Keyboard = ()
    approval_id: int | None = None
    session_id: int | None = None
    reply_to: int | None = None
    asks: str | None = None
    document: Document | None = None


class Content(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A message's form, as it is kept besides its row."""

    pieces: list[StyledText]
    keyboard: list[list[dict[str, str]]] = msgspec.field(default_factory=list)
    silent: bool = False
    plain: bool = False
    reply_to: int | None = None
    asks: str | None = None
    document: Document | None = None


def post(
    tx: Transaction, chat_id: int, outgoing: Outgoing, *, silent: bool = False
) -> TelegramMessage:
    """Write a message into the outbox."""
    message = telegram_messages.insert(
        tx,
        chat_id=chat_id,
        purpose=outgoing.purpose,
        content=_content(outgoing.text, [], silent=silent, of=outgoing),
        approval_id=outgoing.approval_id,
        session_id=outgoing.session_id,
    )
    if not outgoing.keyboard:
        return message
    keyboard = _make_buttons(tx, message, outgoing.keyboard)
    return telegram_messages.update(
        tx, message.id, content=_content(outgoing.text, keyboard, silent=silent, of=outgoing)
    )


def amend(
    tx: Transaction, message: TelegramMessage, text: Text, keyboard: Keyboard = ()
) -> TelegramMessage:
    """Change what a message says; the buttons that it had are gone, pressed or not."""
    remove_buttons(tx, message.id)
    return telegram_messages.insert(
        tx,
        chat_id=message.chat_id,
        purpose=message.purpose,
        content=_content(text, _make_buttons(tx, message, keyboard)),
        edits=message.id,
        approval_id=message.approval_id,
        session_id=message.session_id,
    )


def text_of(message: TelegramMessage) -> Text:
    """Return what a message says."""
    return tuple(content_of(message).pieces)


def content_of(message: TelegramMessage) -> Content:
    """Return the form of a message."""
    return msgspec.convert(message.content, Content)


def _content(
    text: Text,
    keyboard: Sequence[Sequence[dict[str, str]]],
    *,
    silent: bool = False,
    of: Outgoing | None = None,
) -> dict[str, Any]:
    content = Content(
        pieces=list(fit(text)),
        keyboard=[list(row) for row in keyboard],
        silent=silent,
        reply_to=None if of is None else of.reply_to,
        asks=None if of is None else of.asks,
        document=None if of is None else of.document,
    )
    plain: dict[str, Any] = msgspec.to_builtins(content)
    return plain


def label_of(button: Button) -> str:
    """Return what a button says; Telegram wants every button to say something."""
    return shorten(" ".join(button.label.split()), LABEL) or "…"


def _make_buttons(
    tx: Transaction, message: TelegramMessage, keyboard: Keyboard
) -> list[list[dict[str, str]]]:
    made = []
    for row in keyboard:
        buttons = []
        for button in row:
            nonce = secrets.token_hex(16)
            telegram_buttons.insert(
                tx,
                nonce=nonce,
                chat_id=message.chat_id,
                message=message.id,
                approval_id=actions.approval_of(button.action),
                action=actions.to_plain(button.action),
            )
            buttons.append({"label": label_of(button), "nonce": nonce})
        made.append(buttons)
    return made
