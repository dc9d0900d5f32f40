"""Everything that is written of the set-up of worktrees: who agreed to it, and that it is done.

The ignored files that a worktree is given, and the script that runs in it, are shown to a person
before the first run of a repository and whenever they change, by an approval of the kind `setup`.
Who rejects it, or does not decide in time, has the run go on without them; a retry or a
continuation of it, too.
"""

from __future__ import annotations

from sqlite_utils import Database

from command_center.actors.contracts.events.sessions import SessionBlocked
from command_center.actors.contracts.worktrees import SeenSetup
from command_center.actors.core.clock import later
from command_center.actors.ledger import approvals as settlement
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.trust import asked_for
from command_center.actors.rules.unified_diffs import diff_of
from command_center.store import (
    Session,
    Transaction,
    repositories,
    sessions,
    trusted_configurations,
    unready_worktrees,
)

CODE = "setup_untrusted"
"""The reason for which a session is blocked."""


def decision(db: Database, session: Session, digest: str) -> bool | None:
    """Return whether a person agreed to a set-up for this run; None while nobody has decided."""
    if trusted_configurations.is_trusted(db, session.repository_id, digest):
        return True
    asked = asked_for(db, session, "setup")
    refused = {"rejected", "expired"}
    if any(one.details["digest"] == digest and one.status in refused for one in asked):
        return False
    return None


def weigh_setup(
    tx: Transaction, session_id: int, seen: SeenSetup, *, approval_seconds: float
) -> Session:
    """Block a starting session until a person has decided; leave it where one has by now."""
    session = sessions.get(tx.db, session_id)
    if session.status != "starting" or decision(tx.db, session, seen.digest) is not None:
        return session
    blocked = ledger.move(
        tx, session_id, "blocked", event=lambda **told: SessionBlocked(reasons=[CODE], **told)
    )
    asked = asked_for(tx.db, session, "setup")
    if not any(one.status == "pending" and one.details["digest"] == seen.digest for one in asked):
        _ask(tx, session, seen, expires_at=later(tx.now, approval_seconds))
    return blocked


def _ask(tx: Transaction, session: Session, seen: SeenSetup, *, expires_at: str) -> None:
    repository = repositories.get(tx.db, session.repository_id)
    before = trusted_configurations.last_texts(tx.db, repository.id, setup=True)
    texts: dict[str, str] = tx.redact(seen.texts)
    trusted_configurations.offer(tx, repository.id, seen.digest, seen.texts)
    changed = "have changed since somebody agreed to them" if before else "are new"
    settlement.ask_about(
        tx,
        session,
        "setup",
        title=f"Set up worktrees of {repository.name} like this?",
        details={
            "reason": f"The files and the script that prepare a new worktree {changed}. The files "
            "are copied from the main checkout, where git ignores them. The script runs in the "
            "run's sandbox. If you reject this, the run goes on without them.",
            "cwd": session.cwd,
            "digest": seen.digest,
            "files": [{"path": path, "isNew": path not in before} for path in texts],
            "included": tx.redact(seen.included),
            "includedCount": seen.included_count,
            "diff": diff_of(before, texts),
        },
        expires_at=expires_at,
    )


def finish_setup(tx: Transaction, session_id: int) -> Session:
    """Note that the session's worktree is ready."""
    session = sessions.get(tx.db, session_id)
    unready_worktrees.forget(tx, session.host, session.cwd)
    return session
