"""Caps of what runs may use in a day, and the prices by which their tokens cost money.

A price is of a million tokens. The first entry of the price table whose `model` fits counts: a
name, or the beginning of one with a `*` behind it. A model without a price costs nothing here, and
is named as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

import attrs
import msgspec

MILLION: Final = 1_000_000

Money: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]

ModelPattern = Annotated[
    str,
    msgspec.Meta(
        max_length=128,
        pattern=r"^(?:\*|[A-Za-z0-9][\w.:/-]{0,126}\*?)$(?!\n)",
        description="the name of a model, which may end with *",
    ),
]

Currency = Annotated[
    str,
    msgspec.Meta(
        max_length=3, pattern=r"^[A-Z]{3}$(?!\n)", description="three capital letters, such as EUR"
    ),
]


class Caps(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The most that runs may use. What is left out has no cap.

    Attributes:
        daily_tokens: tokens of all sessions that were made in the day.
        daily_cost: what these cost by the price table, in its currency.
        window_percent: how much of any window of the account may be used when a run begins.
        over: what becomes of runs that work when a cap is reached. None begins either way.
    """

    daily_tokens: Annotated[int, msgspec.Meta(ge=1, le=10**12)] | None = None
    daily_cost: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] | None = None
    window_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    over: Literal["interrupt", "warn"] = "interrupt"


class Price(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The price of a model's tokens, each of a million."""

    model: ModelPattern
    input: Money = 0
    cached_input: Money = 0
    output: Money = 0


@attrs.frozen
class Usage:
    """The tokens that sessions used of a model, and how many of them are of each kind."""

    model: str | None
    tokens: int
    fresh: float
    cached: float
    output: float


class Spent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The things used in a day. `unpriced` are models that the price table does not have."""

    tokens: int = 0
    cost: float = 0
    unpriced: list[str] = []


def stored_caps(caps: Caps) -> dict[str, Any]:
    """Return them as they are kept and shown; nothing where there is no cap."""
    plain: dict[str, Any] = msgspec.to_builtins(caps)
    given = {name: value for name, value in plain.items() if value is not None}
    return given if given.keys() - {"over"} else {}


def spent(usages: Sequence[Usage], prices: Sequence[Price]) -> Spent:
    """Sum what sessions used."""
    cost = 0.0
    unpriced: dict[str, None] = {}
    for used in usages:
        price = price_of(used.model, prices)
        if price is None:
            unpriced[used.model or "the default model"] = None
        else:
            cost += used.fresh * price.input / MILLION
            cost += used.cached * price.cached_input / MILLION
            cost += used.output * price.output / MILLION
    return Spent(
        tokens=sum(used.tokens for used in usages), cost=round(cost, 6), unpriced=list(unpriced)
    )


def price_of(model: str | None, prices: Sequence[Price]) -> Price | None:
    """Return the first price that fits the model; None where none does."""
    name = model or ""
    for price in prices:
        exact, star, _ = price.model.partition("*")
        if name == exact or (star and name.startswith(exact)):
            return price
    return None


def why_over(caps: Caps, used: Spent, window: float, *, whose: str, currency: str) -> str | None:
    """Say which cap is reached; None while none is.

    Args:
        caps: those that count.
        used: in the day so far.
        window: the share of the fullest window of the account that is used, in percent.
        whose: the subject of the sentence, such as a repository.
        currency: of the costs.
    """
    if caps.daily_tokens is not None and used.tokens >= caps.daily_tokens:
        return f"{whose} used {used.tokens:,} of {caps.daily_tokens:,} tokens today."
    if caps.daily_cost is not None and used.cost >= caps.daily_cost:
        return f"{whose} used {used.cost:.2f} of {caps.daily_cost:.2f} {currency} today."
    if caps.window_percent is not None and window >= caps.window_percent:
        return (
            f"{whose} may use up to {caps.window_percent} % of a window of Codex's account, of "
            f"which {window:.0f} % are used."
        )
    return None
