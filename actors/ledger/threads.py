"""Tell who did what with an agent's own threads: each function is one unit of a transaction."""

from __future__ import annotations

from sqlite_utils import Database

from command_center.actors.ledger.adoption import Thread, last_session, thread_of_session
from command_center.actors.ledger.left_commands import lingering_sessions
from command_center.actors.ledger.sessions import tell
from command_center.actors.ledger.tasks import check_unused
from command_center.actors.rules.errors import Conflict
from command_center.store import EventData, Transaction


def check_free(db: Database, *, thread: Thread) -> None:
    """See that no session works in the thread, nor one for which its sub-agent works in it.

    Raises:
        Conflict: one does, or is going to, or commands of one that has completed go on.
    """
    check_unused(db, thread.host, thread.id)
    root = thread_of_session(db, thread)
    if root != thread:
        check_unused(db, root.host, root.id)
    for session in lingering_sessions(db, root.host, codex_thread_id=root.id):
        raise Conflict(
            f"Commands of session {session.id} still run for thread {root.id}. Stop the session to "
            "end them.",
            sessionId=session.id,
        )


def tell_of_thread(tx: Transaction, thread: Thread, event: EventData, *, actor: str) -> None:
    """Emit the event: in the story of the session that worked in the thread last, if one did."""
    last = last_session(tx.db, thread_of_session(tx.db, thread))
    if last is None:
        tx.emit(event, actor=actor)
    else:
        tell(tx, last, event, actor=actor)
