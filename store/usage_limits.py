"""The limits of each host's account as the agent told them last, and the hold of its runs.

Runs of a host are held from when one of them met a limit until that resets.
"""

import json
from typing import Any

import attrs
from sqlite_utils import Database

from command_center.store.transaction import Transaction


@attrs.frozen
class KnownLimits:
    """A host's limits, as far as they are known.

    Attributes:
        limits: each as the API shows it.
        warned: marks of the windows of which people were told that they are almost used up.
        held_since: when a run met a limit; None while runs may begin.
        held_until: when that resets; None where nobody has said yet.
        tries: so often runs went on without anybody having said when it resets.
    """

    limits: list[dict[str, Any]] = attrs.field(factory=list)
    warned: list[str] = attrs.field(factory=list)
    held_since: str | None = None
    held_until: str | None = None
    tries: int = 0


def known(db: Database, host: str) -> KnownLimits:
    """Return what is known of a host's limits, which is nothing at first."""
    row = db.execute(
        "SELECT limits, warned, held_since, held_until, tries FROM usage_limits WHERE host = ?",
        [host],
    ).fetchone()
    if row is None:
        return KnownLimits()
    return KnownLimits(json.loads(row[0]), json.loads(row[1]), *row[2:])


def keep(tx: Transaction, host: str, now: KnownLimits) -> None:
    """Keep what is known of a host's limits now."""
    tx.db.execute(
        "INSERT OR REPLACE INTO usage_limits "
        "(host, limits, warned, held_since, held_until, tries) VALUES (?, ?, ?, ?, ?, ?)",
        [
            host,
            json.dumps(now.limits),
            json.dumps(now.warned),
            now.held_since,
            now.held_until,
            now.tries,
        ],
    )
