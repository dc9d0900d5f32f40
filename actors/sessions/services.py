"""The services that every session's actor is given when it is made."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from command_center.actors.core.storage import Storage
from command_center.actors.ledger.placing import RunPlaces
from command_center.actors.sessions.runner import Runner, SessionRef
from command_center.store import Session


@attrs.frozen
class SessionServices:
    """The surroundings of every session, and how it makes its runner."""

    storage: Storage
    instance_id: str
    """Names this process among its former lives."""
    approval_seconds: float
    """Seconds that a person has to decide what Codex asks."""
    stall_seconds: float
    """Seconds of silence after which a turn is looked at; 0 for never."""
    setup_seconds: float
    """Seconds that the set-up script of a worktree may take."""
    max_sessions: int
    """Sessions that may work at once."""
    places: RunPlaces
    """The hosts among which one is chosen for a run."""
    make_runner: Callable[[Session, SessionRef], Runner]
    """Makes the runner that the session was accepted with, to report to that actor."""
    absence: Callable[[Session], str | None]
    """Says why the session's host cannot be reached now; None if it can."""
    unconfirmed: set[int] = attrs.field(factory=set)
    """The sessions of which a write may still be on its way. The next life reads behind it."""
