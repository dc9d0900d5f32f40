"""Find out, by doing both, whether the store can be read and written now.

A full disk or a disk that fails shows itself only to who uses it. So a probe reads from the file on
a connection of its own, past what others have in memory, and has a write committed and flushed.
What it found holds for a moment, so that the disk is not kept busy by whoever asks.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import attrs
import structlog
import trio

from command_center.actors.core.storage import Storage
from command_center.store import events, log_identity

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

PROBE_SECONDS = 2.0
"""Seconds after which what has not answered is not well."""

KEPT_SECONDS = 2.0
"""Seconds for which a finding holds."""

StoreState: TypeAlias = Literal["ok", "unreadable", "unwritable"]


@attrs.define(eq=False)
class StoreProbe:
    """Probes a store; however many ask at once, one probe answers them."""

    _storage: Storage
    _state: StoreState = attrs.field(default="ok", init=False)
    _probed: float = attrs.field(default=-math.inf, init=False)
    _lock: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def state(self) -> StoreState:
        """Return how the store is, or was `KEPT_SECONDS` ago at most."""
        async with self._lock:
            if trio.current_time() - self._probed >= KEPT_SECONDS:
                self._state = await self._probe()
                self._probed = trio.current_time()
            return self._state

    async def _probe(self) -> StoreState:
        found: StoreState = "unreadable"
        with trio.move_on_after(PROBE_SECONDS):
            try:
                await trio.to_thread.run_sync(self._read, abandon_on_cancel=True)
                found = "unwritable"
                await self._storage.write(lambda tx: log_identity.prove_writing(tx.db))
                found = "ok"
            except Exception as error:  # noqa: BLE001 - whatever it is, the store is not well
                log.warning("store.probe_failed", state=found, reason=str(error))
        return found

    def _read(self) -> int:
        with self._storage.readers.connection(is_new=True) as db:
            return events.last_id(db)
