"""The statuses of a session by what they have in common; every list of them is one of these.

A new session is `created` until somebody wants it to begin. Then it is in one of the three sets.
"""

from typing import Final

from command_center.store.records import SessionStatus

WAITING: Final[frozenset[SessionStatus]] = frozenset({"queued", "blocked", "waiting_limit"})
"""It waits for its turn, for what policy asks, or until a limit of the agent's account resets.

One that is refused by policy stays `blocked`.
"""

ACTIVE: Final[frozenset[SessionStatus]] = frozenset({"starting", "running", "waiting_approval"})
"""A runner works on it, and a slot is held for it."""

FINAL: Final[frozenset[SessionStatus]] = frozenset(
    {"completed", "failed", "stopped", "interrupted"}
)
"""It has ended, and nothing leads out of that."""
