"""Carries messages to Telegram, at the pace that the Bot API wants.

What the Bot API answers tells whether a message was sent, waits, or will never be.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import structlog
import trio
from sqlite_utils import Database

from command_center.actors.channels.ports import DeliveryOutcome
from command_center.actors.core.clock import later
from command_center.actors.core.storage import Storage
from command_center.actors.telegram import chats, markup
from command_center.actors.telegram.api import BotApi, SentFile
from command_center.actors.telegram.errors import (
    BotApiFailed,
    BotApiLimited,
    BotApiRefused,
    BotApiUnreachable,
    TokenRejected,
)
from command_center.actors.telegram.outgoing import content_of
from command_center.actors.telegram.settings import TelegramSettings
from command_center.store import TelegramMessage, Transaction, sessions, telegram_messages
from command_center.store.queries.telegram import chats_waiting, remove_old
from command_center.store.timestamps import now_timestamp, to_timestamp

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LONGEST_DOCUMENT: Final = 20 * 1024 * 1024
"""Bytes of the longest file that is sent; the Bot API takes 50 MB."""

CUT: Final = b"\n[... cut here: the diff is longer than 20 MiB ...]\n"

UPLOAD_SECONDS: Final = 60.0
"""Seconds that a file may take longer than a message."""

KEPT_DAYS: Final = 90
"""Seconds for which messages that were sent or failed are kept."""

Verdict = Literal["as it is", "unparsable", "gone", "hopeless"]

_GONE = (
    "chat not found",
    "user is deactivated",
    "group chat was deactivated",
    "bot was kicked",
    "bot is not a member",
    "peer_id_invalid",
    "not enough rights to send",
    "have no rights to send",
    "chat_write_forbidden",
)


class TelegramCarrier:
    """Sends what waits for the chats, by the Bot API."""

    def __init__(self, settings: TelegramSettings, storage: Storage) -> None:
        """Send for the bot of `settings` what `storage` holds."""
        self._settings = settings
        self._storage = storage
        self._api = BotApi(settings)
        self._pace = Pace(settings)

    def recipients(self, db: Database) -> list[int]:
        """Return the chats for which a message waits."""
        return chats_waiting(db)

    def next(self, db: Database, recipient: int) -> TelegramMessage | None:
        """Return a chat's oldest message that waits."""
        return telegram_messages.find(db, {"chat_id": recipient, "status": "waiting"})

    async def pace(self, recipient: int) -> None:
        """Wait until a message to the chat may be sent."""
        await self._pace.wait(recipient)

    def forget_old(self, tx: Transaction) -> None:
        """Remove what is long done with: buttons, messages, and updates."""
        remove_old(tx, before=to_timestamp(datetime.now(UTC) - timedelta(days=KEPT_DAYS)))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def deliver(self, message: TelegramMessage) -> DeliveryOutcome:
        """Send the message, or change the one that it edits.

        Where it fails for a reason that passes it waits for as long as Telegram says, or for a time
        that doubles.
        """
        target = None
        if message.edits is not None:
            edited = message.edits
            target = await self._storage.read(lambda db: telegram_messages.get(db, edited))
            if target.message_id is None:
                return _failed(message, "The message that it changes was never sent.")
        upload = await self._storage.read(lambda db: upload_of(db, message))
        method = "sendMessage" if target is None else "editMessageText"
        params = params_of(message, target)
        if upload is not None:
            method, params = "sendDocument", captioned(message, params)
        try:
            result = await self._api.call(
                method,
                params,
                upload=upload,
                extra_seconds=0.0 if upload is None else UPLOAD_SECONDS,
            )
        except BotApiLimited as limited:
            return _postponed(message, limited.retry_after, limited, counts=False)
        except (BotApiUnreachable, BotApiFailed, TokenRejected) as error:
            pause = self._settings.backoff.delay(message.attempts + 1)
            return _postponed(message, pause, error)
        except BotApiRefused as refused:
            return _refused(message, refused)
        number = result.get("message_id") if isinstance(result, dict) else None
        return _sent(message, number)


def _sent(message: TelegramMessage, number: int | None) -> DeliveryOutcome:
    def write(tx: Transaction) -> None:
        telegram_messages.update(
            tx,
            message.id,
            status="sent",
            message_id=number if message.edits is None else None,
            attempts=message.attempts + 1,
            not_before=None,
            error=None,
        )

    return DeliveryOutcome(write, is_sent=True)


def _failed(message: TelegramMessage, reason: str) -> DeliveryOutcome:
    log.warning("telegram.message.failed", message=message.id, reason=reason)

    def write(tx: Transaction) -> None:
        telegram_messages.update(
            tx, message.id, status="failed", error=reason, attempts=message.attempts + 1
        )

    return DeliveryOutcome(write, is_failed=True, problem=reason)


def _postponed(
    message: TelegramMessage, seconds: float, error: Exception, *, counts: bool = True
) -> DeliveryOutcome:
    log.warning(
        "telegram.message.postponed", message=message.id, seconds=seconds, reason=str(error)
    )

    def write(tx: Transaction) -> None:
        telegram_messages.update(
            tx,
            message.id,
            attempts=message.attempts + int(counts),
            not_before=later(now_timestamp(), seconds),
            error=str(error),
        )

    return DeliveryOutcome(write, problem=str(error))


def _refused(message: TelegramMessage, refused: BotApiRefused) -> DeliveryOutcome:
    problem = str(refused)
    new = refused.migrated_to
    if new is not None:
        return DeliveryOutcome(lambda tx: chats.migrate(tx, message.chat_id, new), problem=problem)
    match judge(refused):
        case "as it is":
            return _sent(message, None)
        case "unparsable" if not content_of(message).plain:
            plain = {**message.content, "plain": True}
            return DeliveryOutcome(
                lambda tx: telegram_messages.update(tx, message.id, content=plain), problem=problem
            )
        case "gone":
            log.warning("telegram.chat.lost", chat=message.chat_id, reason=problem)
            return DeliveryOutcome(
                lambda tx: chats.lose(tx, message.chat_id, refused.description),
                is_failed=True,
                problem=problem,
            )
        case _:
            return _failed(message, problem)


class Pace:
    """The Bot API's limits: for each chat, and for all together."""

    def __init__(self, settings: TelegramSettings) -> None:
        self._settings = settings
        self._free: dict[int, float] = {}
        self._all_free = 0.0

    async def wait(self, chat_id: int) -> None:
        """Wait until a message to the chat may be sent. One task at a time waits for a chat."""
        await trio.sleep_until(self._free.get(chat_id, trio.current_time()))
        now = trio.current_time()
        at = max(now, self._all_free)
        for other in [chat for chat, free in self._free.items() if free <= now]:
            del self._free[other]
        self._free[chat_id] = at + (
            self._settings.group_seconds if chat_id < 0 else self._settings.chat_seconds
        )
        self._all_free = at + self._settings.all_seconds
        await trio.sleep_until(at)


def judge(refused: BotApiRefused) -> Verdict:
    """Say what a refusal means for the message; the Bot API tells them apart by words alone."""
    said = refused.description.lower()
    if "message is not modified" in said:
        return "as it is"
    if "can't parse entities" in said:
        return "unparsable"
    if refused.status == 403 or any(words in said for words in _GONE):  # noqa: PLR2004 - its own meaning
        return "gone"
    return "hopeless"


def params_of(message: TelegramMessage, target: TelegramMessage | None) -> dict[str, Any]:
    """Return the parameters of `sendMessage`, or of `editMessageText` where there is a target."""
    content = content_of(message)
    params: dict[str, Any] = {
        "chat_id": message.chat_id,
        "link_preview_options": {"is_disabled": True},
    }
    if content.plain:
        params["text"] = markup.to_plain(content.pieces)
    else:
        params |= {"text": markup.to_html(content.pieces), "parse_mode": "HTML"}
    if content.keyboard:
        params["reply_markup"] = {
            "inline_keyboard": [
                [{"text": b["label"], "callback_data": b["nonce"]} for b in row]
                for row in content.keyboard
            ]
        }
    if target is not None:
        return params | {"message_id": target.message_id}
    if content.silent:
        params["disable_notification"] = True
    if content.reply_to is not None:
        params["reply_parameters"] = {
            "message_id": content.reply_to,
            "allow_sending_without_reply": True,
        }
    if content.asks is not None and not content.keyboard:
        params["reply_markup"] = {
            "force_reply": True,
            "selective": True,
            "input_field_placeholder": content.asks[:64],
        }
    return params


def captioned(message: TelegramMessage, params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of `sendDocument`, from those of `sendMessage`."""
    pieces = markup.fit(content_of(message).pieces, markup.LONGEST_CAPTION)
    changed = {k: v for k, v in params.items() if k not in {"text", "link_preview_options"}}
    is_plain = "parse_mode" not in params
    return changed | {"caption": markup.to_plain(pieces) if is_plain else markup.to_html(pieces)}


def upload_of(db: Database, message: TelegramMessage) -> SentFile | None:
    """Return the file that goes with a message, if there is one and it is not empty."""
    if content_of(message).document is None or message.session_id is None:
        return None
    session = sessions.find(db, {"id": message.session_id})
    if session is None or not session.diff:
        return None
    data = sessions.whole(db, session, "diff").encode()
    if len(data) > LONGEST_DOCUMENT:
        data = data[:LONGEST_DOCUMENT].rpartition(b"\n")[0] + CUT
    return SentFile("document", f"session-{session.id}.diff", data)
