"""Contents of a repository's own files that a person has trusted.

They are of two kinds: what configures Codex, and what sets a worktree up. A content is named by a
digest; that of a set-up begins with `SETUP`. Each is kept with the approval in which a person
decided, and with its texts, so that the next one can be shown by what differs. What is damaged is
not trusted.
"""

from __future__ import annotations

import msgspec
from sqlite_utils import Database

from command_center.store.transaction import Transaction

SETUP = "setup:"
"""The beginning of the digest of a set-up."""

_WHOLE = "checksum = row_checksum(approval_id, digest, repository_id, texts, trusted_at)"
"""A condition: the row is as it was written. One that is not counts as missing."""


def offer(tx: Transaction, repository_id: int, digest: str, texts: dict[str, str]) -> None:
    """Keep a content that a person is to decide about."""
    tx.db.execute(
        "INSERT INTO trusted_configurations (repository_id, digest, texts) VALUES (?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        [repository_id, digest, msgspec.json.encode(tx.redact(texts)).decode()],
    )


def trust(tx: Transaction, repository_id: int, digest: str, *, approval_id: int) -> None:
    """Trust a content that was offered."""
    tx.db.execute(
        "UPDATE trusted_configurations SET trusted_at = ?, approval_id = ? "
        "WHERE repository_id = ? AND digest = ?",
        [tx.now, approval_id, repository_id, digest],
    )


def forget(tx: Transaction, repository_id: int) -> None:
    """Trust nothing of the repository any more."""
    tx.db.execute("DELETE FROM trusted_configurations WHERE repository_id = ?", [repository_id])


def forget_codex(tx: Transaction, repository_id: int) -> None:
    """Trust nothing any more that configures Codex."""
    tx.db.execute(
        "DELETE FROM trusted_configurations WHERE repository_id = ? AND digest NOT GLOB ?",
        [repository_id, f"{SETUP}*"],
    )


def is_trusted(db: Database, repository_id: int, digest: str) -> bool:
    """Return True if a person has trusted that content of that repository."""
    found = db.execute(
        f"SELECT 1 FROM trusted_configurations WHERE {_WHOLE} "  # noqa: S608 - a constant
        "AND repository_id = ? AND digest = ? AND trusted_at IS NOT NULL",
        [repository_id, digest],
    )
    return found.fetchone() is not None


def last_texts(db: Database, repository_id: int, *, setup: bool = False) -> dict[str, str]:
    """Return the texts of that kind that were trusted last; none if nothing was."""
    found = db.execute(
        f"SELECT texts FROM trusted_configurations WHERE {_WHOLE} "  # noqa: S608 - a constant
        "AND repository_id = ? AND trusted_at IS NOT NULL AND (digest GLOB ?) = ? "
        "ORDER BY trusted_at DESC LIMIT 1",
        [repository_id, f"{SETUP}*", setup],
    ).fetchone()
    return {} if found is None else msgspec.json.decode(found[0], type=dict[str, str])
