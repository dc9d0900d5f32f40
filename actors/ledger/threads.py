"""Tell who did what with an agent's own threads: each function is one unit of a transaction."""

from __future__ import annotations

from sqlite_utils import Database

from command_center.actors.ledger.adoption import Thread, last_session, thread_of_session
from command_center.actors.ledger.sessions import tell
from command_center.actors.ledger.tasks import check_unused
from command_center.store import EventData, Transaction


def check_free(db: Database, *, thread: Thread) -> None:
    """See that no session works in the thread, nor one for which its sub-agent works in it.

    Raises:
        Conflict: one does, or is going to.
    """
    check_unused(db, thread.id)
    root = thread_of_session(db, thread)
    if root != thread:
        check_unused(db, root.id)


def tell_of_thread(tx: Transaction, thread: Thread, event: EventData, *, actor: str) -> None:
    """Emit the event: in the story of the session that worked in the thread last, if one did."""
    last = last_session(tx.db, thread_of_session(tx.db, thread))
    if last is None:
        tx.emit(event, actor=actor)
    else:
        tell(tx, last, event, actor=actor)
