"""The session state machine, as one table.

       waiting_limit
             ⇅
    created ─→ queued ─→ starting ─→ running ⇄ waiting_approval
       │          ↑          │          └────┬────┘
       └→ blocked ┴──────────┘  completed · failed · stopped · interrupted

`blocked` waits on a policy approval, or on a person's trust in the repository's own files, and is
also where a session ends that a person refused: then its `finishedAt` is set and nothing leads out.
`waiting_limit` waits until a limit of the agent's account resets, or a person has it go on before.
Whatever writes a status goes through `check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

from command_center.actors.rules.errors import Conflict
from command_center.store import Session
from command_center.store.records import SessionStatus
from command_center.store.statuses import FINAL

TRANSITIONS: Final[Mapping[SessionStatus, frozenset[SessionStatus]]] = {
    "created": frozenset({"queued", "blocked", "stopped"}),
    "blocked": frozenset({"queued", "stopped"}),
    "queued": frozenset({"starting", "waiting_limit", "blocked", "stopped", "failed"}),
    "waiting_limit": frozenset({"queued", "blocked", "stopped", "failed"}),
    "starting": frozenset({"running", "queued", "blocked", "failed", "stopped", "interrupted"}),
    "running": frozenset({"waiting_approval", "completed", "failed", "stopped", "interrupted"}),
    "waiting_approval": frozenset({"running", "completed", "failed", "stopped", "interrupted"}),
    "completed": frozenset(),
    "failed": frozenset(),
    "stopped": frozenset(),
    "interrupted": frozenset(),
}
"""From each status, the statuses that may follow it."""

Phase: TypeAlias = SessionStatus | Literal["ended"]
"""The phase of a session: its status, or `ended`, whichever way it ended."""

PHASES: Final[frozenset[Phase]] = frozenset({*get_args(SessionStatus), "ended"}) - FINAL

ENDED: Final[frozenset[Phase]] = frozenset({"ended"})
LIVE: Final = PHASES - ENDED
IN_TURN: Final[frozenset[Phase]] = frozenset({"running", "waiting_approval"})
"""The phases in which the session's turn has begun."""


def phase_of(session: Session) -> Phase:
    """Return how far a session is. One that was refused has ended, though it is `blocked`."""
    if session.finished_at is not None or session.status in FINAL:
        return "ended"
    return session.status


def check(session: Session, to: SessionStatus) -> None:
    """Let a legal transition pass.

    Raises:
        Conflict: the table has no such transition, or the session has ended; it names both states.
    """
    if session.finished_at is not None or to not in TRANSITIONS[session.status]:
        raise Conflict(
            f"Session {session.id} is {session.status} and cannot become {to}.",
            currentStatus=session.status,
            requestedStatus=to,
        )
