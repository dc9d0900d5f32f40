"""The caps of all repositories together, the price table, and what sessions used since a moment."""

import json
from datetime import timedelta
from typing import Any, Final, NamedTuple

import attrs
from sqlite_utils import Database

from command_center.store.timestamps import from_timestamp, to_timestamp
from command_center.store.transaction import Transaction

LONGEST_DAY: Final = timedelta(hours=25)
"""The day on which clocks are put back."""


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


class SessionUsage(NamedTuple):
    """The tokens that a session used, and those of its thread by kind, as the agent told them."""

    repository_id: int
    model: str | None
    baseline: int
    total: int | None
    input: int | None
    cached_input: int | None
    output: int | None


def sessions_since(
    db: Database, moment: str, repository_id: int | None = None
) -> list[SessionUsage]:
    """Return what each session used that was made in the day since; an index alone is read.

    One that a clock gone wrong made later than that is of no day that anybody asks for.
    """
    end = to_timestamp(from_timestamp(moment) + LONGEST_DAY)
    found = db.execute(
        "SELECT repository_id, model, token_baseline, "
        "json_extract(token_usage, '$.total.totalTokens'), "
        "json_extract(token_usage, '$.total.inputTokens'), "
        "json_extract(token_usage, '$.total.cachedInputTokens'), "
        "json_extract(token_usage, '$.total.outputTokens') "
        "FROM sessions INDEXED BY sessions_by_creation "
        "WHERE created_at >= ? AND created_at < ? AND token_usage IS NOT NULL "
        "AND repository_id = coalesce(?, repository_id) ORDER BY created_at",
        [moment, end, repository_id],
    )
    return [SessionUsage(*row) for row in found]
