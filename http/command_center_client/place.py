"""A place in the log, and server-sent events: what a stream needs to go on without a gap.

It knows no sockets. Both clients hand it the lines that they read, and ask it where to go on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

FIRST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 30.0

SILENT_SECONDS: Final = 45.0
"""After so much silence a stream is given up; the server says something every 15 seconds."""


class LogPlace:
    """The place of a stream in the log, moved on by each line that comes.

    Attributes:
        after: the last event that came; None before the first frame of a stream from now on.
        log_id: the log that it is in.
    """

    def __init__(self, after: int | None = None, log_id: str | None = None) -> None:
        self.after = after
        self.log_id = log_id
        self._data: list[str] = []
        self._id: str | None = None
        self._failures = 0

    def query(self) -> dict[str, object]:
        """Return what asks for all that follows."""
        return {"after": self.after, "logId": None if self.after is None else self.log_id}

    def begin(self) -> None:
        """Forget the half event that a lost connection left."""
        self._data = []
        self._id = None

    def take(self, line: str) -> Iterator[Any]:
        """Take one line without its end; yield the event that it completes.

        The opening frame is not yielded: it only says where the stream is. An event that came
        before, as after a frame that was cut, is not yielded again.

        Raises:
            ValueError: what came is no event.
        """
        if line.startswith("data:"):
            self._data.append(line[5:].removeprefix(" "))
        elif line.startswith("id:"):
            self._id = line[3:].strip()
        elif not line and self._data:
            event = json.loads("\n".join(self._data))
            if not (isinstance(event, dict) and "type" in event):
                raise ValueError("What came is no event.")
            place = self._id
            self.begin()
            self._failures = 0
            if place is not None:
                self.log_id, _, number = place.rpartition(":")
                is_new = self.after is None or int(number) > self.after
                self.after = int(number) if is_new else self.after
                if not is_new:
                    return
            if event["type"] not in {"stream.opened", "stream.resumed"}:
                yield event

    def wait_seconds(self) -> float:
        """Return how long to wait before the next attempt."""
        seconds = pause_seconds(self._failures)
        self._failures += 1
        return seconds


def pause_seconds(failures: int) -> float:
    """Return how long to wait after so many failures: doubled each time, with some chance."""
    ceiling = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(failures, 10))
    import random  # noqa: PLC0415 - most programs lose no connection

    return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - it spreads clients, and hides nothing
