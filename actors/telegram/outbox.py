"""`/telegram/outbox`: sends what was written, at least once and in order for each chat.

A message is in the store before anything is sent and marked as sent after Telegram has it. If
the answer is lost in between, it is sent again: a message may come twice, but none is missing.

Each chat has a task of its own, so one that is slow, limited or gone holds up no other. A task
sends the chat's oldest waiting message, no sooner than the Bot API's limits allow; where it fails
for a reason that passes, the message waits, in the store, for as long as Telegram says or for a
time that doubles, and what comes after it waits too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import msgspec
import structlog
import trio
from sqlite_utils import Database

from command_center.actors.core.clock import later
from command_center.actors.core.storage import Storage
from command_center.actors.telegram import chats, markup
from command_center.actors.telegram.api import BotApi, Upload
from command_center.actors.telegram.errors import (
    BotApiFailed,
    BotApiLimited,
    BotApiRefused,
    BotApiUnreachable,
    TokenRejected,
)
from command_center.actors.telegram.outgoing import content_of
from command_center.actors.telegram.settings import TelegramSettings
from command_center.runtime import Actor, ActorRef, MailboxFull, handles
from command_center.store import TelegramMessage, Transaction, sessions, telegram_messages
from command_center.store.telegram import chats_waiting, remove_old
from command_center.store.timestamps import from_timestamp, now_timestamp, to_timestamp

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

PATH: Final = "/telegram/outbox"

LOOK_SECONDS: Final = 30.0
"""How often the store is looked at without being told to."""

LONGEST_WAIT: Final = 3600.0
"""The most seconds slept at once, so that a clock that was set back is noticed."""

CLOSE_SECONDS: Final = 2.0
"""How long closing the connections may take."""

LONGEST_DOCUMENT: Final = 20 * 1024 * 1024
"""Bytes of the longest file that is sent; the Bot API takes 50 MB."""

CUT: Final = b"\n[... cut here: the diff is longer than 20 MiB ...]\n"

UPLOAD_SECONDS: Final = 60.0
"""How much longer than a message a file may take."""

KEPT_DAYS: Final = 90
"""How long messages that are done with are kept."""

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


class MessagesPosted(msgspec.Struct, frozen=True):
    """Something was committed for the outbox."""


class Outbox(Actor):
    """Sends messages. Nobody waits for it."""

    def __init__(self, settings: TelegramSettings, storage: Storage) -> None:
        """Send what `storage` holds, for the bot of `settings`."""
        self._settings = settings
        self._storage = storage
        self._news = trio.Event()
        self._serving: set[int] = set()
        self._pace = Pace(settings)
        self._sent = 0
        self._failed = 0
        self._last_error: str | None = None

    async def on_start(self) -> None:
        """Go on where a former life stopped."""
        self._api = BotApi(self._settings)
        await self._storage.write(forget_old)
        self.ctx.start_task(self._dispatch)

    async def on_stop(self) -> None:
        """Close the connections; what was not sent waits."""
        with trio.move_on_after(CLOSE_SECONDS):
            await self._api.close()

    def describe(self) -> Mapping[str, object]:
        """What was sent in this life, and what went wrong last."""
        return {
            "sent": self._sent,
            "failed": self._failed,
            "chatsBusy": len(self._serving),
            "lastError": self._last_error,
        }

    @handles(MessagesPosted)
    async def posted(self, _message: MessagesPosted) -> None:
        """Look now."""
        self._news.set()

    async def _dispatch(self) -> None:
        """See that each chat for which something waits has its task."""
        while True:
            self._news = trio.Event()
            for chat_id in await self._storage.read(chats_waiting):
                if chat_id not in self._serving:
                    self._serving.add(chat_id)
                    self.ctx.start_task(self._serve, chat_id)
            with trio.move_on_after(LOOK_SECONDS):
                await self._news.wait()

    async def _serve(self, chat_id: int) -> None:
        """Send a chat's messages until none waits."""
        try:
            while True:
                message = await self._storage.read(lambda db: next_waiting(db, chat_id))
                if message is None:
                    return
                if message.not_before is not None:
                    left = from_timestamp(message.not_before) - datetime.now(UTC)
                    if left > timedelta(0):
                        await trio.sleep(min(left.total_seconds(), LONGEST_WAIT))
                        continue
                await self._pace.wait(chat_id)
                await self._send(message)
        finally:
            # A message that was posted since the last look is found by another one.
            self._serving.discard(chat_id)
            self._news.set()

    async def _send(self, message: TelegramMessage) -> None:
        target = None
        if message.edits is not None:
            edited = message.edits
            target = await self._storage.read(lambda db: telegram_messages.get(db, edited))
            if target.message_id is None:
                await self._fail(message, "The message that it changes was never sent.")
                return
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
            await self._postpone(message, limited.retry_after, limited, counts=False)
        except (BotApiUnreachable, BotApiFailed, TokenRejected) as error:
            await self._postpone(message, self._settings.backoff.delay(message.attempts + 1), error)
        except BotApiRefused as refused:
            await self._refused(message, refused)
        else:
            number = result.get("message_id") if isinstance(result, dict) else None
            await self._done(message, number)

    async def _done(self, message: TelegramMessage, number: int | None) -> None:
        self._sent += 1
        self._last_error = None
        await self._storage.write(
            lambda tx: telegram_messages.update(
                tx,
                message.id,
                status="sent",
                message_id=number if message.edits is None else None,
                attempts=message.attempts + 1,
                not_before=None,
                error=None,
            )
        )

    async def _fail(self, message: TelegramMessage, reason: str) -> None:
        self._failed += 1
        self._last_error = reason
        log.warning("telegram.message.failed", message=message.id, reason=reason)
        await self._storage.write(
            lambda tx: telegram_messages.update(
                tx, message.id, status="failed", error=reason, attempts=message.attempts + 1
            )
        )

    async def _postpone(
        self, message: TelegramMessage, seconds: float, error: Exception, *, counts: bool = True
    ) -> None:
        self._last_error = str(error)
        log.warning(
            "telegram.message.postponed", message=message.id, seconds=seconds, reason=str(error)
        )
        await self._storage.write(
            lambda tx: telegram_messages.update(
                tx,
                message.id,
                attempts=message.attempts + int(counts),
                not_before=later(now_timestamp(), seconds),
                error=str(error),
            )
        )

    async def _refused(self, message: TelegramMessage, refused: BotApiRefused) -> None:
        new = refused.migrated_to
        if new is not None:
            self._last_error = str(refused)
            await self._storage.write(lambda tx: chats.migrate(tx, message.chat_id, new))
            return
        match judge(refused):
            case "as it is":
                await self._done(message, None)
            case "unparsable" if not content_of(message).plain:
                await self._storage.write(
                    lambda tx: telegram_messages.update(
                        tx, message.id, content={**message.content, "plain": True}
                    )
                )
            case "gone":
                self._failed += 1
                self._last_error = str(refused)
                log.warning("telegram.chat.lost", chat=message.chat_id, reason=str(refused))
                await self._storage.write(
                    lambda tx: chats.lose(tx, message.chat_id, refused.description)
                )
            case _:
                await self._fail(message, str(refused))


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
    """What a refusal means for the message; the Bot API tells these apart by their words alone."""
    said = refused.description.lower()
    if "message is not modified" in said:
        return "as it is"
    if "can't parse entities" in said:
        return "unparsable"
    if refused.status == 403 or any(words in said for words in _GONE):  # noqa: PLR2004 - its own meaning
        return "gone"
    return "hopeless"


def params_of(message: TelegramMessage, target: TelegramMessage | None) -> dict[str, Any]:
    """The parameters of `sendMessage`, or of `editMessageText` where there is a target."""
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
    """The parameters of `sendDocument`, from those of `sendMessage`."""
    pieces = markup.fit(content_of(message).pieces, markup.LONGEST_CAPTION)
    changed = {k: v for k, v in params.items() if k not in {"text", "link_preview_options"}}
    is_plain = "parse_mode" not in params
    return changed | {"caption": markup.to_plain(pieces) if is_plain else markup.to_html(pieces)}


def upload_of(db: Database, message: TelegramMessage) -> Upload | None:
    """The file that goes with a message, if there is one and it still has something in it."""
    if content_of(message).document is None or message.session_id is None:
        return None
    session = sessions.find(db, {"id": message.session_id})
    if session is None or not session.diff:
        return None
    data = session.diff.encode()
    if len(data) > LONGEST_DOCUMENT:
        data = data[:LONGEST_DOCUMENT].rpartition(b"\n")[0] + CUT
    return Upload("document", f"session-{session.id}.diff", data)


def next_waiting(db: Database, chat_id: int) -> TelegramMessage | None:
    """A chat's oldest message that waits."""
    return telegram_messages.find(db, {"chat_id": chat_id, "status": "waiting"})


def forget_old(tx: Transaction) -> None:
    """Remove what is long done with: buttons, messages, and updates."""
    remove_old(tx, before=to_timestamp(datetime.now(UTC) - timedelta(days=KEPT_DAYS)))


def wake(find: Callable[[str], ActorRef | None]) -> None:
    """Tell the outbox that something was posted; if it is not there, it will look by itself."""
    ref = find(PATH)
    if ref is not None:
        with contextlib.suppress(MailboxFull):
            ref.try_tell(MessagesPosted())
