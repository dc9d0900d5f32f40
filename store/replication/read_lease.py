"""The lease of reads: what a leader tells is kept by the others, and it leads while it tells it.

A commit can be read before the others have it: it is in SQLite's log while it is being sent. If the
leader is lost then, so may be the commit, and a reader has seen what never was. So a read waits
until the commits that it may have seen were sent. There is one at a time; it takes milliseconds.

And a leader that was frozen, or is cut off, does not know that another one leads by now. The others
wait for so many seconds of silence before they claim. Silence begins after the last message that
was stored, which was sent before it was stored. So until some seconds after that sending nobody
else leads. A read that ends later waits for the next message; if there is none, it is refused.
"""

import math
import threading
from collections.abc import Callable

from command_center.store.errors import StoreUnavailable


class ReadLease:
    """Holds reads back. Any thread may use it.

    Args:
        seconds: after a message was sent that was stored, in which nobody else can lead.
        patience: seconds for which a read waits at most.
        clock: seconds of a clock that nobody sets, and that goes on while the machine sleeps.
    """

    def __init__(self, seconds: float, *, patience: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._patience = patience
        self._clock = clock
        self._until = -math.inf
        self._commits = 0
        self._is_committing = False
        self._has_ended = False
        self._changed = threading.Condition()

    def renew(self, sent: float) -> None:
        """Take note that a message was stored, which was sent at a moment of the clock."""
        with self._changed:
            self._until = max(self._until, sent + self._seconds)
            self._changed.notify_all()

    def committing(self) -> None:
        """Take note that a commit is about to be seen."""
        with self._changed:
            self._commits += 1
            self._is_committing = True

    def committed(self) -> None:
        """Take note that the others have all commits, or that there is none to be seen."""
        with self._changed:
            self._is_committing = False
            self._changed.notify_all()

    def end(self) -> None:
        """Have nothing be told any more: another one may lead."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def settle(self) -> None:
        """Return once what this thread has read until now may be told.

        Raises:
            StoreUnavailable: it may not be: another centre may lead by now.
        """
        with self._changed:
            last = self._commits

            def is_settled() -> bool:
                is_sent = not self._is_committing or self._commits > last
                return self._has_ended or (is_sent and self._clock() < self._until)

            if not self._changed.wait_for(is_settled, self._patience) or self._has_ended:
                raise StoreUnavailable(
                    "the other centres do not answer, and one of them may lead by now", act="read"
                )
