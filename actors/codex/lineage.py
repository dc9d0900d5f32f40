"""The lineage of threads: which sub-agent's thread was started from which, as Codex has told.

Codex tells of a sub-agent in the item of its parent that started it: `collabAgentToolCall`, or, of
multi-agent v2, `subAgentActivity`. What it tells or asks of a thread that nobody knows is held
until the thread's parent is found (`thread/read` says it), rather than lost. A thread that belongs
to nobody here is another client's: it is remembered as foreign, so that it is looked up once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

from command_center.actors.codex import protocol

MAX_PARENTS: Final = 5000
"""Threads whose parents are remembered; the oldest are forgotten."""

MAX_FOREIGN: Final = 5000
"""Threads of other clients that are remembered, so that none is looked up twice."""

MAX_HELD: Final = 200
"""Notifications that are held for one unknown thread, and unknown threads that have any."""

Held = tuple[protocol.Notification, int]
"""A notification, and its size as Codex sent it."""


class Lineage:
    """The parents of threads, and what waits until they are known."""

    def __init__(self) -> None:
        """Begin without a thread."""
        self._parents: OrderedDict[str, str] = OrderedDict()
        self._foreign: OrderedDict[str, None] = OrderedDict()
        self._held: OrderedDict[str, list[Held]] = OrderedDict()
        self._unknown: list[str] = []
        self._sought: set[str] = set()

    def parent_of(self, thread_id: str) -> str | None:
        """Give the thread that this one was started from."""
        return self._parents.get(thread_id)

    def ancestors(self, thread_id: str) -> Iterator[str]:
        """Give the thread and those that it was started from, the nearest first."""
        seen = set[str]()
        at: str | None = thread_id
        while at is not None and at not in seen:
            yield at
            seen.add(at)
            at = self._parents.get(at)

    def adopt(self, thread_id: str, parent: str) -> list[Held]:
        """Remember a thread's parent; answers what was held until it is known."""
        self._parents[thread_id] = parent
        self._parents.move_to_end(thread_id)
        if len(self._parents) > MAX_PARENTS:
            self._parents.popitem(last=False)
        return self.known(thread_id)

    def known(self, thread_id: str) -> list[Held]:
        """Look for the thread no more; answers what was held until it is known."""
        self._foreign.pop(thread_id, None)
        self._sought.discard(thread_id)
        return self._held.pop(thread_id, [])

    def disown(self, thread_id: str) -> int:
        """Take the thread for another client's; answers how much was held of it."""
        self._foreign[thread_id] = None
        if len(self._foreign) > MAX_FOREIGN:
            self._foreign.popitem(last=False)
        self._sought.discard(thread_id)
        return len(self._held.pop(thread_id, ()))

    def seek(self, thread_id: str) -> bool:
        """Have the topmost known ancestor looked up, once; False where it is foreign."""
        top = list(self.ancestors(thread_id))[-1]
        if top in self._foreign:
            return False
        if top not in self._sought:
            self._sought.add(top)
            self._unknown.append(top)
        return True

    def hold(self, thread_id: str, notification: protocol.Notification, size: int) -> bool:
        """Keep it until the thread's parent is found; False where there is no room."""
        if thread_id not in self._held and len(self._held) >= MAX_HELD:
            return False
        held = self._held.setdefault(thread_id, [])
        if len(held) >= MAX_HELD:
            return False
        held.append((notification, size))
        return True

    def release(self) -> list[tuple[str, list[Held]]]:
        """Take all that is held, by thread."""
        held, self._held = list(self._held.items()), OrderedDict()
        return held

    def take_unknown(self) -> list[str]:
        """Give the threads that are to be looked up, once."""
        unknown, self._unknown = self._unknown, []
        return unknown

    def forget_connection(self) -> None:
        """Give up what was held or sought on a connection that is lost."""
        self._held.clear()
        self._unknown.clear()
        self._sought.clear()
        self._foreign.clear()


def started_agents(item: dict[str, Any]) -> list[str]:
    """Give the threads of the sub-agents that an item of their parent tells of."""
    match item.get("type"):
        case "collabAgentToolCall":
            told = item.get("receiverThreadIds") or ()
        case "subAgentActivity":
            told = (item.get("agentThreadId"),)
        case _:
            told = ()
    return [agent for agent in told if isinstance(agent, str)]
