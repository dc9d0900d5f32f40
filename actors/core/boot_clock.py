"""A clock that nobody sets, and that goes on while the machine sleeps.

It counts from the start of the machine. Its seconds are those of the world to within `DRIFT`: a
quartz is off by a tenth of a thousandth at most, and NTP slews by half a thousandth.
"""

from __future__ import annotations

import sys
import time
from typing import Final

DRIFT: Final = 0.001
"""The part by which its seconds may differ from true ones."""


def boot_seconds() -> float:
    """Return the seconds since the machine was started, those of its sleep as well.

    On macOS and Windows the monotonic clock of Python counts them, too.
    """
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    else:  # noqa: RET505 - mypy knows the platform only so
        return time.monotonic()
