"""`/telegram/polling`: fetches updates, for a machine that Telegram cannot reach.

How far it got is kept in the transaction that keeps the updates, and only a poll that begins
behind them tells Telegram that they arrived: a crash in between brings them again, and what comes
again does nothing twice.

A bot has either a webhook or polls. Where a webhook is set, polling waits and says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
import trio

from command_center.actors.core.storage import Storage
from command_center.actors.rules.errors import Unavailable
from command_center.actors.telegram.api import BotApi
from command_center.actors.telegram.errors import (
    BotApiFailed,
    BotApiLimited,
    BotApiRefused,
    BotApiUnreachable,
    NotAnUpdate,
    TokenRejected,
)
from command_center.actors.telegram.inbox import OFFSET
from command_center.actors.telegram.messages import INBOX, KeepUpdates
from command_center.actors.telegram.settings import TelegramSettings
from command_center.actors.telegram.updates import Update, read_update
from command_center.runtime import Actor, ActorCrashed, ActorNotFound, ActorStopped, AskTimeout
from command_center.store import ChannelMark, channel_marks
from command_center.store.timestamps import from_timestamp

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

KINDS: Final = ("message", "callback_query")
"""The kinds of updates that are asked for."""

CONFLICT: Final = 409
CONFLICT_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 2.0

FORGETS_AFTER: Final = timedelta(days=6)
"""After a week without updates their numbers begin anew at random; then no offset is right."""

HAS_WEBHOOK: Final = (
    "A webhook is set for this bot, so it cannot poll. Remove it with "
    "`command-center telegram setup --remove`, or set CC_TELEGRAM_MODE=webhook."
)
OTHER_POLLS: Final = (
    "Another program polls for this bot. Only one can: stop the other, or give it its own bot."
)


_PASSING = (
    BotApiUnreachable,
    BotApiFailed,
    TokenRejected,
    ActorStopped,
    ActorCrashed,
    ActorNotFound,
    AskTimeout,
    Unavailable,
)


class Polling(Actor):
    """Asks for updates, again and again."""

    def __init__(self, settings: TelegramSettings, storage: Storage) -> None:
        """Poll for the bot of `settings`."""
        self._settings = settings
        self._storage = storage
        self._problem: str | None = None
        self._failures = 0

    async def on_start(self) -> None:
        """Go on behind the last updates that were kept."""
        self._api = BotApi(self._settings)
        self.ctx.start_task(self._poll)

    async def on_stop(self) -> None:
        """Close the connections."""
        with trio.move_on_after(CLOSE_SECONDS):
            await self._api.close()

    def describe(self) -> Mapping[str, object]:
        """Show what keeps it from polling, if something does."""
        return {"problem": self._problem}

    async def _poll(self) -> None:
        while True:
            try:
                await self._fetch()
            except BotApiLimited as limited:
                await self._pause(limited, limited.retry_after)
            except BotApiRefused as refused:
                await self._refused(refused)
            except _PASSING as error:
                self._failures += 1
                await self._pause(error, self._settings.backoff.delay(self._failures))
            else:
                self._failures = 0
                self._problem = None

    async def _fetch(self) -> None:
        """Poll once. The updates are durable when this returns."""
        seconds = self._settings.poll_seconds
        params: dict[str, Any] = {"timeout": seconds, "allowed_updates": KINDS}
        mark = await self._storage.read(lambda db: channel_marks.find(db, {"name": OFFSET}))
        if mark is not None and is_fresh(mark, datetime.now(UTC)):
            params["offset"] = mark.value
        fetched = await self._api.call("getUpdates", params, extra_seconds=seconds)
        updates = [update for plain in as_list(fetched) if (update := read(plain)) is not None]
        if not updates:
            return
        offset = max(update.update_id for update in updates) + 1
        inbox = self.ctx.lookup(INBOX)
        await inbox.ask(KeepUpdates(tuple(updates), offset=offset), timeout=60.0)

    async def _refused(self, refused: BotApiRefused) -> None:
        if refused.status != CONFLICT:
            await self._pause(refused, self._settings.backoff.cap)
            return
        problem = HAS_WEBHOOK if "webhook" in refused.description.lower() else OTHER_POLLS
        if self._problem != problem:
            log.error("telegram.polling.conflict", reason=problem)
        self._problem = problem
        await trio.sleep(min(CONFLICT_SECONDS, self._settings.backoff.cap))

    async def _pause(self, error: Exception, seconds: float) -> None:
        self._problem = str(error)
        log.warning("telegram.polling.failed", seconds=seconds, reason=str(error))
        await trio.sleep(seconds)


def is_fresh(mark: ChannelMark, now: datetime) -> bool:
    """Tell whether the numbers of updates still go on from the mark."""
    return now - from_timestamp(mark.updated_at) < FORGETS_AFTER


def as_list(fetched: object) -> list[Any]:
    """Return what a poll brought."""
    return fetched if isinstance(fetched, list) else []


def read(plain: object) -> Update | None:
    """Read an update; return None for anything else."""
    try:
        return read_update(plain)
    except NotAnUpdate as error:
        log.warning("telegram.update.unreadable", reason=str(error))
        return None
