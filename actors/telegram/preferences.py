"""Preferences of a chat: which notices, and when with a sound. `/mute`, `/quiet`, their buttons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from command_center.actors.channels.quiet_hours import parse_quiet_hours
from command_center.actors.telegram import chats
from command_center.actors.telegram.buttons import Toggle
from command_center.actors.telegram.effects import Act, Desk, Visit
from command_center.actors.telegram.markup import Text, bold, lines, text
from command_center.actors.telegram.outgoing import Button, Keyboard, Outgoing
from command_center.store import TelegramChat, Transaction, telegram_chats
from command_center.store.timestamps import from_timestamp, to_timestamp

LONGEST_MUTE: Final = timedelta(days=30)

_FOR = re.compile(r"(\d{1,4})\s*(m|min|h|d)", re.IGNORECASE)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


async def mute(desk: Desk, visit: Visit, words: str) -> Act:
    """Choose what is told here: `/mute`, `/mute 2h`, `/mute off`, `/mute sessions`."""
    words = words.strip().lower()
    duration = _FOR.fullmatch(words)

    def unit(tx: Transaction) -> Sequence[Outgoing]:
        chat = chats.known_chat(tx, visit.chat_id)
        if words in chats.KINDS:
            toggle(tx, chat, words)
        elif words == "off":
            telegram_chats.update(tx, chat.id, silent_until=None, muted=[])
        elif duration is not None:
            length = timedelta(**{_UNITS[duration[2].lower()]: int(duration[1])})
            until = from_timestamp(tx.now) + min(length, LONGEST_MUTE)
            telegram_chats.update(tx, chat.id, silent_until=to_timestamp(until))
        elif words:
            kinds = ", ".join(chats.KINDS)
            return [visit.reply(f"I know /mute, /mute 2h, /mute off, and /mute with: {kinds}.")]
        return [preferences_message(tx, visit, desk)]

    return Act(unit=unit)


async def quiet(desk: Desk, visit: Visit, words: str) -> Act:
    """Set the hours in which messages come without a sound: `/quiet 22:00-07:00`, `/quiet off`."""
    hours: str | None = words.strip()

    def unit(tx: Transaction) -> Sequence[Outgoing]:
        chat = chats.known_chat(tx, visit.chat_id)
        if hours == "off":
            telegram_chats.update(tx, chat.id, quiet_hours=None)
        elif hours:
            try:
                begin, end = parse_quiet_hours(hours)
            except ValueError:
                return [visit.reply("I know /quiet 22:00-07:00 and /quiet off.")]
            telegram_chats.update(tx, chat.id, quiet_hours=f"{begin:%H:%M}-{end:%H:%M}")
        return [preferences_message(tx, visit, desk)]

    return Act(unit=unit)


def preferences_message(tx: Transaction, visit: Visit, desk: Desk) -> Outgoing:
    """Show what the chat wants to be told, with a button for each kind."""
    chat = chats.known_chat(tx, visit.chat_id)
    return visit.reply(preferences_text(chat, desk), keyboard=preferences_keyboard(chat))


def preferences_text(chat: TelegramChat, desk: Desk) -> Text:
    """Say what the chat wants, in words."""
    until = chat.silent_until
    silent = until is not None and datetime.now(UTC) < from_timestamp(until)
    return lines(
        bold("What is told in this chat"),
        text("Without a sound from ", bold(chat.quiet_hours), ". /quiet off ends that.")
        if chat.quiet_hours
        else "With a sound at all hours; /quiet 22:00-07:00 changes that.",
        text("Without a sound until ", bold(chats.moment(until, desk.zone)), "; /mute off ends it.")
        if silent and until is not None
        else "/mute 2h makes the next two hours silent.",
    )


def preferences_keyboard(chat: TelegramChat) -> Keyboard:
    """Return a button for each kind."""
    return tuple(
        (Button(f"{'🔕' if kind in chat.muted else '🔔'} {name}", Toggle(kind)),)
        for kind, name in chats.KINDS.items()
    )


def toggle(tx: Transaction, chat: TelegramChat, kind: str) -> TelegramChat:
    """Mute a kind, or tell of it again."""
    muted = [k for k in chat.muted if k != kind]
    if kind not in chat.muted:
        muted.append(kind)
    return telegram_chats.update(tx, chat.id, muted=muted)
