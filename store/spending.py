"""The caps of all repositories together, the price table, and what sessions used since a moment."""

import json
from typing import Any

import attrs
from sqlite_utils import Database

from command_center.store.transaction import Transaction


@attrs.frozen
class SpendingRules:
    """The rules as they are kept.

    Attributes:
        caps: of all repositories together.
        prices: the price table.
        warned: days and whose caps, of which people were told that they are reached.
    """

    caps: dict[str, Any] = attrs.field(factory=dict)
    prices: list[dict[str, Any]] = attrs.field(factory=list)
    currency: str = "USD"
    warned: list[str] = attrs.field(factory=list)


def rules(db: Database) -> SpendingRules:
    """Return the rules, which ask for nothing at first."""
    row = db.execute("SELECT rules FROM spending").fetchone()
    return SpendingRules() if row is None else SpendingRules(**json.loads(row[0]))


def keep(tx: Transaction, wanted: SpendingRules) -> None:
    """Keep the rules."""
    tx.db.execute(
        "INSERT OR REPLACE INTO spending (id, rules) VALUES (1, ?)",
        [json.dumps(attrs.asdict(wanted))],
    )


def sessions_since(
    db: Database, moment: str, repository_id: int | None = None
) -> list[tuple[str | None, dict[str, Any], int]]:
    """Return the model, the usage and the baseline of each session that was made since."""
    before = db.execute(
        "SELECT id FROM sessions WHERE created_at < ? ORDER BY id DESC LIMIT 1", [moment]
    ).fetchone()
    found = db.execute(
        "SELECT model, token_usage, token_baseline FROM sessions "
        "WHERE id > ? AND token_usage IS NOT NULL AND repository_id = coalesce(?, repository_id)",
        [0 if before is None else before[0], repository_id],
    ).fetchall()
    return [(model, json.loads(usage), baseline) for model, usage, baseline in found]
