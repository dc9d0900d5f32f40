"""The threads that a connection keeps loaded, for whoever goes on in one of them.

To resume a thread takes Codex about as long as to begin its turn. Who leaves one that is idle may
have the connection keep it instead, and Codex goes on telling of it. It is kept as long as nothing
happens in it: what Codex tells or asks of it, or is asked about it that is more than a look, ends
that, as a thread that another client has used may not be what it was.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from command_center.actors.codex.messages import LoadedThread

MOST: Final = 16
"""Threads that are kept at once, the last ones."""

KEEP_SECONDS: Final = 300.0
"""Seconds for which a thread is kept."""

LOOKS: Final = frozenset(
    {
        *("thread/read", "thread/turns/list", "thread/list", "thread/loaded/list"),
        *("thread/queue/list", "thread/goal/get", "thread/backgroundTerminals/list"),
    }
)
"""The requests that change nothing in the thread that they name."""


class KeptThreads:
    """The threads that one connection keeps, each as it was left."""

    def __init__(self) -> None:
        """Begin with none."""
        self._threads: OrderedDict[str, LoadedThread] = OrderedDict()
        self.rejoined = 0
        """Threads in which somebody went on."""

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._threads)

    def keep(self, thread_id: str, loaded: LoadedThread) -> Iterator[str]:
        """Keep a thread; give those for which there is no room any more, to be left."""
        self._threads[thread_id] = loaded
        while len(self._threads) > MOST:
            yield self._threads.popitem(last=False)[0]

    def take(self, thread_id: str) -> LoadedThread | None:
        """Keep a thread no longer; return it as it was left, if it was kept."""
        return self._threads.pop(thread_id, None)

    def holds(self, thread_id: str, loaded: LoadedThread) -> bool:
        """Return whether the thread is kept since it was left so, and not since a later time."""
        return self._threads.get(thread_id) is loaded

    def clear(self) -> None:
        """Keep none: the connection is gone."""
        self._threads.clear()
