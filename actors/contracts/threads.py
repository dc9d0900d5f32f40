"""The port of an agent's threads: what is asked of them before there is a session."""

from __future__ import annotations

from typing import Any, Protocol

import attrs

from command_center.actors.rules.errors import Conflict


@attrs.frozen
class IdleThread:
    """A thread in which a turn may be started.

    Attributes:
        cwd: the folder that it works in, if the agent says it.
        title: the words by which a person knows it; empty if it has none.
    """

    cwd: str | None
    title: str


class AgentThreads(Protocol):
    """The threads of an agent, of those that were begun elsewhere, too."""

    async def check_version(self, host: str) -> None:
        """Refuse where the agent of a host could not carry out a run; one that is away may come.

        Raises:
            Conflict: it says which version to install.
        """

    async def list_models(self, host: str) -> list[dict[str, Any]]:
        """List the models of a host's agent, in its own words; none where it cannot be asked."""

    async def read_idle(self, host: str, thread_id: str) -> IdleThread:
        """Read a thread in which a turn may be started.

        Raises:
            ThreadBusy: a turn runs in it already; starting one would only steer that.
            Conflict: another turn would begin instead, or another process writes the thread.
            NotFound: the agent knows no such thread.
            Unavailable: there is no connection, or no answer in time.
        """


class ThreadBusy(Conflict):
    """A turn runs in the thread that is no session's."""

    def __init__(self, thread_id: str) -> None:
        """Say what to do."""
        super().__init__(
            f"Thread {thread_id} has a turn that another client of Codex began; "
            "wait for its end, or stop it there.",
            threadId=thread_id,
        )
