"""Brings events to webhooks: each in its order, and signed.

Whatever is no 2xx is a failure: the event waits, and those after it too. What the other side says
of when to come back counts up to a bound. One that says 410 is paused at once, as one is that has
failed for a day.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import structlog
import trio
from sqlite_utils import Database

from command_center.actors.channels.errors import AddressNotAllowed, Unreachable
from command_center.actors.channels.ports import DeliveryOutcome
from command_center.actors.core.clock import later
from command_center.actors.core.storage import Storage
from command_center.actors.ledger import webhooks as ledger
from command_center.actors.ledger.webhooks import DueEvent
from command_center.actors.webhooks.settings import WebhookSettings
from command_center.actors.webhooks.signing import signed_headers
from command_center.store import Transaction, log_identity
from command_center.store.timestamps import now_timestamp

if TYPE_CHECKING:
    from command_center.actors.channels.posting import Answer, Poster

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LONGEST_RETRY: Final = 3600.0
"""Seconds that a webhook may have this server wait."""

_GONE: Final = 410
_REDIRECTS: Final = range(300, 400)
_TAKEN: Final = range(200, 300)


class WebhookCarrier:
    """Sends to webhooks what waits for them."""

    def __init__(self, settings: WebhookSettings, storage: Storage) -> None:
        """Send as `settings` have it what `storage` holds."""
        self._settings = settings
        self._storage = storage
        self._poster: Poster | None = None
        self._log_id = ""
        self._making = trio.Lock()

    def recipients(self, db: Database) -> list[int]:
        """Return the webhooks for which something waits."""
        return ledger.waiting(db)

    def next(self, db: Database, recipient: int) -> DueEvent | None:
        """Return what is to be sent to a webhook next."""
        return ledger.next_letter(db, recipient)

    async def pace(self, _recipient: int) -> None:
        """Let others have a turn."""
        await trio.lowlevel.checkpoint()

    def forget_old(self, tx: Transaction) -> None:
        """Do nothing: what is old goes with each delivery."""

    async def aclose(self) -> None:
        """Close the connections."""
        if self._poster is not None:
            await self._poster.aclose()

    async def deliver(self, message: DueEvent) -> DeliveryOutcome:
        """Send an event, and say what came of it."""
        poster = await self._get_poster()
        webhook, event = message.webhook, message.event
        headers = {
            "Host": urlsplit(webhook.url).netloc,
            "Content-Type": "application/json",
            "User-Agent": "command-center",
            # The same for each attempt: who has seen it may pass it over.
            **signed_headers(
                webhook.secret,
                delivery=f"{self._log_id}-{event.id}",
                seconds=int(time.time()),
                body=event.body,
            ),
        }
        begun = trio.current_time()
        try:
            answer = await poster.post(webhook.url, headers, event.body)
        except (AddressNotAllowed, Unreachable) as error:
            return self._failed(message, str(error), None, _milliseconds_since(begun))
        if answer.status in _TAKEN:
            write = partial(
                ledger.note_delivered,
                letter=message,
                status=answer.status,
                milliseconds=_milliseconds_since(begun),
            )
            return DeliveryOutcome(write, is_sent=True)
        said = f"It answered {answer.status}."
        if answer.status in _REDIRECTS:
            said = f"It answered {answer.status}. Redirects are not followed: give the new address."
        return self._failed(message, said, answer, _milliseconds_since(begun))

    def _failed(
        self, letter: DueEvent, reason: str, answer: Answer | None, milliseconds: int
    ) -> DeliveryOutcome:
        wait = self._settings.backoff.delay(letter.attempts + 1)
        if answer is not None and answer.retry_after is not None:
            wait = min(max(answer.retry_after, wait), LONGEST_RETRY)
        is_gone = answer is not None and answer.status == _GONE
        log.warning("webhook.delivery.failed", webhook=letter.webhook.id, reason=reason)

        def write(tx: Transaction) -> None:
            ledger.note_failed(
                tx,
                letter,
                reason=reason,
                status=None if answer is None else answer.status,
                milliseconds=milliseconds,
                not_before=later(now_timestamp(), wait),
                pause_seconds=0 if is_gone else self._settings.pause_seconds,
            )

        return DeliveryOutcome(write, is_failed=letter.is_by_hand, problem=reason)

    async def _get_poster(self) -> Poster:
        async with self._making:
            if self._poster is None:
                self._log_id = await self._storage.read(log_identity.log_id)
                self._poster = await trio.to_thread.run_sync(_make_poster, self._settings)
        return self._poster


def _make_poster(settings: WebhookSettings) -> Poster:
    from command_center.actors.channels.posting import Poster  # noqa: PLC0415 - nothing needs it before the first delivery

    return Poster(
        allows_private=settings.allows_private,
        setting="CC_WEBHOOK_PRIVATE_ADDRESSES",
        call_seconds=settings.call_seconds,
        connections=ledger.MOST,  # none waits for another
    )


def _milliseconds_since(begun: float) -> int:
    return round((trio.current_time() - begun) * 1000)
