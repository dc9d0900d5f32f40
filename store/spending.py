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


class ModelUsage(NamedTuple):
    """The tokens that the sessions of a repository used of a model.

    Each session's are shared out by the mix of its thread, as the agent told it: `fresh` and
    `cached` input, and `output`. Those of a thread of which nothing is told are fresh input.
    """

    repository_id: int
    model: str | None
    tokens: int
    fresh: float
    cached: float
    output: float


_USED = """
    SELECT repository_id, model, created_at,
        min(max(0, ifnull(CAST(json_extract(token_usage, '$.total.totalTokens') AS INTEGER), 0)
            - token_baseline), 1000000000000) AS tokens,
        ifnull(CAST(json_extract(token_usage, '$.total.inputTokens') AS REAL), 0) AS input,
        ifnull(CAST(json_extract(token_usage, '$.total.cachedInputTokens') AS REAL), 0) AS cached,
        ifnull(CAST(json_extract(token_usage, '$.total.outputTokens') AS REAL), 0) AS output
    FROM sessions INDEXED BY sessions_by_creation
    WHERE created_at >= ? AND created_at < ? AND token_usage IS NOT NULL
        AND repository_id = coalesce(?, repository_id)
"""
_OF_MODELS = f"""
    SELECT repository_id, model, sum(tokens),
        total(iif(input + output > 0, tokens * max(0, input - cached) / (input + output), tokens)),
        total(iif(input + output > 0, tokens * cached / (input + output), 0)),
        total(iif(input + output > 0, tokens * output / (input + output), 0))
    FROM ({_USED}) GROUP BY repository_id, model ORDER BY min(created_at)
"""  # noqa: S608 - constants


def used_since(db: Database, moment: str, repository_id: int | None = None) -> list[ModelUsage]:
    """Return what sessions used that were made in the day since; an index alone is read.

    One that a clock gone wrong made later than that is of no day that anybody asks for.
    """
    end = to_timestamp(from_timestamp(moment) + LONGEST_DAY)
    return [ModelUsage(*row) for row in db.execute(_OF_MODELS, [moment, end, repository_id])]
