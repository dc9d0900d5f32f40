"""The room on a host: how many sessions work there at once, and none begins while it drains."""

from __future__ import annotations

from collections.abc import Iterable

from command_center.store import HostState, Session


def no_room(state: HostState | None, held: Iterable[Session]) -> str | None:
    """Return why no session can begin on a host now, without a full stop; None if one can.

    Args:
        state: what is wanted of the host; None for nothing in particular.
        held: the sessions that hold a slot, on any host.
    """
    if state is None:
        return None
    if state.is_draining:
        return (
            f"host {state.name} is draining. Runs begin there again after "
            f"`command-center hosts resume {state.name}`"
        )
    used = sum(session.host == state.name for session in held)
    if state.max_sessions is not None and used >= state.max_sessions:
        return f"{used} of {state.max_sessions} slots of host {state.name} are in use"
    return None
