"""Sending a call again after a failure, only where that does nothing twice.

It sleeps and sends nothing itself: both clients ask it after each failure how long to wait.
"""

from __future__ import annotations

import time
from typing import Any, Final

from command_center_client.call import KEY, ApiCall
from command_center_client.errors import (
    AnswerLost,
    CallRefused,
    ClientError,
    NotReachable,
    lasting,
)
from command_center_client.place import pause_seconds

LOST_SECONDS: Final = 10.0
"""For so long after its answer was lost a call is sent again: a server restarts within that."""


class Resending:
    """The attempts of one call."""

    def __init__(self, call: ApiCall[Any], *, outlasts: bool = False) -> None:
        """Begin with the first; `outlasts` waits for as long as a server is away."""
        self._is_read = call.method == "GET"
        self._is_safe = self._is_read or KEY in call.headers
        self._outlasts = outlasts
        self._failures = 0
        self._lost: AnswerLost | None = None
        self._until = 0.0

    def wait_seconds(self, error: ClientError) -> float:
        """Return after how many seconds to send it again.

        Raises:
            ClientError: it is not to be sent again, and that is why.
        """
        if isinstance(error, AnswerLost) and self._lost is None:
            self._lost, self._until = error, time.monotonic() + LOST_SECONDS
        is_under_way = isinstance(error, CallRefused) and error.is_under_way
        is_passing = lasting(error) is None or (is_under_way and self._lost is not None)
        if not is_passing or (isinstance(error, AnswerLost) and not self._is_safe):
            raise error
        if not self._outlasts:
            if self._lost is None:
                raise error
            if time.monotonic() >= self._until:
                raise self._lost if isinstance(error, NotReachable) or is_under_way else error
        seconds = pause_seconds(self._failures)
        self._failures += 1
        return seconds
