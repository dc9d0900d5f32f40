"""Everything that is written of the trust in a repository's own configuration of Codex.

A run obeys those files only where the repository is set to ask (`codexConfig`) and a person has
trusted their very content. A run that finds another content is blocked, with an approval of the
kind `trust` that shows it. Who rejects it, or does not decide in time, has the run go on without
the files; a retry or a continuation of it, too.
"""

from __future__ import annotations

from sqlite_utils import Database

from command_center.actors.contracts.events.sessions import ConfigurationWeighed, SessionBlocked
from command_center.actors.contracts.worktrees import SeenConfiguration
from command_center.actors.core.clock import later
from command_center.actors.ledger import approvals as settlement
from command_center.actors.ledger import sessions as ledger
from command_center.actors.rules.unified_diffs import diff_of
from command_center.store import (
    Approval,
    Session,
    Transaction,
    approvals,
    repositories,
    sessions,
    trusted_configurations,
)
from command_center.store.records import ApprovalKind

CODE = "codex_config_untrusted"
"""The reason for which a session is blocked."""


def weigh_configuration(
    tx: Transaction, session_id: int, seen: SeenConfiguration, *, approval_seconds: float
) -> Session:
    """Say whether a starting session obeys the files that were seen, or block it until it is known.

    Whoever carries it out looks at the files again.
    """
    session = sessions.get(tx.db, session_id)
    repository = repositories.get(tx.db, session.repository_id)
    if session.status != "starting" or repository.codex_config != "ask":
        return session
    if seen.problem is not None:
        return _tell(tx, session, seen, obeyed=False, reason=seen.problem)
    if trusted_configurations.is_trusted(tx.db, repository.id, seen.digest):
        return _tell(tx, session, seen, obeyed=True, reason="A person has trusted this content.")
    asked = [
        one for one in asked_for(tx.db, session, "trust") if one.details["digest"] == seen.digest
    ]
    refused = next((one for one in asked if one.status in {"rejected", "expired"}), None)
    if refused is not None:
        reason = f"Approval {refused.id} was {refused.status} by {refused.resolved_by}."
        return _tell(tx, session, seen, obeyed=False, reason=reason)
    blocked = ledger.move(
        tx, session_id, "blocked", event=lambda **told: SessionBlocked(reasons=[CODE], **told)
    )
    if not any(one.status == "pending" for one in asked):
        _ask(tx, session, seen, expires_at=later(tx.now, approval_seconds))
    return blocked


def asked_for(db: Database, session: Session, kind: ApprovalKind) -> list[Approval]:
    """Return the approvals asked for the run, by its session or those that it continues."""
    asked = approvals.every(db, {"session_id": session.id, "kind": kind})
    if session.origin in ledger.SAME_RUN and session.previous_session_id is not None:
        asked += asked_for(db, sessions.get(db, session.previous_session_id), kind)
    return asked


def _ask(tx: Transaction, session: Session, seen: SeenConfiguration, *, expires_at: str) -> None:
    repository = repositories.get(tx.db, session.repository_id)
    before = trusted_configurations.last_texts(tx.db, repository.id)
    texts: dict[str, str] = tx.redact(seen.texts)
    trusted_configurations.offer(tx, repository.id, seen.digest, seen.texts)
    changed = "have changed since they were trusted" if before else "are not trusted yet"
    settlement.ask_about(
        tx,
        session,
        "trust",
        title=f"Let Codex obey the files of {repository.name}?",
        details={
            "reason": f"The repository's own files that configure Codex {changed}. Programs that "
            "they name run on this machine outside of the sandbox, and are not shown here. If you "
            "reject this, the run goes on without these files.",
            "cwd": session.cwd,
            "digest": seen.digest,
            "files": [{"path": path, "isNew": path not in before} for path in texts],
            "diff": diff_of(before, texts),
        },
        expires_at=expires_at,
    )


def _tell(
    tx: Transaction, session: Session, seen: SeenConfiguration, *, obeyed: bool, reason: str
) -> Session:
    ledger.tell(
        tx, session, ConfigurationWeighed(obeyed=obeyed, digest=seen.digest or None, reason=reason)
    )
    return session
