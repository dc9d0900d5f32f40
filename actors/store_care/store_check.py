"""`/store-check`: reads the whole database beside the service, to find what the disk has changed.

It begins a moment after the start, and again every week. A piece is read, then nothing for some
times as long, so that who serves hardly notices. What it finds is told as an event, in `/health`
and in the snapshot of the actor. Totals and indexes of words that are wrong are made anew of what
they are made of. A file whose structure is damaged is refused at the next start;
that is noted beside it at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import structlog
import trio

from command_center.actors.contracts.backups import StoreCheckState
from command_center.actors.contracts.events.backups import StoreDamaged
from command_center.actors.core.storage import Storage
from command_center.runtime import Actor, Refusal
from command_center.store import DatabaseClaim, Transaction
from command_center.store.database.sqlite_errors import FAULTS, words_of
from command_center.store.derived import make_anew
from command_center.store.integrity import CheckedPiece, FileCheck
from command_center.store.timestamps import now_timestamp

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

WAIT_SECONDS: Final = 5.0
"""Seconds after a start, which others need."""

EVERY_SECONDS: Final = 7 * 24 * 3600.0
"""Seconds between two checks."""

AGAIN_SECONDS: Final = 60.0
"""Seconds after which a check begins anew that the machine has cut short."""

PAUSE: Final = 3.0
"""Seconds of rest for each second of reading."""

LONGEST_PAUSE: Final = 2.0

MOST: Final = 100
"""Damages of a kind that are told."""


@attrs.define
class _Findings:
    """The findings of a check so far."""

    rows: int = 0
    structure: list[str] = attrs.field(factory=list)
    damaged: list[str] = attrs.field(factory=list)
    derived: list[str] = attrs.field(factory=list)

    def add(self, piece: CheckedPiece) -> None:
        self.rows += piece.rows
        self.structure += piece.structure[: MOST - len(self.structure)]
        self.damaged += piece.damaged[: MOST - len(self.damaged)]
        self.derived += piece.derived

    @property
    def is_clean(self) -> bool:
        return not (self.structure or self.damaged)


class StoreCheck(Actor):
    """Checks the database, again and again."""

    def __init__(
        self,
        storage: Storage,
        database: Path,
        claim: DatabaseClaim | None = None,
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """Check that file; tell `claim`, if it is damaged, that it cannot be relied on."""
        self._storage = storage
        self._database = database
        self._claim = claim
        self._wait_seconds = wait_seconds
        self._state: StoreCheckState = "checking"
        self._findings = _Findings()
        self._finished_at: str | None = None

    async def on_start(self) -> None:
        """Begin in a moment."""
        self.ctx.start_task(self._follow)

    def describe(self) -> Mapping[str, object]:
        """Show what was found, and how many rows of this check were read."""
        return {
            "state": self._state,
            "rows": self._findings.rows,
            "structure": self._findings.structure,
            "damaged": self._findings.damaged,
            "madeAnew": self._findings.derived,
            "finishedAt": self._finished_at,
        }

    async def _follow(self) -> None:
        await trio.sleep(self._wait_seconds)
        while True:
            try:
                await self._check()
            except FAULTS as error:  # the machine fails
                self._state = "unreadable"
                log.warning("store.check_failed", reason=words_of(error))
                await trio.sleep(AGAIN_SECONDS)
                continue
            if not self._findings.is_clean:
                await self._tell(self._findings)
            await trio.sleep(EVERY_SECONDS)

    async def _check(self) -> None:
        found = _Findings()
        check = await trio.to_thread.run_sync(FileCheck, self._database)
        try:
            while (piece := await self._next_piece(check)) is not None:
                found.add(piece)
                if piece.structure:
                    await self._note_damage()
                if self._finished_at is None or not found.is_clean:
                    self._findings = found
                    self._state = "checking" if found.is_clean else "damaged"
                await trio.sleep(min(LONGEST_PAUSE, piece.seconds * PAUSE))
        finally:
            with trio.CancelScope(shield=True):  # which only ends the piece in hand
                await trio.to_thread.run_sync(check.close)
        await self._make_anew(found)
        self._findings, self._finished_at = found, now_timestamp()
        self._state = "ok" if found.is_clean else "damaged"

    async def _make_anew(self, found: _Findings) -> None:
        """Make what is derived anew; what cannot be is damaged."""
        for name in [*found.derived]:
            log.warning("store.made_anew", name=name)
            try:
                await self._storage.write(partial(_make_anew, name=name))
            except Refusal as error:
                log.warning("store.not_made_anew", name=name, reason=str(error))
                found.derived.remove(name)
                found.damaged.append(name)

    @staticmethod
    async def _next_piece(check: FileCheck) -> CheckedPiece | None:
        return await trio.to_thread.run_sync(check.next_piece, abandon_on_cancel=True)

    async def _note_damage(self) -> None:
        if self._claim is None or self._claim.is_damaged:
            return
        try:
            await trio.to_thread.run_sync(self._claim.note_damage)
        except OSError as error:
            log.warning("store.damage_not_noted", reason=str(error))

    async def _tell(self, found: _Findings) -> None:
        log.error("store.damaged", structure=found.structure, damaged=found.damaged)
        told = StoreDamaged(structure=found.structure, damaged=found.damaged)
        while True:
            try:
                await self._storage.write(lambda tx: tx.emit(told, actor="store-check"))
            except Refusal as error:  # a store that is damaged may refuse; what was found stays
                log.warning("store.damage_not_told", reason=str(error))
                await trio.sleep(AGAIN_SECONDS)
            else:
                return


def _make_anew(tx: Transaction, *, name: str) -> None:
    make_anew(tx.db, name)
