"""Caps of a day, and what tokens cost."""

from __future__ import annotations

import pytest

from command_center.actors.rules.caps import (
    Caps,
    Price,
    Spent,
    Usage,
    price_of,
    spent,
    stored_caps,
    why_over,
)

SMALL = Price(model="gpt-6-small", input=1, cached_input=0.1, output=4)
ANY = Price(model="gpt-6*", input=10, cached_input=1, output=40)


@pytest.mark.parametrize(
    ("model", "expected"),
    [("gpt-6-small", SMALL), ("gpt-6-large", ANY), ("gpt-6", ANY), ("gpt-5", None), (None, None)],
)
def test_the_first_entry_that_fits_has_the_price(model: str | None, expected: Price | None) -> None:
    assert expected == price_of(model, [SMALL, ANY])


def test_tokens_cost_by_their_kind() -> None:
    found = spent(
        [
            Usage("gpt-6-large", 1_000_000, fresh=500_000, cached=300_000, output=200_000),
            Usage("gpt-6-small", 500_000, fresh=500_000, cached=0, output=0),
            Usage("x", 7, fresh=7, cached=0, output=0),
        ],
        [SMALL, ANY],
    )
    assert (1_500_007, ["x"]) == (found.tokens, found.unpriced)
    assert 0.5 * 10 + 0.3 * 1 + 0.2 * 40 + 0.5 * 1 == pytest.approx(found.cost)


@pytest.mark.parametrize(
    ("caps", "used", "window", "expected"),
    [
        (Caps(), Spent(tokens=10**9, cost=10**5), 100, None),
        (Caps(daily_tokens=1000), Spent(tokens=999), 100, None),
        (Caps(daily_tokens=1000), Spent(tokens=1000), 0, "It used 1,000 of 1,000 tokens today."),
        (Caps(daily_cost=2.5), Spent(cost=2.5), 0, "It used 2.50 of 2.50 USD today."),
        (Caps(window_percent=80), Spent(), 79.9, None),
        (
            Caps(window_percent=80),
            Spent(),
            80,
            "It may use up to 80 % of a window of Codex's account, of which 80 % are used.",
        ),
    ],
)
def test_a_cap_that_is_reached_is_named(
    caps: Caps, used: Spent, window: float, expected: str | None
) -> None:
    assert expected == why_over(caps, used, window, whose="It", currency="USD")


def test_without_a_cap_nothing_is_kept() -> None:
    assert {} == stored_caps(Caps(over="warn"))
    assert {"dailyTokens": 5, "over": "warn"} == stored_caps(Caps(daily_tokens=5, over="warn"))
