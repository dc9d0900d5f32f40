"""Events of terminals that people have in the folder of a session."""

from __future__ import annotations

from command_center.store import EventData


class ShellOpened(EventData, frozen=True, kw_only=True, tag="session.terminal.opened"):
    """Somebody opened a terminal where the session works. What is typed there is not kept."""

    shell_id: str
    sandbox: str


class ShellClosed(EventData, frozen=True, kw_only=True, tag="session.terminal.closed"):
    """A terminal of the session has ended; `exitCode` is null where it was cut off."""

    shell_id: str
    exit_code: int | None
    reason: str
