"""Occupancy: one session works in a thread of Codex, and one session writes in a folder.

This is said here alone. The slots ask it before they grant one, a session as it begins, once its
worktree is known, a turn that began without us, and whoever is told why a session waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from command_center.store import Session


class Obstacle(NamedTuple):
    """Another session that one has to wait for, and what both would have."""

    session: Session
    shared: Literal["thread", "folder"]


def obstacle(
    session: Session,
    working: Iterable[Session],
    left: Iterable[Session] = (),
    unsettled: Iterable[Session] = (),
) -> Obstacle | None:
    """Return what a session has to wait for, if it has to.

    Args:
        session: the one that would work; it is not in its own way.
        working: those that work, or still clean up after it.
        left: those that have ended while commands of theirs go on. Their thread may be prompted
            again, and only others than that thread wait for the folder.
        unsettled: those that have ended while their turns may still run, such as on a host that is
            away. They are ended over the same connection by which the session would begin.
    """
    same_way = (other for other in unsettled if other.runner == session.runner)
    for other in (*working, *same_way):
        if other.id != session.id:
            if shares_thread(session, other):
                return Obstacle(other, "thread")
            if shares_folder(session, other):
                return Obstacle(other, "folder")
    for other in left:
        if shares_folder(session, other) and not shares_thread(session, other):
            return Obstacle(other, "folder")
    return None


def shares_thread(session: Session, other: Session) -> bool:
    """Return whether both work in one thread of Codex."""
    return (
        session.codex_thread_id is not None
        and session.codex_thread_id == other.codex_thread_id
        and session.host == other.host
    )


def shares_folder(session: Session, other: Session) -> bool:
    """Return whether both may write in one folder of one host; any number may read there.

    A session whose worktree has no place yet is in no folder: it will be in one of its own.
    """
    if has_no_folder(session) or has_no_folder(other):
        return False
    same_folder = session.host == other.host and session.cwd == other.cwd
    return same_folder and may_write(session) and may_write(other)


def has_no_folder(session: Session) -> bool:
    """Return whether the session is to work in a worktree for which no place is reserved."""
    return session.workplace == "worktree" and session.worktree_path is None


def may_write(session: Session) -> bool:
    """Return whether the session may change files in its working directory."""
    return session.sandbox != "read-only"
