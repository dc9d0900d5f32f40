"""The room on a host: how many sessions work there at once, and none where it drains or is away."""

from __future__ import annotations

from collections.abc import Iterable

from command_center.store import HostState, Session


def is_closed(host: str, state: HostState | None, absence: str | None) -> str | None:
    """Return why no session begins on a host at all, without a full stop; None if one may.

    Args:
        host: its name.
        state: what is wanted of the host; None for nothing in particular.
        absence: why it cannot be reached now; None if it can.
    """
    if state is not None and state.is_draining:
        return (
            f"host {host} is draining. Runs begin there again after "
            f"`command-center hosts resume {host}`"
        )
    if absence is not None:
        return f"host {host} is away: {absence.rstrip('.')}. Runs begin there when it is back"
    return None


def no_room(state: HostState | None, held: Iterable[Session]) -> str | None:
    """Return why no further session can begin on a host, without a full stop; None if one can.

    Args:
        state: what is wanted of the host; None for nothing in particular.
        held: the sessions that hold a slot, on any host.
    """
    if state is None:
        return None
    used = sum(session.host == state.name for session in held)
    if state.max_sessions is not None and used >= state.max_sessions:
        return f"{used} of {state.max_sessions} slots of host {state.name} are in use"
    return None
