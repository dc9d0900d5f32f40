"""Find out, by doing both, whether the store can be read and written now.

A full disk or a disk that fails shows itself only to who uses it. So a probe reads from the file on
a connection of its own, past what others have in memory, and has a write committed and flushed.
Where somebody's events were just committed, that shows it as well: the probe of a busy store does
not wait behind what is written there. What it found holds for a moment, so that the disk is not
kept busy by whoever asks.
"""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

import attrs
import structlog
import trio

from command_center.actors.core.storage import Storage
from command_center.runtime.threads import Threads
from command_center.store import events, log_identity

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

PROBE_SECONDS = 2.0
"""Seconds after which what has not answered is not well."""

KEPT_SECONDS = 2.0
"""Seconds after which a finding is looked for anew."""

OLDEST_SECONDS = 2 * KEPT_SECONDS
"""Seconds for which it holds until the next one is there."""

PROBING: Final = Threads("store probe", at_once=1)
"""Reads of the probe, behind nobody else's."""

StoreState: TypeAlias = Literal["ok", "unreadable", "unwritable"]


@attrs.define(eq=False)
class StoreProbe:
    """Probes a store; however many ask at once, one probe answers them."""

    _storage: Storage
    _state: StoreState = attrs.field(default="ok", init=False)
    _probed: float = attrs.field(default=-math.inf, init=False)
    _lock: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def state(self, since_commit: float | None = None) -> StoreState:
        """Return how the store is, or was a moment ago.

        Who asks again and again does not wait for the disk: the next probe is made meanwhile.

        Args:
            since_commit: seconds since events were committed; None where none were, or where a
                write has failed since. Then nothing but a probe says how the store is.
        """
        age = trio.current_time() - self._probed
        if age >= KEPT_SECONDS:
            if since_commit is None or age >= OLDEST_SECONDS:
                await self._renew(since_commit)
            elif not self._lock.locked():
                trio.lowlevel.spawn_system_task(self._renew, since_commit)
        return self._state

    async def _renew(self, since_commit: float | None) -> None:
        async with self._lock:
            if trio.current_time() - self._probed >= KEPT_SECONDS:
                self._state = await self._probe(since_commit)
                self._probed = trio.current_time()

    async def _probe(self, since_commit: float | None) -> StoreState:
        found: StoreState = "unreadable"
        with trio.move_on_after(PROBE_SECONDS):
            try:
                await PROBING.run(self._read, is_abandoned=True)
                found = "unwritable"
                if since_commit is None or since_commit >= KEPT_SECONDS:
                    await self._storage.write(lambda tx: log_identity.prove_writing(tx.db))
                found = "ok"
            except Exception as error:  # noqa: BLE001 - whatever it is, the store is not well
                log.warning("store.probe_failed", state=found, reason=str(error))
        return found

    def _read(self) -> int:
        with self._storage.readers.connection(is_new=True) as db:
            return events.last_id(db)
