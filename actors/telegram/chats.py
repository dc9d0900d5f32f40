"""The chats that the bot talks to: who may act, what they want to hear, and when they are gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlite_utils import Database

from command_center.actors.channels.quiet_hours import is_quiet
from command_center.actors.contracts.events.operator import ChatMigrated, ChatUnreachable
from command_center.store import (
    TelegramChat,
    Transaction,
    telegram_chats,
)
from command_center.store.queries.telegram import fail_waiting, move_chat
from command_center.store.timestamps import from_timestamp

KINDS: Final = {
    "approvals": "Approvals and questions",
    "warnings": "Warnings before an approval expires",
    "sessions": "Sessions that ended, news of pull requests",
    "interrupted": "Sessions that were interrupted",
    "limits": "Limits of Codex's account",
    "automations": "Automations that were paused",
    "system": "Parts of Command Center that failed",
}
"""The kinds of messages that can be muted, and what they are called."""


def known_chat(tx: Transaction, chat_id: int) -> TelegramChat:
    """Return the chat's row, made where there is none."""
    found = telegram_chats.find(tx.db, {"chat_id": chat_id})
    return telegram_chats.insert(tx, chat_id=chat_id) if found is None else found


def heard_from(tx: Transaction, chat_id: int) -> TelegramChat:
    """Somebody spoke in the chat, so it can be written to again."""
    chat = known_chat(tx, chat_id)
    if chat.unreachable is not None:
        chat = telegram_chats.update(tx, chat.id, unreachable=None)
    return chat


def is_allowed(db: Database, allowed: frozenset[int], chat_id: int, user_id: int) -> bool:
    """Tell whether an update may act: its user is on the list, and so is its chat.

    A chat that took the place of an allowed one, as Telegram itself said, is as good as that.
    """
    return user_id in allowed and not allowed.isdisjoint(places_of(db, chat_id))


def places_of(db: Database, chat_id: int) -> Iterable[int]:
    """Return the chat, and those whose place it took."""
    places = {chat_id}
    waiting = [chat_id]
    while waiting:
        for chat in telegram_chats.every(db, {"migrated_to": waiting.pop()}):
            if chat.chat_id not in places:
                places.add(chat.chat_id)
                waiting.append(chat.chat_id)
    return places


def listeners(db: Database, allowed: frozenset[int], kind: str) -> list[TelegramChat]:
    """Return the chats that are told of a kind of things."""
    return [
        chat
        for chat in telegram_chats.every(db, {"migrated_to": None, "unreachable": None})
        if kind not in chat.muted and not allowed.isdisjoint(places_of(db, chat.chat_id))
    ]


def migrate(tx: Transaction, old: int, new: int) -> None:
    """Let a chat take the place of another, with its preferences, messages and buttons."""
    if old == new:
        return
    before = known_chat(tx, old)
    after = telegram_chats.find(tx.db, {"chat_id": new})
    preferences = {
        "muted": before.muted,
        "quiet_hours": before.quiet_hours,
        "silent_until": before.silent_until,
    }
    if after is None:
        telegram_chats.insert(tx, chat_id=new, **preferences)
    elif before.migrated_to != new:
        telegram_chats.update(tx, after.id, **preferences)
    telegram_chats.update(tx, before.id, migrated_to=new, waits_for={})
    move_chat(tx, old, new)
    if before.migrated_to != new:
        tx.emit(ChatMigrated(chat_id=old, migrated_to=new), actor="telegram")


def lose(tx: Transaction, chat_id: int, reason: str) -> None:
    """Give a chat up until somebody speaks there: what waits for it will not be sent."""
    chat = known_chat(tx, chat_id)
    fail_waiting(tx, chat_id, reason)
    if chat.unreachable is None:
        telegram_chats.update(tx, chat.id, unreachable=reason)
        tx.emit(ChatUnreachable(chat_id=chat_id, why=reason), actor="telegram")


def is_silent(chat: TelegramChat, now: datetime, zone: tzinfo | None) -> bool:
    """Tell whether a message comes without a sound now."""
    if chat.silent_until is not None and now < from_timestamp(chat.silent_until):
        return True
    return is_quiet(chat.quiet_hours, now, zone)


def answers_so_far(db: Database, chat_id: int, approval_id: int) -> dict[str, Any]:
    """Return what was answered in a chat to the earlier questions of an approval."""
    chat = telegram_chats.find(db, {"chat_id": chat_id})
    kept = {} if chat is None else chat.waits_for.get(_answers_key(approval_id), {})
    return dict(kept)


def keep_answers(
    tx: Transaction, chat_id: int, approval_id: int, answers: Mapping[str, Any]
) -> None:
    """Keep them with the chat until the last question of the approval has its answer."""
    chat = known_chat(tx, chat_id)
    waits = {**chat.waits_for, _answers_key(approval_id): dict(answers)}
    telegram_chats.update(tx, chat.id, waits_for=waits)


def _answers_key(approval_id: int) -> str:
    return f"approval {approval_id}"


def zone_of(name: str | None) -> tzinfo | None:
    """Return the time zone of a name; None, which is the machine's own, for none."""
    return None if name is None else ZoneInfo(name)


def moment(timestamp: str, zone: tzinfo | None, *, now: datetime | None = None) -> str:
    """Return a timestamp as people read it: the time, and the day unless it is today."""
    then = from_timestamp(timestamp).astimezone(zone)
    today = (datetime.now(UTC) if now is None else now).astimezone(zone).date()
    return f"{then:%H:%M}" if then.date() == today else f"{then:%d %b %H:%M}"
