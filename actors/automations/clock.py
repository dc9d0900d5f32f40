"""The wall clock that schedules follow, as something that can be handed in.

The system's clock may be set, and stands still for nobody while the machine sleeps; whoever waits
for a wall time therefore waits in short steps and reads the clock after each.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
import trio
import tzlocal

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class WallClock(Protocol):
    """Tells the time of day, and waits."""

    def now(self) -> datetime:
        """Return the present moment, in UTC. It may lie before one that was told earlier."""
        ...

    async def pause(self, seconds: float, sooner: trio.Event) -> None:
        """Wait for so many seconds that the machine is awake, or until `sooner`."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment, as the machine believes it."""
        return datetime.now(UTC)

    async def pause(self, seconds: float, sooner: trio.Event) -> None:
        """Wait by the monotonic clock, which does not count the machine's sleep everywhere."""
        with trio.move_on_after(seconds):
            await sooner.wait()


def machine_zone() -> ZoneInfo:
    """Return the machine's time zone; UTC, with a warning, where that cannot be told."""
    try:
        return tzlocal.get_localzone()
    except (KeyError, ValueError, OSError) as error:
        log.warning("timezone.unknown", reason=str(error))
        return ZoneInfo("UTC")
