"""Events of an agent's own threads; of the session, too, that worked in the thread last."""

from __future__ import annotations

from command_center.store import EventData


class ThreadRenamed(EventData, frozen=True, kw_only=True, tag="thread.renamed"):
    """Somebody gave a thread of a host's agent a name."""

    host: str
    thread_id: str
    name: str


class ThreadArchived(EventData, frozen=True, kw_only=True, tag="thread.archived"):
    """A thread was put away; it takes no turn until it is brought back."""

    host: str
    thread_id: str


class ThreadUnarchived(EventData, frozen=True, kw_only=True, tag="thread.unarchived"):
    """An archived thread was brought back."""

    host: str
    thread_id: str


class ThreadForked(EventData, frozen=True, kw_only=True, tag="thread.forked"):
    """The thread `forkId` was made of another's past, up to `lastTurnId`; all of it, if null."""

    host: str
    thread_id: str
    fork_id: str
    last_turn_id: str | None


class ThreadReverted(EventData, frozen=True, kw_only=True, tag="thread.reverted"):
    """A thread forgot the turn `beforeTurnId` and all that followed it. Files stayed."""

    host: str
    thread_id: str
    before_turn_id: str


class ThreadWasDeleted(EventData, frozen=True, kw_only=True, tag="thread.deleted"):
    """A thread was deleted for good. What its sessions said and did is kept here."""

    host: str
    thread_id: str


class TerminalEnded(EventData, frozen=True, kw_only=True, tag="thread.terminal.ended"):
    """Somebody ended a command that the turns of a thread had left running."""

    host: str
    thread_id: str
    process_id: str
    command: str
