"""`/release-watch`: asks a package index once a day whether a newer version is out.

It is there only where people want it (`CC_UPDATE_NOTICE`), and sends nothing but the question for
the page of the project. The moment is noted on the disk before it asks: whatever the index answers,
and however often the server starts, it is asked once a day.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

import structlog
import trio

from command_center.actors.contracts.releases import ReleaseState
from command_center.actors.hosts.local.releases.last_look import ReleaseLook, read_look, write_look
from command_center.actors.hosts.local.releases.newest import LookFailed, find_newest, is_newer
from command_center.runtime import Actor
from command_center.store.timestamps import from_timestamp, to_timestamp

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

EVERY: Final = timedelta(days=1)
CUT_OFF: Final = "The last look was cut off."


class ReleaseWatch(Actor):
    """Looks for newer releases."""

    def __init__(
        self,
        data_dir: Path,
        *,
        installed: str | None = None,
        find: Callable[[], Awaitable[str | None]] = find_newest,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Note what is found in the data folder; `now` tells the time, `find` asks the index."""
        self._data_dir = data_dir
        self._installed = installed or version("command-center")
        self._find = find
        self._now = now
        self._look: ReleaseLook | None = None

    async def on_start(self) -> None:
        """Begin to look."""
        self.ctx.start_task(self._follow)

    def describe(self) -> Mapping[str, object]:
        """Show what is out, and how the last look ended."""
        look = self._look
        return {
            "state": self._state(),
            "newest": self._newest(),
            "askedAt": None if look is None else look.asked_at,
            "failure": None if look is None else look.failure,
        }

    def _state(self) -> ReleaseState:
        if self._look is None:
            return "unknown"
        if self._look.failure is not None:
            return "failed"
        return "current" if self._newest() is None else "newer"

    def _newest(self) -> str | None:
        """Return what is out. What was installed since is no news."""
        found = None if self._look is None else self._look.newest
        return found if found is not None and is_newer(found, self._installed) else None

    async def _follow(self) -> None:
        self._look = await trio.to_thread.run_sync(read_look, self._data_dir)
        while True:
            await trio.sleep(self._seconds_left())
            moment, newest = to_timestamp(self._now()), self._newest()
            noted = partial(ReleaseLook, asked_at=moment)
            try:
                await self._note(noted(newest=newest, failure=CUT_OFF))
                await self._note(noted(newest=await self._find()))
            except (LookFailed, OSError) as error:
                log.warning("release_watch.failed", reason=str(error))
                self._look = noted(newest=newest, failure=str(error))
                await self._try_to_note(self._look)

    def _seconds_left(self) -> float:
        """Return the seconds until the next look; a clock that was wrong costs a day at most."""
        if self._look is None:
            return 0.0
        left = from_timestamp(self._look.asked_at) + EVERY - self._now()
        return min(max(left, timedelta()), EVERY).total_seconds()

    async def _note(self, look: ReleaseLook) -> None:
        await trio.to_thread.run_sync(write_look, self._data_dir, look)
        self._look = look

    async def _try_to_note(self, look: ReleaseLook) -> None:
        try:
            await self._note(look)
        except OSError as error:  # what cannot be noted is not asked either
            log.warning("release_watch.not_noted", reason=str(error))
