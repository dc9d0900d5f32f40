"""`/limits/…`: follows the limits of a host's account, and lets what waits for a reset go on.

What is known and the hold are in the store. This actor keeps the time by the wall clock, so that a
restart, or a machine that slept, changes only when a reset is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import attrs
import structlog

from command_center.actors.codex import requests
from command_center.actors.codex.messages import Call, CodexNotification, codex_on
from command_center.actors.codex.usage_limits import TOLD, limits_from, limits_told
from command_center.actors.contracts.addresses import SLOTS, session_at
from command_center.actors.contracts.sessions import SlotsChanged
from command_center.actors.contracts.usage_limits import (
    LimitMet,
    LimitOver,
    ReadLimits,
    UsageLimit,
    UsageLimits,
)
from command_center.actors.core.clock import LOOK_SECONDS, seconds_until
from command_center.actors.core.storage import Storage
from command_center.actors.ledger import usage_limits as ledger
from command_center.actors.rules.errors import Unavailable
from command_center.actors.sessions.runners.codex.threads import ask_codex
from command_center.actors.sessions.runners.codex.watcher import BridgeWatcher
from command_center.runtime import (
    ActorNotFound,
    Deferred,
    MailboxFull,
    Refusal,
    Timer,
    handles,
)
from command_center.store import now_timestamp, usage_limits
from command_center.store.usage_limits import KnownLimits

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

ASK_SECONDS: Final = 10.0
"""Seconds that Codex may take to answer, since somebody waits to see it."""

PAUSE_SECONDS: Final = 1.0
"""Seconds to wait where the store cannot be used, before it is tried again."""


@attrs.frozen
class _Look:
    """It is time to look whether the limit has reset."""


class AccountLimits(BridgeWatcher):
    """Follows the limits of one host's account."""

    def __init__(self, storage: Storage, host: str) -> None:
        """Write to `storage`; the limits are those of the account of the Codex of `host`."""
        self._storage = storage
        self._host = host
        self._bridge = codex_on(host)
        self._timer: Timer | None = None
        self._held_until: str | None = None

    async def on_start(self) -> None:
        """Ask to be told, and look whether runs are held since a life before."""
        self.ctx.start_task(self.watch, self._host, TOLD)
        self._look_in(0)

    def describe(self) -> Mapping[str, object]:
        """Show until when runs are held."""
        return {"heldUntil": self._held_until}

    @handles(ReadLimits)
    def read(self, _message: ReadLimits) -> Deferred[UsageLimits]:
        """Answer as the provider does, whom Codex asks; else with what Codex told last."""
        return self.ctx.answer_later(self._read)

    async def _read(self) -> UsageLimits:
        try:
            known = await self._ask()
        except Refusal:
            known = await self._known()
            if not known.limits and known.held_since is None:
                raise
        return UsageLimits(
            host=self._host,
            limits=ledger.limits_of(known),
            held_since=known.held_since,
            held_until=known.held_until,
        )

    @handles(CodexNotification)
    async def told(self, message: CodexNotification) -> None:
        """Keep what is used now."""
        await self._learn(limits_told(message.params))

    @handles(LimitMet)
    def met(self, _message: LimitMet) -> None:
        """Look how long runs are held."""
        self._look_in(0)

    @handles(_Look)
    async def look(self, _message: _Look) -> None:
        """Let what waits go on once the limit has reset; find out when that is."""
        try:
            await self._release()
        except Refusal as error:
            log.warning("limits.unread", host=self._host, reason=str(error))
            self._look_in(PAUSE_SECONDS)

    async def _release(self) -> None:
        known = await self._known()
        if known.held_since is None:
            self._look_in(LOOK_SECONDS)  # whoever meets a limit may come to tell nobody
            return
        if known.held_until is None or ledger.lacks_moment(known, now_timestamp()):
            self.ctx.start_task(self._find_reset)
            return
        left = seconds_until(known.held_until)
        if left > 0:
            self._look_in(min(left, LOOK_SECONDS))
            return
        released = await self._storage.write(lambda tx: ledger.release(tx, self._host))
        self._held_until = None
        self._look_in(LOOK_SECONDS)
        log.info("limits.reset", host=self._host, sessions=released)
        for session_id in released:
            # One that is not told is found in the rows, by `/slots` and by `/tasks`.
            with suppress(ActorNotFound, MailboxFull):
                self.ctx.lookup(session_at(session_id)).try_tell(LimitOver())
        with suppress(ActorNotFound, MailboxFull):
            self.ctx.lookup(SLOTS).try_tell(SlotsChanged())

    async def _find_reset(self) -> None:
        """Ask Codex when the limit resets; where it cannot say, set a moment to try again."""
        with suppress(Refusal):
            await self._ask()
        try:
            await self._storage.write(lambda tx: ledger.await_reset(tx, self._host))
        except Refusal as error:
            log.warning("limits.unwritten", host=self._host, reason=str(error))
            self._look_in(PAUSE_SECONDS)
        else:
            await self.ctx.ref.tell(LimitMet())

    async def _ask(self) -> KnownLimits:
        call = requests.limits_read()
        try:
            bridge = self.ctx.lookup(self._bridge)
        except ActorNotFound as error:
            raise Unavailable(str(error)) from error
        answer = await ask_codex(bridge, Call(call.method, call.params, ASK_SECONDS))
        return await self._learn(limits_from(answer), is_whole=True)

    async def _learn(self, told: list[UsageLimit], *, is_whole: bool = False) -> KnownLimits:
        known: KnownLimits = await self._storage.write(
            lambda tx: ledger.learn(tx, self._host, told, is_whole=is_whole)
        )
        if known.held_until != self._held_until:
            self._held_until = known.held_until
            self._look_in(0)
        return known

    async def _known(self) -> KnownLimits:
        known = await self._storage.read(lambda db: usage_limits.known(db, self._host))
        self._held_until = known.held_until
        return known

    def _look_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.ctx.send_after(seconds, _Look())
